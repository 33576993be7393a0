"""Whether a condition holds for given values: enough to know which invented event a variant is for.

The meaning is that of `botopt.model.condition`; the rules networks, which decide real events, live elsewhere.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, assert_never

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
    Truth,
)
from botopt.rendering.reading.uses import Key

Values = Mapping[Key, object]

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def holds(condition: Condition, values: Values) -> bool:
    """Whether the condition holds; a value that is not among `values` is absent."""
    match condition:
        case Comparison(sign, left, right):
            first, second = _value(left, values), _value(right, values)
            return first is not None and second is not None and _compared(sign, first, second)
        case Membership(item, options, negated):
            found, others = _value(item, values), [_value(option, values) for option in options]
            if negated:
                return found is not None and None not in others and found not in others
            return found is not None and found in others
        case Contains(needle, haystack, negated):
            part, whole = _value(needle, values), _value(haystack, values)
            return isinstance(part, str) and isinstance(whole, str) and (part in whole) is not negated
        case IsDefined(ref):
            return values.get(ref.key) is not None
        case Truth(ref):
            return values.get(ref.key) is True
        case Constant(value):
            return value
        case Not(part):
            return not holds(part, values)
        case All(parts):
            return all(holds(part, values) for part in parts)
        case AnyOf(parts):
            return any(holds(part, values) for part in parts)
        case _:
            assert_never(condition)


def _compared(sign: str, first: object, second: object) -> bool:
    try:
        return _COMPARISONS[sign](first, second)
    except TypeError:
        return False  # the sample of a template that no event type sends: its values obey no field


def _value(expression: Expression, values: Values) -> object:
    match expression:
        case Ref():
            return values.get(expression.key)
        case Literal(value):
            return value
        case Negative(operand):
            number = _value(operand, values)
            return -number if isinstance(number, (int, float)) else None
        case Arithmetic(sign, left, right):
            first, second = _value(left, values), _value(right, values)
            if not isinstance(first, (int, float)) or not isinstance(second, (int, float)):
                return None
            try:
                result = _ARITHMETIC[sign](float(first), float(second))
            except (ArithmeticError, ValueError):
                return None
            return result if math.isfinite(result) else None
        case _:
            assert_never(expression)


def literals(condition: Condition) -> Iterator[tuple[Ref, str | bool | int | float]]:
    """The constants that references are compared with, side by side: where a condition turns."""
    match condition:
        case Comparison(_, left, right):
            yield from _pairs(left, right)
            yield from _pairs(right, left)
        case Membership(item, options):
            for option in options:
                yield from _pairs(item, option)
        case Contains(needle, haystack):
            yield from _pairs(haystack, needle)
        case Not(part):
            yield from literals(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from literals(part)
        case _:
            return


def _pairs(side: Expression, other: Expression) -> Iterator[tuple[Ref, str | bool | int | float]]:
    if isinstance(other, Literal):
        for ref in _refs(side):
            yield ref, other.value


def _refs(expression: Expression) -> Iterator[Ref]:
    match expression:
        case Ref():
            yield expression
        case Arithmetic(_, left, right):
            yield from _refs(left)
            yield from _refs(right)
        case Negative(operand):
            yield from _refs(operand)
        case _:
            return
