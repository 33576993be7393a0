"""How many messages users get in a day, counted while they are sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import nlargest

from botopt.model.durations import DAY_US
from botopt.verify.diff.report import Busy, Load

_BUSIEST = 3


class Loads:
    """Counts of one replay. A user's messages come in the order of time, so a day that has passed is over."""

    def __init__(self) -> None:
        self._today: dict[str, tuple[int, int]] = {}
        self._days: Counter[int] = Counter()
        self._busiest: list[Busy] = []
        self.totals: Counter[str] = Counter()

    def sent(self, user: str, time_us: int) -> None:
        """One more message."""
        day = time_us // DAY_US
        known, count = self._today.get(user, (day, 0))
        if known != day:
            self._close(user, known, count)
            count = 0
        self._today[user] = day, count + 1

    def _close(self, user: str, day: int, count: int) -> None:
        self._days[count] += 1
        self.totals[user] += count
        least = self._busiest[-1].messages if len(self._busiest) == _BUSIEST else 0
        if count >= least:
            self._busiest = busiest((*self._busiest, Busy(count, user, day * DAY_US)))

    def load(self) -> Load:
        """The result, when the last message was sent."""
        for user, (day, count) in self._today.items():
            self._close(user, day, count)
        self._today.clear()
        return Load(self.totals.total(), len(self.totals), dict(sorted(self._days.items())), tuple(self._busiest))


def busiest(found: Iterable[Busy]) -> list[Busy]:
    """The days with most messages; of equals the earliest, then by user."""
    return nlargest(_BUSIEST, sorted(found, key=lambda one: (one.day_us, one.user)), key=lambda one: one.messages)


def joined(loads: Iterable[Load]) -> Load:
    """The load of different users together."""
    loads = tuple(loads)
    days: Counter[int] = Counter()
    for load in loads:
        days.update(load.days)
    found = busiest(one for load in loads for one in load.busiest)
    return Load(
        sum(load.messages for load in loads),
        sum(load.users for load in loads),
        dict(sorted(days.items())),
        tuple(found),
    )
