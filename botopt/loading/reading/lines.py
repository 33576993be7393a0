"""One line of YAML taken apart by eye, for files that the parser cannot take apart."""

from __future__ import annotations

import re
from typing import NamedTuple

_DASHES = re.compile(r"[ \t]*(?:-[ \t]+)*")
_COLON = re.compile(r":(?=[ \t]|$)")
_BLANKS = re.compile(r"[ \t]*")
_LABEL = re.compile(r"&[^\s,\[\]{}]+[ \t]*")


class Line(NamedTuple):
    """`  - key: value`: the columns count from 0. Without a colon everything is the value."""

    indent: int
    start: int
    key: str
    value: str
    value_column: int

    @property
    def opens(self) -> bool:
        """Whether what belongs to this line can only stand below it."""
        label = _LABEL.match(self.value)
        rest = self.value[label.end() :] if label else self.value
        return not rest or rest.startswith("#")


def take_apart(line: str) -> Line:
    """Split a line at the first colon that YAML would take for one."""
    indent = indentation(line)
    dashes = _DASHES.match(line)
    start = dashes.end() if dashes else 0
    search_from = start
    if line[start : start + 1] in {"'", '"'}:
        closing = closing_quote(line, start, len(line))
        # A colon inside quotes is text, unless the quotes never close.
        search_from = closing + 1 if closing >= 0 else len(line)
    colon = _COLON.search(line, search_from)
    if not colon or line[start : start + 1] in {"{", "[", "#"} or "#" in _comment_before(line, start, colon.start()):
        return Line(indent, start, "", line[start:].rstrip(" \t"), start)
    blanks = _BLANKS.match(line, colon.end())
    value_column = blanks.end() if blanks else colon.end()
    key = line[start : colon.start()].strip(" \t").strip("'\"")
    return Line(indent, start, key, line[value_column:].rstrip(" \t"), value_column)


def indentation(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip(" "))


def is_content(line: str) -> bool:
    """Whether a line holds more than blanks and a comment."""
    stripped = line.lstrip(" \t")
    return bool(stripped) and stripped[0] not in "#\r"


def closing_quote(text: str, start: int, end: int) -> int:
    """The index before `end` of the quote that closes the one at `start`, or -1."""
    quote, index = text[start], start + 1
    while index < end:
        char = text[index]
        if char == "\\" and quote == '"':
            index += 2
            continue
        if char == quote:
            if quote == "'" and text.startswith("''", index):
                index += 2
                continue
            return index
        index += 1
    return -1


def _comment_before(line: str, start: int, colon: int) -> str:
    found = re.compile(r"(?:^|[ \t])#").search(line, start, colon)
    return "#" if found else ""
