"""How a state file is opened: what is refused is refused before SQLite could change a byte of it.

At rest a file is in SQLite's rollback mode, so that anybody can read it without files beside it and without rights
on its folder. While a process writes it is in WAL mode, so that others can read meanwhile. A process that is killed
leaves `-wal` and `-shm` files, which belong to the state until the next writer has taken them in.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from botopt.model.errors import InputError, StateCorrupt, StateError, StateLocked, StateNewer
from botopt.model.version import VERSION
from botopt.state import migrations
from botopt.state.faults import in_words, needs_recovery

_WAIT_S = 5.0
"""How long another program may hold the file, a backup for example, before that is an error."""


def state_path(path: Path, *, create: bool) -> Path:
    """The file that a path leads to, whether it is there already or not.

    Raises:
        StateError: it is no file, or there is none and none may be made.
    """
    try:
        real = path.resolve()
        if real.is_dir():
            raise StateError(f"{path} is a folder: name a file in it, such as {path / 'state.db'}")
        if real.exists():
            if not real.is_file():
                raise StateError(f"{path} is not an ordinary file")
        elif not create:
            raise InputError(f"there is no state file {path}")
        elif not real.parent.is_dir():
            raise InputError(f"{path} cannot be made: there is no folder {path.parent}")
    except (OSError, RuntimeError, ValueError) as fault:
        raise StateError(f"{path} cannot be opened: {getattr(fault, 'strerror', None) or fault}") from fault
    return real


def connect_reader(real: Path, path: Path) -> sqlite3.Connection:
    """A connection that cannot change the file.

    Raises:
        StateError: it cannot be read (`StateNewer`, `StateCorrupt`: for the reason that these name).
    """
    if not os.access(real, os.R_OK):
        raise StateError(f"{path} cannot be read: this user may not")
    with in_words(path):
        if not _probe(real, path):
            raise _empty(path)
        connection = _connect(real, "mode=ro")
        try:
            version = _checked_version(connection, path)
        except BaseException:
            connection.close()
            raise
        if version < len(migrations.MIGRATIONS):
            connection.close()
            raise StateError(
                f"{path} has an older format ({version}; botopt {VERSION} reads {len(migrations.MIGRATIONS)}). "
                f"`botopt state upgrade --state {path}` brings it up to date; so does the next run that writes to it."
            )
        return connection


def connect_writer(real: Path, path: Path, *, create: bool) -> sqlite3.Connection:
    """A connection that writes, to a file that is new or brought up to date. The lock is held already.

    Raises:
        StateError: as `connect_reader`; the file is as it was.
    """
    if real.exists() and not os.access(real, os.R_OK | os.W_OK):
        raise StateError(f"{path} cannot be written: the file is read-only")
    with in_words(path):
        if real.exists() and _probe(real, path):
            _check_before_writing(real, path)
        elif not create:
            raise _empty(path)
        connection = _connect(real, "mode=rwc")
        try:
            connection.execute("PRAGMA synchronous = FULL")  # a batch that was committed survives a power cut
            connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
            connection.execute("PRAGMA cache_size = -65536")  # at most 64 MiB
            connection.execute("PRAGMA journal_size_limit = 67108864")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")  # 16 MiB: pages that change often are moved once
            if int(connection.execute("PRAGMA page_count").fetchone()[0]):
                version = _checked_version(connection, path)
            else:
                version = 0
            if version < len(migrations.MIGRATIONS):
                migrations.migrate(connection)
            connection.execute("PRAGMA journal_mode = WAL")
        except BaseException as fault:
            connection.close()
            if getattr(fault, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY:  # the rights were checked above
                raise StateCorrupt(f"{path} is damaged: its beginning says that nobody may write to it") from fault
            raise
        return connection


def connect_beside(real: Path, path: Path) -> sqlite3.Connection:
    """A connection that writes a little while another process holds the lock, and writes too.

    Raises:
        StateLocked: that process has an older botopt, or is bringing the file up to date at this moment.
        StateError: as `connect_reader`.
    """
    if not os.access(real, os.R_OK | os.W_OK):
        raise StateError(f"{path} cannot be written: the file is read-only")
    with in_words(path):
        if not _probe(real, path):
            raise StateLocked(f"{path} is being made by another process. Try again in a moment.")
        connection = _connect(real, "mode=rw")
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA wal_autocheckpoint = 0")  # that is the other's work
            version = _checked_version(connection, path)
        except BaseException:
            connection.close()
            raise
        if version < len(migrations.MIGRATIONS):
            connection.close()
            raise StateLocked(
                f"{path} has an older format, and another process writes to it. If it starts just now, try again in "
                "a moment; if it is an older botopt, stop it first."
            )
        return connection


def empty_log(connection: sqlite3.Connection) -> bool:
    """Have nothing left in the -wal file, where what was erased from the tables can still be read.

    False: somebody reads an older state at this moment; ask again later. Nobody is waited for.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:  # a full disk: what was committed is safe in the -wal file
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(_WAIT_S * 1_000)}")
    return not busy


def compact(connection: sqlite3.Connection) -> None:
    """Write the whole file anew, without what it has no use for.

    Needs as much room again, beside the file and in the folder for temporary files.
    """
    connection.execute("PRAGMA journal_mode = DELETE")  # else all of it would go through the -wal file
    connection.execute("PRAGMA temp_store = FILE")
    connection.execute("VACUUM")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA journal_mode = WAL")


def settle(connection: sqlite3.Connection) -> None:
    """Close a connection that wrote; leaves one file, unless somebody reads it right now."""
    with suppress(sqlite3.Error):  # a reader, or a full disk: then the -wal file stays, and nothing is lost
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def _connect(real: Path, options: str) -> sqlite3.Connection:
    # A thread may commit while others do something else; never do two of them use it at once.
    connection = sqlite3.connect(
        f"{real.as_uri()}?{options}", uri=True, isolation_level=None, timeout=_WAIT_S, check_same_thread=False
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _probe(real: Path, path: Path) -> bool:
    """Whether there is anything in the file, and then whether it is ours.

    `immutable`: no locks, no recovery, no files beside it. What stands in the header of the file itself is enough here.
    """
    connection = _connect(real, "mode=ro&immutable=1")
    try:
        if not int(connection.execute("PRAGMA page_count").fetchone()[0]):
            return False
        _refuse_foreign(path, connection)
        _refuse_newer(migrations.version_of(connection), path, connection)
    except sqlite3.DatabaseError as fault:
        # A writer may be moving its log into the file at this moment: whoever takes part in the locking sees it whole.
        if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT or not real.with_name(f"{real.name}-wal").exists():
            raise
    finally:
        connection.close()
    return True


def _check_before_writing(real: Path, path: Path) -> None:
    """Look at the file with all that belongs to it, by a connection that cannot change it."""
    connection = _connect(real, "mode=ro")
    try:
        _checked_version(connection, path)
    except sqlite3.Error as fault:
        if not needs_recovery(fault):
            raise  # else the writer's own connection mends it, and checks again
    finally:
        connection.close()


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    """How many migrations the file has seen, if it has what it should have."""
    _refuse_foreign(path, connection)
    version = migrations.version_of(connection)
    _refuse_newer(version, path, connection)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    missing = [name for step in migrations.TABLES[:version] for name in step if name not in tables]
    if missing or version < 1:
        raise StateCorrupt(f"{path} is damaged: it has no table {missing[0] if missing else 'of a known format'}")
    return version


def _empty(path: Path) -> StateCorrupt:
    return StateCorrupt(f"{path} is empty: it is no state yet")


def _refuse_foreign(path: Path, connection: sqlite3.Connection) -> None:
    if int(connection.execute("PRAGMA application_id").fetchone()[0]) != migrations.APPLICATION_ID:
        raise StateCorrupt(f"{path} is not a botopt state: it is a SQLite file of another application")


def _refuse_newer(version: int, path: Path, connection: sqlite3.Connection) -> None:
    known = len(migrations.MIGRATIONS)
    if version > known:
        writer = ""
        with suppress(sqlite3.Error):
            found = connection.execute("SELECT botopt FROM migrations ORDER BY number DESC").fetchone()
            writer = f" {found[0]}" if found else ""
        raise StateNewer(
            f"{path} was written by a newer botopt{writer} (format {version}; botopt {VERSION} knows up to {known}). "
            "Use that version, or start with another file."
        )
