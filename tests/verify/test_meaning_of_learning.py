"""What validation says about policies that learn: learners without an effect, and what learning makes possible."""

from __future__ import annotations

from pathlib import Path

import pytest

from botopt.engine.build import build
from botopt.model.diagnostic import Diagnostic
from botopt.verify.ruletest.reading import read_tests
from botopt.verify.ruletest.running import run_tests
from botopt.verify.validate import load, validate
from tests.loading.making import write

CHANNELS = "channels: {chat: {type: console}}\n"
EXPERIMENT = "experiment: {bar: {arms: {as-now: 50%, early: 50%}}}\n"
HI = "templates: {hi: Hello}\n"


def found(folder: Path, rules: str, templates: str = HI) -> dict[str, Diagnostic]:
    write(folder, {"rules/a.yaml": CHANNELS + rules, "templates/t.yaml": templates})
    return {one.code: one for one in validate(folder).diagnostics}


def passes(folder: Path, witness: str) -> bool:
    """Whether what a finding shows as a rule test is so."""
    (folder / "rules" / "w.test.yaml").write_text(f"tests:\n  {witness}\n", "utf-8")
    policy = load(folder)
    read = read_tests(policy, folder)
    assert read.diagnostics == ()
    return not any(one.failures for one in run_tests(build(policy), read.tests))


def test_an_experiment_that_nothing_asks_for_is_told(tmp_path: Path):
    one = found(tmp_path, EXPERIMENT + "events: {late: {weight: 0.7, message: hi}}\n")["B417"]
    assert one.position.line == 2
    assert "experiment('bar') == 'early'" in one.hint


@pytest.mark.parametrize(
    ("rules", "templates"),
    [
        ("rules: [{id: r, when: experiment('bar') == 'early', score: 0.1}]", HI),
        ("", "templates: {hi: {variants: {a: {when: experiment('bar') == 'early', text: A}, b: {text: B}}}}\n"),
    ],
)
def test_an_experiment_that_a_rule_or_a_variant_asks_for_is_not(tmp_path: Path, rules: str, templates: str):
    events = f"events: {{late: {{weight: 0.55, message: hi{', ' if rules else ''}{rules}}}}}\n"
    assert "B417" not in found(tmp_path, EXPERIMENT + events, templates)


def test_an_arm_is_one_of_few_values_and_a_witness_has_a_user_of_it(tmp_path: Path):
    rules = (
        "[{id: one, when: experiment('bar') == 'early', message: hi}, "
        "{id: all, when: \"experiment('bar') in ['early', 'as-now']\", message: ho}]"
    )
    two = "templates: {hi: Hello, ho: Ho, hu: Hu}\n"
    one = found(tmp_path, f"{EXPERIMENT}events: {{late: {{weight: 0.7, message: hu, rules: {rules}}}}}\n", two)["B407"]
    assert "rule one" in one.message
    assert passes(tmp_path, one.witness)


def test_a_rule_that_asks_for_both_arms_at_once_never_matches(tmp_path: Path):
    when = "experiment('bar') == 'early' and experiment('bar') == 'as-now'"
    rules = (
        f'{EXPERIMENT}events: {{late: {{weight: 0.7, message: hi, rules: [{{id: r, when: "{when}", score: 0.1}}]}}}}\n'
    )
    assert "B405" in found(tmp_path, rules)


def test_a_threshold_of_nothing_cannot_be_moved(tmp_path: Path):
    paced = "settings: {pacing: {messages: 2, per: day}}\n"
    assert "B418" in found(tmp_path, paced + "events: {late: {weight: 0.7, threshold: 0, message: hi}}\n")
    assert "B418" not in found(tmp_path, paced + "events: {late: {weight: 0.7, threshold: 0.1, message: hi}}\n")
    assert "B418" not in found(tmp_path, "events: {late: {weight: 0.7, threshold: 0, message: hi}}\n")


def test_a_category_none_of_whose_messages_can_wait_is_told(tmp_path: Path):
    category = "categories: {alarm: {send_time: {within: 6h}}}\n"
    event = "events: {late: {weight: 0.7, message: hi, category: alarm, "
    assert "B132" in found(tmp_path, f"{category}{event}always: true}}}}\n")
    assert "B132" in found(tmp_path, f"{category}{event}send_time: off}}}}\n")
    assert "B132" not in found(tmp_path, f"{category}{event}expires_after: 2h}}}}\n")


def test_what_a_full_budget_lets_through_is_not_called_impossible(tmp_path: Path):
    still = "settings: {engagement: {effect: 0}}\nevents: {late: {weight: 0.4, message: hi}}\n"
    assert "B402" in found(tmp_path, still)
    paced = found(tmp_path, still.replace("effect: 0}", "effect: 0}, pacing: {messages: 2}"))
    assert "B402" not in paced
    assert "pacing lower the bar" in paced["B403"].message
    assert passes(tmp_path, paced["B403"].witness)


def test_what_no_budget_lets_through_is(tmp_path: Path):
    rules = "settings: {engagement: {effect: 0}, pacing: {messages: 2}}\nevents: {late: {weight: 0.01, message: hi}}\n"
    one = found(tmp_path, rules)["B402"]
    assert "however far pacing lowers the bar" in one.message
    assert passes(tmp_path, one.witness)


def test_a_bar_that_pacing_can_raise_leaves_a_choice(tmp_path: Path):
    rules = "events: {late: {weight: 0.9, message: hi, rules: [{id: r, when: 'true', score: -0.05}]}}\n"
    always = "settings: {threshold: 0.2, engagement: {effect: 0}, fatigue: {per_message: 0}}\n"
    assert "B404" in found(tmp_path, always + rules)
    assert "B404" not in found(tmp_path, always.replace("0}}", "0}, pacing: {messages: 2}}") + rules)


def test_any_variant_of_a_template_that_learns_can_be_chosen(tmp_path: Path):
    templates = "templates: {hi: {choose: learn, variants: {a: {text: A}, b: {text: B}, c: {when: sent('24h') > 0, text: C}}}}\n"
    assert "B413" not in found(tmp_path, "events: {late: {weight: 0.7, message: hi}}\n", templates)
