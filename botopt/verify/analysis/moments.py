"""The moments of a week, as far as conditions and quiet hours tell them apart, on the user's wall clock."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from botopt.engine.calendar import is_quiet_at
from botopt.model.names import WEEKDAYS
from botopt.model.policy import QuietHours

DAY = 24 * 60
WEEK = 7 * DAY


class Moment(msgspec.Struct, frozen=True):
    """Minutes of a week, `begin` to `end` (exclusive), counted from Monday 00:00."""

    begin: int
    end: int

    @property
    def weekday(self) -> int:
        """0 is Monday."""
        return self.begin // DAY

    @property
    def hour(self) -> int:
        """The hour of the day."""
        return self.begin % DAY // 60

    def value(self, name: str) -> object:
        """What `time.<name>` is then."""
        match name:
            case "hour":
                return self.hour
            case "weekday":
                return WEEKDAYS[self.weekday]
            case _:
                return self.weekday >= 5


@lru_cache(maxsize=64)
def moments(cuts: frozenset[int], *, hours: bool) -> tuple[Moment, ...]:
    """The moments of a week, cut at midnight, at these minutes of the day, and at full hours if those matter."""
    edges = sorted({0, *(minute % DAY for minute in cuts), *(range(0, DAY, 60) if hours else ())})
    begins = [day * DAY + edge for day in range(7) for edge in edges]
    return tuple(Moment(begin, end) for begin, end in zip(begins, [*begins[1:], WEEK], strict=True))


def quiet_mask(hours: QuietHours, all_moments: Sequence[Moment]) -> int:
    """The moments that are quiet, as bits."""
    return sum(1 << place for place, moment in enumerate(all_moments) if is_quiet_at(hours, moment.begin))
