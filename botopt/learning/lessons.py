"""What is counted of all users' answers, from which snapshots are made.

Everything is a whole number of `ONE`s under a name, and is only ever added to. So lessons may be taken down in pieces,
by any number of processes, and put together in any order: the sums are the same. What a message teaches is added twice:
when it is sent, as one that waits for its answer, by the period in which it was sent; and when its answer is known or
the time for one is over, as one that counts. So people who never come back count, too, and nobody has to look for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from botopt.model.user_state import Lesson, Response, Send

ONE = 1 << 20
"""1, as lessons count it: fine enough for rates, and 2^43 of them fit where integers have 64 bits."""

OUTCOMES, CLICKS = "n", "y"  # of an event type
SENDS, HITS, EXPECTED = "vn", "vy", "ve"  # of a variant
TAKEN, TAKEN_HITS, LEFT, LEFT_HITS = (
    "t",
    "ty",
    "l",
    "ly",
)  # of a variant, weighed by their chances: sent; not, but could
HOUR = "h"
SCORED, SCORED_HITS, FORETOLD = "sn", "sy", "se"  # of a scorer

OF_HOURS = tuple(f"{HOUR}\0{hour:02}" for hour in range(24))
"""Under which names acts are counted, by the hour of the day."""

Amounts = list[tuple[str, int]]


def whole(value: float) -> int:
    """A number as lessons count it."""
    return round(value * ONE)


@lru_cache(maxsize=64)
def of_scorer(scorer: str) -> tuple[str, str, str]:
    """The names of what is counted of a scorer: messages, clicks, and clicks that it foretold."""
    return f"{SCORED}\0{scorer}", f"{SCORED_HITS}\0{scorer}", f"{FORETOLD}\0{scorer}"


class Lessons(msgspec.Struct, array_like=True):
    """Counts by name; `waiting` by the period (a number of `refresh`es) in which messages were sent."""

    counts: dict[str, int] = {}
    waiting: dict[int, dict[str, int]] = {}

    def __bool__(self) -> bool:
        return bool(self.counts or self.waiting)

    def add(self, amounts: Iterable[tuple[str, int]], sign: int = 1) -> None:
        """Add, or take away, what counts."""
        counts = self.counts
        for name, amount in amounts:
            counts[name] = counts.get(name, 0) + sign * amount

    def wait(self, period: int, amounts: Iterable[tuple[str, int]], sign: int = 1) -> None:
        """Add, or take away, what waits for its answer."""
        waiting = self.waiting.get(period)
        if waiting is None:
            waiting = self.waiting[period] = {}
        for name, amount in amounts:
            waiting[name] = waiting.get(name, 0) + sign * amount

    def merge(self, other: Lessons) -> None:
        """Add everything of others."""
        self.add(other.counts.items())
        for period, amounts in other.waiting.items():
            self.wait(period, amounts.items())

    def plus(self, other: Lessons) -> Lessons:
        """These and others. Periods of which others know nothing are shared with the result: it may not change them."""
        both = Lessons(dict(self.counts), dict(self.waiting))
        for period in other.waiting:
            both.waiting[period] = dict(both.waiting.get(period, {}))
        both.merge(other)
        return both

    def copy(self) -> Lessons:
        """The same, of which nothing is shared."""
        return Lessons(dict(self.counts), {period: dict(amounts) for period, amounts in self.waiting.items()})

    def clear(self) -> None:
        """Nothing was counted."""
        self.counts.clear()
        self.waiting.clear()


@lru_cache(maxsize=4_096)
def _of_type(event_type: str) -> tuple[str, str]:
    """Under which names its messages and their clicks are counted."""
    return f"{OUTCOMES}\0{event_type}", f"{CLICKS}\0{event_type}"


@lru_cache(maxsize=4_096)
def of_variant(template: str, variant: str) -> Mapping[str, str]:
    """Under which names anything is counted about a variant, by kind."""
    kinds = (SENDS, HITS, EXPECTED, TAKEN, TAKEN_HITS, LEFT, LEFT_HITS)
    return {kind: f"{kind}\0{template}\0{variant}" for kind in kinds}


@lru_cache(maxsize=16_384)
def _of_sent(event_type: str, template: str, variant: str, scorer: str) -> tuple[str, str, str, str, str]:
    """Under which names a message is counted: as one of its type, its variant twice, its scorer twice."""
    names = of_variant(template, variant)
    scored, _, foretold = of_scorer(scorer)
    return _of_type(event_type)[0], names[SENDS], names[EXPECTED], scored, foretold


def _of_message(event_type: str, lesson: Lesson | None) -> Amounts:
    """What a message teaches by having been sent."""
    if lesson is None:
        return [(_of_type(event_type)[0], ONE)]
    of_type, sends, expected, scored, foretold = _of_sent(event_type, lesson.template, lesson.variant, lesson.scorer)
    amounts = [(of_type, ONE)]
    if lesson.template:
        amounts += ((sends, ONE), (expected, lesson.expected))
        if lesson.odds:
            amounts += _weighed(lesson, TAKEN, LEFT)
    if lesson.scored or lesson.scorer:
        amounts += ((scored, ONE), (foretold, lesson.scored))
    return amounts


def _of_click(event_type: str, lesson: Lesson | None) -> Amounts:
    """What it teaches by being clicked."""
    amounts = [(_of_type(event_type)[1], ONE)]
    if lesson is None:
        return amounts
    if lesson.template:
        amounts.append((of_variant(lesson.template, lesson.variant)[HITS], ONE))
        if lesson.odds:
            amounts += _weighed(lesson, TAKEN_HITS, LEFT_HITS)
    if lesson.scored or lesson.scorer:
        amounts.append((of_scorer(lesson.scorer)[1], ONE))
    return amounts


def _weighed(lesson: Lesson, taken: str, left: str) -> Amounts:
    """For the variant that was taken 1/p; for each that could have been, and was not, 1/(1 - p).

    Where there was no choice nothing can be learned of it: a variant that had to be taken is left out.
    """
    if len(lesson.odds) < 2:
        return []
    amounts = []
    for variant, odds in lesson.odds.items():
        names = of_variant(lesson.template, variant)
        if variant == lesson.variant:
            amounts.append((names[taken], ONE * ONE // odds))
        else:
            amounts.append((names[left], ONE * ONE // (ONE - odds)))
    return amounts


class Recorder:
    """Takes down lessons while messages are sent and answered.

    `matured` is the newest period whose messages count, answered or not, `newest` the last one that messages may have
    been sent in: a later time is wrong, and counts as that. Both change with each snapshot.
    """

    __slots__ = ("_refresh_us", "lessons", "matured", "newest")

    def __init__(
        self, refresh_us: int, lessons: Lessons | None = None, matured: int = -(2**62), newest: int = 2**62
    ) -> None:
        self._refresh_us = refresh_us
        self.lessons = Lessons() if lessons is None else lessons
        self.matured = matured
        self.newest = newest

    def _period(self, time_us: int) -> int:
        return min(time_us // self._refresh_us, self.newest)

    def sent(self, event_type: str, time_us: int, lesson: Lesson | None) -> None:
        """A message was sent."""
        period = self._period(time_us)
        if period <= self.matured:  # long ago, and told only now
            self.lessons.add(_of_message(event_type, lesson))
            return
        waiting = self.lessons.waiting.get(period)
        if waiting is None:
            waiting = self.lessons.waiting[period] = {}
        for name, amount in _of_message(event_type, lesson):  # `Lessons.wait`, without the call
            waiting[name] = waiting.get(name, 0) + amount

    def responded(self, send: Send, before: Response) -> None:
        """A message's answer changed from `before` to what it is now; not to ignored, which is no answer.

        What was sent before anybody learned was not taken down, and neither is its answer: else clicks would be counted
        of messages that are not.
        """
        if send.lesson is None:
            return
        after = send.response
        message = _of_message(send.event_type, send.lesson)
        period = self._period(send.time_us)
        waits = before in (Response.PENDING, Response.IGNORED) and period > self.matured
        if after is Response.FAILED:
            if waits:
                self.lessons.wait(period, message, -1)
            else:
                self.lessons.add(message, -1)
            if before is Response.CLICKED:
                self.lessons.add(_of_click(send.event_type, send.lesson), -1)
            return
        if waits:
            self.lessons.wait(period, message, -1)
            self.lessons.add(message)
        if after is Response.CLICKED:
            self.lessons.add(_of_click(send.event_type, send.lesson))

    def active(self, hour: int, amount: int) -> None:
        """A user did something at this hour of their own day; `amount` in `ONE`s."""
        self.lessons.add(((OF_HOURS[hour], amount),))
