"""Equivalence classes of facts: all that the network needs to know about a value.

A condition's answer depends only on which side of each compared constant a value falls. So the constants cut each value
into few classes, numbered from 0: a number's class counts the edges below it (`x >= 5` has one below 5, `x > 5` has one
above it, `x == 5` has both); a text equal to constant i is in class i + 1, any other text in class 0; false is 0 and
true is 1. Absent is None. The network sees class numbers only, never a value that came from outside: no precision,
no notation of numbers and no letter can mislead it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from botopt.model.condition import NUMERIC, Condition, Ref, ValueType
from botopt.network.source import Source

_NUMBERS = NUMERIC | {ValueType.TIME}
_COMPARED = 6
"""Up to so many edges comparing with each is faster than a search."""

_BELOW = {"<": "<", ">=": ">="}
"""Operators that ask on which side of the edge below a constant a number is, and what they ask of its class."""

_ABOVE = {"<=": "<", ">": ">="}
"""The same for the edge above it."""


class Subject(Protocol):
    """What rules ask about: a reference, or a condition that is worked out beside the network."""

    @property
    def count(self) -> int:
        """How many classes it has; absent is one of them."""

    def source(self, source: Source) -> str:
        """The Python expression for its class."""


class Cuts:
    """A reference and what it is compared with: pairs of an operator and a constant.

    A number has an edge below each constant that `<`, `>=` or an equality meets, and one above each that `>`, `<=` or
    an equality meets; its class is the number of edges that it has passed.
    """

    def __init__(self, ref: Ref, compared: Iterable[tuple[str, object]]) -> None:
        self.ref = ref
        pairs = list(compared)
        texts = {constant for _, constant in pairs if isinstance(constant, str)}
        self._texts = {text: place for place, text in enumerate(sorted(texts), 1)}
        self._below = self._edges(pairs, _ABOVE)
        self._above = self._edges(pairs, _BELOW)

    @staticmethod
    def _edges(pairs: Sequence[tuple[str, object]], other: Collection[str]) -> list[float]:
        """The constants of all operators but these others, in order."""
        return sorted({value for operator, value in pairs if operator not in other and isinstance(value, int | float)})

    @property
    def count(self) -> int:
        """How many classes it has; absent is one of them."""
        if self.ref.type is ValueType.BOOLEAN:
            return 3
        return 2 + len(self._texts) + len(self._below) + len(self._above)

    def check(self, operator: str, constant: object) -> tuple[str, int]:
        """The same comparison of the class."""
        match constant:
            case bool():
                return operator, int(constant)
            case str():
                return operator, self._texts[constant]
            case int() | float():
                before, after = bisect_left(self._below, constant), bisect_left(self._above, constant)
                if operator in _ABOVE:
                    return _ABOVE[operator], bisect_right(self._below, constant) + after + 1
                return _BELOW.get(operator, operator), before + after + 1
            case _:
                raise TypeError(constant)

    def source(self, source: Source) -> str:
        """The Python expression for the class of the reference's value."""
        value = source.value(self.ref)
        if self.ref.type is ValueType.BOOLEAN:
            return value
        if self.ref.type is ValueType.TEXT and self._texts:
            known: dict[str | None, int | None] = {None: None} | self._texts
            return f"{source.constant(known.get)}({value}, 0)"
        if len(self._below) + len(self._above) <= _COMPARED:
            passed = [f"({value} >= {source.constant(edge)})" for edge in self._below]
            passed += [f"({value} > {source.constant(edge)})" for edge in self._above]
        else:
            searches = ((bisect_right, self._below), (bisect_left, self._above))
            passed = [
                f"{source.constant(search)}({source.constant(edges)}, {value})" for search, edges in searches if edges
            ]
        return f"None if {value} is None else {' + '.join(passed) or 0}"


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
