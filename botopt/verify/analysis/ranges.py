"""Between which bounds arithmetic ends: intervals of doubles, whose rounding keeps the order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import msgspec

from botopt.model.condition import Arithmetic, Expression, Literal, Negative, Ref


class Range(msgspec.Struct, frozen=True):
    """All that a number can be: from `low` to `high` (no number where `low > high`), or absent, where `absent`."""

    low: float
    high: float
    absent: bool = False


NOTHING = Range(math.inf, -math.inf, absent=True)
ANYTHING = Range(-math.inf, math.inf, absent=True)


def range_of(expression: Expression, of: Callable[[Ref], Range]) -> Range:
    """What an expression can be, by what its values can be."""
    match expression:
        case Literal(value):
            return Range(float(value), float(value)) if isinstance(value, int | float) else ANYTHING
        case Ref():
            return of(expression)
        case Negative(operand):
            inner = range_of(operand, of)
            return Range(-inner.high, -inner.low, inner.absent)
        case Arithmetic(operator, left, right):
            return _combined(operator, range_of(left, of), range_of(right, of))


def _combined(operator: str, left: Range, right: Range) -> Range:
    if left.low > left.high or right.low > right.high:
        return NOTHING
    absent = left.absent or right.absent
    if operator == "/" and right.low <= 0 <= right.high:
        if right.low == right.high:
            return NOTHING
        return ANYTHING
    ends = list(_ends(operator, left, right))
    if any(math.isnan(end) for end in ends):
        return ANYTHING
    low, high = min(ends), max(ends)
    return Range(low, high, absent or math.isinf(low) or math.isinf(high))


def _ends(operator: str, left: Range, right: Range) -> Iterator[float]:
    for a in (left.low, left.high):
        for b in (right.low, right.high):
            match operator:
                case "+":
                    yield a + b
                case "-":
                    yield a - b
                case "*":
                    yield 0.0 if 0.0 in (a, b) else a * b
                case _:
                    yield a / b


def can_hold(operator: str, left: Range, right: Range) -> bool:
    """Whether `left operator right` can be true."""
    if left.low > left.high or right.low > right.high:
        return False
    match operator:
        case "<":
            return left.low < right.high
        case "<=":
            return left.low <= right.high
        case ">":
            return left.high > right.low
        case ">=":
            return left.high >= right.low
        case "==":
            return left.low <= right.high and right.low <= left.high
        case _:
            return not left.low == left.high == right.low == right.high


_INVERSE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def can_fail(operator: str, left: Range, right: Range) -> bool:
    """Whether it can be false: absent values make it so."""
    return left.absent or right.absent or can_hold(_INVERSE[operator], left, right)
