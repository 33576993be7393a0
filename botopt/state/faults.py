"""From what SQLite says to what a person can act on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botopt.model.errors import StateCorrupt, StateError, StateLocked

_INTERRUPTED = frozenset({sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY})
_KEPT = "Nothing of the last batch was written; what was there is kept."
_RESTORE = "Restore it from a copy, or start with another file."


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Let no error of SQLite out but as a sentence about this file."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise  # a fault of ours, not of the file
    except sqlite3.Error as fault:
        raise translated(path, fault) from fault
    except UnicodeDecodeError as fault:  # a message of SQLite that quotes damaged bytes
        raise StateCorrupt(f"{path} is damaged: its description of the tables is no text. {_RESTORE}") from fault


def needs_recovery(fault: BaseException | None) -> bool:
    """Whether a run that may write can bring the file in order by opening it."""
    return isinstance(fault, sqlite3.Error) and getattr(fault, "sqlite_errorcode", 0) in _INTERRUPTED


def translated(path: Path, fault: sqlite3.Error) -> StateError:
    """The error that says it in words."""
    code: int | None = getattr(fault, "sqlite_errorcode", None)  # None: a text that is not UTF-8
    if needs_recovery(fault):
        return StateError(
            f"{path}: a run was interrupted while it wrote. The next run that writes brings the file in order; "
            "until then it cannot be read."
        )
    match None if code is None else code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StateLocked(f"{path} is in use by another program. Close it there and try again.")
        case sqlite3.SQLITE_FULL:
            return StateError(f"{path}: the disk is full. {_KEPT}")
        case sqlite3.SQLITE_IOERR:
            return StateError(f"{path}: the disk does not read or write as it should ({fault}). {_KEPT}")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return StateError(f"{path} cannot be written: the file or its folder is read-only")
        case sqlite3.SQLITE_CANTOPEN:
            return StateError(f"{path} cannot be opened: may this user read the file and use its folder?")
        case sqlite3.SQLITE_NOTADB:
            return StateCorrupt(f"{path} is not a botopt state: it is no SQLite file, or its beginning is damaged")
        case _:
            return StateCorrupt(f"{path} is damaged: {fault}. {_RESTORE}")
