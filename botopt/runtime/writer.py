"""The writer: one thread that owns the store and the engine, and commits for everybody who waits.

    take what waits -> decide it in order -> one commit -> answer

Nothing is answered before it is on the disk. What cannot be written never happened: the states in memory are what
the store holds, again. See docs/adr/0015-one-writer.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import msgspec

from botopt.model.errors import StateCorrupt, StateError
from botopt.model.instants import instant_text
from botopt.model.live import Changes, LiveStore
from botopt.runtime.claims import BACK_US, Reschedule
from botopt.runtime.clock import Clock
from botopt.runtime.desk import Desk
from botopt.runtime.dropping import TakeBackDropped
from botopt.runtime.groups import Groups
from botopt.runtime.health import Health
from botopt.runtime.hooks import Hooks
from botopt.runtime.intake import AnyTask, Bounds, Intake
from botopt.runtime.items import Stopping
from botopt.runtime.scheduler import Scheduler
from botopt.runtime.serving import Serving
from botopt.runtime.states import MOST_BYTES, MOST_USERS, States
from botopt.runtime.tasks import Swap
from botopt.state.journal_key import NO_JOURNAL

_PAUSE_S = 1.0
"""How long nothing is tried by itself after the store refused to write."""

_TIDY_LATE_S = 60.0
"""How long a queue that is never empty may put off that old rows are deleted."""

_TIDY_BUSY = 100
"""Old rows of each kind that go in one turn while there is something to do: nobody must wait long for that."""

_SILENCE_KEPT_US = 60_000_000
"""Silences that are over stay this long: an event that came before their end may still wait."""


class WriterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits, how much is kept at hand. `idle_s`: how often an idle writer looks at the clock and the store.

    Decisions, answers and finished messages older than `keep_us` are deleted; None: never.
    """

    bounds: Bounds = Bounds()
    most_users: int = MOST_USERS
    most_bytes: int = MOST_BYTES
    idle_s: float = 0.2
    keep_us: int | None = 90 * 86_400_000_000
    tidy_every_s: float = 60.0
    tidy_limit: int = 1_000


class Writer:
    """The thread. `start` it once; `stop` ends it when everything that waits is done, or the time is over."""

    def __init__(
        self,
        store: LiveStore,
        serving: Serving,
        clock: Clock,
        hooks: Hooks | None = None,
        settings: WriterSettings | None = None,
    ) -> None:
        self.settings = settings or WriterSettings()
        self.intake = Intake(self.settings.bounds)
        self.health = Health()
        self.desk = Desk(store, States(store, self.settings.most_users, self.settings.most_bytes), serving)
        self.unfinished = tuple(store.outbox_claimed())
        """Attempts that another life of the service began: what became of them is not known."""
        self._store = store
        self._clock = clock
        self._hooks = hooks or Hooks()
        self._scheduler = Scheduler(store)
        self._groups = Groups(self.desk, store, clock, self.health, self._hooks, self._refused, self._scheduler.failed)
        self._version: int | None = None
        self._may_be_dropped = False
        self._latest_us: int | None = None
        self._may_be_ahead = False
        self._thread = threading.Thread(target=self._live, name="botopt-writer", daemon=True)
        self._deadline: float | None = None
        self._pause_until = 0.0
        self._tidy_at = time.monotonic() + self.settings.tidy_every_s

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, drain_s: float) -> None:
        """End; what still waits after `drain_s` seconds is refused. Returns when the thread has ended."""
        self.intake.refuse("the service is ending; nothing was taken")
        self._deadline = time.monotonic() + drain_s
        self.intake.wake()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def not_ready(self) -> tuple[str, ...]:
        """Why no events can be taken now, as sentences; none: they can."""
        found = []
        failing = self.health.failing
        if failing is not None:
            found.append(f"nothing can be written since {instant_text(failing.since_us)}: {failing.why}")
        if self.intake.refusing is not None:
            found.append(self.intake.refusing)
        if self.intake.full:
            found.append(f"the queue is full: {self.intake.events:,} events wait")
        return tuple(found)

    def step(self, wait_s: float = 0.0) -> bool:
        """One group; whether there may be more to do at once. For the thread, and for tests that have none."""
        taken = self.intake.take(wait_s)
        now_us = self._clock()
        until_us = now_us if taken.waiting_since_us is None else min(now_us, taken.waiting_since_us)
        found: Sequence[AnyTask] = ()
        if self._deadline is None and time.monotonic() >= self._pause_until:
            found = self._look_around(now_us, until_us)
        for task in taken.tasks:
            if isinstance(task, Swap):
                self._swap(task)
        tasks = [*(task for task in taken.tasks if not isinstance(task, Swap)), *found]
        if tasks:
            self._groups.do(tasks)
        self._tidy(now_us, busy=bool(tasks), waiting=taken.more)
        return taken.more or bool(tasks)

    def _live(self) -> None:
        more = True
        while True:
            try:
                more = self.step(0.0 if more or self._deadline is not None else self.settings.idle_s)
            except Exception as fault:  # noqa: BLE001 the thread must outlive any fault of ours
                self._hooks.report("the writer met a fault outside of any task", fault)
                more = False
            if self._over(more):
                break
        for task in self.intake.close():
            if task.future.set_running_or_notify_cancel():
                task.failed(Stopping("the service is ending; nothing was taken"))

    def _over(self, more: bool) -> bool:
        if self._deadline is None:
            return False
        return time.monotonic() > self._deadline or not more

    def _look_around(self, now_us: int, until_us: int) -> Sequence[AnyTask]:
        """What administrators changed, which held messages are due, and what a clock that went back put off."""
        try:
            if self.health.failing is not None:
                self._probe(now_us)
            version = self._store.control_version()
            if version != self._version:
                self.desk.silences = tuple(self._store.silences(now_us - _SILENCE_KEPT_US))
                first, self._version = self._version is None, version
                self._may_be_dropped = True
                if not first:
                    self._hooks.call(self._hooks.outbox, None)
            elif any(silence.until_us + _SILENCE_KEPT_US <= now_us for silence in self.desk.silences):
                self.desk.silences = tuple(
                    silence for silence in self.desk.silences if silence.until_us + _SILENCE_KEPT_US > now_us
                )
            return [*self._clock_went_back(now_us), *self._dropped(now_us), *self._scheduler.due(until_us)]
        except StateError as fault:
            self._refused(fault)
        except Exception as fault:  # noqa: BLE001 those who wait must have their turn
            self._hooks.report("the writer could not look around", fault)
        return ()

    def _dropped(self, now_us: int) -> Sequence[AnyTask]:
        """Until nothing is left of it: also what a commit that failed has not taken back."""
        self._may_be_dropped &= bool(self._store.drops_after(self.desk.reached.drops, 1))
        return (TakeBackDropped(now_us),) if self._may_be_dropped else ()

    def _clock_went_back(self, now_us: int) -> Sequence[AnyTask]:
        """At the start, too: it may have happened while nobody looked. Until no message is left that it put off."""
        before_us, self._latest_us = self._latest_us, now_us
        self._may_be_ahead |= before_us is None or now_us <= before_us - BACK_US
        if not self._may_be_ahead:
            return ()
        try:
            self._may_be_ahead = bool(self._store.outbox_ahead(now_us, 1))
        except StateCorrupt:  # it is told, and keeps nothing else from being done for ever
            self._may_be_ahead = False
            raise
        return (Reschedule(now_us),) if self._may_be_ahead else ()

    def _swap(self, task: Swap) -> None:
        try:
            notices = task.run(self.desk)
        except Exception as fault:  # noqa: BLE001 the policy before goes on
            self._groups.give_up(task, fault)
        else:
            task.future.set_result(notices)

    def _refused(self, fault: StateError) -> None:
        self.health.failed(self._clock(), str(fault))
        self._pause_until = time.monotonic() + _PAUSE_S

    def _probe(self, now_us: int) -> None:
        """See whether a store that refused writes again, so that this is known before somebody asks in vain."""
        try:
            self._store.commit_changes(Changes(meta=NO_JOURNAL))
        except StateError as fault:
            self._refused(fault)
        else:
            self.health.wrote(now_us)

    def _tidy(self, now_us: int, *, busy: bool, waiting: bool) -> None:
        """Delete what is too old, a little at a time: a service under load is never idle."""
        keep_us, now = self.settings.keep_us, time.monotonic()
        due = self._tidy_at + (_TIDY_LATE_S if waiting else 0.0)
        if keep_us is None or now < max(due, self._pause_until) or self._deadline is not None:
            return
        limit = min(self.settings.tidy_limit, _TIDY_BUSY) if busy or waiting else self.settings.tidy_limit
        try:
            full = self._store.tidy(now_us - keep_us, limit) >= limit
            self._tidy_at = now - _TIDY_LATE_S if full else now + self.settings.tidy_every_s
        except StateError as fault:
            self._refused(fault)
