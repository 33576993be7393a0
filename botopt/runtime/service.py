"""The live service behind its server: the writer, the readers, and the policy that may change.

    service = Service(open_live, open_reader, policy, clock=now_us, loader=load_again, workspace=folder)
    service.start()
    future = service.receive(events, received_us=now_us())
    service.stop(drain_s=10)

Delivery (`runtime/delivering`) and the server are put beside it by whoever starts it: they ask it through
`items.Writing` and `items.Submitting`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

import msgspec

from botopt.model.decision import Decision
from botopt.model.delivery import Feedback
from botopt.model.event import Event, Rejected
from botopt.model.live import DecisionQuery, DecisionRow, LiveReader, LiveStore, OutboxRow
from botopt.model.policy import Policy
from botopt.runtime.claims import Claim, Conclude
from botopt.runtime.clock import Clock
from botopt.runtime.feedback import TakeFeedback
from botopt.runtime.hooks import Hooks
from botopt.runtime.items import Answering, Claimed, Received
from botopt.runtime.queries import DryRun, Queries
from botopt.runtime.readers import Readers
from botopt.runtime.receiving import Erase, Receive
from botopt.runtime.reload import Loaded, Loader, RefusedPolicy, Reloading
from botopt.runtime.serving import Serving, serve
from botopt.runtime.status import Status, status_of
from botopt.runtime.tasks import Swap
from botopt.runtime.writer import Writer, WriterSettings
from botopt.state.user_view import UserView

_ENDING = "the service is ending; nothing was taken. Try again at its successor"


class Listeners(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told what happens. Whatever they raise is reported to `failed` and forgotten; all must come back at once.

    `decided`: the decisions of a commit. `committed`: how many tasks a commit was for, and how many seconds it took.
    `outbox`: messages on these channels may be due (None: on any). These three are told in the writer's thread.
    `policy`: this policy decides from now on, and sentences about what the state does not remember for it; or a change
    was refused. `failed`: a fault of botopt's own, to be logged.
    """

    decided: Callable[[Sequence[Decision]], None] = lambda _: None
    committed: Callable[[int, float], None] = lambda _, __: None
    outbox: Callable[[frozenset[str] | None], None] = lambda _: None
    policy: Callable[[Policy | RefusedPolicy, tuple[str, ...]], None] = lambda _, __: None
    failed: Callable[[str, BaseException], None] = lambda _, __: None


class Service:
    """One state file and one policy at work. Any thread may call any method.

    Args:
        open_live: opens the state to write; called once, by `start`.
        open_reader: opens it to read, once for each reader.
        policy: what decides first.
        clock: the wall clock.
        loader: reads and checks the workspace again; None: the policy never changes.
        workspace: the folder to watch; None: only `reload_now` and `ask_reload` reload.
    """

    def __init__(
        self,
        open_live: Callable[[], LiveStore],
        open_reader: Callable[[], LiveReader],
        policy: Policy,
        *,
        clock: Clock,
        loader: Loader | None = None,
        workspace: Path | None = None,
        listeners: Listeners | None = None,
        settings: WriterSettings | None = None,
    ) -> None:
        self._open_live = open_live
        self._open_reader = open_reader
        self._serving = serve(policy, clock())
        self._clock = clock
        self._listeners = listeners or Listeners()
        self._settings = settings
        self._workspace = workspace
        self._store: LiveStore | None = None
        self._running: Writer | None = None
        self._readers = Readers(open_reader)
        self._queries = Queries(self._readers)
        self._loader = loader
        self._reloading = Reloading(
            loader or (lambda: _unchanged(self.policy)), self._swap, lambda: self.policy.revision, clock, self._changed
        )
        self.started_us = clock()

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """Open the state and begin.

        Raises:
            StateError: it cannot be opened; `StateLocked` when another process writes to it.
        """
        store = self._open_live()
        try:
            told = self._listeners
            hooks = Hooks(decided=told.decided, committed=told.committed, outbox=told.outbox, failed=told.failed)
            writer = Writer(store, self._serving, self._clock, hooks, self._settings)
        except BaseException:
            store.close()
            raise
        self._store, self._running = store, writer
        self.started_us = self._clock()
        writer.start()
        self._reloading.start(None if self._loader is None else self._workspace)

    def refuse_events(self) -> None:
        """Take no more events, feedback and erasures; delivery goes on until `stop`."""
        self._writer.intake.refuse(_ENDING)

    def stop(self, drain_s: float = 10.0) -> None:
        """Decide and commit what waits, at most `drain_s` seconds long, refuse the rest, and close the state."""
        if self._running is None:
            return
        self.refuse_events()
        self._reloading.stop()
        self._running.stop(drain_s)
        self._readers.close()
        if self._store is not None:
            self._store.close()
            self._store = None

    # ------------------------------------------------------------ items.Submitting

    def receive(
        self,
        events: Sequence[Event | Rejected],
        *,
        received_us: int,
        answering: Answering | None = None,
        trace: Mapping[str, str] | None = None,
        read_by: str | None = None,
    ) -> Future[Sequence[Received]]:
        """See `items.Submitting`."""
        task = Receive(events, received_us, answering, trace or {}, read_by)
        self._writer.intake.put(task)
        return task.future

    def feedback(self, channel: str, feedback: Sequence[Feedback], received_us: int) -> Future[Sequence[Received]]:
        """See `items.Submitting`."""
        task = TakeFeedback(channel, feedback, received_us)
        self._writer.intake.put(task)
        return task.future

    def erase(self, user: str, now_us: int) -> Future[bool]:
        """See `items.Submitting`."""
        task = Erase(user, now_us)
        self._writer.intake.put_in_order(task)
        return task.future

    # ------------------------------------------------------------ items.Writing

    def claim(
        self, channel: str, limit: int, to: str | None = None, due_us: int | None = None
    ) -> Future[Sequence[Claimed]]:
        """See `items.Writing`."""
        task = Claim(channel, limit, self._clock(), to, due_us)
        self._writer.intake.put_first(task)
        return task.future

    def conclude(self, rows: Sequence[OutboxRow], feedback: Sequence[Feedback] = ()) -> Future[None]:
        """See `items.Writing`."""
        task = Conclude(rows, feedback, self._clock())
        self._writer.intake.put_first(task)
        return task.future

    def next_us(self, channel: str) -> int | None:
        """When the next pending message of a channel may be tried; sees whatever a future has promised."""
        return self._queries.next_us(channel)

    def unfinished(self) -> Sequence[OutboxRow]:
        """What an earlier life of the service had claimed when it ended: the fate of these attempts is not known."""
        return self._writer.unfinished

    # ------------------------------------------------------------ questions

    @property
    def policy(self) -> Policy:
        """What decides now."""
        return self._serving.policy

    def reader(self) -> LiveReader:
        """One more reader of the state, for one thread, which closes it."""
        return self._open_reader()

    def known_user(self, user: str) -> UserView | None:
        """See `Queries`."""
        return self._queries.known_user(user)

    def decisions(self, query: DecisionQuery) -> Sequence[DecisionRow]:
        """See `Queries`."""
        return self._queries.decisions(query)

    def decision(self, id: str) -> DecisionRow | None:
        """See `Queries`."""
        return self._queries.decision(id)

    def explain(self, event: Event, now_us: int) -> DryRun:
        """See `Queries`."""
        return self._queries.explain(self.policy, event, now_us)

    def not_ready(self) -> tuple[str, ...]:
        """Why no events can be taken now, as sentences; none: they can."""
        writer = self._running
        if writer is None or not writer.alive:
            return ("the writer does not run",)
        return writer.not_ready()

    def status(self) -> Status:
        """How everything is.

        Raises:
            StateError: the state cannot be read.
        """
        with self._readers.reader() as reader:
            return status_of(self._writer, reader, self._reloading.refused, self.started_us, self._clock())

    # ------------------------------------------------------------ the policy

    def reload_now(self) -> RefusedPolicy | None:
        """Read the workspace again, in this thread; None: what it says decides now."""
        return self._reloading.reload_now()

    def ask_reload(self) -> None:
        """Have it read again soon. Comes back at once."""
        self._reloading.ask()

    def _swap(self, serving: Serving) -> tuple[str, ...]:
        task = Swap(serving)
        self._writer.intake.put_first(task)
        notices = task.future.result()
        self._serving = serving
        return notices

    def _changed(self, what: Serving | RefusedPolicy, notices: tuple[str, ...]) -> None:
        told = what if isinstance(what, RefusedPolicy) else what.policy
        try:
            self._listeners.policy(told, notices)
        except Exception as fault:  # noqa: BLE001 the swap has happened
            self._listeners.failed("a listener of the policy failed", fault)

    @property
    def _writer(self) -> Writer:
        assert self._running is not None, "the service was not started"
        return self._running


def _unchanged(policy: Policy) -> Loaded:
    return Loaded(policy)
