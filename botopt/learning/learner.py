"""Learning from all users: lessons come in, and at boundaries of event time a snapshot goes out.

The learner's clock follows the events in the order in which they are decided. An event up to a day ahead of it moves it
to the boundary before that event; what lies further away, or more than a day behind, may be a mistake of one clock
somewhere, and moves it only when it is the `_IN_A_ROW`th in a row. So one wrong time cannot stop learning, and a file
about another month is followed after a few lines.
"""

from __future__ import annotations

import math

import msgspec

from botopt.learning.lessons import FORETOLD, HOUR, ONE, SCORED, SCORED_HITS, Lessons, Recorder
from botopt.learning.snapshots import snapshot
from botopt.model.learned import Snapshot
from botopt.model.policy import DAY_US, Policy
from botopt.model.user_state import NEVER_US, Lesson, Response, Send

_IN_A_ROW = 20
_ASTRAY_US = DAY_US

HOURS_HALF_LIFE_US = 60 * DAY_US
"""How long it is known when people are active: Airship looks back 60 days, too."""

_SCORED = 500
"""The scorer is judged by about so many of its last messages."""


class Learned:
    """What a decision reads and writes: the present snapshot, and who takes down what is to be learned from it."""

    __slots__ = ("recorder", "snapshot")

    def __init__(self, snapshot: Snapshot, recorder: Recorder) -> None:
        self.snapshot = snapshot
        self.recorder = recorder


class Deaf(Recorder):
    """Takes nothing down: where nobody learns."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(1)

    def sent(self, event_type: str, time_us: int, lesson: Lesson | None) -> None:
        """Nothing."""

    def responded(self, send: Send, before: Response) -> None:
        """Nothing."""

    def active(self, hour: int, amount: int) -> None:
        """Nothing."""


def unlearned(policy: Policy) -> Learned:
    """What is known before anything was learned, where nothing will be."""
    return Learned(snapshot(policy, {}, NEVER_US), Deaf())


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A learner as it is kept in a state."""

    clock_us: int
    refresh_us: int
    base: Lessons
    astray: int = 0
    astray_at: int = -1
    astray_us: int = 0


class Learner:
    """Everything learned by one run or one service. Decisions get `learned`.

    `low_us` and `next_us` bound the event times at which nothing happens: ask `turn` about every other one.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._refresh_us = policy.settings.refresh_us
        self._clock_us = NEVER_US
        self._base = Lessons()
        self._astray, self._astray_at, self._astray_us = 0, -1, 0
        self.learned = Learned(snapshot(policy, {}, NEVER_US), Recorder(self._refresh_us))
        self._aim()

    def _aim(self) -> None:
        if self._clock_us == NEVER_US:
            self.low_us = self.next_us = NEVER_US
        else:
            self.low_us = self._clock_us - _ASTRAY_US
            self.next_us = self._clock_us + self._refresh_us

    def is_boundary(self, time_us: int, ordinal: int) -> bool:
        """Whether `turn` must be called before the event is decided: its time lies outside `low_us` to `next_us`.

        Args:
            time_us: the event's own time.
            ordinal: a number that grows by one with each line or event.
        """
        if self.low_us <= time_us < self.next_us:
            return False
        if self._clock_us == NEVER_US or self.next_us <= time_us < self.next_us + _ASTRAY_US:
            return True
        follows = ordinal == self._astray_at + 1
        self._astray = self._astray + 1 if follows else 1
        self._astray_us = min(self._astray_us, time_us) if follows else time_us
        self._astray_at = ordinal
        return self._astray >= _IN_A_ROW

    def turn(self, time_us: int) -> None:
        """Freeze what was learned so far, for an event for which `is_boundary` was true.

        All lessons must have come in.
        """
        if self._astray >= _IN_A_ROW:
            time_us = self._astray_us
        self._astray, self._astray_at = 0, -1
        before_us, self._clock_us = self._clock_us, time_us // self._refresh_us * self._refresh_us
        base, recorder = self._base, self.learned.recorder
        base.merge(recorder.lessons)
        recorder.lessons.clear()
        self._mature()
        if before_us != NEVER_US and self._clock_us > before_us:
            self._fade(self._clock_us - before_us)
        self.learned.snapshot = snapshot(self._policy, base.counts, self._clock_us)
        self._aim()

    def _matured(self) -> int:
        """The newest period of which every message is old enough to be ignored."""
        if self._clock_us == NEVER_US:
            return NEVER_US
        return (self._clock_us - self._policy.settings.ignored_after_us) // self._refresh_us - 1

    def _mature(self) -> None:
        base = self._base
        matured = self.learned.recorder.matured = self._matured()
        for period in sorted(period for period in base.waiting if period <= matured):
            base.add(base.waiting.pop(period).items())

    def _fade(self, age_us: int) -> None:
        """Older answers weigh less, as they do for each user. Rounded to whole numbers, so that it is exact."""
        usual = math.pow(2.0, -age_us / self._policy.settings.engagement.half_life_us)
        of_hours = math.pow(2.0, -age_us / HOURS_HALF_LIFE_US)
        counts = self._base.counts
        scored = counts.get(SCORED, 0)
        of_scored = min(1.0, _SCORED * ONE / scored) if scored > 0 else 1.0
        for name, amount in counts.items():
            kind = name.partition("\0")[0]
            share = of_hours if kind == HOUR else of_scored if kind in (SCORED, SCORED_HITS, FORETOLD) else usual
            counts[name] = round(amount * share)

    def merge(self, lessons: Lessons) -> None:
        """Lessons that others took down."""
        self.learned.recorder.lessons.merge(lessons)

    def keep(self) -> Kept:
        """What was learned up to the last boundary; `learned.recorder.lessons` are what came since."""
        return Kept(self._clock_us, self._refresh_us, self._base, self._astray, self._astray_at, self._astray_us)

    def restore(self, kept: Kept, lessons: Lessons) -> None:
        """Go on from there. Another policy sees the same counts with its own eyes."""
        self._clock_us = kept.clock_us
        self._base = Lessons(kept.base.counts)
        since = Lessons(lessons.counts)
        for before, now in ((kept.base, self._base), (lessons, since)):
            for period, amounts in before.waiting.items():
                now.wait(period * kept.refresh_us // self._refresh_us, amounts.items())
        self._astray, self._astray_at, self._astray_us = kept.astray, kept.astray_at, kept.astray_us
        self.learned.recorder = Recorder(self._refresh_us, since, self._matured())
        self.learned.snapshot = snapshot(self._policy, self._base.counts, self._clock_us)
        self._aim()
