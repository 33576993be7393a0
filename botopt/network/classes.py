"""Equivalence classes of facts: all that the network needs to know about a value.

A condition's answer depends only on which side of each compared constant a value falls. So the constants cut each value
into few classes, numbered from 0: a number equal to constant i of the sorted ones is in class 2i + 1, one between
constants i - 1 and i in class 2i; a text equal to constant i is in class i + 1, any other text in class 0; false is 0
and true is 1. Absent is None. The network sees class numbers only, never a value that came from outside: no precision,
no notation of numbers and no letter can mislead it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Protocol

from botopt.model.condition import NUMERIC, Condition, Ref, ValueType
from botopt.network.source import Source

_NUMBERS = NUMERIC | {ValueType.TIME}
_COMPARED = 3
"""Up to so many constants comparing with each is faster than a search."""


class Subject(Protocol):
    """What rules ask about: a reference, or a condition that is worked out beside the network."""

    @property
    def count(self) -> int:
        """How many classes it has; absent is one of them."""

    def source(self, source: Source) -> str:
        """The Python expression for its class."""


class Cuts:
    """A reference and the constants that it is compared with."""

    def __init__(self, ref: Ref, constants: Iterable[object]) -> None:
        self.ref = ref
        self._constants = sorted(set(constants), key=_order)
        self._texts = {text: place for place, text in enumerate(self._constants, 1)}

    @property
    def count(self) -> int:
        """How many classes it has; absent is one of them."""
        if self.ref.type is ValueType.BOOLEAN:
            return 3
        return 2 + len(self._constants) * (2 if self.ref.type in _NUMBERS else 1)

    def of(self, constant: object) -> int:
        """The class of one of the constants."""
        match constant:
            case bool():
                return int(constant)
            case str():
                return self._texts[constant]
            case _:
                return 2 * self._constants.index(constant) + 1

    def source(self, source: Source) -> str:
        """The Python expression for the class of the reference's value."""
        value = source.value(self.ref)
        if self.ref.type is ValueType.BOOLEAN:
            return value
        if not self._constants:
            return f"None if {value} is None else 0"
        if self.ref.type is ValueType.TEXT:
            return f"{source.constant({None: None, **self._texts}.get)}({value}, 0)"
        if len(self._constants) <= _COMPARED:
            names = [source.constant(constant) for constant in self._constants]
            return f"None if {value} is None else {' + '.join(f'({value} >= {k}) + ({value} > {k})' for k in names)}"
        name, left, right = (source.constant(item) for item in (self._constants, bisect_left, bisect_right))
        return f"None if {value} is None else {left}({name}, {value}) + {right}({name}, {value})"


class Derived:
    """A condition that is worked out beside the network: class 1 where it holds, else 0."""

    count = 2

    def __init__(self, condition: Condition) -> None:
        self.condition = condition

    def source(self, source: Source) -> str:
        """The Python expression for its class."""
        return source.condition(self.condition)


def fits(ref: Ref, constants: Sequence[object], operator: str = "==") -> bool:
    """Whether classes can tell a comparison of the reference with these constants."""
    if ref.type in _NUMBERS:
        return all(isinstance(constant, int | float) and not isinstance(constant, bool) for constant in constants)
    kind = {ValueType.TEXT: str, ValueType.BOOLEAN: bool}.get(ref.type)
    return kind is not None and operator in ("==", "!=") and all(isinstance(constant, kind) for constant in constants)


def _order(constant: object) -> tuple[float, str]:
    return (0, constant) if isinstance(constant, str) else (float(constant), "")  # type: ignore[arg-type]  # a number
