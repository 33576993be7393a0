"""The workspaces in `examples/` are what the documentation says of them."""

from __future__ import annotations

from pathlib import Path

from botopt.engine.build import build
from botopt.model.policy import Choose
from botopt.verify.ruletest.reading import read_tests
from botopt.verify.ruletest.running import run_tests
from botopt.verify.simulation.rivals import static
from botopt.verify.simulation.trials import POLICY, STATIC, Setup, trial
from botopt.verify.simulation.worlds import WORLDS
from botopt.verify.validate import load, validate

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SHOP = EXAMPLES / "learning"


def test_nothing_is_found_in_the_shop_that_learns():
    found = validate(SHOP)
    assert found.diagnostics == ()
    assert found.policy is not None


def test_the_shop_that_learns_switches_on_all_that_needs_no_model():
    policy = load(SHOP)
    settings = policy.settings
    assert settings.engagement.learn
    assert settings.engagement.explore > 0
    assert settings.pacing is not None
    assert settings.control > 0
    assert settings.holdout > 0
    assert policy.experiments
    assert any(one.send_time is not None for one in policy.events.values())
    assert any(one.pacing is not None for one in policy.categories.values())
    assert any(one.choose is Choose.LEARN for one in policy.templates.values())


def test_the_tests_of_the_shop_that_learns_pass():
    policy = load(SHOP)
    read = read_tests(policy, SHOP)
    assert read.diagnostics == ()
    results = list(run_tests(build(policy), read.tests))
    assert [failure for one in results for failure in one.failures] == []
    assert len(results) >= 7


def test_the_starter_policy_learns_nothing():
    policy = load(EXAMPLES.parent)
    assert not policy.learns
    assert policy.settings.pacing is None
    assert policy.settings.control == policy.settings.engagement.explore == 0.0
    assert not policy.experiments


def test_with_its_learners_the_shop_sends_fewer_messages_that_are_worth_more():
    """docs/howto/learning.md has the figures of more and larger populations."""
    policy = load(SHOP)
    setup = Setup(policy, WORLDS["modest"], 40, 28, {STATIC: static(policy)}, hindsight=False)
    tried = [trial(setup, seed).figures for seed in range(3)]
    assert all(each[POLICY].messages < 0.95 * each[STATIC].messages for each in tried)
    worth = {name: sum(each[name].true_rate for each in tried) for name in (POLICY, STATIC)}
    assert worth[POLICY] > worth[STATIC]
