"""Where remembered findings lie: a folder of the user's own, with one file for each key.

It may be deleted at any moment. Whatever goes wrong here means that nothing is remembered, and is never reported.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

VARIABLE = "BOTOPT_CACHE_DIR"
"""The environment variable that names another folder; empty or `off`: nothing is remembered."""

MOST_ENTRIES = 20
MOST_BYTES = 64 << 20

_MAGIC = b"botopt policy 1\n"
_SIZE = 32
_FOLDER = "policies"
_PRIVATE = 0o700


def cache_folder() -> Path | None:
    """The folder of remembered policies, which need not exist; None where nothing is to be remembered."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return None if named.strip() in {"", "off"} else Path(named).absolute() / _FOLDER
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "botopt" / _FOLDER
    chosen = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (chosen if chosen.is_absolute() else home / ".cache") / "botopt" / _FOLDER


def find(key: bytes) -> bytes | None:
    """What was kept under a key. A file that is damaged, or not ours alone, is as good as none."""
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / key.hex()
    try:
        if not _is_private(folder):
            return None
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            data = file.read(MOST_BYTES)
        os.utime(path)  # the last to be removed is the one that was used last
    except OSError:
        return None
    head = len(_MAGIC) + _SIZE
    payload = data[head:]
    return payload if data[:head] == _head(key, payload) else None


def keep(key: bytes, payload: bytes) -> None:
    """Keep something under a key, for whoever asks next."""
    folder = cache_folder()
    if folder is None or len(payload) > MOST_BYTES // 2:
        return
    with suppress(OSError):
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        if not _is_private(folder):
            return
        _write(folder, key.hex(), _head(key, payload) + payload)
        _remove_oldest(folder)


def _head(key: bytes, payload: bytes) -> bytes:
    """What stands before the payload: it must be of this format, of this key, and whole."""
    return _MAGIC + blake2b(payload, digest_size=_SIZE, key=key).digest()


def _is_private(folder: Path) -> bool:
    """Whether this is a folder in which nobody else can write."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    return sys.platform == "win32" or (status.st_uid == os.getuid() and not status.st_mode & 0o022)


def _write(folder: Path, name: str, data: bytes) -> None:
    """Write a file at once: another process sees all of it, or none."""
    handle, temporary = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(folder / name)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _remove_oldest(folder: Path) -> None:
    """Keep the newest files, as many as are allowed; what a killed process left behind grows old, too."""
    found = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process removes, too
            status = path.lstat()
            found.append((status.st_mtime_ns, status.st_size, path))
    room = MOST_BYTES
    for number, (_, size, path) in enumerate(sorted(found, reverse=True)):
        room -= size
        if number >= MOST_ENTRIES or room < 0:
            with suppress(OSError):
                path.unlink()
