"""Random typed conditions, and values for them."""

from __future__ import annotations

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

NUMBERS = tuple(Ref(Scope.EVENT, f"n{i}", ValueType.NUMBER, optional=True) for i in range(3))
INTEGERS = tuple(Ref(Scope.EVENT, f"i{i}", ValueType.INTEGER, optional=True) for i in range(2))
TEXTS = tuple(Ref(Scope.EVENT, f"t{i}", ValueType.TEXT, optional=True) for i in range(3))
FLAGS = tuple(Ref(Scope.EVENT, f"b{i}", ValueType.BOOLEAN, optional=True) for i in range(2))
TIMES = tuple(Ref(Scope.EVENT, f"z{i}", ValueType.TIME, optional=True) for i in range(2))
REFS = NUMBERS + INTEGERS + TEXTS + FLAGS + TIMES

SOME_NUMBERS = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    0.3,
    2.5,
    1e-7,
    1e300,
    -1e300,
    5e-324,
    4503599627370497.5,
    9007199254740991.0,
)
SOME_TEXTS = ("", "1", "a", "A", "ab", "é", "日本", "true", "0", "zzz", "'\"\\", " ")

finite = st.floats(allow_nan=False, allow_infinity=False)
floats = st.sampled_from(SOME_NUMBERS) | finite
integers = st.integers(-3, 5) | st.integers(-(2**53) + 1, 2**53 - 1)
texts = st.sampled_from(SOME_TEXTS) | st.text(max_size=3)
times = st.integers(946_684_800_000_000, 4_102_444_800_000_000) | st.sampled_from((0, 1_700_000_000_000_000))

number_literals = (floats | integers).map(Literal)
number_terms = st.recursive(
    st.sampled_from(NUMBERS + INTEGERS) | number_literals,
    lambda inner: st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner) | st.builds(Negative, inner),
    max_leaves=4,
)
text_terms = st.sampled_from(TEXTS) | texts.map(Literal)
flag_terms = st.sampled_from(FLAGS) | st.booleans().map(Literal)
ordered = st.sampled_from(("==", "!=", "<", "<=", ">", ">="))
equality = st.sampled_from(("==", "!="))

leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Comparison, ordered, number_terms, number_terms),
    st.builds(Comparison, ordered, st.sampled_from(NUMBERS + INTEGERS), number_literals),
    st.builds(Comparison, ordered, number_literals, st.sampled_from(NUMBERS)),
    st.builds(Comparison, equality, text_terms, text_terms),
    st.builds(Comparison, equality, flag_terms, flag_terms),
    st.builds(Comparison, ordered, st.sampled_from(TIMES), st.sampled_from(TIMES)),
    st.builds(
        Membership, st.sampled_from(TEXTS), st.lists(text_terms, min_size=1, max_size=4).map(tuple), st.booleans()
    ),
    st.builds(Membership, number_terms, st.lists(number_terms, min_size=1, max_size=25).map(tuple), st.booleans()),
    st.builds(Contains, text_terms, text_terms, st.booleans()),
    st.builds(IsDefined, st.sampled_from(REFS)),
    st.builds(Truth, st.sampled_from(FLAGS)),
    st.builds(Constant, st.booleans()),
)


def _combined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, max_size=4).map(tuple)
    return st.builds(All, parts) | st.builds(AnyOf, parts) | st.builds(Not, inner)


conditions: st.SearchStrategy[Condition] = st.recursive(leaves, _combined, max_leaves=12)

VALUES = {
    ValueType.NUMBER: floats,
    ValueType.INTEGER: integers,
    ValueType.TEXT: texts,
    ValueType.BOOLEAN: st.booleans(),
    ValueType.TIME: times,
}


def facts(inputs: tuple[Ref, ...], constants: list[object]) -> st.SearchStrategy[tuple[object, ...]]:
    """Values for the inputs; often exactly a constant of the conditions, sometimes absent."""
    return st.tuples(*(st.none() | _near(ref, constants) | VALUES[ref.type] for ref in inputs))


def _near(ref: Ref, constants: list[object]) -> st.SearchStrategy[object]:
    if ref.type is ValueType.TEXT:
        fitting: list[object] = [c for c in constants if isinstance(c, str)]
    elif ref.type is ValueType.NUMBER:
        fitting = [float(c) for c in constants if isinstance(c, int | float) and not isinstance(c, bool)]
    else:
        fitting = [c for c in constants if type(c) is (bool if ref.type is ValueType.BOOLEAN else int)]
    return st.sampled_from(fitting) if fitting else VALUES[ref.type]
