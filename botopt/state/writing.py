"""One transaction: all of it, or nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_SHORT_S = 0.001


@contextmanager
def transaction(connection: sqlite3.Connection, patience_s: float = 0.0) -> Iterator[None]:
    """What is done inside is committed together; an exception takes it back.

    `patience_s`: ask for the right to write again and again for so long, at short intervals. Without it SQLite itself
    waits (see `connecting`); it asks ever more seldom, and hardly finds the gap between two commits of a busy writer.
    """
    _begin(connection, patience_s)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise


def _begin(connection: sqlite3.Connection, patience_s: float) -> None:
    if not patience_s:
        connection.execute("BEGIN IMMEDIATE")
        return
    end = time.monotonic() + patience_s
    connection.execute("PRAGMA busy_timeout = 0")
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                raise
            time.sleep(_SHORT_S)
        else:
            return
