"""User states in one SQLite file, readable with any SQLite browser (docs/adr/0003-state-file.md), and beside them what
the live service keeps (docs/adr/0014-what-the-live-service-keeps.md).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from botopt.model.errors import StateCorrupt
from botopt.model.live import Changes
from botopt.model.ports import UserRow
from botopt.state import live_writing
from botopt.state.connecting import compact, connect_reader, connect_writer, empty_log, settle, state_path
from botopt.state.faults import in_words
from botopt.state.live_reading import LiveReading
from botopt.state.lock import WriteLock, acquire
from botopt.state.rows import COLUMNS, columns, row_of, state_of
from botopt.state.writing import transaction

_AT_ONCE = 500
"""Users in one SELECT: as fast as all at once, and no lock is held for long."""

_LOADS = {
    size: f"SELECT user, state, checksum FROM users WHERE user IN ({', '.join('?' * size)})"  # noqa: S608 no outside text
    for size in (1, 20, _AT_ONCE)
}
"""Few sizes, filled up with NULL, so that each is compiled once."""

_FIRST_PAGE = f"SELECT {COLUMNS} FROM users ORDER BY user LIMIT {_AT_ONCE}"  # noqa: S608
_NEXT_PAGE = f"SELECT {COLUMNS} FROM users WHERE user > ? ORDER BY user LIMIT {_AT_ONCE}"  # noqa: S608
_UPSERT = (
    f"INSERT INTO users ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user) DO UPDATE SET"  # noqa: S608
    " clock = excluded.clock, last_message = excluded.last_message, last_message_type = excluded.last_message_type,"
    " held = excluded.held, due_us = excluded.due_us, state = excluded.state, checksum = excluded.checksum"
)
_SET_META = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


def open_state(path: Path, *, create: bool, read_only: bool) -> SqliteStore:
    """Open a state file; with `create` a missing one is made.

    Read-only works while another process writes, and changes nothing.

    Raises:
        StateLocked: another process writes to it.
        StateNewer: a newer botopt wrote it.
        StateCorrupt: it is no state file, or damaged.
        StateError: it cannot be opened for another reason. Whatever is raised, the file is as it was.
    """
    real = state_path(path, create=create and not read_only)
    if read_only:
        return SqliteStore(path, connect_reader(real, path), None)
    lock = acquire(real, path)
    try:
        return SqliteStore(path, connect_writer(real, path, create=create), lock)
    except BaseException:
        lock.release()
        raise


class SqliteStore(LiveReading):
    """A store in a file (`botopt.model.live.LiveStore`). Made by `open_state`.

    Every method raises `StateError` when the file cannot be used any more, `StateCorrupt` when it is damaged.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: WriteLock | None) -> None:
        self._path = path
        self._connection = connection
        self._lock = lock
        self._last: int | None = None
        self._to_empty = False  # the -wal file still holds what was erased

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self, users: Iterable[str]) -> Mapping[str, bytes]:
        """The packed states of those users that are known."""
        wanted = [user for user in users if _storable(user)]
        found: dict[str, bytes] = {}
        with in_words(self._path):
            for start in range(0, len(wanted), _AT_ONCE):
                some: list[str | None] = [*wanted[start : start + _AT_ONCE]]
                size = next(size for size in _LOADS if size >= len(some))
                some += [None] * (size - len(some))
                for user, state, checksum in self._connection.execute(_LOADS[size], some):
                    known, blob = state_of(self._path, user, state, checksum)
                    found[known] = blob
        return found

    def commit(self, rows: Iterable[UserRow], *, meta: Mapping[str, str]) -> None:
        """Write users and meta values together, or nothing at all."""
        with in_words(self._path), transaction(self._connection):
            self._put(rows, meta)

    def commit_changes(self, changes: Changes) -> frozenset[str]:
        """All of it or nothing, on the disk when it returns; the keys of outbox rows that were not written."""
        connection = self._connection
        with in_words(self._path):
            with transaction(connection):
                live_writing.erase(connection, changes.erased)
                self._put(changes.users, changes.meta)
                last = live_writing.last_sequence(connection) if self._last is None else self._last
                last = live_writing.add_decisions(connection, changes.decisions, last)
                refused = live_writing.put_outbox(connection, changes.outbox)
                live_writing.put_answers(connection, changes.answers)
            self._last = last
            if changes.erased or self._to_empty:
                self._to_empty = not empty_log(connection)
        return refused

    def tidy(self, before_us: int, limit: int) -> int:
        """Delete decisions, finished messages and answers older than this, at most `limit` of each; how many went."""
        with in_words(self._path):
            with transaction(self._connection):
                gone = live_writing.tidy(self._connection, before_us, limit)
            if self._to_empty:
                self._to_empty = not empty_log(self._connection)
        return gone

    def _put(self, rows: Iterable[UserRow], meta: Mapping[str, str]) -> None:
        self._connection.executemany(_UPSERT, map(columns, rows))
        self._connection.executemany(_SET_META, meta.items())

    def meta(self) -> Mapping[str, str]:
        """Values about the whole state."""
        with in_words(self._path):
            pairs = self._connection.execute("SELECT key, value FROM meta").fetchall()
        if not all(isinstance(key, str) and isinstance(value, str) for key, value in pairs):
            raise StateCorrupt(f"{self._path} is damaged: a value in the table meta is not text")
        return dict(pairs)

    def due(self, until_us: int, limit: int) -> Sequence[tuple[int, str]]:
        """When the first held message is due, and the user: the first `limit` until `until_us`, in this order."""
        with in_words(self._path):
            query = "SELECT due_us, user FROM users WHERE due_us <= ? ORDER BY due_us, user LIMIT ?"
            due = self._connection.execute(query, (until_us, limit)).fetchall()
        if not all(isinstance(due_us, int) and isinstance(user, str) for due_us, user in due):
            raise StateCorrupt(f"{self._path} is damaged: a row of the table users is not as it was written")
        return due

    def held(self) -> int:
        """How many messages are held, over all users. Reads one index entry for each user with such a message."""
        with in_words(self._path):
            query = "SELECT coalesce(sum(held), 0) FROM users WHERE due_us IS NOT NULL"
            (total,) = self._connection.execute(query).fetchone()
        if not isinstance(total, int):
            raise StateCorrupt(f"{self._path} is damaged: a number in the table users is none")
        return total

    def users(self) -> Iterator[UserRow]:
        """Every user, by id; in pages, so that a slow reader never keeps a writer waiting."""
        page = self._page(_FIRST_PAGE, ())
        while page:
            for values in page:
                yield row_of(self._path, values)
            page = self._page(_NEXT_PAGE, (page[-1][0],)) if len(page) == _AT_ONCE else []

    def _page(self, query: str, after: tuple[object, ...]) -> list[tuple[object, ...]]:
        with in_words(self._path):
            return self._connection.execute(query, after).fetchall()

    def check(self) -> None:
        """Read the whole file and look for damage: about a second for every 100,000 users.

        Raises:
            StateCorrupt: there is some.
        """
        with in_words(self._path):
            (said,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise StateCorrupt(f"{self._path} is damaged: {str(said).splitlines()[-1]}")
        for _ in self.users():
            pass

    def compact(self) -> None:
        """Write the whole file anew: it becomes smaller, and no unused corner of it holds what was erased.

        About a second for every 100 MB. Needs as much room again on the disk.
        """
        with in_words(self._path):
            compact(self._connection)

    def close(self) -> None:
        """Let go of the file; once is enough."""
        if self._lock is None:
            self._connection.close()
            return
        try:
            settle(self._connection)
        finally:
            self._lock.release()
            self._lock = None


def _storable(user: str) -> bool:
    """Whether this can be anybody's id: an argument of the command line may be no valid text."""
    try:
        user.encode()
    except UnicodeEncodeError:
        return False
    return True
