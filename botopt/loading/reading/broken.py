"""Why a piece of a file is no YAML, in plain words. The YAML parser's own words are for programmers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from botopt.loading.reading import traps
from botopt.loading.reading.flow import flow_trap
from botopt.loading.reading.lines import Line, closing_quote, indentation, is_content, take_apart
from botopt.loading.reading.source import SourceText
from botopt.loading.reading.traps import placed
from botopt.loading.reading.tree import Unreadable
from botopt.loading.reading.wording import (
    NO_BREAK_SPACES,
    SMART_QUOTES,
    quote_all,
    said,
    without_comment,
)
from botopt.model.diagnostic import Diagnostic

_COLON = re.compile(r":(?=[ \t]|$)")
_KEY_LINE = re.compile(r"[ \t]*([A-Za-z_][\w.-]*)[ \t]*:(?=[ \t]|$)")
_GLUED = re.compile(r"([A-Za-z_][\w.-]*):(?!//)(\S.*)")
_LEADING = re.compile(f"[ \t]*([{NO_BREAK_SPACES}]+)[ \t{NO_BREAK_SPACES}]*")
_AFTER_COLON = re.compile(f"[^:#]*?[\\w\"']:[ \t]*([{NO_BREAK_SPACES}]+)")
_DASHED = re.compile(r" *(-)([A-Za-z_][\w.-]*:?)(?=[ \t]|$)")
_NEXT_KEY = re.compile(r",[ \t]*([a-z_]+)$")
_BLOCK_HEADER = re.compile(r"[|>][-+1-9]*(?:[ \t]+#.*)?")
_KEY_BEFORE = re.compile(r"([A-Za-z_][\w.-]*):[ \t]*$")
_RESERVED = "@`%&*!|>?,]}"


class Piece(NamedTuple):
    """Some lines, counted from 0, that the parser refused; `line` is the first of them taken apart."""

    source: SourceText
    first: int
    last: int
    why: Unreadable
    line: Line

    @property
    def start(self) -> int:
        """The index of the value in the file's text."""
        return self.source.offset(self.first, self.line.value_column)

    @property
    def end(self) -> int:
        return self.source.offset(self.last, 0)


def diagnose(source: SourceText, first: int, last: int, why: Unreadable) -> Diagnostic:
    """The finding for lines `first` up to `last`, which the parser refused."""
    if why.found:
        return why.found
    if first >= last:
        first, last = why.line, why.line + 1
    while first + 1 < last and not is_content(source.lines[first]):
        first += 1
    piece = Piece(source, first, last, why, take_apart(source.lines[first]))
    for trap in _TRAPS:
        if found := trap(piece):
            return found
    return _untranslated(piece)


def _tab(piece: Piece) -> Diagnostic | None:
    for number in dict.fromkeys((piece.first, piece.why.line)):
        if found := tab_indented(piece.source, number):
            return found
    return None


def tab_indented(source: SourceText, number: int) -> Diagnostic | None:
    """A tab among the blanks that a line begins with."""
    line = source.lines[number]
    lead = line[: len(line) - len(line.lstrip(" \t"))]
    if "\t" not in lead or len(lead) == len(line):
        return None
    start = source.starts[number] + lead.index("\t")
    end = source.starts[number] + len(lead)
    message = "this line is indented with a tab, and YAML takes only spaces"
    return placed(source, "B007", source.span(start, end), message, "type two spaces instead of each tab")


def _strange_blank(piece: Piece) -> Diagnostic | None:
    source = piece.source
    for number in dict.fromkeys((piece.first, piece.why.line)):
        for pattern, where in ((_LEADING, "at the beginning of this line"), (_AFTER_COLON, "after the colon")):
            if found := pattern.match(source.lines[number]):
                start = source.starts[number]
                position = source.span(start + found.start(1), start + found.end(1))
                return traps.invisible(source, position, found.group(1), where)
    return None


def _dash(piece: Piece) -> Diagnostic | None:
    """`-key: value`, which leaves what stands below it out of line."""
    found = _DASHED.match(piece.source.lines[piece.first])
    if not found:
        return None
    start = piece.source.starts[piece.first] + found.start(1)
    message = "a space is missing after the dash"
    return placed(piece.source, "B030", piece.source.span(start, start + 1), message, f"type - {found.group(2)}")


def _typographic(piece: Piece) -> Diagnostic | None:
    value = without_comment(piece.line.value)
    if value[:1] not in SMART_QUOTES or not value:
        return None
    position = piece.source.span(piece.start, piece.start + len(value))
    return traps.smart_quoted(piece.source, position, value, piece.line.key)


def _quotes(piece: Piece) -> Diagnostic | None:
    source, start = piece.source, piece.start
    if piece.line.value[:1] not in {"'", '"'}:
        return None
    closing = closing_quote(source.text, start, piece.end)
    if closing < 0:
        return traps.unclosed(source, start, piece.line.key)
    line, column = source.place(closing)
    rest = source.lines[line][column + 1 :].strip(" \t")
    if not rest or rest.startswith("#"):
        return None
    if line != piece.first and _KEY_LINE.match(source.lines[line]):
        return traps.unclosed(source, start, piece.line.key, line + 1)
    end = closing + 1 + len(without_comment(source.lines[line][column + 1 :]))
    return traps.goes_on(source, start, closing, end, piece.line.key)


def _backslash(piece: Piece) -> Diagnostic | None:
    """A backslash between double quotes, which give it a meaning."""
    source, why = piece.source, piece.why
    if not re.search("escape|hex(a)?decimal", why.problem):
        return None
    begin = source.starts[why.line]
    start = source.text.rfind("\\", begin, source.offset(why.line, why.column) + 1)
    if start < 0:
        return None
    message = f"{source.text[start : start + 2]} means nothing between double quotes, where a backslash is special"
    quote = source.text.rfind('"', begin, start)
    closing = closing_quote(source.text, quote, piece.end) if quote >= 0 else -1
    inner = source.text[quote + 1 : closing]
    key = _KEY_BEFORE.search(source.text, begin, max(quote, begin))
    hint = "type two backslashes for one"
    if closing >= 0 and "'" not in inner and "\n" not in inner:
        hint = "use single quotes: " + (f"{key.group(1)}: " if key else "") + f"'{inner}'"
    return placed(source, "B031", source.span(start, start + 2), message, hint)


def _braces(piece: Piece) -> Diagnostic | None:
    if not piece.line.value.startswith(("{{", "{%", "{#")):
        return None
    return traps.braces(piece.source, piece.start, piece.line.key, flow=False)


def _brackets(piece: Piece) -> Diagnostic | None:
    if piece.line.value[:1] not in {"{", "["}:
        return None
    found, after = flow_trap(piece.source, piece.start, piece.end)
    if found:
        return found
    line, column = piece.source.place(after)
    rest = without_comment(piece.source.lines[line][column:]).strip(" \t")
    if not rest or (rest == ":" and not piece.line.key):
        return None
    if rest == ",":
        comma = piece.source.text.index(",", after)
        message = "a comma stands after the closing bracket"
        return placed(piece.source, "B004", piece.source.span(comma, comma + 1), message, "delete the comma")
    value = without_comment(piece.line.value)
    bracket = value[0]
    message = f"a text that begins with {bracket} needs quotes, or YAML takes the bracket for its own"
    hint = quote_all(piece.line.key, value)
    return placed(piece.source, "B029", piece.source.span(piece.start, piece.start + 1), message, hint)


def _block_text(piece: Piece) -> Diagnostic | None:
    """A line of a text below `|` or `>` that begins further left than the first one."""
    source = piece.source
    if not _BLOCK_HEADER.fullmatch(piece.line.value):
        return None
    body = [number for number in range(piece.first + 1, piece.last) if source.lines[number].strip(" \t")]
    for number in body:
        column, wanted = indentation(source.lines[number]), indentation(source.lines[body[0]])
        if column < wanted:
            start = source.starts[number] + column
            position = source.span(start, source.starts[number] + len(source.lines[number].rstrip(" \t")))
            message = f"this line of the text begins at column {column + 1}, its first line at column {wanted + 1}"
            return placed(source, "B008", position, message, "line it up with the first line of the text")
    return None


def _reserved(piece: Piece) -> Diagnostic | None:
    value = without_comment(piece.line.value)
    first = value[:1]
    dash = value.startswith("- ") and bool(piece.line.key)
    if not value or not (first in _RESERVED or dash or value in {"-", ":"} or value.startswith(": ")):
        return None
    message = f"a text cannot begin with {first} unless it is in quotes"
    hint = quote_all(piece.line.key, value)
    if dash:
        message = "a list cannot begin on the line of its key"
        hint = f"type {said(value)} on a line of its own below {said(piece.line.key)}"
    return placed(piece.source, "B029", piece.source.span(piece.start, piece.start + 1), message, hint)


def _no_colon(piece: Piece) -> Diagnostic | None:
    value = without_comment(piece.line.value)
    if piece.line.key or not value or value[0] in "'\"[{":
        return None
    before = piece.source.lines[piece.first][: piece.line.value_column]
    if ":" in before:
        colon = piece.source.starts[piece.first] + before.index(":")
        message = "nothing stands in front of this colon"
        return placed(piece.source, "B013", piece.source.span(colon, colon + 1), message, "type the key in front of it")
    return no_colon(piece.source, piece.start, value)


def no_colon(source: SourceText, start: int, value: str) -> Diagnostic:
    """A line that is no `key: value`."""
    if glued := _GLUED.match(value):
        colon = start + glued.end(1)
        message = f"a space is missing after the colon of {said(glued.group(1))}"
        return placed(
            source,
            "B030",
            source.span(colon, colon + 1),
            message,
            f"type {glued.group(1)}: {glued.group(2).lstrip(':')}",
        )
    position = source.span(start, start + len(value))
    word, _, rest = value.partition(" ")
    if not rest:
        hint = f"type {word}: if it is a key; if it belongs to what stands above, indent it"
        return placed(source, "B030", position, f"a colon is missing after {said(word)}", hint)
    hint = f"type {word}: {rest.lstrip(' :')}"
    hint += "; if the line belongs to what stands above, indent it"
    message = f"{said(value)} is neither a key with a colon nor an entry of a list"
    return placed(source, "B030", position, message, hint)


def _colon_in_text(piece: Piece) -> Diagnostic | None:
    source, line = piece.source, piece.line
    value = without_comment(line.value)
    if not line.key or not value or value[0] in "'\"[{":
        return None
    for number in range(piece.first, piece.last):
        text = source.lines[number] if number > piece.first else ""
        if number > piece.first and _KEY_LINE.match(text):
            return _too_deep_below(piece, number)
        begin = line.value_column if number == piece.first else 0
        found = _COLON.search(without_comment(source.lines[number]), begin)
        if found and is_content(source.lines[number]):
            colon = source.starts[number] + found.start()
            whole = value if number == piece.first else source.text[piece.start : source.offset(number + 1, 0)].rstrip()
            words = source.lines[number][begin : found.start()]
            what = (
                "a colon followed by a space" if source.lines[number][found.end() :].strip() else "a colon at the end"
            )
            message = f"{what} makes YAML take {said(words, 30)} for a key"
            hint = quote_all(line.key, whole)
            if next_key := _NEXT_KEY.search(words):
                hint = f"type {said(next_key.group(1))} on a line of its own if it is the next key - or {hint}"
            return placed(source, "B023", source.span(colon, colon + 1), message, hint)
    return None


def _below_a_value(piece: Piece) -> Diagnostic | None:
    for number in range(piece.first + 1, piece.last):
        if is_content(piece.source.lines[number]) and piece.line.value:
            return _too_deep_below(piece, number)
    return None


def _too_deep_below(piece: Piece, number: int) -> Diagnostic:
    source, key = piece.source, piece.line.key or piece.line.value
    text = source.lines[number]
    start = source.starts[number] + len(text) - len(text.lstrip(" \t"))
    end = source.starts[number] + len(text.rstrip(" \t"))
    what = said(take_apart(text).key or text.strip())
    message = f"{what} is indented deeper than {said(key)} in line {piece.first + 1}, which has a value already"
    if start - source.starts[number] <= piece.line.start:
        message = f"a list begins here, but {said(key)} in line {piece.first + 1} has a value already"
        hint = f"delete the value after {said(key)} if the list is meant, or indent the list to where it belongs"
        return placed(source, "B008", source.span(start, end), message, hint)
    hint = f"line it up with {said(key, 30)}"
    if " " in piece.line.value and piece.line.value[0] not in "'\"[{":
        hint += ", or put the whole text in quotes if both lines are one text"
    return placed(source, "B008", source.span(start, end), message, hint)


_TRAPS: tuple[Callable[[Piece], Diagnostic | None], ...] = (
    _backslash,
    _tab,
    _strange_blank,
    _dash,
    _typographic,
    _quotes,
    _braces,
    _brackets,
    _block_text,
    _reserved,
    _no_colon,
    _colon_in_text,
    _below_a_value,
)


def _untranslated(piece: Piece) -> Diagnostic:
    source, why = piece.source, piece.why
    start = source.offset(why.line, why.column)
    position = source.span(start, min(start + 1, len(source.text)))
    message = "this part cannot be read: something before this place is not finished, or does not belong here"
    if source.line(why.line + 1).startswith("%"):
        message = "this line begins with %, and YAML takes that for an instruction"
    hint = "check quotes, brackets, colons and the indentation of this line and the one above"
    return placed(source, "B004", position, message, hint)
