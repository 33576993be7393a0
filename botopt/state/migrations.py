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


def add_live_tables(connection: sqlite3.Connection) -> None:
    """What the live service keeps beside the users: docs/adr/0014-what-the-live-service-keeps.md.

    Names that end in `_us` are microseconds since 1970 UTC.
    """
    for statement in _LIVE_TABLES:
        connection.execute(statement)


_LIVE_TABLES = (
    (
        "CREATE TABLE decisions ("
        " sequence INTEGER PRIMARY KEY AUTOINCREMENT,"  # when it was decided, or one more than the last
        " id TEXT NOT NULL UNIQUE,"
        " user TEXT, event_id TEXT, event_type TEXT,"
        " time_us INTEGER, outcome TEXT NOT NULL, reason TEXT,"
        " decided_us INTEGER NOT NULL,"
        " record TEXT NOT NULL,"  # the JSON line
        " checksum INTEGER NOT NULL)"
    ),  # CRC-32 of id and record
    # Each index ends with the sequence, which is the row's own number: what is found comes in order.
    "CREATE INDEX decisions_user ON decisions (user) WHERE user IS NOT NULL",
    "CREATE INDEX decisions_event_id ON decisions (event_id) WHERE event_id IS NOT NULL",
    "CREATE INDEX decisions_event_type ON decisions (event_type) WHERE event_type IS NOT NULL",
    "CREATE INDEX decisions_outcome ON decisions (outcome)",
    "CREATE INDEX decisions_reason ON decisions (reason) WHERE reason IS NOT NULL",
    (
        "CREATE TABLE outbox ("
        " number INTEGER PRIMARY KEY,"  # in order of coming
        " key TEXT NOT NULL UNIQUE,"
        " message_id TEXT NOT NULL,"
        " user TEXT NOT NULL,"  # empty: erased
        " channel TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL,"
        " created_us INTEGER NOT NULL, next_us INTEGER NOT NULL, first_us INTEGER, changed_us INTEGER NOT NULL,"
        " expires_us INTEGER,"
        " provider_id TEXT, address TEXT, detail TEXT,"
        " parcel BLOB NOT NULL,"  # packed, see botopt/model/live.py
        " checksum INTEGER NOT NULL)"
    ),  # CRC-32 of key, message_id, user, channel and parcel
    "CREATE INDEX outbox_open ON outbox (status, channel, next_us, key) WHERE status <> 'delivered'",
    "CREATE INDEX outbox_over ON outbox (changed_us) WHERE status <> 'pending' AND status <> 'claimed'",
    "CREATE INDEX outbox_user ON outbox (user) WHERE user <> ''",
    "CREATE INDEX outbox_provider_id ON outbox (channel, provider_id) WHERE provider_id IS NOT NULL",
    "CREATE INDEX outbox_address ON outbox (channel, address) WHERE address IS NOT NULL",
    (
        "CREATE TABLE answers ("
        " key TEXT PRIMARY KEY NOT NULL, body_hash TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,"
        " created_us INTEGER NOT NULL,"
        " checksum INTEGER NOT NULL)"
    ),  # CRC-32 of key, body_hash and body
    "CREATE INDEX answers_created ON answers (created_us)",
    "CREATE TABLE answer_users (user TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (user, key)) WITHOUT ROWID",
    "CREATE INDEX answer_users_key ON answer_users (key)",
    (
        "CREATE TABLE silences (id TEXT PRIMARY KEY NOT NULL, created_us INTEGER NOT NULL, until_us INTEGER NOT NULL,"
        " events TEXT NOT NULL,"  # event types with spaces between them; empty: all
        " why TEXT NOT NULL, who TEXT NOT NULL) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE api_keys (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL,"
        " scopes TEXT NOT NULL,"  # with spaces between them
        " hashed BLOB NOT NULL,"  # SHA-256 of the secret part
        " created_us INTEGER NOT NULL, expires_us INTEGER, revoked_us INTEGER) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE audit (number INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, who TEXT NOT NULL,"
        " action TEXT NOT NULL, subject TEXT NOT NULL)"
    ),
)

Step = Callable[[sqlite3.Connection], None]

MIGRATIONS: tuple[Step, ...] = (create_tables, add_live_tables)

TABLES: tuple[tuple[str, ...], ...] = (
    ("users", "meta", "migrations"),
    ("decisions", "outbox", "answers", "answer_users", "silences", "api_keys", "audit"),
)
"""What each step makes: a file without one of these is damaged."""


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
