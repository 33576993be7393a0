"""The bounds of a score: nothing lies outside, and where they are called exact, something reaches them."""

from __future__ import annotations

import pytest

from botopt.authoring.handbook.reach import Span, reach
from botopt.verify.validate import load
from tests.cli.running import ROOT, workspace

HEAD = """\
settings: {engagement: {effect: 0}, fatigue: {per_message: 0}}
channels: {chat: {type: console}}
user:
  plan: {type: text, one_of: [free, pro], default: free}
events:
  seen_before: {}
  it:
    fields:
      amount: {type: number, min: 0, max: 1000}
      note: {type: text, optional: true}
      kind: {type: text, one_of: [a, b, c]}
      code: {type: text, pattern: "[A-Z]{3}"}
    weight: 0.50
    message: hello
"""


def found(tmp_path, *rules: str):
    text = HEAD + ("    rules:\n" + "".join(f"      - {{id: r{n}, {rule}}}\n" for n, rule in enumerate(rules)))
    policy = load(workspace(tmp_path, rules=text, templates="templates: {hello: Hello}\n"))
    return reach(policy, policy.events["it"])


@pytest.mark.parametrize(
    ("rules", "low", "high", "exact"),
    [
        (("when: amount >= 500, score: 0.2",), 0.5, 0.7, True),
        (("when: amount >= 500, score: 0.2", "when: amount < 5, score: -0.3"), 0.2, 0.7, True),
        (("when: amount >= 500, score: 0.2", "when: amount >= 100, score: 0.1"), 0.5, 0.8, True),
        (("when: amount >= 500, score: 0.2", "when: amount < 100, score: 0.1"), 0.5, 0.7, True),
        (("when: amount >= 500, score: 0.2", "when: amount < 500, score: 0.1"), 0.6, 0.7, True),
        (("when: amount >= 500, score: 0.2", "when: amount >= 500, skip: true"), 0.5, 0.5, True),
        (("when: kind != 'a', score: 0.2", "when: kind == 'a', score: 0.1"), 0.6, 0.7, True),
        (("when: user.plan == 'pro', score: 0.2", "when: user.plan == 'free', score: 0.1"), 0.6, 0.7, True),
        (("when: note is defined, score: 0.2", "when: note is not defined, score: -0.1"), 0.4, 0.7, True),
        (("when: time.hour >= 22, score: 0.2", "when: time.hour < 22, score: -0.1"), 0.4, 0.7, True),
        (("when: time.weekday == 'mon', score: 0.2",), 0.5, 0.7, True),
        (("when: \"count('it', '1d') >= 1\", score: 0.2",), 0.7, 0.7, True),
        (("when: \"seen('it', '1d')\", score: 0.2",), 0.5, 0.7, True),
        (("when: amount * 2 >= 500, score: 0.2", "when: amount < 5, score: 0.1"), 0.5, 0.8, False),
        (("when: code == 'ABC', score: 0.2",), 0.5, 0.7, False),
        (("when: time.weekend, score: 0.2", "when: time.weekday == 'mon', score: 0.1"), 0.5, 0.8, False),
        (("when: amount >= 5, score: 0.9",), 0.5, 1.0, True),
    ],
)
def test_scores_by_weight_and_rules(tmp_path, rules, low, high, exact):
    bounds = found(tmp_path, *rules)
    assert (round(bounds.raw.low, 9), round(bounds.raw.high, 9), bounds.exact) == (low, high, exact)


def test_what_is_needed_rises_with_rules_and_with_fatigue(tmp_path):
    text = HEAD.replace("fatigue: {per_message: 0}", "fatigue: {per_message: 0.05, limit: 0.20}")
    text += "    rules:\n      - {id: r, when: amount > 5, threshold: -0.1}\n"
    policy = load(workspace(tmp_path, rules=text, templates="templates: {hello: Hello}\n"))
    bounds = reach(policy, policy.events["it"])
    assert (round(bounds.needed.low, 9), round(bounds.needed.high, 9)) == (0.5, 0.8)


def test_never_and_always_are_strict(tmp_path):
    assert found(tmp_path, "when: amount > 5, score: 0.1").never, "0.60 is not above 0.60"
    assert not found(tmp_path, "when: amount > 5, score: 0.11").never
    assert found(tmp_path, "when: amount >= 0, score: 0.11").always


def test_the_starter_policy_has_bounds_that_hold_its_weights():
    policy = load(ROOT)
    for event_type in policy.events.values():
        if event_type.decides:
            bounds = reach(policy, event_type)
            assert isinstance(bounds.raw, Span)
            assert 0 <= bounds.score.low <= bounds.raw.low <= bounds.raw.high <= bounds.score.high <= 1
            assert not bounds.never
