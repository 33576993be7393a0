"""`file`: messages are added to a file, one line of JSON each, for programs that read it.

A line is on the disk when the message counts as delivered. After a crash the last lines are read again, so that a
message that is tried once more does not stand there twice.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import msgspec

from botopt.delivery.words import described
from botopt.model.channels import Channel, ChannelType, Honesty, Option, OptionType, Surroundings
from botopt.model.delivery import Delivered, Failed, Outgoing, Receipt
from botopt.model.policy import Value

_REMEMBERED = 20_000
"""Keys of the last lines. More messages than that are never on their way at once."""

_READ_AGAIN = 32 << 20
"""Bytes at the end of a file that was there before; less where fewer keys are in them."""

_BEGINNING = b'{"id":"'
"""Of a line of ours."""

_TRIES, _BETWEEN_S = 100, 0.01
_FOR_GOOD = frozenset({errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENAMETOOLONG})
_locks: dict[str, Lock] = {}
_locks_lock = Lock()


class _Line(msgspec.Struct, frozen=True):
    key: str


class File(Channel):
    """Adds each message to a file. Two channels may share one."""

    def __init__(self, options: Mapping[str, Value], _: Surroundings) -> None:
        self._path = Path(os.path.abspath(str(options["path"])))  # noqa: PTH100  # links are kept as they are
        if os.path.isdir(self._path):  # noqa: PTH112  # Path.is_dir raises for names that are too long
            raise ValueError("path must name a file, and it is a folder")
        with _locks_lock:
            self._lock = _locks.setdefault(str(self._path), Lock())
        self._open = -1
        self._keys: OrderedDict[str, None] = OrderedDict()

    def send(self, message: Outgoing) -> Receipt:
        """Add it, unless it stands there already."""
        try:
            line = msgspec.json.encode(described(message)) + b"\n"
        except (UnicodeError, msgspec.MsgspecError, TypeError):
            return Failed("the message holds something that cannot be written")
        with self._lock:
            try:
                with self._held():
                    if message.key not in self._keys:
                        self._append(line)
                        self._remember(message.key)
            except OSError as fault:
                self._let_go()
                words = os.strerror(fault.errno) if fault.errno else "it cannot be written"
                return Failed(f"the file: {words.lower()}", retryable=fault.errno not in _FOR_GOOD)
        return Delivered()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._let_go()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The file is open and nobody else writes: not another channel, not another process."""
        new = self._find()
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._open, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_BETWEEN_S)
            else:
                break
        else:
            raise OSError(errno.EBUSY, "another process holds it")
        try:
            if new:
                self._read_again()
            yield
        finally:
            if self._open >= 0:
                fcntl.flock(self._open, fcntl.LOCK_UN)

    def _find(self) -> bool:
        """Open the file, also where another one has taken its place (a log that was rotated). Whether it was opened."""
        if self._open >= 0:
            try:
                found, ours = self._path.stat(), os.fstat(self._open)
            except FileNotFoundError:
                self._let_go()
            else:
                if (found.st_dev, found.st_ino) != (ours.st_dev, ours.st_ino):
                    self._let_go()
        if self._open >= 0:
            return False
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        self._open = os.open(self._path, flags, 0o600)
        if not stat.S_ISREG(os.fstat(self._open).st_mode):
            raise OSError(errno.EINVAL, "not a file")
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return True

    def _read_again(self) -> None:
        """The keys of the last lines. A line of ours that a crash cut off goes; any other is given an end."""
        size = os.fstat(self._open).st_size
        start = max(size - _READ_AGAIN, 0)
        tail = os.pread(self._open, size - start, start)
        *whole, rest = tail.split(b"\n")
        if rest.startswith(_BEGINNING[: len(rest)]) and rest:
            os.ftruncate(self._open, size - len(rest))
        elif rest:
            os.write(self._open, b"\n")
        for line in whole[-_REMEMBERED:]:
            try:
                self._remember(msgspec.json.decode(line, type=_Line).key)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue

    def _append(self, line: bytes) -> None:
        """All of the line or nothing of it, on the disk."""
        before = os.fstat(self._open).st_size
        try:
            written = 0
            while written < len(line):
                written += os.write(self._open, line[written:])
            os.fsync(self._open)
        except OSError:
            os.ftruncate(self._open, before)
            raise

    def _remember(self, key: str) -> None:
        self._keys[key] = None
        if len(self._keys) > _REMEMBERED:
            self._keys.popitem(last=False)

    def _let_go(self) -> None:
        self._keys.clear()
        if self._open >= 0:
            os.close(self._open)
            self._open = -1


TYPE = ChannelType(
    name="file",
    summary="Adds messages to a file, one line of JSON each.",
    make=File,
    options=(
        Option("path", OptionType.TEXT, "The file; it is made if there is none, its folder is not.", required=True),
    ),
    honesty=Honesty.LOCAL,
    repeatable=True,
    buttons=True,
)
