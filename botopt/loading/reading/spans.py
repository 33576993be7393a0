r"""Where each character of a parsed YAML scalar stands in the file.

YAML folds lines, strips indentation and resolves escapes. An author who wrote `"caf\u00e9 {{ naem }}"` must still
see the caret under `naem`, so these functions walk the raw text once more and note where each character came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from botopt.loading.reading.source import LINE_BREAK

Spans = tuple[tuple[int, int], ...]
"""For each character of the parsed text, the start and end of what stands for it in the raw text."""

Ranges = list[tuple[int, int]]
Lines = list[tuple[int, str]]

_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")
_BLANKS = " \t"


@lru_cache(maxsize=256)
def character_spans(raw: str, text: str, style: str) -> Spans | None:
    """Map the parsed `text` of a scalar back to its `raw` text, quotes and block header included.

    `style` is the first character of a quoted or block scalar, empty for a plain one. None: the two do not fit
    together, which happens only where two YAML libraries disagree about a rare case.
    """
    if style in {"'", '"'}:
        spans: Ranges | None = list(_quoted(raw, double=style == '"'))
    elif style in {"|", ">"}:
        spans = _block(raw, text)
    else:
        spans = _aligned(text, *_plain_lines(raw))
    return tuple(spans) if spans is not None and len(spans) == len(text) else None


def _quoted(raw: str, double: bool) -> Iterator[tuple[int, int]]:
    """Walk between the quotes: blanks around a line break vanish, one break is a space, more are line breaks."""
    index, end = 1, len(raw) - 1
    while index < end:
        if raw[index] in _BLANKS:
            after = index
            while after < end and raw[after] in _BLANKS:
                after += 1
            if after < end and raw[after] in "\r\n":
                index = after
            else:
                yield from ((at, at + 1) for at in range(index, after))
                index = after
        elif raw[index] in "\r\n":
            breaks, index = _breaks(raw, index, end)
            yield from breaks[1:] or breaks
        elif double and raw[index] == "\\" and raw[index + 1] in "\r\n":
            breaks, index = _breaks(raw, index + 1, end)
            yield from breaks[1:]
        elif double and raw[index] == "\\" and (escape := _ESCAPE.match(raw, index, end)):
            yield escape.span()
            index = escape.end()
        else:
            width = 2 if raw.startswith("''", index) and not double else 1
            yield index, index + width
            index += width


def _breaks(raw: str, index: int, end: int) -> tuple[Ranges, int]:
    """The line breaks from here on, with blanks between and after them, and where the text goes on."""
    breaks: Ranges = []
    while index < end and raw[index] in " \t\r\n":
        found = LINE_BREAK.match(raw, index)
        if found:
            breaks.append(found.span())
        index = found.end() if found else index + 1
    return breaks, index


def _plain_lines(raw: str) -> tuple[Lines, Ranges]:
    """The lines of a plain scalar without the blanks around them."""
    lines: Lines = []
    for start, line in _raw_lines(raw):
        content = line.lstrip(_BLANKS)
        lines.append((start + len(line) - len(content), content.rstrip(_BLANKS)))
    return lines, [found.span() for found in LINE_BREAK.finditer(raw)]


def _block(raw: str, text: str) -> Ranges | None:
    """Walk the lines below a block scalar's header, without their indentation."""
    header, *body = _raw_lines(raw)
    breaks = [found.span() for found in LINE_BREAK.finditer(raw)][1:]
    widths = [len(line) - len(line.lstrip(" ")) for _, line in body]
    # The first line with content tells the indentation, except after `|2`: that counts from the parent, which is
    # not known here. Then the right one is the one with which the lines make up the text.
    told = re.search(r"[1-9]", header[1].split(" ")[0])
    first = next((width for width, (_, line) in zip(widths, body, strict=True) if len(line) > width), len(raw))
    for indent in range(max(widths, default=0) + 1) if told else [first]:
        lines = [(start + min(indent, len(line)), line[indent:]) for start, line in body]
        if (spans := _aligned(text, lines, breaks)) is not None:
            return spans
    return None


def _raw_lines(raw: str) -> Iterator[tuple[int, str]]:
    start = 0
    for found in LINE_BREAK.finditer(raw):
        yield start, raw[start : found.start()]
        start = found.end()
    yield start, raw[start:]


def _aligned(text: str, lines: Lines, breaks: Ranges) -> Ranges | None:
    """Lay the lines along the text: between two of them it has one space, some line breaks, or nothing."""
    spans: Ranges = []
    at, seen, end = 0, 0, 0
    for number, (start, content) in enumerate(lines):
        if not content:
            continue
        skipped = breaks[seen:number]
        folded = 0
        while text.startswith("\n", at + folded):
            folded += 1
        if not folded and skipped and text.startswith(" ", at):
            folded = 1
        at += folded
        if folded > len(skipped) or not text.startswith(content, at):
            return None
        spans += skipped[len(skipped) - folded :]
        spans += ((start + index, start + index + 1) for index in range(len(content)))
        at, seen, end = at + len(content), number, start + len(content)
    rest = text[at:]
    if rest.strip("\n"):
        return None
    # At the end of a file a text may end in a line break that nobody typed.
    return spans + (breaks[seen:] + [(end, end)] * len(rest))[: len(rest)]
