"""What is remembered of classes of facts, and when durable_rules is asked at all."""

from __future__ import annotations

from itertools import product

import pytest

from botopt.model.condition import All, AnyOf, Comparison, Condition, Literal, Membership, Not, Ref, Scope, ValueType
from botopt.network.durable import PATIENCE, Alive, DurableMatcher, DurableNetwork, load_module
from botopt.network.lowering import Lowered
from botopt.network.reference import ReferenceMatcher
from botopt.network.source import Source
from tests.network.making import needs_durable

N = Ref(Scope.EVENT, "n", ValueType.NUMBER)
T = Ref(Scope.EVENT, "t", ValueType.TEXT)


def n(operator: str, value: float) -> Condition:
    return Comparison(operator, N, Literal(value))


def classes(*conditions: Condition) -> int:
    """How many classes of facts with one value are told apart, of numbers around the constants and none."""
    (group,) = Lowered(conditions).groups
    source = Source([N])
    key = source.compile([f"return {group.key(source)}"])
    return len({key([value]) for value in (None, *(number / 2 for number in range(-20, 40)))})


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((n(">=", 5),), 3),  # none, below, from there on
        ((n("<", 5), n(">=", 5)), 3),
        ((n(">", 5), n("<=", 5)), 3),
        ((n(">=", 5), n(">", 5)), 4),
        ((n("==", 5),), 4),
        ((n("!=", 5), n("<", 5)), 4),
        ((n(">=", 5), n("<", 7)), 4),
        ((Comparison("<=", Literal(5), N),), 3),
        ((Comparison("<", Literal(5), N), n("<=", 5)), 3),
        ((Membership(N, (Literal(1.0), Literal(3.0))),), 6),
        (tuple(n(">=", number) for number in range(10)), 12),  # so many that they are searched
        (tuple(n(sign, number) for number in range(6) for sign in ("<", "<=")), 14),
    ],
)
def test_no_more_classes_than_the_comparisons_tell_apart(conditions, expected):
    assert classes(*conditions) == expected


CONDITIONS = (
    All((n(">=", 5), Membership(T, (Literal("a"), Literal("b"))))),
    AnyOf((n("<", 2), Not(n("<=", 7)))),
    Not(Comparison("==", T, Literal("a"))),
)
FACTS = [list(values) for values in product([None, 1, 2, 3, 5, 7, 8], [None, "a", "b", "c"])]


class Counting(Alive):
    """How often the network was asked."""

    asked = 0

    def ask(self, number: int, ruleset: str, asserted: str) -> set[str]:
        self.asked += 1
        return super().ask(number, ruleset, asserted)


def patient(alive: Alive) -> DurableMatcher:
    return DurableNetwork(alive, PATIENCE).compile(CONDITIONS)


@needs_durable
def test_a_class_is_asked_about_once_and_only_when_it_came_again_and_again():
    alive = Counting(load_module())
    matcher, reference = patient(alive), ReferenceMatcher(CONDITIONS)
    inputs = [ref.name for ref in matcher.inputs]
    fact = {"n": 8, "t": "a"}
    values = [fact[name] for name in inputs]
    for turn in range(1, PATIENCE + 5):
        assert matcher.match(values) == reference.match(values)
        assert alive.asked == (turn > PATIENCE)
    alive.close()


@needs_durable
def test_rare_and_frequent_facts_are_answered_alike():
    alive = Counting(load_module())
    matcher, reference = patient(alive), ReferenceMatcher(CONDITIONS)
    assert [ref.key for ref in matcher.inputs] == [ref.key for ref in reference.inputs]
    order = slice(None) if matcher.inputs[0].name == "n" else slice(None, None, -1)
    for _ in range(PATIENCE + 3):
        for fact in FACTS:
            assert matcher.match(fact[order]) == reference.match(fact[order])
    assert 0 < alive.asked <= len(FACTS)
    assert matcher.refused is None
    alive.close()


@needs_durable
def test_the_first_facts_are_left_to_the_reference():
    alive = Counting(load_module())
    matcher, reference = DurableNetwork(alive, warming=3).compile(CONDITIONS), ReferenceMatcher(CONDITIONS)
    order = slice(None) if matcher.inputs[0].name == "n" else slice(None, None, -1)
    for turn, fact in enumerate(FACTS, 1):
        assert matcher.match(fact[order]) == reference.match(fact[order])
        assert (alive.asked > 0) == (turn > 3)
    alive.close()
