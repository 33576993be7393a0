"""User states in one SQLite file, readable with any SQLite browser."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from botopt.model.errors import StateCorrupt, StateError, StateNewer
from botopt.model.instants import instant_text, instant_us
from botopt.model.ports import UserRow
from botopt.model.user_state import NEVER_US
from botopt.state.lock import Lock
from botopt.state.migrations import APPLICATION_ID, STEPS, migrate, version

_MAGIC = b"SQLite format 3\0"
_AT_ONCE = 500  # users in one SELECT
_COLUMNS = "user, clock, last_message, last_message_type, held, due_us, state"


def open_state(path: Path, *, create: bool, read_only: bool) -> SqliteStore:
    """Open a state file.

    Read-only works while another process writes, and changes nothing.

    Raises:
        StateLocked: another process writes it.
        StateNewer: a newer botopt wrote it.
        StateCorrupt: it is no state file, or damaged.
        StateError: it cannot be opened for another reason; the message says which.
    """
    _check_file(path, create=create)
    if read_only:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        return SqliteStore(path, _connect(path, uri), None)
    lock = Lock(path)
    try:
        connection = _connect(path, f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}")
        with _faults(path):
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            migrate(connection)
        return SqliteStore(path, connection, lock)
    except BaseException:
        lock.release()
        raise


def _check_file(path: Path, *, create: bool) -> None:
    try:
        if path.is_dir():
            raise StateError(f"{path} is a folder; a state is one file")
        if not path.exists():
            if not create:
                raise StateError(f"there is no state file {path}")
            if not path.parent.is_dir():
                raise StateError(f"{path} cannot be made: there is no folder {path.parent}")
            return
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except OSError as fault:
        raise StateError(f"{path} cannot be read: {(fault.strerror or str(fault)).lower()}") from fault
    if head and head != _MAGIC:
        raise StateCorrupt(f"{path} is not a botopt state file; it was left as it is")


def _connect(path: Path, uri: str) -> sqlite3.Connection:
    with _faults(path):
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)
        try:
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            owner = connection.execute("PRAGMA application_id").fetchone()[0]
            number = version(connection)
            if tables and owner != APPLICATION_ID:
                raise StateCorrupt(f"{path} is another program's SQLite file; it was left as it is")
            if number > len(STEPS):
                raise StateNewer(
                    f"{path} was written by a newer botopt (layout {number}, this one knows {len(STEPS)}); "
                    "update botopt, or use another state"
                )
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """SQLite's faults as ours."""
    try:
        yield
    except sqlite3.OperationalError as fault:
        raise StateError(f"{path}: {_plain(str(fault))}") from fault
    except sqlite3.DatabaseError as fault:
        raise StateCorrupt(f"{path} is damaged: {fault}; nothing was changed") from fault


def _plain(text: str) -> str:
    if "readonly" in text:
        return "it can only be read, not written"
    if "full" in text:
        return "the disk is full; the last batch was not kept"
    if "locked" in text:
        return "another program holds it"
    return text


class SqliteStore:
    """A `StateStore` in a file. Everything that `commit` is given is written together, or not at all."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: Lock | None) -> None:
        self._path = path
        self._connection = connection
        self._lock = lock

    def __enter__(self) -> Self:
        """Opened by `open_state` already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def load(self, users: Iterable[str]) -> Mapping[str, bytes]:
        """The packed states of those users that are known."""
        wanted = list(users)
        found: dict[str, bytes] = {}
        with _faults(self._path):
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                found.update(self._connection.execute(f"SELECT user, state FROM users WHERE user IN ({marks})", part))
        return found

    def commit(self, rows: Iterable[UserRow], *, meta: Mapping[str, str]) -> None:
        """Write users and meta values together, or nothing at all."""
        with _faults(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(
                    f"INSERT OR REPLACE INTO users ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (_columns(row) for row in rows),
                )
                self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta.items())
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def meta(self) -> Mapping[str, str]:
        """Values about the whole state."""
        with _faults(self._path):
            return dict(self._connection.execute("SELECT key, value FROM meta"))

    def due(self, until_us: int) -> Sequence[str]:
        """Users with a message held until then or earlier, ordered by (due time, user)."""
        with _faults(self._path):
            query = "SELECT user FROM users WHERE due_us <= ? ORDER BY due_us, user"
            return [user for (user,) in self._connection.execute(query, (until_us,))]

    def held(self) -> int:
        """How many messages are held, over all users."""
        with _faults(self._path):
            total = self._connection.execute("SELECT sum(held) FROM users WHERE due_us IS NOT NULL").fetchone()[0]
            return int(total or 0)

    def users(self) -> Iterator[UserRow]:
        """Every user, by id."""
        with _faults(self._path):
            for row in self._connection.execute(f"SELECT {_COLUMNS} FROM users ORDER BY user"):
                yield _row(*row)

    def forget(self, user: str) -> bool:
        """Remove one user's row; whether there was one."""
        with _faults(self._path):
            return self._connection.execute("DELETE FROM users WHERE user = ?", (user,)).rowcount > 0

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()


def _columns(row: UserRow) -> tuple[object, ...]:
    last = None if row.last_message_us is None else instant_text(row.last_message_us)
    clock = None if row.clock_us == NEVER_US else instant_text(row.clock_us)
    return row.user, clock, last, row.last_message_type, row.held, row.due_us, row.state


def _row(
    user: str,
    clock: str | None,
    last: str | None,
    last_type: str | None,
    held: int,
    due_us: int | None,
    state: bytes,
) -> UserRow:
    return UserRow(
        user,
        NEVER_US if clock is None else instant_us(clock),
        None if last is None else instant_us(last),
        last_type,
        held,
        due_us,
        state,
    )
