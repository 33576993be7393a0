"""Conditions in words, and part by part."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from botopt.loading.expression.reading import read_condition
from botopt.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    Contains,
    IsDefined,
    Literal,
    Membership,
    Negative,
    Not,
    Ref,
    Scope,
    Truth,
    ValueType,
)
from botopt.model.names import Names
from botopt.model.policy import FieldSpec
from botopt.model.position import Unplaced
from botopt.network.reference import ReferenceNetwork
from botopt.network.samples import literals
from botopt.network.tracing import Trace, condition_text, failing, trace, value_text
from tests.network.conditions import REFS, conditions, facts

AMOUNT = Ref(Scope.EVENT, "amount", ValueType.NUMBER)
ATTEMPTS = Ref(Scope.EVENT, "attempts", ValueType.INTEGER)
REASON = Ref(Scope.EVENT, "reason", ValueType.TEXT, optional=True)
PLAN = Ref(Scope.USER, "plan", ValueType.TEXT)
FIRST = Ref(Scope.EVENT, "first", ValueType.BOOLEAN)
PAID = Ref(Scope.EVENT, "paid_at", ValueType.TIME)
DUE = Ref(Scope.EVENT, "due_at", ValueType.TIME)
EVENTS = ("payment_failed",)
RECENT = Ref(Scope.COUNT, "payment_failed", ValueType.INTEGER, 600_000_000)

LARGE = Comparison(">=", AMOUNT, Literal(500))
OFTEN = Comparison(">=", ATTEMPTS, Literal(3))
PAYING = Membership(PLAN, (Literal("pro"), Literal("vip")))
TIMES_OVER = Arithmetic("*", AMOUNT, ATTEMPTS)
TWICE = Arithmetic("+", AMOUNT, AMOUNT)
NOTHING = Arithmetic("-", AMOUNT, AMOUNT)

WORDS: list[tuple[Condition, str]] = [
    (LARGE, "amount >= 500"),
    (Comparison("==", AMOUNT, Literal(5.0)), "amount == 5"),
    (Comparison("<", AMOUNT, Literal(-0.25)), "amount < -0.25"),
    (Comparison("<", AMOUNT, Literal(1e-7)), "amount < 0.0000001"),
    (Comparison("<", AMOUNT, Literal(2.5e-12)), "amount < 2.5e-12"),
    (Comparison("<", AMOUNT, Literal(1e300)), "amount < 1e+300"),
    (Comparison(">", TIMES_OVER, Literal(900)), "amount * attempts > 900"),
    (Comparison(">", Arithmetic("*", TWICE, AMOUNT), Literal(1)), "(amount + amount) * amount > 1"),
    (Comparison(">", Arithmetic("+", TIMES_OVER, AMOUNT), Literal(1)), "amount * attempts + amount > 1"),
    (Comparison(">", Arithmetic("-", AMOUNT, NOTHING), Literal(1)), "amount - (amount - amount) > 1"),
    (Comparison(">", Arithmetic("-", NOTHING, AMOUNT), Literal(1)), "amount - amount - amount > 1"),
    (Comparison(">", Negative(TWICE), Literal(1)), "-(amount + amount) > 1"),
    (Comparison("==", REASON, Literal("it's")), 'reason == "it\'s"'),
    (Comparison("==", REASON, Literal('say "it\'s"')), "reason == 'say \"it\\'s\"'"),
    (Comparison("==", REASON, Literal("a\\b\n")), "reason == 'a\\\\b\\n'"),
    (Comparison("==", FIRST, Literal(True)), "first == true"),
    (PAYING, "user.plan in ['pro', 'vip']"),
    (Membership(PLAN, (Literal("free"),), negated=True), "user.plan not in ['free']"),
    (Contains(Literal("refund"), REASON), "'refund' in reason"),
    (Contains(Literal("refund"), REASON, negated=True), "'refund' not in reason"),
    (IsDefined(REASON), "reason is defined"),
    (Not(IsDefined(REASON)), "reason is not defined"),
    (Not(Truth(FIRST)), "not first"),
    (Not(LARGE), "not amount >= 500"),
    (Not(All((LARGE, OFTEN))), "not (amount >= 500 and attempts >= 3)"),
    (AnyOf((All((LARGE, OFTEN)), PAYING)), "(amount >= 500 and attempts >= 3) or user.plan in ['pro', 'vip']"),
    (All((AnyOf((LARGE,)), OFTEN)), "amount >= 500 and attempts >= 3"),
    (Comparison(">=", RECENT, Literal(2)), "count('payment_failed', '10m') >= 2"),
    (Constant(False), "false"),
    (All(()), "true"),
    (AnyOf(()), "false"),
]


@pytest.mark.parametrize(("condition", "text"), WORDS, ids=[text for _, text in WORDS])
def test_a_condition_reads_as_an_author_would_type_it(condition, text):
    assert condition_text(condition) == text


def read(text: str, *refs: Ref) -> Condition | None:
    specs = {ref.name: FieldSpec(ref.name, ref.type, optional=ref.optional) for ref in refs}
    names = Names(fields=specs, attributes={"plan": FieldSpec("plan", ValueType.TEXT)}, event_types=frozenset(EVENTS))
    return read_condition(text, Unplaced(), names)[0]


@pytest.mark.parametrize("text", [text for _, text in WORDS])
def test_what_an_author_would_type_can_be_typed(text):
    again = read(text, AMOUNT, ATTEMPTS, REASON, FIRST)
    if "300" not in text:  # too large for an author
        assert again is not None
        assert condition_text(again) == text


@settings(max_examples=80, deadline=None)
@given(conditions, st.data())
def test_a_condition_typed_again_means_the_same(condition, data):
    again = read(condition_text(condition), *REFS)
    assume(again is not None)  # too long, too large a number, or nothing in it ever changes
    matcher, other = ReferenceNetwork().compile([condition]), ReferenceNetwork().compile([again])
    constants = [literal.value for literal in literals(condition)]
    for _ in range(5):
        fact = data.draw(facts(matcher.inputs, constants))
        values = {ref.key: value for ref, value in zip(matcher.inputs, fact, strict=True)}
        assert other.match([values[ref.key] for ref in other.inputs]) == matcher.match(fact)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "absent"),
        (True, "true"),
        (5, "5"),
        (5.0, "5"),
        (0.1, "0.1"),
        (-0.0, "0"),
        (1e-9, "0.000000001"),
        (1e300, "1e+300"),
        ("", "''"),
    ],
)
def test_a_value_reads_as_an_author_would_type_it(value, text):
    assert value_text(value) == text


def look_up(**values: object):
    return lambda ref: values.get(ref.name)


def test_a_trace_says_for_each_part_whether_it_holds_and_what_it_met():
    condition = All((LARGE, AnyOf((PAYING, Not(IsDefined(REASON))))))
    assert trace(condition, look_up(amount=120.0, plan="free")) == Trace(
        "amount >= 500 and (user.plan in ['pro', 'vip'] or reason is not defined)",
        False,
        "all",
        parts=(
            Trace("amount >= 500", False, met=(("amount", 120.0),), wanted=">= 500"),
            Trace(
                "user.plan in ['pro', 'vip'] or reason is not defined",
                True,
                "any",
                parts=(
                    Trace(condition_text(PAYING), False, met=(("user.plan", "free"),), wanted="in ['pro', 'vip']"),
                    Trace(
                        "reason is not defined",
                        True,
                        "not",
                        parts=(Trace("reason is defined", False, met=(("reason", None),), wanted="defined"),),
                    ),
                ),
            ),
        ),
    )


def test_a_trace_shows_what_was_calculated():
    (one, two, product) = trace(Comparison(">", TIMES_OVER, Literal(900)), look_up(amount=42.5, attempts=3)).met
    assert (one, two, product) == (("amount", 42.5), ("attempts", 3), ("amount * attempts", 127.5))
    assert trace(Comparison(">", TIMES_OVER, Literal(900)), look_up(attempts=3)).met[-1] == ("amount * attempts", None)


def test_a_trace_shows_times_as_people_read_them():
    traced = trace(Comparison("<", PAID, DUE), look_up(paid_at=1_700_000_000_000_000))
    assert traced.met == (("paid_at", "2023-11-14T22:13:20Z"), ("due_at", None))


@pytest.mark.parametrize(
    ("leaf", "wanted"),
    [
        (Comparison("<", Literal(5), AMOUNT), "> 5"),
        (Comparison("==", PLAN, REASON), "== reason"),
        (Membership(PLAN, (Literal("pro"),), negated=True), "not in ['pro']"),
        (Contains(Literal("x"), REASON), "text with 'x'"),
        (Contains(Literal("x"), REASON, negated=True), "text without 'x'"),
        (Truth(FIRST), "true"),
        (Constant(True), "true"),
    ],
)
def test_a_trace_says_what_was_wanted(leaf, wanted):
    assert trace(leaf, look_up()).wanted == wanted


@settings(max_examples=60, deadline=None)
@given(conditions, st.data())
def test_a_trace_holds_where_the_condition_holds(condition, data):
    matcher = ReferenceNetwork().compile([condition])
    fact = data.draw(facts(matcher.inputs, [literal.value for literal in literals(condition)]))
    values = {ref.key: value for ref, value in zip(matcher.inputs, fact, strict=True)}
    traced = trace(condition, lambda ref: values[ref.key])
    assert traced.holds == bool(matcher.match(fact))
    assert bool(failing(traced)) != traced.holds


def test_what_would_have_to_change_is_said_with_the_values():
    condition = All((LARGE, AnyOf((PAYING, All((OFTEN, Truth(FIRST))))), Not(IsDefined(REASON))))
    met = look_up(amount=120.0, plan="free", attempts=1, first=False, reason="late")
    assert failing(trace(condition, met)) == [
        "amount >= 500 (amount is 120)",
        "user.plan in ['pro', 'vip'] (user.plan is 'free')",
        "reason is not defined (reason is 'late')",
    ]
    assert failing(trace(AnyOf(()), met)) == ["false"]
    assert failing(trace(LARGE, look_up(amount=500.0))) == []
