"""The oracle: conditions in plain Python, compiled once into closures.

It defines what conditions mean, explains them, and matches wherever durable_rules cannot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import assert_never

from botopt.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    Contains,
    Expression,
    IsDefined,
    Literal,
    Membership,
    Negative,
    Not,
    Ref,
    Scope,
    Truth,
    references,
)

Values = Sequence[object]
Test = Callable[[Values], bool]
Term = Callable[[Values], object]
Places = dict[tuple[Scope, str, int], int]

_COMPARE: dict[str, Callable[[object, object], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,  # type: ignore[operator]  # typed when the condition was read
    "<=": lambda left, right: left <= right,  # type: ignore[operator]
    ">": lambda left, right: left > right,  # type: ignore[operator]
    ">=": lambda left, right: left >= right,  # type: ignore[operator]
}


def calculate(operator: str, left: object, right: object) -> float | None:
    """Arithmetic on doubles: absent where a side is absent, the divisor is 0, or the result is not finite."""
    if left is None or right is None:
        return None
    a, b = float(left), float(right)  # type: ignore[arg-type]  # numbers: typed when the condition was read
    match operator:
        case "+":
            result = a + b
        case "-":
            result = a - b
        case "*":
            result = a * b
        case _:
            if b == 0:
                return None
            result = a / b
    return result if math.isfinite(result) else None


def negate(value: object) -> float | None:
    """`-value`; absent stays absent."""
    return None if value is None else -float(value)  # type: ignore[arg-type]


def term(expression: Expression, places: Places) -> Term:
    """An expression as a function of the values."""
    match expression:
        case Literal(value):
            return lambda values: value
        case Ref():
            place = places[expression.key]
            return lambda values: values[place]
        case Arithmetic(operator, left, right):
            a, b = term(left, places), term(right, places)
            return lambda values: calculate(operator, a(values), b(values))
        case Negative(operand):
            inner = term(operand, places)
            return lambda values: negate(inner(values))
        case _:
            assert_never(expression)


def test(condition: Condition, places: Places) -> Test:
    """A condition as a function of the values."""
    match condition:
        case Comparison(operator, left, right):
            return _comparison(operator, term(left, places), term(right, places))
        case Membership(item, options, negated):
            return _membership(term(item, places), [term(option, places) for option in options], negated)
        case Contains(needle, haystack, negated):
            return _contains(term(needle, places), term(haystack, places), negated)
        case IsDefined(ref):
            place = places[ref.key]
            return lambda values: values[place] is not None
        case Truth(ref):
            place = places[ref.key]
            return lambda values: values[place] is True
        case Constant(value):
            return lambda values: value
        case Not(part):
            inner = test(part, places)
            return lambda values: not inner(values)
        case All(parts):
            tests = [test(part, places) for part in parts]
            return lambda values: all(holds(values) for holds in tests)
        case AnyOf(parts):
            tests = [test(part, places) for part in parts]
            return lambda values: any(holds(values) for holds in tests)
        case _:
            assert_never(condition)


def _comparison(operator: str, left: Term, right: Term) -> Test:
    compare = _COMPARE[operator]

    def holds(values: Values) -> bool:
        a, b = left(values), right(values)
        return a is not None and b is not None and compare(a, b)

    return holds


def _membership(item: Term, options: list[Term], negated: bool) -> Test:
    """`in` is one `==` after another, `not in` one `!=` after another: an absent value makes each of them false."""

    def inside(values: Values) -> bool:
        value = item(values)
        return value is not None and any(value == option(values) for option in options)

    def outside(values: Values) -> bool:
        value = item(values)
        if value is None:
            return False
        others = [option(values) for option in options]
        return None not in others and value not in others

    return outside if negated else inside


def _contains(needle: Term, haystack: Term, negated: bool) -> Test:
    def holds(values: Values) -> bool:
        part, whole = needle(values), haystack(values)
        return isinstance(part, str) and isinstance(whole, str) and (part in whole) is not negated

    return holds


class ReferenceMatcher:
    """Conditions as closures; bit i of the answer is condition i."""

    __slots__ = ("_tests", "inputs")

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self.inputs = inputs_of(conditions)
        places = {ref.key: place for place, ref in enumerate(self.inputs)}
        self._tests = [(1 << bit, test(condition, places)) for bit, condition in enumerate(conditions)]

    def match(self, values: Values) -> int:
        """The bit mask of the conditions that hold."""
        mask = 0
        for bit, holds in self._tests:
            if holds(values):
                mask |= bit
        return mask


def inputs_of(conditions: Sequence[Condition]) -> tuple[Ref, ...]:
    """Every value that the conditions read, once, in reading order."""
    found: dict[tuple[Scope, str, int], Ref] = {}
    for condition in conditions:
        for ref in references(condition):
            found.setdefault(ref.key, ref)
    return tuple(found.values())


class ReferenceNetwork:
    """Compiles conditions into closures."""

    name = "reference"

    def compile(self, conditions: Sequence[Condition]) -> ReferenceMatcher:
        """A matcher for the conditions, in their order."""
        return ReferenceMatcher(conditions)
