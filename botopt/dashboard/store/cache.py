"""Where a source that was read is kept, and how a file is known again."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import msgspec

from botopt.model.errors import InputError
from botopt.verify.cache.store import cache_folder

_ENDS = 1 << 16
_PRIVATE = 0o700


class Seen(msgspec.Struct, frozen=True):
    """A file as it was when it was read.

    `head` and `tail` are digests of the first 64 KiB and of the 64 KiB before `read_bytes`, the end of the last whole
    line.
    """

    size: int
    mtime_ns: int
    head: str
    tail: str
    read_bytes: int


def look(path: Path) -> Seen:
    """A file as it is now.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            size = status.st_size
            end = _last_line_end(file.fileno(), size)
            return Seen(size, status.st_mtime_ns, _digest(file.fileno(), 0, min(_ENDS, size)), _tail(file, end), end)
    except OSError as fault:
        raise InputError(f"{path} cannot be read: {(fault.strerror or str(fault)).lower()}") from fault


def is_same(path: Path, before: Seen) -> bool:
    """Whether the file holds what it held."""
    now = look(path)
    return (now.size, now.head) == (before.size, before.head) and (
        now.mtime_ns == before.mtime_ns or now.tail == before.tail
    )


def has_grown(path: Path, before: Seen) -> bool:
    """Whether the file begins with all that was read, and goes on."""
    now = look(path)
    if now.size <= before.size or before.size == 0:
        return False
    with path.open("rb") as file:
        head = _digest(file.fileno(), 0, min(_ENDS, before.size))
        return head == before.head and _tail(file, before.read_bytes) == before.tail


def _tail(file: object, end: int) -> str:
    begin = max(0, end - _ENDS)
    return _digest(file.fileno(), begin, end - begin)  # type: ignore[attr-defined]


def _digest(descriptor: int, begin: int, length: int) -> str:
    return blake2b(os.pread(descriptor, length, begin), digest_size=16).hexdigest()


def _last_line_end(descriptor: int, size: int) -> int:
    """Behind the last line break; 0 where there is none."""
    end = size
    while end > 0:
        begin = max(0, end - _ENDS)
        place = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if place >= 0:
            return begin + place + 1
        end = begin
    return 0


def place_for(names: Iterable[str]) -> Path:
    """The file for a source with these names: in the cache folder, or, where nothing may be kept, a temporary one."""
    key = blake2b("\0".join(names).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
    policies = cache_folder()
    if policies is not None:
        folder = policies.parent / "dashboard"
        try:
            folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            folder.chmod(_PRIVATE)
        except OSError:
            pass
        else:
            return folder / f"{key}.duckdb"
    return temporary_place()


def temporary_place() -> Path:
    """A file that nobody else uses, and that goes with the process."""
    folder = tempfile.mkdtemp(prefix="botopt-dashboard-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / "log.duckdb"
