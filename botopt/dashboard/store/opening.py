"""A source, opened: what the cache holds of it is used, what is new is read, and the narrow tables are made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from botopt.dashboard.asked import Asked
from botopt.dashboard.store import tables
from botopt.dashboard.store.cache import place_for, temporary_place
from botopt.dashboard.store.pairing import find_targets
from botopt.dashboard.store.reading import can_go_on, is_current, read_files
from botopt.dashboard.store.service_source import fetch
from botopt.dashboard.store.state_source import copy_out
from botopt.engine.history import FEEDBACK_WINDOW_US
from botopt.model.errors import InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,  # nothing is fetched from anywhere
    "autoload_known_extensions": False,
    "memory_limit": "2GB",
}


class Opened:
    """A source as tables. One connection a thread: `cursor()` gives it."""

    def __init__(self, con: DuckDBPyConnection, asked: Asked, *, forgets: bool) -> None:
        self._con = con
        self.asked = asked
        self.forgets = forgets

    def cursor(self) -> DuckDBPyConnection:
        """A connection of one's own to the same tables."""
        return self._con.cursor()

    def close(self) -> None:
        """Let the file go."""
        self._con.close()


def open_source(asked: Asked) -> Opened:
    """Read what was asked for, as far as the cache does not hold it.

    Raises:
        InputError: a file cannot be read, or the service does not answer.
        StateError: the state file cannot be read.
    """
    if asked.state is None and asked.url is None:
        return _open_files(asked)
    # What a service knows changes all the time: it is read anew, into a file of its own.
    con = _connect(temporary_place())
    try:
        newest_us = fetch(con, str(asked.url), asked.key) if asked.state is None else copy_out(con, asked.state)
        read_files(con, [path.absolute() for path in asked.events])
        derive(con, asked, newest_us=newest_us, forgets=True)
    except BaseException:
        con.close()
        raise
    return Opened(con, asked, forgets=True)


def _open_files(asked: Asked) -> Opened:
    paths = list(dict.fromkeys(path.absolute() for path in (*asked.files, *asked.events)))
    if not paths:
        raise InputError("there is no file to look at")
    con = _connect(place_for([tables.VERSION, *map(str, paths)]))
    try:
        if not can_go_on(con, paths):
            _empty(con)
        setting = f"{tables.DERIVED} {asked.zone} {asked.ignored_after_us}"
        row = con.execute("SELECT value FROM meta WHERE key = 'derived'").fetchone()
        if row is None or row[0] != setting or not is_current(con, paths):
            con.execute("BEGIN")
            read_files(con, paths)
            derive(con, asked)
            con.execute("DELETE FROM meta")
            con.execute("INSERT INTO meta VALUES ('derived', ?)", [setting])
            con.execute("COMMIT")
    except BaseException:
        con.close()  # an unfinished transaction goes with it
        raise
    return Opened(con, asked, forgets=False)


def derive(con: DuckDBPyConnection, asked: Asked, *, newest_us: int = 0, forgets: bool = False) -> None:
    """Make the narrow tables of the lines.

    Args:
        con: where `lines` was filled.
        asked: its time zone and how long an answer is waited for.
        newest_us: a time by which the source knows what happened, beside those of its lines.
        forgets: the source may have forgotten answers, so that silence says nothing.
    """
    named: dict[str, str | int] = {
        "zone": asked.zone,
        "window": FEEDBACK_WINDOW_US,
        "ignored_after": asked.ignored_after_us,
    }
    row = con.execute("SELECT max(time_us) FROM lines").fetchone()
    named |= {"until": max(newest_us, row[0] if row and row[0] is not None else 0), "forgets": forgets}
    _run(con, tables.FEEDBACK, tables.ZONES, tables.USERS, tables.KEPT, named=named)
    find_targets(con, FEEDBACK_WINDOW_US)
    _run(con, tables.ARRIVALS, tables.FATES, tables.DECISIONS, tables.CHOICES, named=named)
    _run(con, tables.DRAWN, tables.EXPOSURES, tables.DAILY, tables.HOURLY, named={})
    _run(con, *(f"DROP TABLE IF EXISTS {name}" for name in ("kept", "targets", "asking", "fates", "choices")), named={})


def _run(con: DuckDBPyConnection, *statements: str, named: dict[str, str | int]) -> None:
    for sql in statements:
        con.execute(sql, {name: value for name, value in named.items() if f"${name}" in sql})


def _connect(path: Path) -> DuckDBPyConnection:
    import duckdb

    try:
        con = duckdb.connect(str(path), config=_CONFIG)
        _make(con)
    except duckdb.Error:
        # Another dashboard has it open, or the file is damaged: then this one reads for itself.
        con = duckdb.connect(str(temporary_place()), config=_CONFIG)
        _make(con)
    return con


def _make(con: DuckDBPyConnection) -> None:
    for sql in tables.BASE:
        con.execute(sql)


def _empty(con: DuckDBPyConnection) -> None:
    for name in ("lines", "files", "problems", "meta", "stated", "stated_zones"):
        con.execute(f"DELETE FROM {name}")  # noqa: S608 names of our own


def problems(con: DuckDBPyConnection) -> Sequence[tuple[str, int, str]]:
    """What could not be read: in words, how often, and where first."""
    return con.execute(
        "SELECT words, sum(count)::BIGINT, first(first) FROM problems GROUP BY words ORDER BY 2 DESC"
    ).fetchall()
