"""A store on top of another that is only read: what happens stays in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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

    def due(self, until_us: int) -> Sequence[str]:
        """Users with something due, from both."""
        due = {
            user: row.due_us for user, row in self._rows.items() if row.due_us is not None and row.due_us <= until_us
        }
        below = [user for user in self._base.due(until_us) if user not in self._rows]
        rows = {row.user: row.due_us for row in self._base.users() if row.user in set(below)} if below else {}
        merged = {**{user: us for user, us in rows.items() if us is not None}, **due}
        return sorted(merged, key=lambda user: (merged[user], user))

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
