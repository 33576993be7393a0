"""Equivalence classes of facts: all that a network needs to know about a value.

A condition's answer depends only on which side of each compared constant a value falls. The constants cut each
value into few classes, numbered from 0: a number on constant i of the sorted ones is in class 2i + 1, one between
constants i - 1 and i in class 2i; a text equal to constant i is in class i + 1, any other text in class 0; false is 0
and true is 1. Absent is None. Networks see class numbers only, never a value that came from outside.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from botopt.model.condition import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Expression,
    IsDefined,
    Literal,
    Membership,
    Not,
    Ref,
    Truth,
    ValueType,
)

MAX_OPTIONS = 20
"""A longer list is asked in plain Python, once for each class of its other values."""


class Cuts:
    """The constants that one reference is compared with."""

    __slots__ = ("numbers", "ref", "texts")

    def __init__(self, ref: Ref, constants: Iterable[object]) -> None:
        self.ref = ref
        kept = list(constants)
        texts = sorted({value for value in kept if isinstance(value, str)})
        self.texts = {text: place + 1 for place, text in enumerate(texts)}
        self.numbers = sorted({float(value) for value in kept if isinstance(value, int | float)})

    def of(self, value: object) -> int | None:
        """The class of a value."""
        match value:
            case None:
                return None
            case bool():
                return int(value)
            case str():
                return self.texts.get(value, 0)
            case _:
                return self._of_number(value)  # type: ignore[arg-type]  # values are typed before they come here

    def _of_number(self, value: float) -> int:
        place = bisect_left(self.numbers, value)
        return 2 * place + (place < len(self.numbers) and self.numbers[place] == value)


def comparable(expression: Expression, other: Expression) -> bool:
    """Whether a comparison of these two can be answered from classes: a reference with a constant."""
    return isinstance(expression, Ref) and isinstance(other, Literal) and not isinstance(other.value, bool)


def cuts_of(conditions: Iterable[Condition]) -> dict[Ref, Cuts]:
    """The cuts of every reference that is compared with constants, is a yes/no value, or may be undefined."""
    constants: dict[Ref, list[object]] = {}
    for ref, value in _constants(conditions):
        constants.setdefault(ref, []).append(value)
    return {ref: Cuts(ref, (value for value in values if value is not None)) for ref, values in constants.items()}


def _constants(conditions: Iterable[Condition]) -> Iterator[tuple[Ref, object]]:
    for condition in conditions:
        match condition:
            case Comparison(_, Ref() as ref, Literal(value)) | Comparison(_, Literal(value), Ref() as ref):
                yield ref, None if isinstance(value, bool) else value
            case Membership(Ref() as ref, options) if listable(condition):
                for option in options:
                    assert isinstance(option, Literal)
                    yield ref, option.value
            case IsDefined(ref) | Truth(ref):
                yield ref, None
            case Not(part):
                yield from _constants([part])
            case All(parts) | AnyOf(parts):
                yield from _constants(parts)
            case _:
                pass


def listable(condition: Membership) -> bool:
    """Whether a list is short, and of constants of which classes know."""
    return (
        isinstance(condition.item, Ref)
        and condition.item.type is not ValueType.BOOLEAN
        and len(condition.options) <= MAX_OPTIONS
        and all(isinstance(option, Literal) for option in condition.options)
    )
