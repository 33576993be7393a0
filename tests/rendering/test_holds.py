"""The checker's small evaluator of conditions agrees with the engine's."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

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
from botopt.network.reference import ReferenceNetwork
from botopt.rendering.linting.facts import if_false, if_true
from botopt.rendering.linting.holds import holds

NUMBERS = tuple(Ref(Scope.EVENT, name, ValueType.NUMBER, optional=True) for name in "ab")
TEXTS = tuple(Ref(Scope.EVENT, name, ValueType.TEXT, optional=True) for name in "st")
FLAG = Ref(Scope.EVENT, "f", ValueType.BOOLEAN, optional=True)

terms = st.recursive(
    st.sampled_from(NUMBERS) | st.integers(-3, 3).map(Literal) | st.just(Literal(1e308)),
    lambda inner: st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner) | st.builds(Negative, inner),
    max_leaves=4,
)
texts = st.sampled_from(TEXTS) | st.sampled_from(["", "x", "xy"]).map(Literal)
conditions: st.SearchStrategy[Condition] = st.recursive(
    st.builds(Comparison, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), terms, terms)
    | st.builds(Comparison, st.sampled_from(["==", "!="]), texts, texts)
    | st.builds(Membership, terms, st.lists(terms, max_size=2).map(tuple), st.booleans())
    | st.builds(Contains, texts, texts, st.booleans())
    | st.sampled_from([IsDefined(ref) for ref in (*NUMBERS, *TEXTS)])
    | st.just(Truth(FLAG))
    | st.booleans().map(Constant),
    lambda inner: (
        inner.map(Not) | st.lists(inner, max_size=3).map(tuple).map(All) | st.lists(inner).map(tuple).map(AnyOf)
    ),
    max_leaves=6,
)
values = st.fixed_dictionaries(
    {ref.key: st.none() | st.integers(-3, 3) | st.floats(-3, 3) for ref in NUMBERS}
    | {ref.key: st.none() | st.sampled_from(["", "x", "xy"]) for ref in TEXTS}
    | {FLAG.key: st.none() | st.booleans()}
)


@settings(max_examples=300, deadline=None)
@given(conditions, values)
def test_it_agrees_with_the_reference_network(condition: Condition, given_values: dict[object, object]) -> None:
    matcher = ReferenceNetwork().compile([condition])
    expected = bool(matcher.match([given_values[ref.key] for ref in matcher.inputs]))
    assert holds(condition, given_values) is expected


@settings(max_examples=300, deadline=None)
@given(conditions, values)
def test_what_a_condition_proves_is_there(condition: Condition, given_values: dict[object, object]) -> None:
    proven = if_true(condition) if holds(condition, given_values) else if_false(condition)
    assert all(given_values[key] is not None for key in proven)
