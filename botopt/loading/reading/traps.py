"""What YAML accepts and an author did not mean: one finding for a key or a value, or none."""

from __future__ import annotations

import re

from botopt.loading.reading.nodes import Scalar
from botopt.loading.reading.source import SourceText
from botopt.loading.reading.values import resolve
from botopt.loading.reading.wording import (
    CONDITION_KEYS,
    INVISIBLE,
    NO_BREAK_SPACES,
    OPENING_QUOTES,
    SMART_QUOTES,
    quote_all,
    said,
    typed,
    without_comment,
    without_outer_quotes,
)
from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic
from botopt.model.position import Position

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
STRAY_BLANK = re.compile(f"[{NO_BREAK_SPACES}{INVISIBLE}]+")
_EDGE_BLANK = re.compile(f"^[{NO_BREAK_SPACES}]+|[{NO_BREAK_SPACES}]+$|(?<=^[\\w.-]:)[{NO_BREAK_SPACES}]+")
_BLANK_AFTER_COLON = re.compile(f"[A-Za-z_][\\w.-]*:([{NO_BREAK_SPACES}]+)")
_COMMENT = re.compile(r"[ \t]+(#[\w(\[{<$\"'“‘].*)")
_LISTED = re.compile(r"""(['"])[^'"]*\1([ ]*,[ ]*(['"])[^'"]*\3)+""")
_DASHED = re.compile(r"-[A-Za-z_]")


def placed(source: SourceText, code: str, position: Position, message: str, hint: str = "") -> Diagnostic:
    """A finding that shows the line it is about."""
    return finding(code, position, message, hint, source.line(position.line))


def key_trap(key: Scalar) -> Diagnostic | None:
    """What is wrong with a key as a piece of writing; whether it means anything is asked later."""
    source, text = key.source, key.text
    if key.quoted:
        return None
    if text == "<<":
        message = 'botopt does not merge maps with "<<"'
        return placed(source, "B012", key.position, message, "write out the keys that you want here")
    if stray := STRAY_BLANK.search(text):
        leading = not stray.start() and not source.line(key.position.line)[: key.position.column - 1].strip(" ")
        where = "at the beginning of this line" if leading else f"in the key {said(STRAY_BLANK.sub('', text))}"
        return invisible(source, key.span(*stray.span()), stray.group(), where)
    if text and text[0] in SMART_QUOTES:
        plain = without_outer_quotes(text)
        message = f"{said(text)} stands in typographic quotes, which YAML reads as letters of the key"
        return placed(source, "B027", key.position, message, f"type {plain} without quotes")
    if _DASHED.match(text):
        message = f"a space is missing between the dash and {said(text[1:])}"
        return placed(source, "B030", key.span(0, 1), message, f"type - {text[1:]}: with a space after the dash")
    return None


def value_trap(value: Scalar, key: str, parent_column: int, flow: bool) -> Diagnostic | None:
    """What is wrong with a value as a piece of writing. Columns count from 0."""
    if value.style in {"'", '"'}:
        return _quoted_trap(value, key, parent_column, flow)
    if value.quoted:
        return None
    if not value.text:
        return _cut_off(value, key) or _strangely_indented(value) or empty(value, key)
    _, fault = resolve(value.text)
    if fault:
        return placed(value.source, fault.code, value.position, fault.message, fault.hint)
    if not isinstance(value.value, str):
        return None
    return _smart_quotes(value, key, flow) or _stray_blanks(value) or _cut_off(value, key) or _dashed(value, flow)


def _strangely_indented(value: Scalar) -> Diagnostic | None:
    """What belongs to an empty value may stand below, behind blanks that YAML takes for letters."""
    number = value.position.line + 1
    found = re.compile(f" *([{NO_BREAK_SPACES}]+)").match(value.source.line(number))
    if not found:
        return None
    start = value.source.starts[number - 1]
    position = value.source.span(start + found.start(1), start + found.end(1))
    return invisible(value.source, position, found.group(1), "at the beginning of this line")


def empty(value: Scalar, key: str) -> Diagnostic:
    """Nothing at all stands after a colon or a dash."""
    what = f"{said(key)} has no value" if key else "there is nothing after this dash"
    after = "colon" if key else "dash"
    hint = f"type the value after the {after}, or delete the line; lines below that belong to it must be indented"
    return placed(value.source, "B014", value.position, what, hint)


def invisible(source: SourceText, position: Position, chars: str, where: str) -> Diagnostic:
    """A character that looks like a space, or like nothing, and is none to YAML."""
    plain = bool(re.search(f"[{NO_BREAK_SPACES}]", chars))
    name = "a non-breaking space" if plain else "an invisible character"
    hint = "delete it and type an ordinary space" if plain else "put the cursor behind it and press backspace"
    return placed(source, "B028", position, f"{name} (U+{ord(chars[0]):04X}) stands {where}", hint)


def tagged(source: SourceText, start: int) -> Diagnostic:
    """`!name` in front of a value."""
    found = re.compile(r"\S+").match(source.text, start)
    end = found.end() if found else start + 1
    word = source.text[start:end]
    hint = "put the whole text in quotes if it begins with an exclamation mark"
    if re.fullmatch(r"![a-z_.]+", word):
        hint = f'in a condition type "not {word[1:]}"; {hint}'
    return placed(source, "B010", source.span(start, end), f"{said(word)} is a YAML tag, and botopt takes none", hint)


def _quoted_trap(value: Scalar, key: str, parent_column: int, flow: bool) -> Diagnostic | None:
    if control := CONTROL.search(value.text):
        name = f"U+{ord(control.group()):04X}"
        hint = "delete it from the text"
        message = f"this text contains a control character ({name})"
        return placed(value.source, "B003", value.span(*control.span()), message, hint)
    first, last = value.position.line, value.position.end_line
    for number in range(first + 1, last + 1) if not flow else ():
        line = value.source.line(number)
        content = line.lstrip(" \t")
        if content and len(line) - len(content) <= parent_column:
            return unclosed(value.source, value.raw[0], key, number)
    return None


def unclosed(source: SourceText, start: int, key: str, reaches: int = 0, flow: bool = False) -> Diagnostic:
    """A quote that opens and does not close where its author thought."""
    line, column = source.place(start)
    quote = source.text[start]
    rest = source.lines[line][column + 1 :].rstrip(" \t")
    closed_by = "”" if rest.endswith(("”", "“", "’", "‘")) else ""
    message = f"this quote ({quote}) is never closed"
    if reaches:
        message = f"this quote ({quote}) is not closed on its line, so the text runs on into line {reaches}"
    if closed_by:
        message = f"this quote ({quote}) is closed by a typographic one ({rest[-1]}), which YAML reads as a letter"
    text = without_outer_quotes(quote + (re.split(r"[,\]}]", rest)[0] if flow else rest))
    if "'" in text and quote == "'":
        text = text.rstrip("'")
    return placed(source, "B021", source.span(start, start + 1), message, f"close it at the end: {typed(key, text)}")


def smart_quoted(source: SourceText, position: Position, text: str, key: str) -> Diagnostic:
    """A value in the quotes that word processors make."""
    message = f"{said(text)} stands in typographic quotes, which YAML reads as letters of the text"
    hint = f"type straight quotes: {typed(key, without_outer_quotes(text))}"
    return placed(source, "B027", position, message, hint)


def _smart_quotes(value: Scalar, key: str, flow: bool) -> Diagnostic | None:
    text = value.text
    if text[0] not in SMART_QUOTES:
        return None
    inner = text[1:-1]
    wrapped = len(text) > 1 and text[-1] in SMART_QUOTES + "\"'" and not any(quote in inner for quote in OPENING_QUOTES)
    # A comma inside `{ }` cuts such a text in two, so its end need not be in sight.
    if wrapped or (flow and not any(quote in text[1:] for quote in SMART_QUOTES)):
        return smart_quoted(value.source, value.position, text if wrapped else _to_smart_quote(value), key)
    return None


def _to_smart_quote(value: Scalar) -> str:
    """A text as far as its closing quote, beyond the comma that ends it."""
    rest = value.source.line(value.position.line)[value.position.column - 1 :]
    found = re.compile(f".[^{SMART_QUOTES}]*[{SMART_QUOTES}]").match(rest)
    return found.group() if found else value.text


def _stray_blanks(value: Scalar) -> Diagnostic | None:
    text = value.text
    if found := _BLANK_AFTER_COLON.match(text):
        return invisible(value.source, value.span(*found.span(1)), found.group(1), "after the colon")
    if found := _EDGE_BLANK.search(text):
        where = "before" if found.start() == 0 else "after"
        plain = said(text.strip(found.group()))
        return invisible(value.source, value.span(*found.span()), found.group(), f"{where} {plain}")
    return None


def _cut_off(value: Scalar, key: str) -> Diagnostic | None:
    """A `#` right before a word: more often a number or a hashtag than a comment."""
    line = value.source.line(value.position.end_line)
    found = _COMMENT.match(line, value.position.end_column - 1)
    if not found:
        return None
    start = value.source.offset(value.position.end_line - 1, found.start(1))
    position = value.source.span(start, start + len(found.group(1).rstrip(" \t")))
    return cut_by_comment(value.source, position, value.text, found.group(1), key)


def cut_by_comment(source: SourceText, position: Position, text: str, comment: str, key: str) -> Diagnostic:
    """A text with a `#` in it that is neither quoted nor followed by a space."""
    comment = comment.rstrip(" \t")
    what = f"the text ends at {said(text, 30)}" if text else "there is no text here"
    whole = f"{text} {comment}".strip(" ")
    if whole[0] in SMART_QUOTES:
        whole = without_outer_quotes(whole)
    return placed(
        source,
        "B024",
        position,
        f"{what}: YAML takes {said(comment, 30)} for a comment",
        f"if it belongs to the text, use quotes: {typed(key, whole)} - if it is a comment, type a space after the #",
    )


def _dashed(value: Scalar, flow: bool) -> Diagnostic | None:
    """`-word` on a line of its own."""
    before = value.source.line(value.position.line)[: value.position.column - 1]
    if flow or before.strip(" ") or not _DASHED.match(value.text):
        return None
    message = "a space is missing between the dash and the text"
    return placed(value.source, "B030", value.span(0, 1), message, f"type - {value.text.split(' ')[0][1:]}")


def stands_alone(key: Scalar) -> bool:
    """Whether no colon follows a key inside `{ }`."""
    text, index = key.source.text, key.raw[1]
    while index < len(text) and text[index] in " \t\r\n":
        index += 1
    return not text.startswith(":", index)


def braces(source: SourceText, start: int, key: str, flow: bool) -> Diagnostic:
    """A text or a condition that begins with the braces of a template."""
    line, column = source.place(start)
    rest = without_comment(source.lines[line][column:])
    if flow:
        rest = rest[: rest.find("}}") + 2] if "}}" in rest else rest
    message = f"a text that begins with {rest[:2]} needs quotes, or YAML takes the bracket for its own"
    hint = quote_all(key, rest)
    inside = re.fullmatch(r"\{\{[ \t]*(.*?)[ \t]*\}\}", rest)
    if key in CONDITION_KEYS and inside:
        hint = f"type a condition without the braces: {key}: {inside.group(1)}"
    return placed(source, "B022", source.span(start, start + 2), message, hint)


def goes_on(source: SourceText, start: int, closing: int, end: int, key: str) -> Diagnostic:
    """A value that begins with a quote and goes on after the quote that closes it."""
    value = source.text[start:end]
    position = source.span(start, end)
    quote, after = value[0], source.text[closing + 1 : closing + 2]
    if after.isalnum():
        # 'Don't': the author closes the quote at the end, YAML at the apostrophe.
        inner = value[1:-1] if value[-1] == quote and end - 1 > closing else value[1:]
        message = f"the quote ({quote}) inside the text ends it after {said(source.text[start + 1 : closing], 30)}"
        return placed(source, "B020", position, message, f"use the other quotes around the text: {typed(key, inner)}")
    if source.lines[source.place(closing)[0]][source.place(closing)[1] + 1 :].strip(" \t") == ",":
        comma = source.text.index(",", closing)
        message = "a comma stands after the closing quote"
        return placed(source, "B020", source.span(comma, comma + 1), message, "delete the comma")
    seen = said(value[1 : closing - start], 30)
    message = f"the value begins with a quote and goes on after the closing one, so YAML sees only {seen}"
    if _LISTED.fullmatch(value):
        listed = f"{key}: [{value}]" if key else f"[{value}]"
        return placed(source, "B020", position, message, f"type a list in square brackets: {listed}")
    return placed(source, "B020", position, message, quote_all(key, value))
