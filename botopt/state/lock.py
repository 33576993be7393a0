"""One writer at a time: a lock of the operating system, which ends with its process however that dies.

It is a `flock` on the file `<state>.lock`, not on the state itself: opening and closing the state's own file
would drop SQLite's locks on it. What stands in the file is only for the message; when it stood there first is its
modification time.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from botopt.model.errors import StateError, StateLocked
from botopt.model.instants import instant_text

_TRIES = 100
_READ = 300


class WriteLock:
    """A held lock. Made by `acquire`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next one in, and leave no file behind."""
        if self._descriptor < 0:
            return
        with suppress(OSError):
            self._path.unlink()  # before the lock ends: nobody else can hold this very file
        os.close(self._descriptor)
        self._descriptor = -1


def acquire(state: Path, shown: Path) -> WriteLock:
    """Become the only process that writes this state.

    Args:
        state: the resolved path, so that every name of a file leads to one lock.
        shown: the path as the user typed it, for messages.

    Raises:
        StateLocked: another process holds it; the message says which one, and since when.
        StateError: the folder cannot be written, or its file system has no locks.
    """
    path = state.with_name(state.name + ".lock")
    for _ in range(_TRIES):
        descriptor = _locked(path, shown)
        if _is_still(path, descriptor):  # else its last holder removed it between our two calls
            with suppress(OSError):  # a full disk: the lock holds without words
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()} {os.uname().nodename}\n".encode(), 0)
            return WriteLock(path, descriptor)
        os.close(descriptor)
    raise StateLocked(f"{shown} is in use: other processes take turns on it")


def _locked(path: Path, shown: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as fault:
        raise StateError(
            f"{shown} cannot be opened for writing: {path.name} beside it: {fault.strerror}. This "
            "user must be allowed to write to the folder"
        ) from fault
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateLocked(f"{shown} is in use{_holder(descriptor)}. Wait until it ends, or use another file.") from None
    except OSError as fault:
        raise StateError(f"{shown}: the file system of its folder has no locks: {fault.strerror}") from fault
    else:
        kept, descriptor = descriptor, -1
        return kept
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _holder(descriptor: int) -> str:
    words = os.pread(descriptor, _READ, 0).decode(errors="replace").split()
    if len(words) != 2 or not words[0].isdigit():  # it has the lock, and is about to write its name
        return " by another process"
    since = instant_text(int(os.fstat(descriptor).st_mtime) * 1_000_000)
    return f": process {words[0]} on {words[1]} writes to it since {since}"


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except OSError:
        return False
    ours = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
