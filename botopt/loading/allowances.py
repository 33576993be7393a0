"""Comments by which a policy allows a finding: `# botopt: allow B402 because …`.

YAML's readers drop comments, so they are looked for in the text: a `#` at the beginning of a line or after a blank
that lies in no scalar, by the places of the scalars that the parser itself gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import yaml
from yaml.events import ScalarEvent

from botopt.loading.reading.source import SourceText
from botopt.loading.reading.tree import LOADER
from botopt.model.position import Position

_OPENING = re.compile(r"(?:(?<=[ \t])|^)#[ \t]*botopt:", re.MULTILINE | re.IGNORECASE)
_WORDS = re.compile(
    r"#\s*botopt:\s*(?P<verb>\w*)\s*(?P<code>[Bb]\d+)?[\s,:.–—-]*(?:because\b[\s:,]*(?P<reason>.*))?", re.IGNORECASE
)
_ENTRY = re.compile(r"-\s*(?:$|\{|#)|-\s+[\w.-]+\s*:(?:\s|$)")
"""A list entry with keys, not a condition in a list of conditions."""


class Allowance(msgspec.Struct, frozen=True):
    """A comment that allows a finding. `line` is the line that it is about; `code` and `reason` may be empty.

    `well_formed`: it says `allow` and nothing that is not understood.
    """

    position: Position
    line: int
    code: str
    reason: str
    well_formed: bool


def allowances(source: SourceText) -> tuple[Allowance, ...]:
    """Those in a file, in order; none in a file that cannot be read as YAML."""
    openings = list(_OPENING.finditer(source.text))
    if not openings:
        return ()
    try:
        scalars = list(_scalars(source))
    except yaml.YAMLError:
        return ()
    outside = (found.start() for found in openings if not any(start <= found.start() < end for start, end in scalars))
    return tuple(_read(source, start) for start in outside)


def _scalars(source: SourceText) -> Iterator[tuple[int, int]]:
    """Where scalars begin and end. Of a block scalar the parser also counts what is blank behind it."""
    for event in yaml.parse(source.text, Loader=LOADER):
        begin, close = event.start_mark, event.end_mark
        if isinstance(event, ScalarEvent) and begin is not None and close is not None:
            start, end = source.offset(begin.line, begin.column), source.offset(close.line, close.column)
            yield start, start + len(source.text[start:end].rstrip())


def _read(source: SourceText, start: int) -> Allowance:
    line, column = source.place(start)
    comment = source.lines[line][column:].rstrip()
    found = _WORDS.match(comment)
    assert found is not None  # that is how it was found
    alone = not source.lines[line][:column].strip()
    rest = comment[found.end() :].strip()
    return Allowance(
        source.span(start, start + len(comment)),
        _next_content(source, line) + 1 if alone else line + 1,
        (found["code"] or "").upper(),
        (found["reason"] or "").strip(),
        found["verb"].lower() == "allow" and not rest,
    )


def _next_content(source: SourceText, line: int) -> int:
    for number in range(line + 1, len(source.lines)):
        stripped = source.lines[number].strip()
        if stripped and not stripped.startswith("#"):
            return number
    return line


def heads(source: SourceText, line: int) -> tuple[int, ...]:
    """A line and the heads of the entry to which it belongs, from the inside; lines count from 1.

    They end with the first list entry, or with what stands right below a section.
    """
    found = [line]
    indent = _indent(source, line)
    while indent > 0 and not _ENTRY.match(source.line(found[-1]).lstrip()):
        above = _above(source, found[-1], indent)
        if above is None or _indent(source, above) == 0:
            break
        indent = _indent(source, above)
        found.append(above)
    return tuple(found)


def _above(source: SourceText, line: int, indent: int) -> int | None:
    """The nearest line above that is indented less and holds something."""
    for number in range(line - 1, 0, -1):
        text = source.line(number).strip()
        if text and not text.startswith("#") and _indent(source, number) < indent:
            return number
    return None


def _indent(source: SourceText, line: int) -> int:
    text = source.line(line)
    return len(text) - len(text.lstrip(" "))
