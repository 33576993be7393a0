"""What a condition means, as plainly as it can be said; the networks are measured against it."""

from __future__ import annotations

import math
import operator as op
from collections.abc import Mapping
from typing import Any

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

COMPARE = {"==": op.eq, "!=": op.ne, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge}
CALCULATE = {"+": op.add, "-": op.sub, "*": op.mul, "/": op.truediv}


def value(expression: Expression, values: Mapping[Any, Any]):
    match expression:
        case Literal(constant):
            return constant
        case Ref():
            return values[expression.key]
        case Negative(operand):
            inner = value(operand, values)
            return None if inner is None else -float(inner)
        case Arithmetic(sign, left, right):
            a, b = value(left, values), value(right, values)
            if a is None or b is None or (sign == "/" and b == 0):
                return None
            result = CALCULATE[sign](float(a), float(b))
            return result if math.isfinite(result) else None


def holds(condition: Condition, values: Mapping[Any, Any]) -> bool:
    match condition:
        case Comparison(sign, left, right):
            a, b = value(left, values), value(right, values)
            return a is not None and b is not None and COMPARE[sign](a, b)
        case Membership(item, options, negated):
            each = [holds(Comparison("!=" if negated else "==", item, option), values) for option in options]
            return value(item, values) is not None and (all(each) if negated else any(each))
        case Contains(needle, haystack, negated):
            a, b = value(needle, values), value(haystack, values)
            return a is not None and b is not None and (a in b) != negated
        case IsDefined(ref):
            return values[ref.key] is not None
        case Truth(ref):
            return values[ref.key] is True
        case Constant(constant):
            return constant
        case Not(part):
            return not holds(part, values)
        case All(parts):
            return all(holds(part, values) for part in parts)
        case AnyOf(parts):
            return any(holds(part, values) for part in parts)


def mask(conditions: list[Condition], inputs: tuple[Ref, ...], fact: tuple[object, ...]) -> int:
    values = {ref.key: found for ref, found in zip(inputs, fact, strict=True)}
    return sum(1 << bit for bit, condition in enumerate(conditions) if holds(condition, values))
