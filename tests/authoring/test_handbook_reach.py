"""The bounds of a score: nothing lies outside, and where they are called exact, something reaches them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import botopt
from botopt.authoring.handbook.reach import Span, reach
from botopt.model.condition import (
    All,
    AnyOf,
    Comparison,
    IsDefined,
    Literal,
    Membership,
    Not,
    Ref,
    Scope,
    Truth,
    ValueType,
)
from botopt.model.decision import Reason
from botopt.model.policy import EventType, FieldSpec, Policy, Rule, When
from botopt.network.reference import ReferenceMatcher
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


AMOUNT = Ref(Scope.EVENT, "amount", ValueType.INTEGER)
KIND = Ref(Scope.EVENT, "kind", ValueType.TEXT, one_of=("a", "b", "c"))
FLAG = Ref(Scope.EVENT, "flag", ValueType.BOOLEAN, optional=True)
HOUR = Ref(Scope.TIME, "hour", ValueType.INTEGER)
FIELDS = {
    "amount": FieldSpec("amount", ValueType.INTEGER, minimum=2.0, maximum=9.0),
    "kind": FieldSpec("kind", ValueType.TEXT, one_of=("a", "b", "c")),
    "flag": FieldSpec("flag", ValueType.BOOLEAN, optional=True),
}
EVERYTHING = {
    AMOUNT.key: list(range(2, 10)),
    KIND.key: ["a", "b", "c"],
    FLAG.key: [True, False, None],
    HOUR.key: list(range(24)),
}
_operators = st.sampled_from(("==", "!=", "<", "<=", ">", ">="))
_leaves = st.one_of(
    st.builds(Comparison, _operators, st.just(AMOUNT), st.integers(0, 11).map(Literal)),
    st.builds(Comparison, _operators, st.integers(0, 11).map(Literal), st.just(AMOUNT)),
    st.builds(Comparison, _operators, st.just(HOUR), st.integers(0, 23).map(Literal)),
    st.builds(Comparison, st.sampled_from(("==", "!=")), st.just(KIND), st.sampled_from("abc").map(Literal)),
    st.builds(
        Membership,
        st.just(KIND),
        st.lists(st.sampled_from("abc").map(Literal), min_size=1, max_size=2).map(tuple),
        st.booleans(),
    ),
    st.builds(Truth, st.just(FLAG)),
    st.builds(IsDefined, st.just(FLAG)),
)
_conditions = st.recursive(
    _leaves,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=1, max_size=3).map(tuple).map(All)
        | st.lists(inner, min_size=1, max_size=3).map(tuple).map(AnyOf)
    ),
    max_leaves=4,
)
_scores = st.sampled_from((-0.3, -0.1, 0.0, 0.1, 0.25, 0.6))
_rules = st.lists(st.tuples(_conditions, _scores, st.booleans()), max_size=4)


@settings(max_examples=300, deadline=None)
@given(_rules)
def test_bounds_that_are_called_exact_are_those_of_all_events_tried_one_by_one(drawn):
    rules = tuple(
        Rule(f"r{n}", When(condition), score=None if skip else score, skip=skip and n == 0)
        for n, (condition, score, skip) in enumerate(drawn)
    )
    event_type = EventType("it", fields=FIELDS, weight=0.5, message="m", rules=rules)
    bounds = reach(Policy(), event_type)
    matcher = ReferenceMatcher([rule.when.condition for rule in rules])
    raws = []
    for fact in product(*(EVERYTHING[ref.key] for ref in matcher.inputs)):
        mask = matcher.match(fact)
        matching = [rule for bit, rule in enumerate(rules) if mask & 1 << bit]
        if not any(rule.skip for rule in matching):
            raws.append(min(1.0, max(0.0, 0.5 + sum(rule.score or 0.0 for rule in matching))))
    if not raws:
        assert not bounds.exact, "a rule skips everything"
        return
    if bounds.exact:
        assert (round(bounds.raw.low, 9), round(bounds.raw.high, 9)) == (round(min(raws), 9), round(max(raws), 9))
    assert bounds.raw.low <= min(raws) + 1e-9
    assert bounds.raw.high >= max(raws) - 1e-9


def test_no_decision_of_the_example_events_lies_outside():
    policy = load(ROOT)
    bounds = {one.name: reach(policy, one) for one in policy.events.values() if one.decides}
    lines = (ROOT / "examples" / "events.jsonl").read_bytes().splitlines()
    looked_at = 0
    for decision in botopt.replay(policy, lines):
        if decision.score is None or decision.threshold is None or decision.reason is Reason.SKIPPED:
            continue
        found = bounds[decision.event_type]
        assert found.score.low - 1e-6 <= decision.score <= found.score.high + 1e-6, decision
        assert found.needed.low - 1e-6 <= decision.threshold <= found.needed.high + 1e-6, decision
        looked_at += 1
    assert looked_at > 200
