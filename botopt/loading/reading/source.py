"""A file's text, and where in it each character stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from botopt.model.position import Position

LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class SourceText:
    """The text of one file, without a byte order mark; what the reader could not accept in it is shown as `�`."""

    file: str
    text: str
    lines: tuple[str, ...] = field(init=False, repr=False, compare=False)
    starts: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _hidden: set[Position] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = (0, *(found.end() for found in LINE_BREAK.finditer(self.text)))
        object.__setattr__(self, "lines", tuple(LINE_BREAK.split(self.text)))
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "_hidden", set())

    def line(self, number: int) -> str:
        """Line `number`, counted from 1, without its line break; empty where there is no such line."""
        line = self.lines[number - 1] if 1 <= number <= len(self.lines) else ""
        for place in self._hidden:
            if place.line <= number <= place.end_line:
                start = place.column - 1 if number == place.line else 0
                end = place.end_column - 1 if number == place.end_line else len(line)
                line = f"{line[:start]}{'•' * (end - start)}{line[end:]}"
        return line

    def hide(self, position: Position) -> None:
        """From now on, `line` shows dots there: what stands there is a secret."""
        self._hidden.add(position)

    def offset(self, line: int, column: int) -> int:
        """The index in `text` of a place, both counted from 0; a place past the end is the end."""
        return self.starts[line] + column if line < len(self.starts) else len(self.text)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an index in `text`, both counted from 0."""
        line = bisect_right(self.starts, offset) - 1
        return line, offset - self.starts[line]

    def span(self, start: int, end: int) -> Position:
        """The position of `text[start:end]`; what would reach beyond the text ends with it."""
        last = len(self.text)
        line, column = self.place(min(start, last))
        end_line, end_column = self.place(min(end, last))
        return Position(self.file, line + 1, column + 1, end_line + 1, end_column + 1)
