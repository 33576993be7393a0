"""Where a word stands in a file that a person wrote."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Position(msgspec.Struct, frozen=True, order=True):
    """A span of text in a file.

    Lines and columns count from 1; columns count characters, not bytes. The end is exclusive:
    a word of three letters at column 5 ends at column 8. A position that stands for a whole
    file (it could not be read, say) is line 1, column 1 to line 1, column 1.
    """

    file: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1

    def __str__(self) -> str:
        """`file:line:column`, the form that editors and terminals make clickable."""
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Position("", 0, 0, 0, 0)
"""The position of what no file says: a default, or a policy built in a test."""


class Spans(Protocol):
    """A text that knows where each of its characters stands in its file."""

    def span(self, start: int, end: int) -> Position:
        """The place of `text[start:end]`."""


class Unplaced(msgspec.Struct, frozen=True):
    """The `Spans` of a text that no file holds."""

    def span(self, start: int, end: int) -> Position:
        """Columns count within the text itself."""
        return Position("", 1, start + 1, 1, end + 1)
