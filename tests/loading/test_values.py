"""Values of fields: nothing is converted, bounds are inclusive, and a problem reads after the field's name."""

from __future__ import annotations

import math
from typing import Any

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from botopt.model.condition import ValueType
from botopt.model.policy import FieldSpec, Pattern
from botopt.model.values import LARGEST, Problem, any_of, check, shown, time_us

TEXT, INTEGER, NUMBER, BOOLEAN, TIME, LIST, OBJECT = (ValueType(name) for name in ValueType)


def spec(type_: ValueType, **keys: Any) -> FieldSpec:
    return FieldSpec("f", type_, **keys)


PATTERN = Pattern("[a-z]+", re2.compile("[a-z]+").fullmatch)
DEEP: list[object] = []
for _ in range(60):
    DEEP = [DEEP]

GOOD = [
    (spec(TEXT), "", ""),
    (spec(TEXT), "42", "42"),
    (spec(TEXT, one_of=("a", "b")), "b", "b"),
    (spec(TEXT, max_length=3), "äöü", "äöü"),
    (spec(TEXT, max_length=1), "🎉", "🎉"),
    (spec(TEXT, pattern=PATTERN), "abc", "abc"),
    (spec(INTEGER), 5, 5),
    (spec(INTEGER), 5.0, 5),
    (spec(INTEGER), -0.0, 0),
    (spec(INTEGER), LARGEST, LARGEST),
    (spec(INTEGER), -LARGEST, -LARGEST),
    (spec(INTEGER, minimum=1, maximum=3), 1, 1),
    (spec(INTEGER, minimum=1, maximum=3), 3, 3),
    (spec(INTEGER, one_of=(1, 2)), 2.0, 2),
    (spec(NUMBER), 5, 5.0),
    (spec(NUMBER), 0.1, 0.1),
    (spec(NUMBER), 1e300, 1e300),
    (spec(NUMBER, minimum=0.5), 0.5, 0.5),
    (spec(NUMBER, one_of=(1.0, 2.5)), 1, 1.0),
    (spec(BOOLEAN), True, True),
    (spec(BOOLEAN), False, False),
    (spec(TIME), "1970-01-01T00:00:01Z", 1_000_000),
    (spec(TIME), "1970-01-01T01:00:00+01:00", 0),
    (spec(TIME), "1970-01-01t00:00:00.25z", 250_000),
    (spec(TIME), "1970-01-01T00:00:00-00:30", 1_800_000_000),
    (spec(TIME), "1970-01-01T00:00:00.1234567Z", 123_456),
    (spec(LIST), [], []),
    (spec(LIST), [1, "a", None, [True], {"a": 1.5}], [1, "a", None, [True], {"a": 1.5}]),
    (spec(OBJECT), {}, {}),
    (spec(OBJECT), {"a": [1]}, {"a": [1]}),
    (spec(TEXT, optional=True), None, None),
    (spec(TEXT, default="x"), None, "x"),
    (spec(TEXT, default="x", optional=True), None, "x"),
    (spec(LIST, default=[]), None, []),
    (spec(BOOLEAN, default=False), None, False),
]


@pytest.mark.parametrize(("field", "value", "expected"), GOOD)
def test_what_obeys_its_field_is_taken(field: FieldSpec, value: object, expected: object):
    found = check(field, value)
    assert (found, type(found)) == (expected, type(expected))


BAD = [
    (spec(TEXT), None, "is missing"),
    (spec(TEXT), 42, "must be text, not 42"),
    (spec(TEXT), True, "must be text, not true"),
    (spec(TEXT), ["a"], "must be text, not a list"),
    (spec(TEXT), "a\ud800", "holds half a character, which nobody can read"),
    (spec(TEXT, one_of=("a", "b", "c")), "d", 'must be a, b or c, not "d"'),
    (spec(TEXT, one_of=("a", "b")), "A", 'must be a or b, not "A"'),
    (spec(TEXT, max_length=3), "abcd", "must have at most 3 characters, not 4"),
    (spec(TEXT, pattern=PATTERN), "abc1", 'must match the pattern [a-z]+, and "abc1" does not'),
    (spec(INTEGER), "42", 'must be a whole number, not "42"'),
    (spec(INTEGER), 5.5, "must be a whole number, not 5.5"),
    (spec(INTEGER), True, "must be a whole number, not true"),
    (spec(INTEGER), math.nan, "must be a whole number, not nan"),
    (spec(INTEGER), math.inf, "must be a whole number, not inf"),
    (spec(INTEGER), LARGEST + 1, f"must be a number from -{LARGEST} to {LARGEST}, not {LARGEST + 1}"),
    (spec(INTEGER), 1e300, f"must be a number from -{LARGEST} to {LARGEST}, not 10000000000000000525…"),
    (spec(INTEGER, minimum=1), 0, "must be at least 1, not 0"),
    (spec(INTEGER, maximum=3), 4, "must be at most 3, not 4"),
    (spec(INTEGER, one_of=(1, 2)), 3, "must be 1 or 2, not 3"),
    (spec(NUMBER), "1", 'must be a number, not "1"'),
    (spec(NUMBER), False, "must be a number, not false"),
    (spec(NUMBER), math.nan, "must be a number, not infinity or no number at all"),
    (spec(NUMBER), -math.inf, "must be a number, not infinity or no number at all"),
    (spec(NUMBER), 2**60, f"must be a number from -{LARGEST} to {LARGEST}, not {2**60}"),
    (spec(NUMBER, minimum=0.5), 0.25, "must be at least 0.5, not 0.25"),
    (spec(BOOLEAN), 1, "must be true or false, not 1"),
    (spec(BOOLEAN), "true", 'must be true or false, not "true"'),
    (spec(LIST), {}, "must be a list, not an object"),
    (spec(LIST), "a", 'must be a list, not "a"'),
    (spec(LIST), [math.nan], "holds infinity or no number at all"),
    (spec(LIST), [["a\udc00"]], "holds half a character, which nobody can read"),
    (spec(LIST), [2**60], f"holds {2**60}, which is out of range"),
    (spec(LIST), DEEP, "is nested more than 40 levels deep"),
    (spec(OBJECT), [], "must be an object, not a list"),
    (spec(OBJECT), {"\ud800": 1}, "holds half a character, which nobody can read"),
]


@pytest.mark.parametrize(("field", "value", "sentence"), BAD)
def test_what_breaks_a_rule_of_its_field_is_a_problem(field: FieldSpec, value: object, sentence: str):
    assert check(field, value) == Problem(sentence)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-03-01",
        "2026-03-01T09:00:00",
        "2026-03-01T09:00Z",
        "2026-03-01 09:00:00Z",
        "20260301T090000Z",
        "2026-W09-1T09:00:00Z",
        "2026-03-01T09:00:00,5Z",
        "2026-03-01T09:00:00+0100",
        "2026-03-01T09:00:00+25:00",
        "2026-02-30T09:00:00Z",
        "2026-03-01T24:00:01Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "\uff12026-03-01T09:00:00Z",
        " 2026-03-01T09:00:00Z",
        "2026-03-01T09:00:00Z\n",
    ],
)
def test_what_is_no_time_with_an_offset_is_refused(text: str):
    assert time_us(text) is None
    found = check(spec(TIME), text)
    assert isinstance(found, Problem)
    assert found.sentence.startswith('must be a time such as "2026-03-01T09:00:00Z", not "')


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
SPECS = st.sampled_from(
    [
        *(spec(type_) for type_ in ValueType),
        spec(TEXT, one_of=("a", "b"), max_length=2, pattern=PATTERN),
        spec(INTEGER, minimum=-1, maximum=1),
        spec(NUMBER, one_of=(0.5, 1.0)),
    ]
)


@given(SPECS, ANYTHING)
def test_anything_is_taken_or_has_a_sentence_that_can_be_printed(field: FieldSpec, value: object):
    found = check(field, value)
    if isinstance(found, Problem):
        found.sentence.encode()
        assert "\n" not in found.sentence
        assert len(found.sentence) < 300
    elif field.type is not TIME:
        assert check(field, found) == found, "what was taken once is taken again"


@given(ANYTHING)
def test_every_value_can_be_shown(value: object):
    shown(value).encode()


def test_long_lists_of_choices_are_shortened():
    assert any_of(("a",)) == "a"
    assert any_of(tuple("abcdefgh")) == "a, b, c, d, e, f, g or h"
    assert any_of(tuple("abcdefghij")) == "one of a, b, c, d, e, f and 4 others"
