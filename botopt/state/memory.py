"""User states in memory: for runs that start anew and remember nothing afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import Self

from botopt.model.ports import UserRow


class MemoryStore:
    """A store that lives as long as its process (`botopt.model.ports.StateStore`)."""

    def __init__(self) -> None:
        self._rows: dict[str, UserRow] = {}
        self._meta: dict[str, str] = {}
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self, users: Iterable[str]) -> Mapping[str, bytes]:
        """The packed states of those users that are known."""
        rows = self._rows
        return {user: rows[user].state for user in users if user in rows}

    def commit(self, rows: Iterable[UserRow], *, meta: Mapping[str, str]) -> None:
        """Write users and meta values together, or nothing at all."""
        for row in list(rows):  # read to its end before anything changes: making a row may raise
            before = self._rows.get(row.user)
            self._held += row.held - (0 if before is None else before.held)
            self._rows[row.user] = row
        self._meta.update(meta)

    def meta(self) -> Mapping[str, str]:
        """Values about the whole state."""
        return dict(self._meta)

    def due(self, until_us: int, limit: int) -> Sequence[tuple[int, str]]:
        """When the first held message is due, and the user: the first `limit` until `until_us`, in this order."""
        rows = self._rows.values()
        return nsmallest(
            limit, ((row.due_us, row.user) for row in rows if row.due_us is not None and row.due_us <= until_us)
        )

    def held(self) -> int:
        """How many messages are held, over all users."""
        return self._held

    def users(self) -> Iterator[UserRow]:
        """Every user, by id. Users that are committed meanwhile may or may not be among them."""
        for user in sorted(self._rows):
            yield self._rows[user]

    def close(self) -> None:
        """Nothing to let go of."""
