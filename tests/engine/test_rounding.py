"""Numbers are rounded half up before they are compared and told, and the fast way writes the same letters."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from botopt.engine.lines.texts import choices, decimal, signed
from botopt.engine.rounding import exact, rounded
from botopt.model.decision import Choice
from botopt.model.record import encode_number

shares = (
    st.floats(0, 1) | st.integers(0, 10**9).map(lambda n: n / 1e9) | st.integers(0, 2 * 10**9).map(lambda n: n / 2e9)
)


@settings(deadline=None)
@given(shares)
def test_nine_decimals_are_as_near_as_can_be(value):
    assert abs(exact(value) - value) <= 5.1e-10
    assert exact(value) == float(f"{exact(value):.9f}") == exact(exact(value))


@pytest.mark.parametrize(("value", "nine", "six"), [(0.1 + 0.2, 0.3, 0.3), (2.5e-7, 2.5e-7, 0.0), (5e-7, 5e-7, 1e-6)])
def test_half_a_unit_goes_up(value: float, nine: float, six: float):
    assert (exact(value), rounded(value), rounded(-value)) == (nine, six, -six)
    assert rounded(value) == float(Decimal(value * 1e6).quantize(Decimal(1), ROUND_HALF_UP)) / 1e6


@settings(deadline=None, max_examples=500)
@given(st.floats(-12, 12) | shares | shares.map(lambda value: value / 5_000))
@example(0.0001)
@example(0.00009999999)
@example(1.9999999)
@example(-0.0000001)
@example(-0.00005)
@example(2.0)
@example(1.0)
@example(0.5)
@example(0.001)
def test_texts_are_those_of_the_encoder(value):
    assert signed(value) == encode_number(rounded(value))
    assert decimal(abs(value)) == encode_number(rounded(abs(value)))


@settings(deadline=None, max_examples=500)
@given(shares | shares.map(lambda value: value / 5_000))
@example(1.0)
@example(0.9999999999)
@example(0.0001)
@example(0.5)
@example(0.001001)
@example(0.001000001)
@example(0.25)
def test_draws_and_chances_are_those_of_the_encoder(value):
    told = choices([Choice("variant", ("a", "b"), "a", value, value)])
    assert told.endswith(f'"draw":{encode_number(exact(value))},"propensity":{encode_number(exact(value))}}}]')
