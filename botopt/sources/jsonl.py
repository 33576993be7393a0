"""Lines of bytes from files: plain, gzip, Zstandard, or standard input; memory stays bounded whatever comes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import IO, Self

from botopt.model.errors import InputError
from botopt.model.event import Line
from botopt.sources.compression import pieces

MAX_LINE_BYTES = 1 << 20
"""A longer line is no event."""

STDIN = "-"
"""The name of standard input."""

_CHUNK = 1 << 17
_KEPT = (1 << 16) + 1


class LongLine(bytes):
    """The beginning of a line of more than `MAX_LINE_BYTES`, with the `size` and the `line_digest` of all of it."""

    size: int
    digest: bytes


class InputFile:
    """One input. Iterate it once for its lines; `position` says how much of `size` was read, both in bytes of the file.

    `size` is 0 where it is not known: standard input, pipes.
    """

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.size = 0
        self._number = number
        self._file: IO[bytes] | None = None
        self._position = 0

    @property
    def interactive(self) -> bool:
        """Whether somebody types the input."""
        return self.name == STDIN and sys.stdin is not None and sys.stdin.isatty()

    def __enter__(self) -> Self:
        """Open it.

        Raises:
            InputError: there is no such file, or it cannot be read.
        """
        if self.name == STDIN:
            if sys.stdin is None:
                raise InputError("there is no standard input to read")
            self._file = sys.stdin.buffer
            return self
        path = Path(self.name)
        try:
            if path.is_dir():
                raise InputError(f"{self.name} is a folder: name the files in it")
            self._file = path.open("rb", buffering=0)
            self.size = path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            raise InputError(f"there is no file {self.name}") from None
        except PermissionError:
            raise InputError(f"{self.name} cannot be read: this user may not") from None
        except (OSError, ValueError) as fault:
            raise InputError(f"{self.name} cannot be read: {_words(fault)}") from fault
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, unless it is standard input."""
        if self._file is not None and self.name != STDIN:
            self._file.close()

    def position(self) -> int:
        """Bytes read from the file so far."""
        return self._position

    def __iter__(self) -> Iterator[Line]:
        """Every line with its number, without its line break; a `LongLine` where one is too long.

        Raises:
            InputError: the file is damaged or cut off.
        """
        number = self._number
        for line, raw in enumerate(_lines(pieces(self.name, self._chunks()), number), 1):
            yield Line(line, raw, number)

    def _chunks(self) -> Iterator[bytes]:
        file = self._file
        assert file is not None
        read: Callable[[int], bytes] = getattr(file, "read1", file.read)  # what is there, without waiting for more
        while True:
            try:
                chunk = read(_CHUNK)
            except OSError as fault:
                raise InputError(f"{self.name} cannot be read: {_words(fault)}") from fault
            if not chunk:
                return
            self._position += len(chunk)
            yield chunk


def read_lines(name: str, *, input: int = 0) -> Iterator[tuple[int, bytes]]:
    """The lines of one file (`-` is standard input), each with its number from 1.

    Raises:
        InputError: it cannot be read, or not to its end.
    """
    with InputFile(name, input) as file:
        for line in file:
            yield line.number, line.raw


def _words(fault: Exception) -> str:
    return ((fault.strerror if isinstance(fault, OSError) else None) or str(fault)).lower()


def _lines(chunks: Iterator[bytes], input_number: int) -> Iterator[bytes]:
    """Split chunks of at most some hundred KB, so that what is held at once is a chunk and a line."""
    number = 1
    begun = b""
    long: _Long | None = None
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        if long is not None:
            long.add(first)
        elif len(begun) + len(first) > MAX_LINE_BYTES + 1:  # one more, for the \r of a line break
            long = _Long(begun + first, number, input_number)
        else:
            begun += first
        if others:
            yield begun.removesuffix(b"\r") if long is None else long.end()
            begun = others.pop()
            long = None
            for raw in others:
                yield raw[:-1] if raw.endswith(b"\r") else raw
            number += 1 + len(others)
    if long is not None:
        yield long.end()
    elif begun:
        yield begun.removesuffix(b"\r")


class _Long:
    """A line that is too long to keep: its beginning, its size, and what `line_digest` gives for all its bytes."""

    def __init__(self, begun: bytes, number: int, input_number: int) -> None:
        self._head = begun[:_KEPT]
        self._size = 0
        self._hash = blake2b(b"%d:%d:" % (input_number, number), digest_size=16)
        self._return = b""  # a \r at the end belongs to the line only if no line break follows it
        self.add(begun)

    def add(self, part: bytes) -> None:
        """More of the line."""
        if part:
            part = self._return + part
            self._return = part[-1:] if part.endswith(b"\r") else b""
            part = part[: len(part) - len(self._return)]
            self._hash.update(part)
            self._size += len(part)

    def end(self) -> LongLine:
        """The line, when all of it was read."""
        line = LongLine(self._head)
        line.size = self._size
        line.digest = self._hash.digest()
        return line
