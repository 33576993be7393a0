"""One group of tasks: decided in order, committed together, answered; and what is done when one of them breaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from botopt.model.errors import BotoptError, StateCorrupt, StateError
from botopt.model.live import LiveStore, OutboxStatus
from botopt.runtime.clock import Clock
from botopt.runtime.desk import Desk
from botopt.runtime.draft import Draft, is_empty
from botopt.runtime.health import Health
from botopt.runtime.hooks import Hooks
from botopt.runtime.intake import AnyTask
from botopt.runtime.receiving import Release
from botopt.runtime.tasks import Broken


class Groups:
    """Does groups of tasks at a desk. Every task gets an answer, after it is on the disk.

    `refused` is told of a store that cannot be used, `release_failed` of a user whose held messages break the engine.
    """

    def __init__(
        self,
        desk: Desk,
        store: LiveStore,
        clock: Clock,
        health: Health,
        hooks: Hooks,
        refused: Callable[[StateError], None],
        release_failed: Callable[[str], None],
    ) -> None:
        self._desk = desk
        self._store = store
        self._clock = clock
        self._health = health
        self._hooks = hooks
        self._refused = refused
        self._release_failed = release_failed

    def do(self, tasks: Sequence[AnyTask]) -> None:
        """Whatever happens, everybody gets an answer."""
        try:
            self._attempt(tasks)
        except Exception as fault:  # noqa: BLE001 a fault of the writer itself
            self._desk.abandon()
            for task in tasks:
                if not task.future.done():
                    self.give_up(task, fault)

    def _attempt(self, tasks: Sequence[AnyTask]) -> None:
        """Do all of them and commit; if one raises, do them again without what it did."""
        try:
            self._desk.states.bring({user for task in tasks for user in task.users()})
            results = [(task, task.run(self._desk)) for task in tasks]
        except Exception:  # noqa: BLE001 whose fault it is comes out when each is done by itself
            self._desk.abandon()
            self._carefully(tasks)
        else:
            self._commit(results)

    def _carefully(self, tasks: Sequence[AnyTask]) -> None:
        """One after another, each with a way back."""
        results = []
        for task in tasks:
            self._desk.mark()
            try:
                results.append((task, task.run(self._desk)))
            except Exception as fault:  # noqa: BLE001 one task's fault is not the others'
                self._desk.undo()
                self.give_up(task, fault)
        self._commit(results)

    def _commit(self, results: Sequence[tuple[AnyTask, Any]]) -> None:
        desk = self._desk
        draft = desk.draft
        try:
            changes = draft.changes(desk.states.rows(desk.serving.engine.prune), desk.meta())
            unwritten = frozenset(draft.let_go)
            begun = time.monotonic()
            if not is_empty(changes):
                unwritten |= self._store.commit_changes(changes)
                self._health.wrote(self._clock())
            took_s = time.monotonic() - begun
        except StateError as fault:
            desk.abandon()
            self._refused(fault)
            for task, _ in results:
                task.failed(fault)
        except Exception as fault:  # noqa: BLE001 something in the rows of one task
            desk.abandon()
            if len(results) > 1:
                for task, _ in results:
                    self._attempt([task])
            else:
                for task, _ in results:
                    self.give_up(task, fault)
        else:
            desk.committed()
            for task, result in results:
                task.future.set_result(task.settle(result, unwritten))
            self._tell(draft, len(results), took_s)

    def _tell(self, draft: Draft, tasks: int, took_s: float) -> None:
        self._hooks.call(self._hooks.committed, tasks, took_s)
        for words, fault in draft.faults:
            self._hooks.report(words, fault)
        if draft.shown:
            self._hooks.call(self._hooks.decided, draft.shown)
        channels = frozenset(row.channel for row in draft.outbox.values() if row.status is OutboxStatus.PENDING)
        if channels:
            self._hooks.call(self._hooks.outbox, channels)

    def give_up(self, task: AnyTask, fault: Exception) -> None:
        """A task raised this. A fault of botopt's own is reported, and told as one."""
        if isinstance(task, Release):
            self._release_failed(task.user)
        words = f"{type(task).__name__.lower()} failed, and nothing of it was taken"
        if isinstance(fault, StateCorrupt):  # of one user, while others may be well
            self._hooks.report(words, fault)
        elif isinstance(fault, StateError):
            self._refused(fault)
        if isinstance(fault, BotoptError):
            task.failed(fault)
            return
        self._hooks.report(words, fault)
        broken = Broken()
        broken.__cause__ = fault
        task.failed(broken)
