"""Values that tell networks apart: around every constant that a value is compared with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from botopt.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Comparison,
    Condition,
    Contains,
    Expression,
    Literal,
    Membership,
    Negative,
    Not,
    Ref,
    ValueType,
)


def around(inputs: Sequence[Ref], conditions: Sequence[Condition]) -> list[list[object]]:
    """For each input: absent, and values below, at and above every constant of its kind in the conditions."""
    constants = [literal.value for condition in conditions for literal in literals(condition)]
    return [[None, *_values(ref, constants)] for ref in inputs]


def _values(ref: Ref, constants: Sequence[object]) -> list[object]:
    if ref.type is ValueType.BOOLEAN:
        return [False, True]
    if ref.type is ValueType.TEXT:
        texts = {value for value in constants if isinstance(value, str)}
        return ["", *sorted(texts), "another text", *(f"x{text}y" for text in sorted(texts))]
    numbers = {float(value) for value in constants if isinstance(value, int | float) and not isinstance(value, bool)}
    found: set[float] = {0.0, 1.0}
    for number in numbers:
        if ref.type is ValueType.NUMBER:
            found.update((math.nextafter(number, -math.inf), number, math.nextafter(number, math.inf)))
        else:
            found.update((math.floor(number) - 1, math.floor(number), math.floor(number) + 1))
    return [number if ref.type is ValueType.NUMBER else int(number) for number in sorted(found)]


def literals(node: Condition | Expression) -> Iterator[Literal]:
    """Every constant in a condition."""
    match node:
        case Literal():
            yield node
        case Comparison(_, left, right) | Contains(left, right) | Arithmetic(_, left, right):
            yield from literals(left)
            yield from literals(right)
        case Membership(item, options):
            for expression in (item, *options):
                yield from literals(expression)
        case Not(part) | Negative(part):
            yield from literals(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from literals(part)
        case _:
            return
