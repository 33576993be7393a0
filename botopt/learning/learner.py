"""Learning from all users: lessons come in, and at boundaries of event time a snapshot goes out.

The learner's clock follows the events in the order in which they are decided. An event up to a day ahead of it moves it
to the boundary before that event; what lies further away, or more than a day behind, may be a mistake of one clock
somewhere, and moves it only when enough of it comes in a row (`botopt.learning.astray`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from botopt.learning.astray import Astray
from botopt.learning.lessons import FORETOLD, OF_HOURS, ONE, SCORED, SCORED_HITS, Lessons, Recorder
from botopt.learning.snapshots import scorer_id, snapshot
from botopt.model.durations import DAY_US
from botopt.model.learned import Snapshot
from botopt.model.policy import Policy, Settings
from botopt.model.user_state import NEVER_US, Lesson, Response, Send

_ASTRAY_US = DAY_US

HOURS_HALF_LIFE_US = 60 * DAY_US
"""How long it is known when people are active: Airship looks back 60 days, too."""

REMEMBERED = 64
"""How many snapshots are remembered at least, for messages that were held."""


def remembered(settings: Settings) -> int:
    """How many are: a replay decides a held message as late as the boundary that lets messages of its time count."""
    return max(REMEMBERED, -(-settings.ignored_after_us // settings.refresh_us) + 4)


_SCORED = 500
"""The scorer is judged by about so many of its last messages."""


class Dated(msgspec.Struct, frozen=True, array_like=True):
    """A snapshot, and the time of the event from which on it was the newest."""

    from_us: int
    snapshot: Snapshot


class Shown(msgspec.Struct, frozen=True, array_like=True):
    """What a boundary, or a beginning, lets decisions know: the newest snapshot stands last.

    `afresh`: what was shown before is forgotten. `matured` and `newest` are those of a `Recorder`, `refresh_us` is told
    at a beginning.
    """

    snapshots: tuple[Dated, ...]
    afresh: bool
    matured: int
    newest: int
    refresh_us: int = 0


class Learned:
    """What a decision reads and writes: the present snapshot, and who takes down what is to be learned from it.

    `scorer` is what lessons call the policy's.
    """

    __slots__ = ("_remembered", "past", "recorder", "scorer", "snapshot")

    def __init__(
        self,
        snapshot: Snapshot,
        recorder: Recorder,
        scorer: str = "",
        past: Sequence[Dated] = (),
        remembered: int = REMEMBERED,
    ) -> None:
        self._remembered = remembered
        self.snapshot = snapshot
        self.recorder = recorder
        self.scorer = scorer
        self.past: tuple[Dated, ...] = tuple(past)
        """The latest snapshots, the present one last; none before the first boundary."""

    def at(self, time_us: int) -> Learned:
        """What was known just before this time. A message that was held is decided at its own time, even if nobody
        comes by until much later; so a replay, in which nobody does, decides what a service decides at that time.
        """
        past = self.past
        if not past or past[-1].from_us < time_us:
            return self
        found = next((one for one in reversed(past) if one.from_us < time_us), past[0])
        return Learned(found.snapshot, self.recorder, self.scorer)

    def aside(self) -> Learned:
        """The same knowledge, from which nothing is learned."""
        return Learned(self.snapshot, Deaf(), self.scorer, self.past)

    def show(self, shown: Shown) -> None:
        """A boundary was passed."""
        before = () if shown.afresh else self.past
        self.past = (*before, *shown.snapshots)[-self._remembered :]
        if self.past:
            self.snapshot = self.past[-1].snapshot
        self.recorder.matured, self.recorder.newest = shown.matured, shown.newest


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
    return Learned(snapshot(policy, {}, NEVER_US), Deaf(), scorer_id(policy))


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A learner as it was at its last boundary, as it is kept in a state. It is of one policy's `revision`."""

    clock_us: int
    refresh_us: int
    base: Lessons
    revision: str = ""
    past: tuple[Dated, ...] = ()
    faded_us: int = NEVER_US


class Since(msgspec.Struct, frozen=True, array_like=True):
    """What came since the last boundary: lessons, how many lines there were (from the beginning), and how many of them
    in a row were astray, the last of them, and the earliest time among them.

    `astray_users` and `met` are those of `Astray`.
    """

    lessons: Lessons = msgspec.field(default_factory=Lessons)
    lines: int = 0
    astray: int = 0
    astray_at: int = -1
    astray_us: int = 0
    astray_users: tuple[int, ...] = ()
    met: tuple[int, ...] = ()


class Image(msgspec.Struct, frozen=True):
    """A learner at one moment, to go back to."""

    clock_us: int
    base: Lessons
    since: Since
    past: tuple[Dated, ...]
    matured: int
    newest: int
    snapshot: Snapshot
    faded_us: int


class Learner:
    """Everything learned by one run or one service. Decisions get `learned`.

    `low_us` and `next_us` bound the event times at which nothing happens: ask `is_boundary` about every other one.
    `lines` is how many lines, or events of a service, there were so far; whoever gives the events counts it.
    `turns` changes with each boundary. `follows`: there may be any.
    """

    follows = True

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._refresh_us = policy.settings.refresh_us
        self._clock_us = self._faded_us = NEVER_US
        self._base = Lessons()  # never changed in place: images hold it
        self._astray = Astray()
        self.lines = 0
        self.turns = 0
        self.learned = Learned(
            snapshot(policy, {}, NEVER_US),
            Recorder(self._refresh_us),
            scorer_id(policy),
            (),
            remembered(policy.settings),
        )
        self._aim()

    def _aim(self) -> None:
        if self._clock_us == NEVER_US:
            self.low_us = self.next_us = NEVER_US
        else:
            self.low_us = self._clock_us - _ASTRAY_US
            self.next_us = self._clock_us + self._refresh_us

    def is_boundary(self, user: str, time_us: int, ordinal: int) -> bool:
        """Whether `turn` must be called before the event is decided: its time lies outside `low_us` to `next_us`.

        Args:
            user: whose event it is.
            time_us: the event's own time.
            ordinal: a number that grows by one with each line or event.
        """
        if self.low_us <= time_us < self.next_us:
            return False
        if self._clock_us == NEVER_US or self.next_us <= time_us < self.next_us + _ASTRAY_US:
            self._astray.meet(user)
            return True
        self._astray.take(user, time_us, ordinal)
        return self._astray.moves

    def ripe_us(self, time_us: int) -> int:
        """Until when held messages must be decided before `turn`: from then on, all messages of their time count.

        What lies astray decides nothing that is held for later than a day from now.
        """
        until_us = (self._matured(self._boundary_us(self._turning_us(time_us))) + 1) * self._refresh_us - 1
        if self._astray.moves:
            return min(until_us, self._clock_us + _ASTRAY_US)
        return until_us

    def turn(self, time_us: int) -> Shown:
        """Freeze what was learned so far, for an event for which `is_boundary` was true.

        All lessons must have come in.

        Returns:
            What other processes must be told.
        """
        time_us = self._turning_us(time_us)
        self._astray.moved()
        before_us, self._clock_us = self._clock_us, self._boundary_us(time_us)
        recorder = self.learned.recorder
        base = self._base.plus(recorder.lessons)
        recorder.lessons.clear()
        matured, newest = self._matured(self._clock_us), self._newest()
        _mature(base, matured, newest)
        forward = self._clock_us > before_us
        if self._clock_us > self._faded_us:
            if self._faded_us != NEVER_US:  # no span twice, should the clock have gone back and forth
                base.counts = self._faded(base.counts, self._clock_us - self._faded_us)
            self._faded_us = self._clock_us
        self._base = base
        self.turns += 1
        now = Dated(time_us, snapshot(self._policy, base.counts, self._clock_us))
        shown = Shown((now,), before_us == NEVER_US or not forward, matured, newest)
        self.learned.show(shown)
        self._aim()
        return shown

    def _turning_us(self, time_us: int) -> int:
        return self._astray.us if self._astray.moves else time_us

    def _boundary_us(self, time_us: int) -> int:
        return time_us // self._refresh_us * self._refresh_us

    def _matured(self, clock_us: int) -> int:
        """The newest period of which every message is old enough to be ignored."""
        if clock_us == NEVER_US:
            return NEVER_US
        return (clock_us - self._policy.settings.ignored_after_us) // self._refresh_us - 1

    def _newest(self) -> int:
        """The period behind the last one in which messages may be sent before the clock moves on."""
        if self._clock_us == NEVER_US:
            return -NEVER_US
        return (self._clock_us + self._refresh_us + _ASTRAY_US) // self._refresh_us + 1

    def _faded(self, counts: Mapping[str, int], age_us: int) -> dict[str, int]:
        """Older answers weigh less, as they do for each user. Rounded to whole numbers, so that it is exact."""
        usual = math.pow(2.0, -age_us / self._policy.settings.engagement.half_life_us)
        of_hours = math.pow(2.0, -age_us / HOURS_HALF_LIFE_US)
        others = {name: name.partition("\0") for name in counts if name.startswith((SCORED, SCORED_HITS, FORETOLD))}
        of_scored = {
            scorer: min(usual, _SCORED * ONE / max(counts[name], 1))
            for name, (kind, _, scorer) in others.items()
            if kind == SCORED
        }
        shares = dict.fromkeys(OF_HOURS, of_hours)
        shares.update((name, of_scored.get(scorer, usual)) for name, (_, _, scorer) in others.items())
        share = shares.get
        return {name: left for name, amount in counts.items() if (left := round(amount * share(name, usual)))}

    def merge(self, lessons: Lessons) -> None:
        """Lessons that others took down."""
        self.learned.recorder.lessons.merge(lessons)

    def shown(self) -> Shown:
        """What a process must be told that begins now."""
        learned = self.learned
        return Shown(learned.past, True, learned.recorder.matured, learned.recorder.newest, self._refresh_us)

    def keep(self) -> Kept:
        """What was learned up to the last boundary; it changes only with `turns`."""
        policy = self._policy
        return Kept(self._clock_us, self._refresh_us, self._base, policy.revision, self.learned.past, self._faded_us)

    def since(self) -> Since:
        """What came since the last boundary; it holds the lessons themselves, which go on growing."""
        astray = self._astray
        place = self.lines, astray.count, astray.at, astray.us, astray.users, astray.met
        return Since(self.learned.recorder.lessons, *place)

    def _go_on(self, since: Since) -> None:
        self.lines = since.lines
        self._astray = Astray(since.astray, since.astray_at, since.astray_us, since.astray_users, since.met)

    def restore(self, kept: Kept, since: Since) -> None:
        """Go on from there. Another policy sees the same counts with its own eyes."""
        self._clock_us, self._faded_us = kept.clock_us, max(kept.faded_us, kept.clock_us)
        self._base, lessons = Lessons(dict(kept.base.counts)), Lessons(dict(since.lessons.counts))
        for before, now in ((kept.base, self._base), (since.lessons, lessons)):
            for period, amounts in before.waiting.items():
                now.wait(period * kept.refresh_us // self._refresh_us, amounts.items())
        self._go_on(since)
        present = snapshot(self._policy, self._base.counts, self._clock_us)
        learned = self.learned
        learned.recorder = Recorder(self._refresh_us, lessons)
        learned.snapshot = present
        past: tuple[Dated, ...] = ()
        if kept.past:
            older = kept.past[:-1] if kept.revision == self._policy.revision else ()
            past = (*older, Dated(kept.past[-1].from_us, present))
        learned.show(Shown(past, True, self._matured(self._clock_us), self._newest()))
        self.turns += 1
        self._aim()

    def image(self) -> Image:
        """Everything as it is now."""
        learned = self.learned
        since = msgspec.structs.replace(self.since(), lessons=learned.recorder.lessons.copy())
        bounds = learned.recorder.matured, learned.recorder.newest
        return Image(self._clock_us, self._base, since, learned.past, *bounds, learned.snapshot, self._faded_us)

    def back_to(self, image: Image) -> None:
        """Nothing since then happened. An image may be gone back to more than once."""
        self._clock_us, self._base, self._faded_us = image.clock_us, image.base, image.faded_us
        since, learned = image.since, self.learned
        self._go_on(since)
        learned.recorder.lessons = since.lessons.copy()
        learned.snapshot = image.snapshot
        learned.show(Shown(image.past, True, image.matured, image.newest))
        self.turns += 1
        self._aim()


def _mature(base: Lessons, matured: int, newest: int) -> None:
    """What is old enough counts. What has a time that cannot be yet waits as if it had been sent last, so that wrong
    times do not pile up.
    """
    for period in sorted(period for period in base.waiting if period <= matured):
        base.add(base.waiting.pop(period).items())
    for period in sorted(period for period in base.waiting if period > newest):
        base.waiting[newest] = dict(base.waiting.get(newest, {}))
        base.wait(newest, base.waiting.pop(period).items())
