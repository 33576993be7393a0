"""User states of a run that keeps none: in memory, and in a temporary file when there are too many for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from botopt.model.ports import StateStore, UserRow
from botopt.state.memory import MemoryStore
from botopt.state.sqlite import open_state

_OVERHEAD = 500
"""What a row takes beside its packed state."""


class SpillingStore:
    """A store in memory until it has `memory` bytes, then in a file (`botopt.model.ports.StateStore`)."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._size = 0
        self._store: StateStore = MemoryStore()
        self._stack = ExitStack()
        self.spilled = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self, users: Iterable[str]) -> Mapping[str, bytes]:
        """The packed states of those users that are known."""
        return self._store.load(users)

    def commit(self, rows: Iterable[UserRow], *, meta: Mapping[str, str]) -> None:
        """Write users and meta values together, or nothing at all."""
        rows = list(rows)
        if not self.spilled:
            known = self._store.load([row.user for row in rows])
            self._size += sum(len(row.state) - len(known.get(row.user, b"")) for row in rows)
            self._size += _OVERHEAD * (len(rows) - len(known))
        self._store.commit(rows, meta=meta)
        if self._size > self._memory and not self.spilled:
            self._spill()

    def _spill(self) -> None:
        folder = self._stack.enter_context(TemporaryDirectory(prefix="botopt-"))
        file = self._stack.enter_context(open_state(Path(folder) / "state.db", create=True, read_only=False))
        file.commit(self._store.users(), meta=self._store.meta())
        self._store, self.spilled = file, True

    def meta(self) -> Mapping[str, str]:
        """Values about the whole state."""
        return self._store.meta()

    def due(self, until_us: int, limit: int) -> Sequence[tuple[int, str]]:
        """When the first held message is due, and the user: the first `limit` until `until_us`, in this order."""
        return self._store.due(until_us, limit)

    def held(self) -> int:
        """How many messages are held, over all users."""
        return self._store.held()

    def users(self) -> Iterator[UserRow]:
        """Every user, by id."""
        return self._store.users()

    def close(self) -> None:
        """Remove the file, if there is one."""
        self._stack.close()
