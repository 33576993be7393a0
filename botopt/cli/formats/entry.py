"""What every format writes: one sentence about one place of a file."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from botopt.model.position import Position


class Level(StrEnum):
    """How much an entry matters, in the words of SARIF."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Kind(msgspec.Struct, frozen=True):
    """One kind of entry (a rule, in SARIF): `id` as machines know it, its title, and a page of help in Markdown."""

    id: str
    title: str
    level: Level
    help: str = ""


class Entry(msgspec.Struct, frozen=True):
    """One result. `hint` says what to do about it, or nothing.

    `position.file` is as its reader should open it (see `places`); a line of 0 stands for the whole file. `identity`
    is what makes this the same result when lines above it come or go: no line numbers.
    """

    kind: Kind
    level: Level
    position: Position
    message: str
    hint: str = ""
    identity: str = ""

    @property
    def sentence(self) -> str:
        """The message, and what to do."""
        return f"{self.message} (fix: {self.hint})" if self.hint else self.message
