"""What is remembered of recorded events: little, however many there are, and two of a kind can be added up."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b

from botopt.model.condition import ValueType
from botopt.model.policy import FieldSpec
from botopt.model.values import Problem, check

MOST_OPTIONS = 12
"""A text with more different values is no `one_of`."""

LONGEST_OPTION = 40
MOST_FIELDS = 200

_MOST_HASHES = 256
_MINUTE = 60_000_000
STEPS_US = tuple(_MINUTE * minutes for minutes in (1, 5, 15, 30, 60, 120, 360, 720, 1_440, 2_880, 10_080, 43_200))
"""Durations by which repeats are counted, each as a person would choose it for a cooldown."""

# In this order: what fits a narrower type is proposed with it.
_NARROW_FIRST = (
    ValueType.BOOLEAN,
    ValueType.INTEGER,
    ValueType.NUMBER,
    ValueType.TIME,
    ValueType.TEXT,
    ValueType.LIST,
    ValueType.OBJECT,
)
_PROBES = {type_: FieldSpec("value", type_) for type_ in _NARROW_FIRST}


class Distinct:
    """How many different texts there are: exactly up to 256, about right beyond."""

    def __init__(self) -> None:
        self._hashes: set[int] = set()
        self._limit = 1 << 64

    def add(self, text: str) -> None:
        """Count a text, unless it was counted before."""
        number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
        if number < self._limit:
            self._hashes.add(number)
            self._trim()

    def merge(self, other: Distinct) -> None:
        """Count what another one counted."""
        self._limit = min(self._limit, other._limit)
        self._hashes |= other._hashes
        self._trim()

    def _trim(self) -> None:
        self._hashes = {number for number in self._hashes if number < self._limit} if self._full else self._hashes
        while len(self._hashes) > _MOST_HASHES:
            self._limit = max(self._hashes)
            self._hashes.remove(self._limit)

    @property
    def _full(self) -> bool:
        return self._limit < 1 << 64

    @property
    def exact(self) -> bool:
        """Whether `count` is exact."""
        return not self._full

    @property
    def count(self) -> int:
        """How many there are."""
        if self.exact:
            return len(self._hashes)
        return round(len(self._hashes) * (1 << 64) / self._limit)


class FieldStats:
    """The values of one field."""

    def __init__(self) -> None:
        self.values = 0
        self.fitting = frozenset(_NARROW_FIRST)
        self.kinds: Counter[str] = Counter()
        self.options: Counter[str] | None = Counter()
        self.longest = 0
        self.fractions = False
        self.low: float | None = None
        self.high: float | None = None

    def add(self, value: object) -> None:
        """Count a value that is not null."""
        self.values += 1
        self.kinds[_kind(value)] += 1
        self.fitting = frozenset(
            type_ for type_ in self.fitting if not isinstance(check(_PROBES[type_], value), Problem)
        )
        if isinstance(value, str):
            self.longest = max(self.longest, len(value))
            if self.options is not None:
                self.options[value] += 1
                if len(value) > LONGEST_OPTION or not value.isprintable() or len(self.options) > MOST_OPTIONS:
                    self.options = None
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self.fractions |= isinstance(value, float)
            self._widen(value, value)

    def merge(self, other: FieldStats) -> None:
        """Count what another one counted."""
        self.values += other.values
        self.kinds += other.kinds
        self.fitting &= other.fitting
        self.longest = max(self.longest, other.longest)
        self.fractions |= other.fractions
        if self.options is not None:
            self.options = None if other.options is None else self.options + other.options
        if self.options is not None and len(self.options) > MOST_OPTIONS:
            self.options = None
        if other.low is not None and other.high is not None:
            self._widen(other.low, other.high)

    def _widen(self, low: float, high: float) -> None:
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)

    @property
    def type(self) -> ValueType | None:
        """The narrowest type that takes every value; None if no type does."""
        fitting = self.fitting - {ValueType.INTEGER} if self.fractions else self.fitting
        return next((type_ for type_ in _NARROW_FIRST if type_ in fitting), None)


class FieldsStats:
    """The fields of one event type, or what users say about themselves."""

    def __init__(self) -> None:
        self.fields: dict[str, FieldStats] = {}
        self.left_out = False

    def add(self, data: Mapping[str, object]) -> None:
        """Count every value that is not null."""
        for name, value in data.items():
            if value is not None and (field := self._field(name)) is not None:
                field.add(value)

    def merge(self, other: FieldsStats) -> None:
        """Count what another one counted."""
        self.left_out |= other.left_out
        for name, theirs in other.fields.items():
            if (field := self._field(name)) is not None:
                field.merge(theirs)

    def _field(self, name: str) -> FieldStats | None:
        if name not in self.fields:
            if len(self.fields) >= MOST_FIELDS:
                self.left_out = True
                return None
            self.fields[name] = FieldStats()
        return self.fields[name]


class TypeStats(FieldsStats):
    """The events of one type."""

    def __init__(self) -> None:
        super().__init__()
        self.events = 0
        self.users = Distinct()
        self.user_days = Distinct()
        self.repeats = [0] * (len(STEPS_US) + 1)

    def see(self, user: str, day: int, data: Mapping[str, object]) -> None:
        """Count an event; `day` is its day in UTC."""
        self.events += 1
        self.users.add(user)
        self.user_days.add(f"{day} {user}")
        self.add(data)

    def repeat(self, after_us: int) -> None:
        """Count one that came so long after the last of this type for the same user."""
        self.repeats[bisect_left(STEPS_US, after_us)] += 1

    def merge(self, other: FieldsStats) -> None:
        """Count what another one counted."""
        super().merge(other)
        if isinstance(other, TypeStats):
            self.events += other.events
            self.users.merge(other.users)
            self.user_days.merge(other.user_days)
            self.repeats = [mine + theirs for mine, theirs in zip(self.repeats, other.repeats, strict=True)]


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"
