"""Two networks, one meaning."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botopt.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Comparison,
    Condition,
    Contains,
    IsDefined,
    Literal,
    Membership,
    Negative,
    Not,
    Truth,
)
from botopt.network.reference import ReferenceNetwork
from botopt.network.samples import boundary_facts, literals
from tests.network.conditions import FLAGS, INTEGERS, NUMBERS, TEXTS, TIMES, conditions, facts
from tests.network.making import durable, needs_durable
from tests.network.meaning import mask


def patiently(examples: int):
    return settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])


N, M = NUMBERS[:2]
T, U = TEXTS[:2]
B, C = FLAGS


@patiently(200)
@given(st.lists(conditions, min_size=1, max_size=5), st.data())
def test_the_reference_means_what_a_condition_means(group, data):
    matcher = ReferenceNetwork().compile(group)
    constants = [literal.value for condition in group for literal in literals(condition)]
    for _ in range(5):
        fact = data.draw(facts(matcher.inputs, constants))
        assert matcher.match(fact) == mask(group, matcher.inputs, fact)


@needs_durable
@patiently(200)
@given(st.lists(conditions, min_size=1, max_size=5), st.data())
def test_both_networks_give_the_same_answers(group, data):
    reference, matcher = ReferenceNetwork().compile(group), durable(group)
    assert matcher.inputs == reference.inputs
    constants = [literal.value for condition in group for literal in literals(condition)]
    for _ in range(5):
        fact = data.draw(facts(reference.inputs, constants))
        assert matcher.match(fact) == reference.match(fact) == mask(group, reference.inputs, fact)
        assert matcher.match(fact) == reference.match(fact)  # and from memory
    assert matcher.refused is None


@needs_durable
@patiently(15)
@given(st.lists(conditions, min_size=20, max_size=40), st.data())
def test_they_agree_on_many_rules_in_several_rulesets(group, data):
    reference, matcher = ReferenceNetwork().compile(group), durable(group)
    constants = [literal.value for condition in group for literal in literals(condition)]
    for _ in range(3):
        fact = data.draw(facts(reference.inputs, constants))
        assert matcher.match(fact) == reference.match(fact)
    assert matcher.refused is None


@needs_durable
@patiently(50)
@given(st.lists(conditions, min_size=1, max_size=3))
def test_they_agree_on_the_boundary_facts(group):
    reference, matcher = ReferenceNetwork().compile(group), durable(group)
    for fact in boundary_facts(group):
        assert matcher.match(fact) == reference.match(fact) == mask(group, reference.inputs, fact)
    assert matcher.refused is None


def compare(sign, left, right):
    def term(side):
        return side if not isinstance(side, str | bool | int | float) else Literal(side)

    return Comparison(sign, term(left), term(right))


SUM = Arithmetic("+", N, M)
RATIO = Arithmetic("/", N, M)
CASES: list[tuple[str, Condition, tuple[object, ...], bool]] = [
    ("at the boundary, greater or equal", compare(">=", N, 500), (500.0,), True),
    ("at the boundary, greater", compare(">", N, 500), (500.0,), False),
    ("a hair below", compare(">=", N, 500), (499.99999999999994,), False),
    ("a constant on the left", compare("<=", 500, N), (500,), True),
    ("a whole number and a number", compare("==", INTEGERS[0], 5.0), (5,), True),
    ("minus zero is zero", compare("==", N, 0), (-0.0,), True),
    ("the smallest number is more than zero", compare(">", N, 0), (5e-324,), True),
    ("a number that needs an exponent", compare("==", N, 1e-7), (1e-7,), True),
    ("its neighbour", compare("==", N, 1e-7), (1.0000000000000001e-7,), False),
    ("a huge number", compare("<", N, 1e300), (1e299,), True),
    ("the largest whole number", compare("==", INTEGERS[0], 2**53 - 1), (2**53 - 1,), True),
    ("one below it", compare("==", INTEGERS[0], 2**53 - 1), (2**53 - 2,), False),
    ("microseconds", compare("<", TIMES[0], TIMES[1]), (1_700_000_000_000_000, 1_700_000_000_000_001), True),
    ("absent is not equal", compare("==", N, 5), (None,), False),
    ("absent is not unequal either", compare("!=", N, 5), (None,), False),
    ("absent is not less", compare("<", N, 5), (None,), False),
    ("not of a comparison with absent", Not(compare("==", N, 5)), (None,), True),
    ("not of an unequal with absent", Not(compare("!=", N, 5)), (None,), True),
    ("not not", Not(Not(compare("==", N, 5))), (None,), False),
    ("one text and another", compare("==", T, "pro"), ("Pro",), False),
    ("unequal texts", compare("!=", T, "pro"), ("Pro",), True),
    ("texts that look like numbers", compare("==", T, "1"), ("1.0",), False),
    ("an empty text is there", IsDefined(T), ("",), True),
    ("letters of any alphabet", compare("==", T, "日本é"), ("日本é",), True),
    ("two spellings of one letter", compare("==", T, "é"), ("e\u0301",), False),
    ("two values", compare("==", T, U), ("a", "a"), True),
    ("two values, one absent", compare("!=", T, U), ("a", None), False),
    ("in a list", Membership(T, (Literal("a"), Literal("b"))), ("b",), True),
    ("absent in a list", Membership(T, (Literal("a"),)), (None,), False),
    ("absent not in a list", Membership(T, (Literal("a"),), negated=True), (None,), False),
    ("not absent in a list", Not(Membership(T, (Literal("a"),))), (None,), True),
    ("not absent not in a list", Not(Membership(T, (Literal("a"),), negated=True)), (None,), True),
    ("not in a list with an absent value", Membership(T, (Literal("a"), U), negated=True), ("x", None), False),
    ("in a list with an absent value", Membership(T, (U, Literal("x"))), ("x", None), True),
    ("in an empty list", Membership(T, ()), ("x",), False),
    ("not in an empty list", Membership(T, (), negated=True), ("x",), True),
    ("absent not in an empty list", Membership(T, (), negated=True), (None,), False),
    ("numbers of both kinds in a list", Membership(N, (Literal(1), Literal(2.5))), (1.0,), True),
    ("yes and no in a list", Membership(B, (Literal(True), Literal(False))), (False,), True),
    ("text in text", Contains(Literal("refund"), T), ("a refund!",), True),
    ("letter case matters", Contains(Literal("refund"), T), ("Refund",), False),
    ("the empty text is in each", Contains(Literal(""), T), ("",), True),
    ("text not in absent", Contains(Literal("x"), T, negated=True), (None,), False),
    ("not of that", Not(Contains(Literal("x"), T, negated=True)), (None,), True),
    ("absent is not true", Truth(B), (None,), False),
    ("not absent", Not(Truth(B)), (None,), True),
    ("false is defined", IsDefined(B), (False,), True),
    ("equal to false", compare("==", B, False), (False,), True),
    ("absent is not equal to false", compare("==", B, False), (None,), False),
    ("a sum", compare("==", SUM, 0.3), (0.1, 0.2), False),
    ("a sum with absent", compare("!=", SUM, 5), (1.0, None), False),
    ("division by zero", compare(">", RATIO, 0), (1.0, 0.0), False),
    ("not of a division by zero", Not(compare(">", RATIO, 0)), (1.0, 0.0), True),
    ("zero divided", compare("==", RATIO, 0), (0.0, 2.0), True),
    ("too large a result", compare(">", Arithmetic("*", N, M), 1), (1e300, 1e300), False),
    ("a negative", compare("<", Negative(N), -5), (6.0,), True),
    ("no parts hold always", All(()), (), True),
    ("nothing of nothing", AnyOf(()), (), False),
]


@pytest.mark.parametrize(("condition", "fact", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_what_conditions_mean(condition, fact, expected):
    assert ReferenceNetwork().compile([condition]).match(fact) == expected


@needs_durable
@pytest.mark.parametrize(("condition", "fact", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_durable_rules_says_the_same(condition, fact, expected):
    matcher = durable([condition, Not(condition)])
    assert matcher.match(fact) == (0b01 if expected else 0b10)
    assert matcher.refused is None


@needs_durable
def test_values_are_wanted_once_each_in_reading_order():
    group = [compare(">", N, 1), All((compare("==", T, "a"), compare("<", N, 5)))]
    for matcher in (ReferenceNetwork().compile(group), durable(group)):
        assert matcher.inputs == (N, T)


@needs_durable
def test_no_conditions_give_no_bits():
    for matcher in (ReferenceNetwork().compile([]), durable([])):
        assert matcher.inputs == ()
        assert matcher.match(()) == 0


def test_deep_conditions_are_matched_too():
    deep: Condition = compare(">", N, 3)
    term = N
    for _ in range(100):
        deep = Not(All((deep, AnyOf((Truth(B), Not(Truth(C)))))))
        term = Arithmetic("+", term, Literal(1))
    matcher = ReferenceNetwork().compile([deep, compare("==", term, 100)])
    fact = {N: 0.0, B: True, C: False}
    ordered = tuple(fact[ref] for ref in matcher.inputs)
    assert matcher.match(ordered) == mask([deep, compare("==", term, 100)], matcher.inputs, ordered) == 0b10
