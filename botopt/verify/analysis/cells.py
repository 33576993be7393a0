"""What a value can be, cut into cells: whatever a condition compares it with, all values of a cell give one answer.

`network/classes.py` numbers such classes for the network. Here they are bounded by what is declared, too (`min`,
`one_of`, `max_length`), and each has a value that stands for it, so that an event can be made of them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations

import msgspec

from botopt.model.condition import NUMERIC, ValueType
from botopt.model.instants import instant_us
from botopt.model.policy import FieldSpec
from botopt.model.values import LARGEST

MOST_NEEDLES = 4
"""Texts that are looked for inside one value: each doubles its cells."""

SOME_TIME_US = instant_us("2026-03-02T09:00:00Z")


class Cell(msgspec.Struct, frozen=True):
    """Values that no condition tells apart, as `value` is one.

    `low` and `high` are the least and the greatest of them, where they are numbers. `single`: there is no other.
    `sure` is false where nobody can say whether a valid value lies here; it counts as possible, but shows nothing.
    """

    value: object
    low: float = 0.0
    high: float = 0.0
    single: bool = False
    sure: bool = True


ABSENT = Cell(None, single=True)
_FLAGS = (Cell(True, single=True), Cell(False, single=True))


def cells_of(spec: FieldSpec, constants: Collection[object], needles: Iterable[str], *, absent: bool) -> list[Cell]:
    """The cells of what `spec` declares. `needles` are texts that are looked for inside it."""
    last = [ABSENT] if absent else []
    if spec.type is ValueType.BOOLEAN:
        return [*_FLAGS, *last]
    if spec.type in NUMERIC:
        numbers = [value for value in constants if isinstance(value, int | float) and not isinstance(value, bool)]
        return [*_numbers(spec, numbers), *last]
    if spec.type is ValueType.TEXT:
        texts = {value for value in constants if isinstance(value, str)}
        return [*_texts(spec, texts, sorted(set(needles))), *last]
    if spec.type is ValueType.TIME:
        return [Cell(SOME_TIME_US, -math.inf, math.inf), *last]
    return [Cell([] if spec.type is ValueType.LIST else {}), *last]


def _numbers(spec: FieldSpec, constants: Sequence[float]) -> list[Cell]:
    whole = spec.type is ValueType.INTEGER
    if spec.one_of:
        values = [value for value in spec.one_of if isinstance(value, int | float)]
        return [Cell(value if whole else float(value), value, value, single=True) for value in values]
    low: float = -math.inf if spec.minimum is None else spec.minimum
    high: float = math.inf if spec.maximum is None else spec.maximum
    if whole:
        low, high = max(math.ceil(max(low, -LARGEST)), -LARGEST), math.floor(min(high, LARGEST))
    found = []
    begin = low
    for edge in sorted(set(constants)):
        if edge < begin:
            continue
        if edge > high:
            break
        below = math.ceil(edge) - 1 if whole else math.nextafter(edge, -math.inf)
        if begin <= below and below != -math.inf:
            found.append(_between(begin, below, whole=whole))
        if not whole or edge == math.floor(edge):
            at: float = int(edge) if whole else float(edge)
            found.append(Cell(at, at, at, single=True))
        begin = math.floor(edge) + 1 if whole else math.nextafter(edge, math.inf)
    if begin <= high and begin != math.inf:  # above the largest number there is none
        found.append(_between(begin, high, whole=whole))
    return found


def _between(low: float, high: float, *, whole: bool) -> Cell:
    value = _pleasant(low, high)
    return Cell(int(value) if whole else float(value), low, high, single=low == high)


def _pleasant(low: float, high: float) -> float:
    """A number in `[low, high]` that a person would write."""
    if low <= 0 <= high:
        return 0
    if math.isinf(low) or math.isinf(high) or high - low > 2 * LARGEST:
        close = math.floor(low) + 1 if low > 0 else math.ceil(high) - 1
        return close if low <= close <= high else (low if low > 0 else high)
    middle = low / 2 + high / 2
    rounded = (round(middle, digits) for digits in range(10))
    return next((near for near in rounded if low <= near <= high), low)


def _texts(spec: FieldSpec, constants: Collection[str], needles: Sequence[str]) -> list[Cell]:
    if spec.one_of:
        return [Cell(value, single=True) for value in spec.one_of]
    equal = [Cell(text, single=True) for text in sorted(constants) if fits(spec, text)]
    return [*equal, *_others(spec, constants, needles)]


def _others(spec: FieldSpec, constants: Collection[str], needles: Sequence[str]) -> Iterable[Cell]:
    """Texts that are no constant: for each set of needles, those that hold exactly these."""
    for size in range(len(needles) + 1):
        for inside in combinations(needles, size):
            if spec.max_length is not None and any(len(needle) > spec.max_length for needle in inside):
                continue
            if any(other in needle for needle in inside for other in needles if other not in inside):
                continue  # who holds the longer one holds what is part of it
            example = _example(spec, constants, inside, needles)
            yield Cell(" ".join(inside) if example is None else example, sure=example is not None)


def _example(spec: FieldSpec, constants: Collection[str], inside: Sequence[str], needles: Sequence[str]) -> str | None:
    held = " ".join(inside)
    for text in (held, f"{held} ", f"a {held}", *(("abc", "A-1", "1", "x", "0000", "1234") if not inside else ())):
        right = all((needle in text) is (needle in inside) for needle in needles)
        if text.strip() and text not in constants and right and fits(spec, text):
            return str(text)
    return None


def fits(spec: FieldSpec, text: str) -> bool:
    """Whether a text can be a value of the field."""
    short = spec.max_length is None or len(text) <= spec.max_length
    return short and (spec.pattern is None or bool(spec.pattern.fullmatch(text)))
