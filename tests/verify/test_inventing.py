"""Invented values obey their fields, as far as bounds go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from botopt.model.condition import ValueType
from botopt.model.instants import instant_text
from botopt.model.policy import FieldSpec
from botopt.model.values import Problem, check
from botopt.verify.inventing import invented

NOW = 1_772_442_000_000_000
bounds = st.none() | st.integers(-1000, 1000)


@given(
    st.sampled_from([kind for kind in ValueType if kind is not ValueType.OBJECT]),
    bounds,
    bounds,
    st.none() | st.integers(1, 5),
)
def test_an_invented_value_obeys_its_field(kind, low, high, length):
    if low is not None and high is not None and low > high:
        low, high = high, low
    numeric = kind in (ValueType.INTEGER, ValueType.NUMBER)
    spec = FieldSpec(
        "order_id",
        kind,
        minimum=float(low) if numeric and low is not None else None,
        maximum=float(high) if numeric and high is not None else None,
        max_length=length if kind is ValueType.TEXT else None,
    )
    value = invented(spec, NOW)
    raw = instant_text(value) if kind is ValueType.TIME else value
    assert not isinstance(check(spec, raw), Problem)


def test_values_that_read_well():
    assert invented(FieldSpec("order_id", ValueType.TEXT), NOW) == "order id"
    assert invented(FieldSpec("Currency", ValueType.TEXT), NOW) == "EUR"
    assert invented(FieldSpec("x", ValueType.TEXT, one_of=("a", "b")), NOW) == "a"
    assert invented(FieldSpec("x", ValueType.INTEGER, minimum=99.5), NOW) == 100
    assert invented(FieldSpec("x", ValueType.OBJECT), NOW) is None
