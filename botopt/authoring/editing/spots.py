"""Where in a file the cursor stands, told from its lines alone: a file that is being typed is seldom whole.

A path is the keys from the top of the file, with `-` for each item of a list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

ITEM = "-"
_KEY = re.compile(r"(?P<quote>[\"']?)(?P<key>[A-Za-z_][\w.-]*)(?P=quote)[ \t]*:(?=[ \t]|$)")
_DASH = re.compile(r"-(?=[ \t]|$)")
_BLOCK = re.compile(r"[|>][-+0-9]*[ \t]*(?:#.*)?$")


class Spot(msgspec.Struct, frozen=True):
    """A place in a file.

    `path` leads to the map or the value where the cursor is. `key` is what stands before it where a key may be typed,
    `value` where a value may; both where a list's item begins. None where it cannot be.
    """

    path: tuple[str, ...]
    key: str | None = None
    value: str | None = None


class _Open(msgspec.Struct, frozen=True):
    """A key or an item that is not closed yet, and its column."""

    name: str
    column: int


def spot(lines: Sequence[str], line: int, column: int) -> Spot:
    """The place before a column of a line, both counted from 0."""
    reading = _Reading()
    for before in lines[:line]:
        reading.line(before)
    return reading.last(lines[line][:column] if line < len(lines) else "")


class _Reading:
    """The lines of a file up to some line."""

    def __init__(self) -> None:
        self.open: list[_Open] = []
        self.flow = ""  # what stands in brackets that are not closed yet
        self.block = -1  # the column of the key whose value is a block of lines
        self.within = False

    def line(self, text: str) -> None:
        """Go past a whole line."""
        if not text.strip() or (text.lstrip().startswith("#") and not self.flow):
            return
        rest, at = self._opened(text)
        if self.flow:
            self.flow += " " + text.strip()
            self.flow = self.flow if _flow(self.flow) is not None else ""
        elif rest is not None:
            value = rest.strip()
            if _BLOCK.match(value):
                self.block = at
            elif value[:1] in ("{", "[") and _flow(value) is not None:
                self.flow = value

    def _opened(self, text: str) -> tuple[str | None, int]:
        """Open what a line begins; the value behind its last key or dash, and where that stands."""
        if self.flow:
            return None, 0
        column = len(text) - len(text.lstrip(" "))
        if self.block >= 0 and column > self.block:
            return None, 0
        self.block = -1
        rest = text[column:]
        while found := _DASH.match(rest):
            self._close(column, item=True)
            self.open.append(_Open(ITEM, column))
            inner = rest[found.end() :]
            column += found.end() + len(inner) - len(inner.lstrip(" "))
            rest = inner.lstrip(" ")
        if key := _KEY.match(rest):
            self._close(column)
            self.open.append(_Open(key["key"], column))
            return rest[key.end() :], column
        return rest, column

    def _close(self, column: int, *, item: bool = False) -> None:
        while self.open and (
            self.open[-1].column > column
            or (self.open[-1].column == column and not (item and self.open[-1].name != ITEM))
        ):
            self.open.pop()

    def last(self, text: str) -> Spot:
        """The place at the end of a line that is not whole."""
        if self.flow:
            return self._in_flow(self.flow + " " + text.lstrip())
        column = len(text) - len(text.lstrip(" "))
        if self.block >= 0 and (column > self.block or not text.strip()):
            return Spot(self._path(), None, text.lstrip())
        if not text.strip():
            self._close(len(text))
            return Spot(self._path(), "", None)
        rest, at = self._opened(text)
        assert rest is not None
        typed = rest.lstrip()
        if at + len(rest) < len(text) or (rest != text[at:]):  # a key stands before
            return self._in_flow(typed) if typed[:1] in ("{", "[") else Spot(self._path(), None, typed)
        if typed[:1] in ("{", "["):
            return self._in_flow(typed)
        is_item = bool(self.open) and self.open[-1].name == ITEM and self.open[-1].column < at
        if not is_item:
            self._close(at)
        below = bool(self.open) and self.open[-1].column < at
        return Spot(self._path(), typed, typed if is_item or (below and self.open[-1].name == ITEM) else None)

    def _path(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.open)

    def _in_flow(self, text: str) -> Spot:
        inner = _flow(text)
        if inner is None:  # the brackets are closed again
            return Spot(self._path(), None, None)
        return Spot((*self._path(), *inner.path), inner.key, inner.value)


class _Frame:
    """A bracket that is open: of a map the present key, if it is past that."""

    def __init__(self, opening: str) -> None:
        self.is_map = opening == "{"
        self.key: str | None = None


def _flow(text: str) -> Spot | None:
    """The place at the end of a text that begins with a bracket; None once that is closed."""
    frames: list[_Frame] = []
    token, quote, at = "", "", 0
    while at < len(text):
        char = text[at]
        if quote:
            token += char
            if char == quote == "'" == text[at + 1 : at + 2]:
                at += 1  # two of them are one that ends nothing
                token += char
            elif char == quote and not (quote == '"' and text[at - 1] == "\\"):
                quote = ""
        elif char in "\"'" and not token.strip():
            quote, token = char, char
        elif char in "{[":
            frames.append(_Frame(char))
            token = ""
        elif char in "}]":
            frames.pop()
            token = ""
            if not frames:
                return None
        elif char == ",":
            frames[-1].key, token = None, ""
        elif char == ":" and frames[-1].is_map and frames[-1].key is None and text[at + 1 : at + 2] in ("", " "):
            frames[-1].key, token = token.strip().strip("\"'"), ""
        else:
            token += char
        at += 1
    path = [frame.key or "" if frame.is_map else ITEM for frame in frames]
    typed = token.lstrip()
    if frames[-1].is_map and frames[-1].key is None:
        return Spot(tuple(path[:-1]), typed, None)
    return Spot(tuple(path), None, typed)
