"""Several input files, one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Self

from botopt.model.errors import UsageError
from botopt.model.event import Line
from botopt.sources.jsonl import MOST_LINES, STDIN, Block, InputFile

BOM = b"\xef\xbb\xbf"
"""Windows programs begin files with it."""

BROKEN = (ValueError, RecursionError)
"""What decoding a line raises; msgspec's own faults are ValueErrors."""


class Inputs:
    """All inputs of a run: every file is opened before the first line is read."""

    def __init__(self, names: Sequence[str]) -> None:
        if list(names).count(STDIN) > 1:
            raise UsageError("standard input (-) can be read only once")
        self.names = tuple(names)
        self._files = [InputFile(name, number) for number, name in enumerate(names)]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open all files.

        Raises:
            InputError: one of them cannot be read.
        """
        with ExitStack() as opened:
            for file in self._files:
                opened.enter_context(file)
            self._stack = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Close all files."""
        self._stack.close()

    def __iter__(self) -> Iterator[Line]:
        """Every line of every file, in order."""
        for file in self._files:
            yield from file

    def blocks(self, input_number: int = 0, begin: int = 0, line: int = 1, most: int = MOST_LINES) -> Iterator[Block]:
        """Every line in blocks of at most `most`, from this line of this input on, which stands at this byte."""
        for file in self._files[input_number:]:
            yield from file.blocks(begin, line, most)
            begin, line = 0, 1

    @property
    def interactive(self) -> bool:
        """Whether somebody types the input."""
        return any(file.interactive for file in self._files)

    @property
    def plain(self) -> tuple[bool, ...]:
        """For each input, whether it is an ordinary file."""
        return tuple(file.size > 0 for file in self._files)

    @property
    def size(self) -> int | None:
        """Bytes in all files, or None where that is not known."""
        return None if STDIN in self.names else sum(file.size for file in self._files)

    def position(self) -> int:
        """Bytes read so far."""
        return sum(file.position() for file in self._files)
