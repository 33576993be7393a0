"""What administrators change in a state file, also while a server holds it (`botopt.model.live.Control`).

Whoever holds the lock is not disturbed: a change is one short transaction beside his, and SQLite lets one of them wait
for the other. Where nobody holds the lock, it is taken, so that a new file is made and an older one brought up to date.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from botopt.model.errors import StateCorrupt, StateLocked, UsageError
from botopt.model.live import ApiKey
from botopt.model.silence import Silence
from botopt.state.connecting import connect_beside, connect_writer, settle, state_path
from botopt.state.faults import in_words
from botopt.state.live_rows import API_KEY, SILENCE, key_columns, silence_columns
from botopt.state.lock import WriteLock, acquire
from botopt.state.writing import transaction

_PATIENCE_S = 30.0
"""How long a change waits for its turn beside a busy writer."""

_ADD_KEY = f"INSERT INTO api_keys ({API_KEY}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 no outside text
_ADD_SILENCE = f"INSERT INTO silences ({SILENCE}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
_REVOKE = "UPDATE api_keys SET revoked_us = ? WHERE id = ? AND revoked_us IS NULL"
_END = "UPDATE silences SET until_us = ? WHERE id = ? AND until_us > ?"
_WAITING = "key = ? AND user <> '' AND status IN ('dead', 'unsure', 'pending')"
_RETRY = (
    "UPDATE outbox SET attempts = CASE status WHEN 'pending' THEN attempts ELSE 0 END,"  # noqa: S608
    " first_us = CASE status WHEN 'pending' THEN first_us END,"
    f" status = 'pending', next_us = ?, changed_us = ? WHERE {_WAITING}"
)
_DROP = f"UPDATE outbox SET status = 'dropped', changed_us = ? WHERE {_WAITING}"  # noqa: S608
_NOTE = "INSERT INTO audit (at_us, who, action, subject) VALUES (?, ?, ?, ?)"
_AUDIT = "SELECT at_us, who, action, subject FROM audit ORDER BY number DESC LIMIT ?"


class SqliteControl:
    """An open state file. Every method raises `StateError` when the file cannot be used, and then changed nothing."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self._path = path
        self._real = state_path(path, create=create)
        self._lock: WriteLock | None = None
        try:
            self._lock = acquire(self._real, path)
        except StateLocked:
            self._connection = connect_beside(self._real, path)
            return
        try:
            self._connection = connect_writer(self._real, path, create=create)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add_key(self, key: ApiKey, who: str) -> None:
        """One more key.

        Raises:
            UsageError: there is one with this id.
        """
        with self._changing():
            self._insert(_ADD_KEY, key_columns(key), f"key {key.id}")
            self._note(key.created_us, who, "keys add", key.id)

    def revoke_key(self, id: str, now_us: int, who: str) -> bool:
        """Whether there was such a key that was not revoked."""
        with self._changing():
            found = self._update(_REVOKE, (now_us, id))
            if found:
                self._note(now_us, who, "keys revoke", id)
        return found

    def add_silence(self, silence: Silence) -> None:
        """One more silence.

        Raises:
            UsageError: there is one with this id.
        """
        with self._changing():
            self._insert(_ADD_SILENCE, silence_columns(silence), f"silence {silence.id}")
            self._note(silence.created_us, silence.who, "silence add", silence.id)

    def end_silence(self, id: str, now_us: int, who: str) -> bool:
        """Whether there was such a silence that had not ended."""
        with self._changing():
            found = self._update(_END, (now_us, id, now_us))
            if found:
                self._note(now_us, who, "silence end", id)
        return found

    def retry_outbox(self, keys: Sequence[str], now_us: int, who: str) -> int:
        """Dead, unsure and pending messages: try them now. How many there were."""
        with self._changing():
            tried = [key for key in keys if self._update(_RETRY, (now_us, now_us, key))]
            self._note_all(tried, now_us, who, "outbox retry")
        return len(tried)

    def drop_outbox(self, keys: Sequence[str], now_us: int, who: str) -> int:
        """Dead, unsure and pending messages: give them up. How many there were."""
        with self._changing():
            dropped = [key for key in keys if self._update(_DROP, (now_us, key))]
            self._note_all(dropped, now_us, who, "outbox drop")
        return len(dropped)

    def audit(self, limit: int) -> Sequence[tuple[int, str, str, str]]:
        """(at_us, who, action, subject), newest first."""
        with in_words(self._path):
            rows = self._connection.execute(_AUDIT, (limit,)).fetchall()
        return [self._entry(row) for row in rows]

    def close(self) -> None:
        """Let go of the file; once is enough."""
        lock, self._lock = self._lock, None
        if lock is None:
            self._connection.close()
            return
        try:
            settle(self._connection)
        finally:
            lock.release()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with in_words(self._path), transaction(self._connection, _PATIENCE_S):
            yield

    def _insert(self, statement: str, values: tuple[object, ...], what: str) -> None:
        try:
            self._connection.execute(statement, values)
        except sqlite3.IntegrityError as fault:
            raise UsageError(f"there is already a {what} in {self._path}") from fault

    def _update(self, statement: str, values: tuple[object, ...]) -> bool:
        try:
            return self._connection.execute(statement, values).rowcount > 0
        except UnicodeEncodeError:  # half a character, from a command line: no row is called so
            return False

    def _note(self, at_us: int, who: str, action: str, subject: str) -> None:
        self._connection.execute(_NOTE, (at_us, who, action, subject))

    def _note_all(self, subjects: Iterable[str], at_us: int, who: str, action: str) -> None:
        self._connection.executemany(_NOTE, [(at_us, who, action, subject) for subject in subjects])

    def _entry(self, values: tuple[object, ...]) -> tuple[int, str, str, str]:
        match values:
            case (int(at_us), str(who), str(action), str(subject)):
                return at_us, who, action, subject
            case _:
                raise StateCorrupt(f"{self._path} is damaged: a row of the table audit is not as it was written")
