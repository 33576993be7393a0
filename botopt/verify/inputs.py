"""Several input files, one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Self

from botopt.model.errors import UsageError
from botopt.model.event import Line
from botopt.sources.jsonl import STDIN, InputFile


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

    @property
    def interactive(self) -> bool:
        """Whether somebody types the input."""
        return any(file.interactive for file in self._files)

    @property
    def size(self) -> int | None:
        """Bytes in all files, or None where that is not known."""
        return None if STDIN in self.names else sum(file.size for file in self._files)

    def position(self) -> int:
        """Bytes read so far."""
        return sum(file.position() for file in self._files)
