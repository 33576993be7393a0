"""When a user's better hour is: a smoothed histogram of what they do, shrunk to everybody's.

The value of an hour is the share of the user's acts that fall near it. Acts are smoothed over neighbouring hours with a
Gaussian of 1.5 hours that goes round the clock, and everybody's day counts like five acts of the user. Each hour of
waiting costs a little. Bins are whole numbers, so that sums do not depend on their order.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from operator import mul

from botopt.model.durations import DAY_US
from botopt.model.user_state import Hours

UNIT = 1 << 16
"""One act, as bins count it."""

ACTIVE, CLICKED = 1, 2
"""What an act is worth: being active, and clicking a message."""

SIGMA = 1.5
"""Hours over which an act is smoothed."""

STRENGTH = 5.0
"""How many acts everybody's day counts."""

ENOUGH = 5
"""Acts that a user must have for an hour of their own."""

DELAY = 0.0005
"""What each hour of waiting costs, in shares of acts."""

HALVED_US = 60 * DAY_US

_MOST = 1 << 31
_raw = [math.exp(-(min(hours, 24 - hours) ** 2) / (2 * SIGMA**2)) for hours in range(24)]
KERNEL = tuple(value / sum(_raw) for value in _raw)
"""How much of an act falls so many hours later, round the clock; they sum to 1."""

_SPREADS = tuple(tuple(KERNEL[(hour - other) % 24] for other in range(24)) for hour in range(24))
_WHOLE = tuple(round(value * UNIT) for value in KERNEL)
_WEIGHT = sum(_WHOLE)
_BINS = struct.Struct("<24I")
_BIN = struct.Struct("<I")
_KERNELS = tuple(
    int.from_bytes(_BINS.pack(*(_WHOLE[(each - hour) % 24] for each in range(24))), "little") for hour in range(24)
)
_NO_BINS = bytes(_BINS.size)


def smoothed(shares: Sequence[float]) -> tuple[float, ...]:
    """A day of 24 shares, each spread over its neighbours."""
    return tuple(sum(map(mul, shares, spread)) for spread in _SPREADS)


def acted(hours: Hours | None, hour: int, worth: int, now_us: int) -> Hours:
    """The user did something at this hour of their own day."""
    before = hours or Hours(_NO_BINS, 0, now_us)
    halvings = max((now_us - before.since_us) // HALVED_US, 0)
    since_us = before.since_us + halvings * HALVED_US
    halvings = min(halvings, 40)
    if before.weight >> halvings > _MOST:
        halvings += 1
    bins, weight = before.bins, before.weight
    if halvings:
        bins, weight = _BINS.pack(*(count >> halvings for count in _BINS.unpack(bins))), weight >> halvings
    # All 24 at once, as one long number: none of them carries over, for together they stay below 2^32.
    total = int.from_bytes(bins, "little") + worth * _KERNELS[hour]
    return Hours(total.to_bytes(_BINS.size, "little"), weight + worth * _WEIGHT, since_us, before.active)


def acts(hours: Hours | None) -> float:
    """How many acts of the user are known."""
    return 0.0 if hours is None else hours.weight / _WEIGHT


def is_known(hours: Hours | None) -> bool:
    """Whether the user did enough for hours of their own."""
    return hours is not None and hours.weight >= ENOUGH * _WEIGHT


def values(hours: Hours | None, everybody: Sequence[float]) -> Sequence[float]:
    """What each hour of the user's day is worth, 0 to 1, before the cost of waiting."""
    if hours is None or not is_known(hours):
        return everybody
    total = hours.weight / _WEIGHT + STRENGTH
    bins = _BINS.unpack(hours.bins)
    return [(count / UNIT + STRENGTH * share) / total for count, share in zip(bins, everybody, strict=True)]


def value_at(hours: Hours | None, everybody: Sequence[float], hour: int) -> float:
    """`values(hours, everybody)[hour]`, without the other hours."""
    if hours is None or hours.weight < ENOUGH * _WEIGHT:
        return everybody[hour]
    (count,) = _BIN.unpack_from(hours.bins, hour * _BIN.size)
    value: float = (count / UNIT + STRENGTH * everybody[hour]) / (hours.weight / _WEIGHT + STRENGTH)
    return value
