"""Lines of bytes from files: plain, gzip, Zstandard, or standard input; memory stays bounded whatever comes."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import IO, Self

import msgspec

from botopt.model.errors import InputError
from botopt.model.event import Line
from botopt.sources.compression import pieces

MAX_LINE_BYTES = 1 << 20
"""A longer line is no event."""

STDIN = "-"
"""The name of standard input."""

MOST_LINES = 10_000
"""Lines that come together at most; ordinary ones are fewer, because so few bytes are read at once."""

_CHUNK = 1 << 17
_KEPT = (1 << 16) + 1


class LongLine(bytes):
    """The beginning of a line of more than `MAX_LINE_BYTES`, with the `size` and the `line_digest` of all of it."""

    size: int
    digest: bytes


class Block(msgspec.Struct, frozen=True):
    """Consecutive lines of one input, without their line breaks.

    `first` is the number of the first line, `input_number` the input's place among the inputs. `end` is where the next
    line begins, in bytes of the unpacked input, and `size` how much was read for this block. `caught_up`: more may
    come, but nothing is there yet.
    """

    input_number: int
    first: int
    lines: list[bytes]
    end: int
    size: int
    caught_up: bool = False

    def __iter__(self) -> Iterator[Line]:
        """Each line with its number."""
        for number, raw in enumerate(self.lines, self.first):
            yield Line(number, raw, self.input_number)


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
        for block in self.blocks():
            yield from block

    def blocks(self, begin: int = 0, first: int = 1, most: int = MOST_LINES) -> Iterator[Block]:
        """The lines in blocks, as they come.

        Args:
            begin: where to begin, in bytes: at the beginning of a line. Only files that are plain can begin later.
            first: the number of the line there.
            most: how many lines a block has at most.

        Raises:
            InputError: the file is damaged or cut off.
        """
        if begin:
            assert self._file is not None
            self._file.seek(begin)
            self._position = begin
        for block in _blocks(pieces(self.name, self._chunks()), self._number, begin, first, most):
            yield block if self.size else msgspec.structs.replace(block, caught_up=self._waits())

    def _waits(self) -> bool:
        """Whether the next read would wait for somebody to write."""
        assert self._file is not None
        try:
            return not select.select([self._file], [], [], 0)[0]
        except (OSError, ValueError):  # no descriptor: a test's standard input
            return False

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


def _words(fault: Exception) -> str:
    return ((fault.strerror if isinstance(fault, OSError) else None) or str(fault)).lower()


def _blocks(
    chunks: Iterator[bytes], input_number: int, begin: int, number: int, most: int = MOST_LINES
) -> Iterator[Block]:
    """Split chunks of at most some hundred KB, so that what is held at once is a chunk and a line."""
    begun: list[bytes] = []  # pieces of a line that is not at its end
    size = 0
    seen = begin
    long: _Long | None = None
    for chunk in chunks:
        seen += len(chunk)
        head, *lines = chunk.split(b"\n")
        if long is not None:
            long.add(head)
        else:
            begun.append(head)
            size += len(head)
            if size > MAX_LINE_BYTES + 1:  # one more, for the \r of a line break
                long = _Long(b"".join(begun), number, input_number)
                begun = []
        if not lines:
            continue
        rest = lines.pop()
        end = seen - len(chunk)
        lines.insert(0, head)
        whole = b"".join(begun) if long is None else long.end()
        begun, size, long = [rest], len(rest), None
        for at in range(0, len(lines), most):
            raws = lines[at : at + most]
            end += sum(map(len, raws)) + len(raws)
            if not at:
                raws[0] = whole
            if b"\r" in chunk or raws[0].endswith(b"\r"):
                raws = [raw if isinstance(raw, LongLine) else raw.removesuffix(b"\r") for raw in raws]
            yield Block(input_number, number, raws, end, len(chunk))
            number += len(raws)
    if long is not None:
        yield Block(input_number, number, [long.end()], seen, 0)
    elif size:
        yield Block(input_number, number, [b"".join(begun).removesuffix(b"\r")], seen, 0)


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
