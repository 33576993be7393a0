"""A copy of a state file, made while another process may write to it, and read through before it gets its name."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from botopt.model.errors import InputError, StateLocked
from botopt.state.connecting import connect_reader, state_path
from botopt.state.sqlite import SqliteStore

_WAIT_S = 10.0
"""How long another program may keep everybody from reading, before that is an error."""


class Copied(msgspec.Struct, frozen=True):
    """What a copy holds."""

    users: int
    size: int
    """In bytes."""


def back_up(path: Path, copy: Path) -> Copied:
    """Copy a state as it stands at one moment to a new file that only its owner may read, and look for damage in it.

    A process that writes goes on writing meanwhile.

    Raises:
        InputError: there is such a file already, or it cannot be written. Nothing is left of it.
        StateError: the state cannot be read, or (`StateCorrupt`) it is damaged.
    """
    real = state_path(path, create=False)
    _refuse_existing(copy)
    with closing(connect_reader(real, path)) as source:
        try:
            handle, name = tempfile.mkstemp(prefix=f".{copy.name}.", dir=copy.parent)
        except OSError as fault:
            raise _unwritable(copy, fault) from fault
        os.close(handle)
        unfinished = Path(name)
        try:
            _fill(source, unfinished, path, copy)
            copied = _look_through(unfinished, copy)
            _name(unfinished, copy)
        finally:
            for suffix in ("", "-journal", "-wal", "-shm"):
                Path(f"{unfinished}{suffix}").unlink(missing_ok=True)
    return copied


def _fill(source: sqlite3.Connection, unfinished: Path, path: Path, copy: Path) -> None:
    """All pages in one step, which is one moment of the state."""
    begun = time.monotonic()

    def wait_for_others(status: int, _: int, __: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > begun + _WAIT_S:
            raise StateLocked(f"{path} is in use by another program. Close it there and try again.")

    try:
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as target:
            source.backup(target, progress=wait_for_others)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, as every state at rest
        _sync(unfinished)
    except (sqlite3.Error, OSError) as fault:
        raise _unwritable(copy, fault) from fault


def _look_through(unfinished: Path, copy: Path) -> Copied:
    store = SqliteStore(copy, connect_reader(unfinished, copy), None)
    with store:
        store.check()
        return Copied(sum(1 for _ in store.users()), unfinished.stat().st_size)


def _name(unfinished: Path, copy: Path) -> None:
    """Give the finished file its name, unless somebody else has taken it meanwhile."""
    try:
        os.link(unfinished, copy)
    except FileExistsError as fault:
        raise _exists(copy) from fault
    except OSError:  # a file system without hard links
        _refuse_existing(copy)
        try:
            unfinished.rename(copy)
        except OSError as fault:
            raise _unwritable(copy, fault) from fault
    with suppress(OSError):  # some file systems have nothing to sync in a folder
        _sync(copy.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse_existing(copy: Path) -> None:
    if copy.exists() or copy.is_symlink():
        raise _exists(copy)


def _exists(copy: Path) -> InputError:
    return InputError(f"{copy} exists already; it is not overwritten. Remove it or choose another name.")


def _unwritable(copy: Path, fault: Exception) -> InputError:
    reason = getattr(fault, "strerror", None) or fault
    return InputError(f"{copy} cannot be written: {reason}. Nothing is left of it.")
