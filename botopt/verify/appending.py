"""Files that only grow, and that are on the disk before anybody counts on them."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path
from typing import Protocol, Self

import msgspec

from botopt.model.errors import InputError

_BUFFER = 1 << 17
_TAIL = 1 << 16


class Disk(Protocol):
    """What a file system does for these files. `RealDisk` is the one that there is; tests have others."""

    def open(self, path: Path, flags: int) -> int:
        """A file descriptor."""

    def write(self, descriptor: int, data: bytes) -> int:
        """How many bytes were written, perhaps not all."""

    def read(self, descriptor: int, size: int, offset: int) -> bytes:
        """Bytes from there, perhaps fewer."""

    def size(self, descriptor: int) -> int:
        """The length of the file."""

    def truncate(self, descriptor: int, length: int) -> None:
        """Cut the file off there; what is written next follows."""

    def sync(self, descriptor: int) -> None:
        """Return when everything is on the disk."""

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in this folder are on the disk."""

    def close(self, descriptor: int) -> None:
        """Let go of the file."""


class RealDisk:
    """The operating system."""

    def open(self, path: Path, flags: int) -> int:
        """Open or make a file."""
        return os.open(path, flags | os.O_CLOEXEC, 0o644)

    def write(self, descriptor: int, data: bytes) -> int:
        """Write at the end."""
        return os.write(descriptor, data)

    def read(self, descriptor: int, size: int, offset: int) -> bytes:
        """Read at a place."""
        return os.pread(descriptor, size, offset)

    def size(self, descriptor: int) -> int:
        """The length."""
        return os.fstat(descriptor).st_size

    def truncate(self, descriptor: int, length: int) -> None:
        """Cut off, and go there."""
        os.ftruncate(descriptor, length)
        os.lseek(descriptor, length, os.SEEK_SET)

    def sync(self, descriptor: int) -> None:
        """To the disk, as far as the system can tell."""
        os.fsync(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """A new file's name is durable only with its folder."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def close(self, descriptor: int) -> None:
        """Close."""
        os.close(descriptor)


DISK: Disk = RealDisk()


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """How far a file was written: its length, and a hash of the last 64 KiB before that, to know it by."""

    length: int
    tail: str


class Appending:
    """One output file. Every method raises `InputError` where the disk refuses."""

    def __init__(self, path: Path, descriptor: int, disk: Disk) -> None:
        self.path = path
        self._descriptor = descriptor
        self._disk = disk
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._length = 0
        self._tail = b""

    @classmethod
    def create(cls, path: Path, disk: Disk = DISK) -> Self:
        """A new file; one that exists is never touched."""
        try:
            file = cls(path, disk.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL), disk)
        except FileExistsError:
            raise exists(path) from None
        except OSError as fault:
            raise InputError(f"{path}: {fault.strerror}") from fault
        return file

    @classmethod
    def reopen(cls, path: Path, mark: Mark, disk: Disk = DISK) -> Self:
        """A file that was written up to a mark; what stands after it is cut off."""
        try:
            descriptor = disk.open(path, os.O_RDWR | (0 if mark.length else os.O_CREAT))
        except FileNotFoundError:
            raise InputError(f"{path} is gone: the run that is to go on had written to it") from None
        except OSError as fault:
            raise InputError(f"{path}: {fault.strerror}") from fault
        file = cls(path, descriptor, disk)
        try:
            file._cut(mark)
        except BaseException:
            file.close(flush=False)
            raise
        return file

    def _cut(self, mark: Mark) -> None:
        disk, descriptor = self._disk, self._descriptor
        try:
            begin = max(0, mark.length - _TAIL)
            tail = b""
            while len(tail) < mark.length - begin:
                piece = disk.read(descriptor, mark.length - begin - len(tail), begin + len(tail))
                if not piece:
                    break
                tail += piece
            if disk.size(descriptor) < mark.length or _digest(tail) != mark.tail:
                raise InputError(
                    f"{self.path} is not as the run left it: its first {mark.length:,} bytes are others. "
                    "Nothing was changed; start anew with other files."
                )
            disk.truncate(descriptor, mark.length)
        except OSError as fault:
            raise InputError(f"{self.path}: {fault.strerror}") from fault
        self._length, self._tail = mark.length, tail

    def write(self, data: bytes) -> None:
        """Append; small pieces are collected."""
        if len(data) >= _BUFFER and not self._pieces:
            self._append(data)
            return
        self._pieces.append(data)
        self._waiting += len(data)
        if self._waiting >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the operating system."""
        data = b"".join(self._pieces)
        self._pieces, self._waiting = [], 0
        self._append(data)

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                done = self._disk.write(self._descriptor, rest)  # type: ignore[arg-type]  # a view is as good as bytes
                self._length += done
                rest = rest[done:]
        except OSError as fault:
            raise InputError(f"{self.path}: {fault.strerror}") from fault
        self._tail = (self._tail + data)[-_TAIL:] if len(data) < _TAIL else data[-_TAIL:]

    def sync(self) -> Mark:
        """Have everything on the disk, and say how far that is."""
        self.flush()
        try:
            self._disk.sync(self._descriptor)
        except OSError as fault:
            raise InputError(f"{self.path}: {fault.strerror}") from fault
        return Mark(self._length, _digest(self._tail))

    def sync_name(self) -> None:
        """Have the file's name on the disk."""
        try:
            self._disk.sync_folder(self.path.parent)
        except OSError as fault:
            raise InputError(f"{self.path}: {fault.strerror}") from fault

    def close(self, *, flush: bool = True) -> None:
        """Let go of the file; once is enough."""
        if self._descriptor < 0:
            return
        try:
            if flush:
                self.flush()
        finally:
            descriptor, self._descriptor = self._descriptor, -1
            try:
                self._disk.close(descriptor)
            except OSError as fault:
                raise InputError(f"{self.path}: {fault.strerror}") from fault


def exists(path: Path) -> InputError:
    """The error for an output that is there already."""
    return InputError(f"{path} exists already; it is not overwritten. Remove it or choose another name.")


def _digest(tail: bytes) -> str:
    return blake2b(tail, digest_size=8).hexdigest()


NOTHING = Mark(0, _digest(b""))
"""The mark of an empty file."""
