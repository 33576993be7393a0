"""Commits, one after another; where that pays, each goes on while the next batch is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread

from botopt.model.ports import StateStore, UserRow


class Commits:
    """What is committed to a store. Nobody else may use the store before `finish`.

    Args:
        store: where to.
        behind: whether `begin` comes back at once. That pays where other processes decide.
    """

    def __init__(self, store: StateStore, *, behind: bool) -> None:
        self._store = store
        self._behind = behind
        self._thread: Thread | None = None
        self._done: Callable[[], None] | None = None
        self._fault: BaseException | None = None

    def begin(
        self, rows: Sequence[UserRow], meta: Callable[[], Mapping[str, str]], done: Callable[[], None] | None = None
    ) -> None:
        """Commit this after what was begun before; `done` is called once it is in the store, and was found to be.

        Raises:
            botopt.model.errors.StateError: from this commit, or from the one before.
        """
        self.finish()
        self._done = done
        if self._behind:
            self._thread = Thread(target=self._commit, args=(rows, meta), name="botopt commit")
            self._thread.start()
        else:
            self._store.commit(rows, meta=meta())
            self._found_done()

    def finish(self) -> None:
        """Wait until all that was begun is in the store.

        Raises:
            botopt.model.errors.StateError: it could not be written.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            if self._fault is not None:
                raise self._fault
            self._found_done()

    def close(self) -> None:
        """Wait, too, after another fault: that one is to be told."""
        with suppress(Exception):
            self.finish()

    def _commit(self, rows: Sequence[UserRow], meta: Callable[[], Mapping[str, str]]) -> None:
        try:
            self._store.commit(rows, meta=meta())
        except BaseException as fault:  # noqa: BLE001  # whoever asks next is told
            self._fault = fault

    def _found_done(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done()
