"""Whatever happens lies in the space: if conditions hold for some event, the space must not say that they cannot."""

from __future__ import annotations

import math
import sys
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.condition import Condition, Ref, ValueType
from botopt.model.policy import EventType, FieldSpec, Policy, QuietHours
from botopt.network.reference import inputs_of
from botopt.network.samples import leaves, literals
from botopt.network.source import compiled
from botopt.verify.analysis.cells import cells_of
from botopt.verify.analysis.moments import moments, quiet_mask
from botopt.verify.analysis.ranges import Range, range_of
from botopt.verify.analysis.space import Space, UndecidedError
from botopt.verify.analysis.witness import flow
from tests.network.conditions import REFS, conditions, facts, number_terms

EVENT = EventType("a", fields={ref.name: FieldSpec(ref.name, ref.type, optional=True) for ref in REFS})


@given(st.data(), st.lists(conditions, min_size=1, max_size=3))
@settings(max_examples=400, deadline=None)
def test_no_event_lies_outside(data: st.DataObject, some: list[Condition]):
    inputs = inputs_of(some)
    constants = [one.value for condition in some for leaf in leaves(condition) for one in literals(leaf)]
    fact = data.draw(facts(inputs, constants))
    space = Space(Policy(), EVENT, some)
    nodes = []
    for condition in some:
        answer = compiled(condition, inputs)(fact)
        nodes.append(space.node(condition, wanted=answer))
    with suppress(UndecidedError):
        assert space.possible(*nodes) is not None


@given(st.data(), number_terms)
@settings(max_examples=300, deadline=None)
def test_no_result_lies_outside_its_range(data: st.DataObject, term):
    from tests.network.meaning import value

    refs: list[Ref] = [ref for ref in REFS if ref.type in (ValueType.NUMBER, ValueType.INTEGER)]
    fact = data.draw(facts(tuple(refs), []))
    values = {ref.key: one for ref, one in zip(refs, fact, strict=True)}
    slack = data.draw(st.sampled_from((0.0, 1.0, math.inf)))

    def of(ref: Ref) -> Range:
        known = values[ref.key]
        if known is None:
            return Range(math.inf, -math.inf, absent=True)
        return Range(known - slack, known + slack, absent=slack > 0)

    found, result = range_of(term, of), value(term, values)
    if result is None:
        assert found.absent
    else:
        assert found.low <= result <= found.high


def begun_on_such_a_day(hours: QuietHours, minute: int) -> bool:
    """Quiet hours in other words: how long ago they last began, and on which day."""
    length = (hours.end - hours.start) % 1440 or 1440
    since = (minute % 1440 - hours.start) % 1440
    if since >= length:
        return False
    return not hours.days or ((minute - since) % 10_080) // 1440 in hours.days


@given(
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.lists(st.integers(0, 6), unique=True, max_size=3),
    st.integers(0, 10_079),
)
@settings(max_examples=300, deadline=None)
def test_quiet_moments_are_those_of_the_calendar(start, end, days, minute):
    from datetime import datetime, timedelta

    from botopt.engine.calendar import is_quiet, is_quiet_at

    if start == end % 1440:
        return
    hours = QuietHours(start, end, tuple(sorted(days)))
    wall = datetime(2026, 3, 2) + timedelta(minutes=minute)  # noqa: DTZ001  # a clock on a wall
    assert is_quiet_at(hours, minute) == is_quiet(hours, wall) == begun_on_such_a_day(hours, minute)
    cut = moments(frozenset({start, end}), hours=True)
    place = next(bit for bit, moment in enumerate(cut) if moment.begin <= minute < moment.end)
    assert bool(quiet_mask(hours, cut) >> place & 1) == is_quiet(hours, wall)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 5, "b": 0.5, "c": -3.0}, "{a: 5, b: 0.5, c: -3}"),
        ("plain_word", "plain_word"),
        ('it\'s # a "text"', "'it''s # a \"text\"'"),
        ("", "''"),
        ("true", "'true'"),
        ("5", "'5'"),
        ([True, None, "x y"], "[true, null, 'x y']"),
    ],
)
def test_yaml_in_one_line(value, text):
    assert flow(value) == text


def test_beyond_the_largest_and_the_smallest_number_there_is_nothing():
    largest = sys.float_info.max
    cells = cells_of(FieldSpec("n", ValueType.NUMBER), {largest, -largest}, (), absent=False)
    assert [cell.value for cell in cells] == [-largest, 0.0, largest]
