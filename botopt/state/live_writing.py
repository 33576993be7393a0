"""Writing what the live service keeps. All of it happens inside a transaction of the caller's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from botopt.model.live import DecisionRow, OutboxRow, StoredAnswer
from botopt.state.live_rows import (
    ANSWER,
    DECISION,
    OUTBOX,
    answer_columns,
    decision_columns,
    outbox_columns,
)


def _marks(columns: str) -> str:
    return ", ".join("?" * len(columns.split(", ")))


def _changed(columns: str, *kept: str) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in columns.split(", ") if name not in kept)


_DECIDE = f"INSERT OR REPLACE INTO decisions ({DECISION}) VALUES ({_marks(DECISION)})"  # noqa: S608 no outside text
_SEND = (
    f"INSERT INTO outbox ({OUTBOX}) SELECT {_marks(OUTBOX)}"  # noqa: S608
    " WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE key = ? AND user = '')"  # a fallback of an erased message
    f" ON CONFLICT (key) DO UPDATE SET {_changed(OUTBOX, 'key', 'created_us')}"
    " WHERE status <> 'dropped' AND user <> ''"
)
_ANSWER = (
    f"INSERT INTO answers ({ANSWER}) VALUES ({_marks(ANSWER)})"  # noqa: S608
    f" ON CONFLICT (key) DO UPDATE SET {_changed(ANSWER, 'key')}"
)
_ANSWER_USER = "INSERT OR IGNORE INTO answer_users (user, key) VALUES (?, ?)"

_ERASE = (
    "DELETE FROM decisions WHERE user = ?",
    "DELETE FROM answers WHERE key IN (SELECT key FROM answer_users WHERE user = ?)",
    "DELETE FROM answer_users WHERE key IN (SELECT key FROM answer_users WHERE user = ?)",
    # The key stays, so that a receipt that comes late does not bring the message back.
    (
        "UPDATE outbox SET user = '', status = 'withdrawn', expires_us = NULL, provider_id = NULL, address = NULL,"
        " detail = NULL, parcel = x'', checksum = 0 WHERE user = ? AND user <> ''"
    ),
)

_TIDY = (
    (
        "DELETE FROM decisions WHERE sequence IN"
        " (SELECT sequence FROM decisions WHERE sequence < ? ORDER BY sequence LIMIT ?)"
    ),
    (
        "DELETE FROM outbox WHERE number IN (SELECT number FROM outbox"
        " WHERE status <> 'pending' AND status <> 'claimed' AND changed_us < ? ORDER BY changed_us LIMIT ?)"
    ),
    "DELETE FROM answers WHERE rowid IN (SELECT rowid FROM answers WHERE created_us < ? ORDER BY created_us LIMIT ?)",
)
_TIDY_USERS = (
    "DELETE FROM answer_users WHERE key IN (SELECT key FROM answers WHERE created_us < ? ORDER BY created_us LIMIT ?)"
)


def last_sequence(connection: sqlite3.Connection) -> int:
    """The highest sequence number that was ever given."""
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'decisions'").fetchone()
    return int(found[0]) if found else 0


def erase(connection: sqlite3.Connection, users: Iterable[str]) -> None:
    """Delete what tells something of these users; of a message only its key stays, for a while."""
    for user in users:
        for statement in _ERASE:
            connection.execute(statement, (user,))


def add_decisions(connection: sqlite3.Connection, rows: Sequence[DecisionRow], last: int) -> int:
    """Write decisions after the sequence number `last`; the new last one."""
    columns = []
    for row in rows:
        last = max(last + 1, row.decided_us)
        columns.append(decision_columns(row, last))
    connection.executemany(_DECIDE, columns)
    return last


def put_outbox(connection: sqlite3.Connection, rows: Sequence[OutboxRow]) -> frozenset[str]:
    """Write messages; the keys of those that were dropped or erased meanwhile, and stayed as they were."""
    refused = set()
    for row in rows:
        if connection.execute(_SEND, (*outbox_columns(row), row.message_id)).rowcount < 1:
            refused.add(row.key)
    return frozenset(refused)


def put_answers(connection: sqlite3.Connection, answers: Sequence[StoredAnswer]) -> None:
    """Keep answers, and whom they tell something of."""
    connection.executemany(_ANSWER, map(answer_columns, answers))
    connection.executemany(_ANSWER_USER, [(user, answer.key) for answer in answers for user in answer.users])


def tidy(connection: sqlite3.Connection, before_us: int, limit: int) -> int:
    """Delete what is older, at most `limit` of each kind; how many rows of these kinds went."""
    connection.execute(_TIDY_USERS, (before_us, limit))
    return sum(connection.execute(statement, (before_us, limit)).rowcount for statement in _TIDY)
