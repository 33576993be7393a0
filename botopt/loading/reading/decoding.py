"""Bytes -> text, with findings for what no text may contain."""

from __future__ import annotations

import codecs
import re

from botopt.loading.reading.source import SourceText
from botopt.loading.reading.traps import CONTROL, placed
from botopt.loading.reading.wording import said
from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic
from botopt.model.position import Position

_NAMES = {
    "\x00": "a NUL character",
    "\x0b": "a vertical tab, the line break of word processors",
    "\x0c": "a page break",
    "\x1b": "an escape character",
    "\x85": "a line break of another kind",
    "\u2028": "a line separator, the line break of word processors",
    "\u2029": "a paragraph separator, the line break of word processors",
}
_WIDE_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MOST = 20
"""So many lines with forbidden characters are reported; a file with more is no text."""


def decode(file: str, data: bytes) -> tuple[SourceText | None, list[Diagnostic]]:
    """The text of a file. None: it is in no encoding that botopt reads."""
    whole = Position(file)
    if data.startswith(_WIDE_MARKS) or _looks_wide(data):
        message = "this file is saved as UTF-16, and botopt reads UTF-8"
        if data.startswith(_WIDE_MARKS[:2]):
            message = "this file is saved as UTF-32, and botopt reads UTF-8"
        return None, [finding("B002", whole, message, "save it again and choose the encoding UTF-8")]
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, [_bad_byte(file, data, error.start)]
    if "\x00" in text:
        message = "this file contains NUL characters, so it is no text"
        first = SourceText(file, text[: text.index("\x00")])
        line, column = first.place(len(first.text))
        position = Position(file, line + 1, column + 1, line + 1, column + 2)
        return None, [
            finding("B002", position, message, "check that it is the file you mean, and save it as plain text")
        ]
    source = SourceText(file, CONTROL.sub("�", text))
    return source, _forbidden(source, text)


def _forbidden(source: SourceText, text: str) -> list[Diagnostic]:
    """One finding a line."""
    found: dict[int, Diagnostic] = {}
    for control in CONTROL.finditer(text):
        char = control.group()
        position = source.span(*control.span())
        if position.line in found:
            continue
        name = _NAMES.get(char, "a control character")
        hint = "delete it and type an ordinary space, or a line break"
        message = f"{name} (U+{ord(char):04X}) stands here, which an editor does not show"
        found[position.line] = placed(source, "B003", position, message, hint)
        if len(found) == _MOST:
            break
    return list(found.values())


def _bad_byte(file: str, data: bytes, at: int) -> Diagnostic:
    """The first byte that is not UTF-8, shown as what an old Windows encoding would make of it."""
    before = SourceText(file, data[:at].decode("utf-8"))
    line, column = before.place(len(before.text))
    rest = re.split(rb"[\r\n]", data[at:], maxsplit=1)[0]
    shown = rest.decode("cp1252", errors="replace")
    position = Position(file, line + 1, column + 1, line + 1, column + 2)
    message = f"this file is not saved as UTF-8; the first character that shows it is probably {said(shown[:1])}"
    hint = "save it again and choose the encoding UTF-8"
    return finding("B002", position, message, hint, before.lines[line] + shown)


def _looks_wide(data: bytes) -> bool:
    """Whether every other byte is NUL, as in UTF-16 without its mark."""
    head = data[:200]
    pairs = len(head) // 2
    return pairs > 1 and max(head[0::2].count(0), head[1::2].count(0)) > pairs * 0.7
