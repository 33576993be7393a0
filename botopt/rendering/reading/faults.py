"""What the parts of the checker tell each other: a fault in a text, by character offsets."""

from __future__ import annotations

import msgspec


class Token(msgspec.Struct, frozen=True):
    """A word of a source: `source[start:end]`, of one of Jinja's kinds."""

    kind: str
    start: int
    end: int
    text: str


class Fault(msgspec.Struct, frozen=True):
    """Something wrong at `source[start:end]`: the code of the finding, its words, and what to type instead."""

    code: str
    start: int
    end: int
    message: str
    hint: str = ""
