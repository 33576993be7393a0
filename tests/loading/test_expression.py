"""Conditions: what they mean once read, and what is said about those that cannot be."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from jinja2 import Environment

from botopt.loading.expression import read_condition
from botopt.loading.reader import Map, Scalar, Sequence, read_text
from botopt.model.condition import Condition, Ref, Scope, ValueType
from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.names import Names
from botopt.model.policy import FieldSpec
from botopt.model.position import Unplaced
from botopt.network.reference import ReferenceNetwork
from botopt.network.tracing import condition_text, value_text


def _by_name(*specs: FieldSpec) -> dict[str, FieldSpec]:
    return {spec.name: spec for spec in specs}


NAMES = Names(
    _by_name(
        FieldSpec("amount", ValueType.NUMBER, minimum=0),
        FieldSpec("attempts", ValueType.INTEGER, minimum=1, maximum=2_500_000),
        FieldSpec("currency", ValueType.TEXT, one_of=("USD", "EUR", "INR")),
        FieldSpec("order_id", ValueType.TEXT),
        FieldSpec("reason", ValueType.TEXT, optional=True),
        FieldSpec("fee", ValueType.NUMBER, optional=True),
        FieldSpec("tip", ValueType.NUMBER, optional=True, default=0),
        FieldSpec("paid", ValueType.BOOLEAN),
        FieldSpec("due", ValueType.TIME),
        FieldSpec("eta", ValueType.TIME, optional=True),
        FieldSpec("basket", ValueType.LIST),
        FieldSpec("address", ValueType.OBJECT),
    ),
    _by_name(
        FieldSpec("plan", ValueType.TEXT, one_of=("free", "pro", "vip")),
        FieldSpec("age", ValueType.INTEGER, optional=True),
        FieldSpec("beta", ValueType.BOOLEAN),
    ),
    frozenset({"payment_failed", "payment_succeeded", "message.clicked"}),
    {"total": "total is a number in order and a text in refund"},
    {"tracking": ("parcel_late",)},
)


def read(text: str) -> tuple[Condition | None, tuple[Diagnostic, ...]]:
    return read_condition(text, Unplaced(), NAMES)


def said(found: tuple[Diagnostic, ...]) -> str:
    return "\n".join(f"{f.position.column} {f.code} {f.message} -- {f.hint}" for f in found)


def good(text: str) -> Condition:
    condition, found = read(text)
    assert condition is not None, said(found)
    return condition


def holds(text: str, **values: object) -> bool:
    """Whether a condition holds for these values; what is not named is absent."""
    matcher = ReferenceNetwork().compile([good(text)])
    return matcher.match([values.get(str(ref).replace(".", "_")) for ref in matcher.inputs]) == 1


# ---------------------------------------------------------------- what can be read


@pytest.mark.parametrize(
    "text",
    [
        "amount >= 500",
        "amount >= 500 and currency in ['EUR', 'USD']",
        "not user.plan == 'free'",
        "reason is defined",
        "'refund' in reason",
        "currency in order_id",
        "amount * attempts > 900",
        "(amount + 1) * 2 > attempts / 3 - 1",
        "-amount < -5",
        "paid",
        "not paid",
        "paid == user.beta",
        "paid and (user.beta or amount > 5) and not (user.beta or amount < 3)",
        "due < eta",
        "user.id == 'u1' or user.locale == 'de' or user.timezone == 'UTC'",
        "engagement.rate > 0.5",
        "engagement.clicks == 0 and engagement.ignored_in_a_row >= 5",
        "time.hour >= 22 or time.hour < 8",
        "time.weekday in ['sat', 'sun'] or time.weekend",
        "count('payment_failed', '10m') >= 3",
        "seen('payment_succeeded', '1h30m')",
        "sent('1d') > 2",
        "amount in [1, 2.5, attempts, amount * 2]",
        "true",
        "not false",
        "reason == 'größer ☃'",
        "reason == 'a # b {{ c }} = d'",
    ],
)
def test_a_condition_says_what_its_author_typed(text):
    condition, found = read(text)
    assert found == ()
    assert condition is not None
    assert condition_text(condition) == text
    assert read(condition_text(condition)) == (condition, ())


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("  amount\n  >=   500 ", "amount >= 500"),
        ("0 < attempts <= amount", "0 < attempts and attempts <= amount"),
        ("paid and 1 < amount < 5", "paid and 1 < amount and amount < 5"),
        ("1 < amount < 5 or paid", "(1 < amount and amount < 5) or paid"),
        ("not 1 < amount < 5", "not (1 < amount and amount < 5)"),
        ("paid or user.beta and amount > 1", "paid or (user.beta and amount > 1)"),
        ("(paid and user.beta) and amount > 1", "paid and user.beta and amount > 1"),
        ("((amount)) > (5)", "amount > 5"),
        ("+amount > +5", "amount > 5"),
        ("amount > - 5", "amount > -5"),
        ("reason  is  not defined", "reason is not defined"),
        ("not reason is defined", "reason is not defined"),
        ("reason is undefined", "reason is not defined"),
        ("True and not False", "true and not false"),
        ('"refund" in reason', "'refund' in reason"),
        ("amount > 1e3", "amount > 1000"),
        ("(amount - attempts) - (1 - fee) > 0", "amount - attempts - (1 - fee) > 0"),
        ("sent('24h') > 2", "sent('1d') > 2"),
        ("amount in [attempts,]", "amount in [attempts]"),
        (r"order_id == 'it\'s \\d'", 'order_id == "it\'s \\\\d"'),
    ],
)
def test_what_a_condition_means(text, means):
    condition, found = read(text)
    assert found == ()
    assert condition is not None
    assert condition_text(condition) == means
    assert read(means)[0] == condition


def test_references_are_typed():
    condition = good("fee > 1")
    assert condition.left == Ref(Scope.EVENT, "fee", ValueType.NUMBER, optional=True)  # type: ignore[union-attr]
    condition = good("count('payment_failed', '10m') > 1")
    assert condition.left == Ref(  # type: ignore[union-attr]
        Scope.COUNT, "payment_failed", ValueType.INTEGER, 600_000_000
    )
    assert not good("tip > 1").left.optional  # type: ignore[union-attr]  # a default steps in


# ---------------------------------------------------------------- absent values


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">="])
def test_a_comparison_with_an_absent_value_is_false_and_its_opposite_true(operator):
    assert not holds(f"fee {operator} 5")
    assert holds(f"not fee {operator} 5")
    assert not holds(f"5 {operator} fee + 1")
    assert not holds(f"fee {operator} amount", amount=5.0)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("reason in ['a', 'b']", {}, False),
        ("reason not in ['a', 'b']", {}, False),
        ("not reason in ['a', 'b']", {}, True),
        ("'a' in reason", {}, False),
        ("'a' not in reason", {}, False),
        ("reason is defined", {}, False),
        ("reason is not defined", {}, True),
        ("reason is defined", {"reason": ""}, True),
        ("reason is not defined or reason != 'a'", {}, True),
        ("amount not in [1, fee]", {"amount": 3.0}, False),
        ("amount in [3, fee]", {"amount": 3.0}, True),
        ("paid", {}, False),
        ("not paid", {}, True),
        ("amount / attempts > 0", {"amount": 1.0, "attempts": 0}, False),
        ("not amount / attempts > 0", {"amount": 1.0, "attempts": 0}, True),
        ("1 < fee < 5", {}, False),
        ("1 < fee < 5", {"fee": 3.0}, True),
        ("amount == 5", {"amount": 5.0}, True),
        ("currency == 'EUR'", {"currency": "EUR"}, True),
        ("'fun' in reason", {"reason": "refund"}, True),
        ("'Fun' in reason", {"reason": "refund"}, False),
        ("user.age >= 18", {"user_age": 18}, True),
        ("time.weekend", {"time_weekend": True}, True),
    ],
)
def test_truth(text, values, expected):
    assert holds(text, **values) is expected


# ---------------------------------------------------------------- what cannot be read

MISTAKES = [
    # B201: the grammar
    ("amount => 5", "B201", 8, 10, 'type ">="'),
    ("amount =< 5", "B201", 8, 10, 'type "<="'),
    ("amount <> 5", "B201", 8, 10, 'type "!="'),
    ("amount !== 5", "B201", 8, 11, 'type "!="'),
    ("amount === 5", "B201", 8, 11, 'type "=="'),
    ("currency = 'EUR'", "B201", 10, 11, 'type "=="'),
    ("amount ≥ 5", "B201", 8, 9, 'type ">="'),
    ("amount > 5 && paid", "B201", 12, 14, 'type "and"'),
    ("amount > 5 || paid", "B201", 12, 14, 'type "or"'),
    ("!paid", "B201", 1, 2, 'type "not"'),
    ("amount > 5 AND paid", "B201", 12, 15, 'type "and"'),
    ("NOT paid", "B201", 1, 4, 'type "not"'),
    ("paid Or user.beta", "B201", 6, 8, 'type "or"'),
    ("amount > 5; paid", "B201", 11, 12, "semicolon"),
    ("amount > 5 # big", "B201", 12, 13, "a line of its own"),
    ("currency == “EUR”", "B201", 13, 14, "straight quotes"),
    ("currency == 'EUR", "B201", 13, 17, "never closed"),
    ("order_id == 'a\\x'", "B201", 13, 18, "two backslashes"),
    ("order_id == '\\ud800'", "B201", 13, 21, "two backslashes"),
    ("order_id == 'a\r\nb'", "B201", 15, 16, "line break"),
    ("amount >", "B201", 8, 9, 'type a value behind ">"'),
    ("amount > 5 or", "B201", 12, 14, "stops in the middle"),
    ("and amount > 5", "B201", 1, 4, "only one condition"),
    ("amount > 5 and or paid", "B201", 16, 18, "only one condition"),
    ("amount > > 5", "B201", 8, 11, "one of =="),
    ("(amount > 5", "B201", 1, 2, "never closed"),
    ("amount > 5)", "B201", 11, 12, "closes nothing"),
    ("currency in ['EUR', 'USD')", "B201", 26, 27, 'type "]"'),
    ("{{ amount > 5 }}", "B201", 1, 3, "without {{ and }}"),
    ("${amount} > 5", "B201", 1, 10, "the name alone"),
    ("amount in {1, 2}", "B201", 11, 12, "square brackets"),
    ("amount > 1,000", "B201", 11, 12, "without it: 1000"),
    ("currency in 'EUR', 'USD'", "B201", 18, 19, "square brackets"),
    ("amount > 1_000", "B201", 10, 15, 'without "_"'),
    ("amount > 0x1F", "B201", 10, 14, "decimal"),
    ("amount > 010", "B201", 10, 13, "begins with a zero"),
    ("amount > .5", "B201", 10, 12, "type 0.5"),
    ("amount > 5.", "B201", 10, 12, "ends with a point"),
    ("amount > 50%", "B201", 12, 13, "0.5"),
    ("amount > $500", "B201", 10, 11, "the number alone"),
    ("amount > 500 EUR", "B201", 14, 17, "the number alone"),
    ("amount > –5", "B201", 10, 11, "minus"),
    ("amount × 2 > 5", "B201", 8, 9, 'type "*"'),
    ("time.hour > 22:00", "B201", 13, 18, "time.hour >= 22"),
    ("due > 2026-03-01", "B201", 7, 17, "a date"),
    ("sent(24h) > 2", "B201", 6, 9, "'24h'"),
    ("amount is greater than 500", "B201", 8, 18, 'type ">"'),
    ("amount less than 500", "B201", 8, 12, 'type "<"'),
    ("amount between 5 and 10", "B201", 8, 15, "5 <= amount <= 10"),
    ("user.plan equals 'free'", "B201", 11, 17, 'type "=="'),
    ("user.plan is 'free'", "B201", 11, 20, 'type "=="'),
    ("user.plan is not 'free'", "B201", 11, 24, 'type "!="'),
    ("reason contains 'refund'", "B201", 8, 16, "'refund' in reason"),
    ("amount not > 5", "B201", 8, 11, "not amount > 5"),
    ("order_id in ['A-1' 'A-2']", "B201", 20, 25, 'type ","'),
    ("order_id == 'a' \"b\"", "B201", 17, 20, 'type ","'),
    ("seen('payment_failed' '1h')", "B201", 23, 27, 'type ","'),
    ("amount > 5 else paid", "B201", 12, 16, "two rules"),
    ("reason == was late", "B201", 15, 19, "several words"),
    # B202: not part of the language
    ("paid is true", "B202", 1, 13, "type: paid"),
    ("paid is not true", "B202", 1, 17, "type: not paid"),
    ("paid is false", "B202", 1, 14, "type: not paid"),
    ("reason is none", "B202", 1, 15, "reason is not defined"),
    ("reason is not none", "B202", 1, 19, "reason is defined"),
    ("not reason is none", "B202", 5, 19, "reason is not defined"),
    ("reason is empty", "B202", 1, 16, "reason == ''"),
    ("user.plan is in ['free']", "B202", 1, 25, 'leave out "is"'),
    ("amount is number", "B202", 1, 17, "amount is defined"),
    ("reason == none", "B202", 11, 15, "is defined"),
    ("reason != null", "B202", 11, 15, "is defined"),
    ("amount | round > 5", "B202", 1, 15, "messages only"),
    ("5 if paid else 3", "B202", 1, 17, "two rules"),
    ("currency in ('EUR', 'USD')", "B202", 14, 26, "['EUR', 'USD']"),
    ("currency == ('EUR' or 'USD')", "B202", 14, 28, "a in [1, 2]"),
    ("paid == (amount > 5)", "B202", 10, 20, "join comparisons"),
    ("amount ** 2 > 4", "B202", 1, 12, "a * a"),
    ("amount // 2 > 4", "B202", 1, 12, 'use "/"'),
    ("amount % 2 == 1", "B202", 1, 11, "0.2"),
    ("reason ~ 'x' == 'y'", "B202", 1, 13, '"~"'),
    ("basket[0] == 'x'", "B202", 1, 10, "square brackets behind"),
    ("address.city == 'Rome'", "B202", 1, 13, "declare city"),
    ("event.amount > 5", "B202", 1, 13, "type amount alone"),
    ("usr.plan == 'pro'", "B202", 1, 9, '"user"'),
    ("reason.startswith('x')", "B202", 1, 23, "'refund' in reason"),
    ("len(reason) > 5", "B202", 1, 12, "sent('24h')"),
    ("counts('payment_failed', '1h') > 1", "B202", 1, 31, '"count"'),
    ("amount > 99999999999999999999", "B202", 10, 30, "too large"),
    ("amount > 1e999", "B202", 10, 15, "too large"),
    ("(amount + 1) is defined", "B202", 2, 12, "only a name"),
    ("amount == [1]", "B202", 11, 14, 'behind "in"'),
    # B203: unknown names
    ("amuont > 5", "B203", 1, 7, '"amount"'),
    ("Amount > 5", "B203", 1, 7, '"amount"'),
    ("1 < amuont < 5", "B203", 5, 11, '"amount"'),
    ("currency == EUR", "B203", 13, 16, "'EUR'"),
    ("currency == eur", "B203", 13, 16, "'EUR'"),
    ("EUR == currency", "B203", 1, 4, "'EUR'"),
    ("user.plan == free", "B203", 14, 18, "'free'"),
    ("refund in reason", "B203", 1, 7, "'refund'"),
    ("paid == yes", "B203", 9, 12, "true or false"),
    ("paid == TRUE", "B203", 9, 13, "type true"),
    ("plan == 'free'", "B203", 1, 5, "user.plan"),
    ("locale == 'de'", "B203", 1, 7, "user.locale"),
    ("hour > 8", "B203", 1, 5, "time.hour"),
    ("user.Plan == 'free'", "B203", 1, 10, '"user.plan"'),
    ("user.amount > 5", "B203", 1, 12, "type amount alone"),
    ("user.zzzz == 'x'", "B203", 1, 10, "user.timezone"),
    ("time.minute > 5", "B203", 1, 12, "time.hour"),
    ("engagement.click > 5", "B203", 1, 17, '"engagement.clicks"'),
    ("user == 'u1'", "B203", 1, 5, "user.plan"),
    ("total > 5", "B203", 1, 6, "a text in refund"),
    ("tracking == 'x'", "B203", 1, 9, "parcel_late has it"),
    ("count('payment_faild', '1h') > 2", "B203", 7, 22, '"payment_failed"'),
    ("seen('', '1h')", "B203", 6, 8, "declare it"),
    # B204: kinds that do not fit
    ("amount == 'EUR'", "B204", 11, 16, "compare amount with a number"),
    ("'EUR' == amount", "B204", 1, 6, "compare amount with a number"),
    ("amount == '500'", "B204", 11, 16, "without quotes: 500"),
    ("currency == 5", "B204", 13, 14, "'5'"),
    ("currency == true", "B204", 13, 17, "'true'"),
    ("currency in ['EUR', 5]", "B204", 21, 22, "'5'"),
    ("paid == 1", "B204", 9, 10, "not paid"),
    ("paid == 'yes'", "B204", 9, 14, "not paid"),
    ("amount == currency", "B204", 11, 19, "a number, and currency is a text"),
    ("due > '2026-01-01'", "B204", 7, 19, "type time"),
    ("order_id > 'a'", "B204", 1, 9, "=="),
    ("paid > false", "B204", 1, 5, "type == or !="),
    ("basket == 1", "B204", 1, 7, "a list"),
    ("'x' in basket", "B204", 8, 14, "a field of its own"),
    ("5 in order_id", "B204", 1, 2, "a text in a text"),
    ("order_id * 2 > 4", "B204", 1, 9, "only numbers"),
    ("-order_id == 4", "B204", 2, 10, "only numbers"),
    # B205: never changes
    ("currency == 'GBP'", "B205", 13, 18, "'USD', 'EUR', 'INR'"),
    ("currency == 'eur'", "B205", 13, 18, '"EUR"'),
    ("'GBP' != currency", "B205", 1, 6, "never 'GBP'"),
    ("currency in ['EUR', 'GBP']", "B205", 21, 26, "never 'GBP'"),
    ("currency not in ['GBP']", "B205", 18, 23, "never 'GBP'"),
    ("time.weekday == 'monday'", "B205", 17, 25, '"mon"'),
    ("time.hour > 23", "B205", 13, 15, "from 0 to 23"),
    ("time.hour == 24", "B205", 14, 16, "from 0 to 23"),
    ("engagement.rate > 1", "B205", 19, 20, "from 0 to 1"),
    ("sent('1h') < 0", "B205", 14, 15, "0 or more"),
    ("0 > amount", "B205", 1, 2, "0 or more"),
    ("attempts > 2500000", "B205", 12, 19, "from 1 to 2500000"),
    ("attempts == 1.5", "B205", 13, 16, "whole number"),
    ("1 == 1", "B205", 1, 7, "fixed values"),
    ("1 + 1 == 2", "B205", 1, 11, "fixed values"),
    ("'a' in 'abc'", "B205", 1, 13, "fixed values"),
    ("5 in [1, 5]", "B205", 1, 12, "fixed values"),
    ("amount >= amount", "B205", 11, 17, "compared with itself"),
    ("currency in []", "B205", 13, 15, "empty"),
    # B206: neither true nor false
    ("amount", "B206", 1, 7, "amount > 0"),
    ("not reason", "B206", 5, 11, "reason is defined"),
    ("user.plan", "B206", 1, 10, "user.plan == 'text'"),
    ("(amount + 1) * 2", "B206", 1, 17, "(amount + 1) * 2 > 0"),
    ("due", "B206", 1, 4, "due is defined"),
    ("currency == 'EUR' or 'USD'", "B206", 22, 27, "a list"),
    ("'amount > 5'", "B206", 1, 13, "take away the quotes"),
    ("5", "B206", 1, 2, "stands alone"),
    ("count('payment_failed', '1h')", "B206", 1, 30, "> 0"),
    # B207: windows
    ("count > 3", "B207", 1, 6, "count('event_type', '10m')"),
    ("count('payment_failed') > 3", "B207", 1, 24, "a duration"),
    ("count(payment_failed, '1h') > 3", "B207", 1, 28, "in quotes"),
    ("sent('payment_failed', '1h') > 3", "B207", 1, 29, "sent('24h')"),
    ("sent('1 hour') > 3", "B207", 6, 14, "1h30m"),
    ("sent('0s') > 3", "B207", 6, 10, "1h30m"),
    ("sent('9999d') > 3", "B207", 6, 13, "ten years"),
]


@pytest.mark.parametrize(("text", "code", "column", "end", "part"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_answered_at_its_word(text, code, column, end, part):
    condition, found = read(text)
    assert condition is None
    assert [(f.code, f.position.column, f.position.end_column) for f in found] == [(code, column, end)], said(found)
    assert part in f"{found[0].message} | {found[0].hint}"


@pytest.mark.parametrize("text", [row[0] for row in MISTAKES])
def test_every_mistake_is_answered_with_what_to_type(text):
    for found in read(text)[1]:
        assert found.hint
        for sentence in (found.message, found.hint):
            assert not sentence.endswith(".")
            assert not sentence[0].isupper() or sentence.startswith(("NOT", "Or", "AND", "Amount")), sentence


WARNINGS = [
    ("reason != 'x'", [(1, "reason")]),
    ("'x' != reason", [(8, "reason")]),
    ("reason not in ['x']", [(1, "reason")]),
    ("'x' not in reason", [(12, "reason")]),
    ("fee * 2 != amount", [(1, "fee")]),
    ("amount not in [1, fee]", [(19, "fee")]),
    ("user.age != 18", [(1, "user.age")]),
    ("fee != user.age", [(1, "fee"), (8, "user.age")]),
    ("paid and reason != 'x'", [(10, "reason")]),
    ("reason is defined or reason != 'x'", [(22, "reason")]),
    ("reason is not defined and reason != 'x'", [(27, "reason")]),
    ("(reason is defined and paid) or reason != 'x'", [(33, "reason")]),
    ("fee is defined and reason != 'x'", [(20, "reason")]),
]


@pytest.mark.parametrize(("text", "expected"), WARNINGS)
def test_an_absent_value_that_nobody_thought_of_is_a_warning(text, expected):
    condition, found = read(text)
    assert condition is not None
    assert all(f.code == "B208" and f.severity is Severity.WARNING for f in found)
    assert [(f.position.column, f.message.split(" ")[0]) for f in found] == expected


@pytest.mark.parametrize(
    "text",
    [
        "reason is defined and reason != 'x'",
        "reason != 'x' and reason is defined",
        "reason is defined and (paid or reason != 'x')",
        "paid and reason is defined and reason not in ['x']",
        "not reason is not defined and reason != 'x'",
        "reason is not defined or reason != 'x'",
        "paid and (reason is not defined or reason != 'x')",
        "not reason is defined or reason != 'x'",
        "reason is undefined or reason != 'x'",
        "user.age is defined and user.age != 18",
        "not reason == 'x'",
        "tip != 3",
        "amount != 3",
    ],
)
def test_an_absent_value_that_somebody_thought_of_is_none(text):
    assert read(text)[1] == ()


def test_what_a_warning_proposes_is_read_without_one():
    for text, _ in WARNINGS[:7]:
        (found,) = read(text)[1]
        first, second = found.hint.removeprefix("type: ").split("; or, if an absent one should count, too: ")
        assert read(first)[1] == read(second)[1] == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amuont > 5 and curency == 'EUR'", ["1 B203", "16 B203"]),
        ("amount == 'x' or currency == 5 or reason", ["11 B204", "30 B204", "35 B206"]),
        ("count('x', 'y') > 2", ["7 B203", "12 B207"]),
        ("currency in [EUR, 'GBP', 5]", ["14 B203"]),
        ("currency in ['GBP', 5, true]", ["21 B204", "24 B204"]),
        ("not (amount and (fee or user.nope))", ["6 B206", "18 B206", "25 B203"]),
        ("amuont > curency", ["1 B203", "10 B203"]),
        ("1 < amuont < curency", ["5 B203", "14 B203"]),
        ("amuont > 5 and reason != 'x'", ["1 B203", "16 B208"]),
    ],
)
def test_every_independent_mistake_is_reported(text, expected):
    condition, found = read(text)
    assert condition is None
    assert sorted((f.position.column, f.code) for f in found) == [
        (int(one.split()[0]), one.split()[1]) for one in expected
    ]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1_000,
        "(" * 900 + "paid" + ")" * 900,
        "not " * 450 + "paid",
        "-" * 1_500 + "amount > 1",
        "paid and " * 200 + "paid",
        "amount > " + "1 + " * 400 + "1",
        "amount" + " < amount" * 150,
        "x" * 2_001,
        "amount > " + "9" * 1_900,
        f"attempts in {list(range(1, 301))}",
    ],
)
def test_what_is_too_long_or_too_deep_is_a_finding(text):
    condition, found = read(text)
    assert condition is None
    assert found


# ---------------------------------------------------------------- places inside a file


def scalars(text: str) -> list[Scalar]:
    document, found = read_text("rules/a.yaml", text.encode())
    assert found == ()

    def each(node: object) -> list[Scalar]:
        match node:
            case Map():
                return [one for _, value in node.entries for one in each(value)]
            case Sequence():
                return [one for value in node.items for one in each(value)]
            case Scalar():
                return [node]
        return []

    return each(document.root)


@pytest.mark.parametrize(
    "text",
    [
        "when: amount > 5 and amuont < 9\n",
        "when: \"'x' in reason and amuont < 9\"\n",
        "when: '''x'' in reason and amuont < 9'\n",
        'when: "\\"x\\" in reason and \\u0061muont < 9"\n',
        "when:\n  - amount > 5\n  - amuont < 9\n",
        "when: {all: [paid, amuont < 9]}\n",
        "when: >-\n  amount > 5 and\n  amuont < 9\n",
        "when: |\n  amount > 5 and\n    amuont < 9\n",
        "when: amount > 5 and\n  amuont < 9\n",
        'when: "amount > 5\n  and amuont\n  < 9"\n',
        "ü: 'é' \nwhen: paid and amuont < 9\n",
        "when: paid and amuont < 9\r\n",
    ],
)
def test_a_finding_points_into_the_file(text):
    found = [f for scalar in scalars(text) for f in read_condition(scalar.text, scalar, NAMES)[1]]
    found = [f for f in found if "amuont" in f.message]
    assert len(found) == 1
    place = found[0].position
    line = text.splitlines()[place.line - 1]
    assert place.file == "rules/a.yaml"
    assert place.line == place.end_line
    assert line[place.column - 1 : place.end_column - 1] in ("amuont", "\\u0061muont")


# ---------------------------------------------------------------- whatever anybody types

WORDS = (
    "amount fee attempts currency reason paid due basket address user.plan user.age time.hour engagement.rate user "
    "and or not in is defined if else none true false == != < <= > >= + - * / // % ** ~ | ( ) [ ] { } , . : ; = ! & "
    "'EUR' 'a b' \"x\" 5 0 1.5 1e3 010 1_0 count( sent('1h') seen('payment_failed','1h') for set # {{ }} {% ' \" \\"
).split(" ")
soup = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
glued = st.lists(st.sampled_from(WORDS), max_size=8).map("".join)


@given(st.text(max_size=60) | soup | glued)
@example("order_id == 'a\r\nb'")
@example("order_id == '\\N{nope}'")
@example("amount > 1\x00")
@example("\x85 amount")
def test_any_text_is_a_condition_or_a_finding(text):
    condition, found = read(text)
    assert (condition is None) is any(f.severity is Severity.ERROR for f in found)
    for one in found:
        assert one.message
        assert 1 <= one.position.column < one.position.end_column <= max(2, len(text) + 1)
    if condition is not None:
        assert read(condition_text(condition))[0] == condition


# ---------------------------------------------------------------- agreement with Jinja

NUMBERS = ("amount", "attempts", "fee", "user.age", "engagement.clicks")
TEXTS = ("currency", "order_id", "reason", "user.plan", "time.weekday")
FLAGS = ("paid", "user.beta", "time.weekend")

plain = st.text(alphabet="abEU é-'\"\\#{}\n", max_size=4)
number = st.recursive(
    st.sampled_from(NUMBERS) | st.integers(0, 9).map(str) | st.sampled_from(("0.5", "2.25", "1e2", "-3")),
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda each: f"({' '.join(each)})")
        | inner.map(lambda one: f"-{one}")
    ),
    max_leaves=4,
)
text_value = st.sampled_from(TEXTS) | plain.map(value_text)
ordered = st.sampled_from(("==", "!=", "<", "<=", ">", ">="))
leaf = st.one_of(
    st.tuples(number, ordered, number).map(" ".join),
    st.tuples(number, ordered, number, ordered, number).map(" ".join),
    st.tuples(text_value, st.sampled_from(("==", "!=", "in", "not in")), text_value).map(" ".join),
    st.tuples(text_value, st.sampled_from(("in", "not in")), st.lists(text_value, min_size=1, max_size=3)).map(
        lambda each: f"{each[0]} {each[1]} [{', '.join(each[2])}]"
    ),
    st.tuples(number, st.sampled_from(("in", "not in")), st.lists(number, min_size=1, max_size=3)).map(
        lambda each: f"{each[0]} {each[1]} [{', '.join(each[2])}]"
    ),
    st.sampled_from((*FLAGS, "true", "false")),
    st.tuples(st.sampled_from(FLAGS), st.sampled_from(("==", "!=")), st.sampled_from((*FLAGS, "true"))).map(" ".join),
    st.sampled_from(("reason is defined", "fee is not defined", "user.age is defined")),
)
typed = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(("and", "or")), inner).map(" ".join),
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"not {one}"),
    ),
    max_leaves=6,
)

# The same names with no bounds and no choices, so that few conditions are refused as ones that never change.
FREE = Names(
    {name: FieldSpec(name, spec.type, optional=spec.optional) for name, spec in NAMES.fields.items()},
    {name: FieldSpec(name, spec.type, optional=spec.optional) for name, spec in NAMES.attributes.items()},
    NAMES.event_types,
)
a_number = st.integers(-3, 9).map(float) | st.floats(-1e6, 1e6)
a_text = plain | st.sampled_from(("EUR", "USD", "mon", "free"))
values = st.fixed_dictionaries(
    dict.fromkeys(("amount", "fee"), a_number)
    | {name: st.integers(-3, 9) for name in ("attempts", "user.age", "engagement.clicks")}
    | dict.fromkeys(TEXTS, a_text)
    | {name: st.booleans() for name in FLAGS}
)
JINJA = Environment(autoescape=False)


@given(typed, values)
def test_a_condition_means_what_it_means_to_jinja(text, known):
    condition, found = read_condition(text, Unplaced(), FREE)
    assume(condition is not None)
    assert {f.code for f in found} <= {"B208"}
    data: dict[str, object] = {"user": {}, "time": {}, "engagement": {}}
    for name, value in known.items():
        group, _, part = name.rpartition(".")
        (data[group] if group else data)[part] = value  # type: ignore[index]
    try:
        expected = JINJA.compile_expression(text, undefined_to_none=False)(**data)
    except ZeroDivisionError:
        expected = None  # an absent value: Jinja has none
    assume(expected is not None)
    matcher = ReferenceNetwork().compile([condition])
    assert (matcher.match([known[str(ref)] for ref in matcher.inputs]) == 1) is expected


@given(typed)
def test_a_printed_condition_is_read_as_the_same(text):
    condition, found = read_condition(text, Unplaced(), FREE)
    assume(condition is not None)
    again, found_again = read_condition(condition_text(condition), Unplaced(), FREE)
    assert again == condition
    assert sorted(f.message for f in found) == sorted(f.message for f in found_again)


@given(typed)
def test_most_of_what_is_typed_is_read(text):
    """What is refused here is refused for one reason only: it never changes."""
    condition, found = read_condition(text, Unplaced(), FREE)
    if condition is None:
        assert {f.code for f in found} <= {"B205", "B208"}, said(found)


def test_numbers_in_a_condition_are_finite():
    condition = good("amount > 1e15")
    assert math.isfinite(condition.right.value)  # type: ignore[union-attr]
