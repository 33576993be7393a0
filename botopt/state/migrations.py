"""How the tables of a state file came to be, one step after the other.

To change the tables, add one function at the end of `MIGRATIONS`; a step that was released never changes again.
`user_version` of a file is the number of steps it has seen. Steps run in one transaction and must not
commit. A change of what a packed state means is a step too: it rewrites the column `state` (and its `checksum`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from botopt.model.version import VERSION

APPLICATION_ID = 0x626F7470
"""`botp` in ASCII, in the header of every state file: what tells them from files of other applications."""


def create_tables(connection: sqlite3.Connection) -> None:
    """Users with what people want to read beside the packed state, meta values, and the steps taken."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, botopt TEXT NOT NULL)")
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)")
    connection.execute(
        "CREATE TABLE users ("
        " user TEXT PRIMARY KEY NOT NULL,"
        " clock TEXT,"  # newest time, RFC 3339
        " last_message TEXT,"  # when, RFC 3339
        " last_message_type TEXT,"  # its event type
        " held INTEGER NOT NULL,"  # messages that wait
        " due_us INTEGER,"  # when the first of them is due, microseconds since 1970 UTC
        " state BLOB NOT NULL,"  # packed, see botopt/model/user_state.py
        " checksum INTEGER NOT NULL)"  # CRC-32 of user and state
    )
    connection.execute("CREATE INDEX users_due ON users (due_us, user, held) WHERE due_us IS NOT NULL")


Step = Callable[[sqlite3.Connection], None]

MIGRATIONS: tuple[Step, ...] = (create_tables,)


def version_of(connection: sqlite3.Connection) -> int:
    """How many steps this file has seen."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Take every step that the file has not seen, all or none.

    Raises:
        sqlite3.Error: a step failed; the file is as it was.
    """
    connection.execute("BEGIN EXCLUSIVE")
    try:
        for number, step in enumerate(MIGRATIONS[version_of(connection) :], version_of(connection) + 1):
            step(connection)
            connection.execute("INSERT INTO migrations VALUES (?, ?, ?)", (number, step.__name__, VERSION))
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
