"""A store on top of another that is only read: what happens stays in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import Self

from botopt.model.ports import StateStore, UserRow


class Overlay:
    """Reads through to `base` and keeps every change to itself."""

    def __init__(self, base: StateStore) -> None:
        self._base = base
        self._rows: dict[str, UserRow] = {}
        self._meta: dict[str, str] = dict(base.meta())

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def __exit__(self, *_: object) -> None:
        """The base stays open: it belongs to whoever opened it."""

    def load(self, users: Iterable[str]) -> Mapping[str, bytes]:
        """States from here, else from the base."""
        wanted = list(users)
        found = dict(self._base.load([user for user in wanted if user not in self._rows]))
        found.update({user: self._rows[user].state for user in wanted if user in self._rows})
        return found

    def commit(self, rows: Iterable[UserRow], *, meta: Mapping[str, str]) -> None:
        """Keep the changes in memory."""
        self._rows.update({row.user: row for row in rows})
        self._meta.update(meta)

    def meta(self) -> Mapping[str, str]:
        """The base's values with the changes on top."""
        return self._meta

    def due(self, until_us: int, limit: int) -> Sequence[tuple[int, str]]:
        """When the first held message is due, and the user: the first `limit` of both."""
        rows = self._rows
        here = [(row.due_us, row.user) for row in rows.values() if row.due_us is not None and row.due_us <= until_us]
        below = [due for due in self._base.due(until_us, limit + len(rows)) if due[1] not in rows]
        return nsmallest(limit, (*here, *below))

    def held(self) -> int:
        """Messages held, over both."""
        return sum(row.held for row in self.users())

    def users(self) -> Iterator[UserRow]:
        """Every user, by id."""
        base = {row.user: row for row in self._base.users()}
        base.update(self._rows)
        return iter(base[user] for user in sorted(base))

    def close(self) -> None:
        """Nothing to let go of."""
