"""JSON, strictly: what two programs could read differently is refused, and said in words.

This is the standard library's scanner with hooks. Ordinary lines never come here: `sources/typed.py` decodes them. What
it leaves (CloudEvents, feedback about a certain message, whatever is doubtful or wrong) is read here at 3 to 4 µs an
event (`tests/sources/measure.py`). The scanner's own messages change between versions of Python, and records must not:
only positions are taken from it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NoReturn

from botopt.model.values import LARGEST, is_text, shown
from botopt.sources.faults import Fault
from botopt.sources.texts import is_name

MAX_DEPTH = 64
"""Levels of lists and objects in a line."""

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[][{}]', re.DOTALL)
_WORDS = {
    "Expecting value": "expected a value",
    "Expecting ',' delimiter": "expected ','",
    "Expecting ':' delimiter": "expected ':'",
    "Expecting property name enclosed in double quotes": "expected a key in double quotes",
    "Illegal trailing comma before end of object": "expected a key in double quotes",  # Python 3.13
    "Illegal trailing comma before end of array": "expected a value",
    "Unterminated string starting at": "a text is not closed that begins",
    "Invalid control character at": "a line break, tab or other control character inside a text",
    "Invalid \\escape": "an unknown escape with \\",
    "Invalid \\uXXXX escape": "an incomplete escape with \\u",
    "Extra data": "something follows after the end",
}
_MOST_DIGITS = len(str(-LARGEST))


class TooLarge(Fault):
    """A number that not every program can hold."""


def parse(text: str, *, most_depth: int = MAX_DEPTH, called: str = "line") -> object:
    """The value that a text holds.

    Args:
        text: the JSON text.
        most_depth: levels that it may have.
        called: what people call the text.

    Raises:
        Fault: the text is not JSON, or not strict.
    """
    if text.count("{") + text.count("[") > most_depth and _depth(text) > most_depth:
        raise Fault(f"nested too deeply: more than {most_depth} levels")
    try:
        value = _decode(text)
    except json.JSONDecodeError as fault:
        raise Fault(f"not valid JSON: {_words(text, fault, called)}") from None
    except TooLarge as fault:
        raise Fault(fault.detail, _key_of(_path(_mark(text), lambda part: part is _MARK))) from None
    if "\\u" in text:
        check_halves(value)
    return value


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in _TOKEN.finditer(text):
        match text[token.start()]:
            case "{" | "[":
                depth += 1
                deepest = max(deepest, depth)
            case "}" | "]":
                depth -= 1
            case _:
                pass
    return deepest


def _words(text: str, fault: json.JSONDecodeError, called: str) -> str:
    end = len(text.rstrip())
    position = fault.pos
    if fault.msg.startswith("Illegal trailing comma"):
        position += len(text[position + 1 :]) - len(text[position + 1 :].lstrip()) + 1
    words = next((said for begin, said in _WORDS.items() if fault.msg.startswith(begin)), "unreadable")
    if position >= end:
        return f"the {called} ends too early, after character {end}"
    if text[position] == "\ufeff":
        words = "a byte order mark that is not at the beginning of the file"
    return f"{words} at character {position + 1}"


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise Fault(f"a key stands twice: {shown(twice)}", twice if is_name(twice) else None)
    return value


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS or not -LARGEST <= (value := int(text)) <= LARGEST:
        digits = text if len(text) <= 30 else f"{text[:30]}…"
        raise TooLarge(f"a number is too large: {digits} is beyond 2 to the power of 53")
    return value


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise TooLarge(f"a number is too large: {text if len(text) <= 30 else f'{text[:30]}…'}")
    return value


def _no_number(text: str) -> NoReturn:
    raise Fault(f"not valid JSON: {text} is no number")


_decode = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_no_number
).decode

# To say which key is at fault, a line is read once more; that happens to rejected lines only.

_MARK = object()


def _marking(hook: Callable[[str], object]) -> Callable[[str], object]:
    def marked(text: str) -> object:
        try:
            return hook(text)
        except TooLarge:
            return _MARK

    return marked


_marking_decode = json.JSONDecoder(parse_int=_marking(_integer), parse_float=_marking(_float)).decode


def _mark(text: str) -> object:
    try:
        return _marking_decode(text)
    except ValueError:
        return None  # broken JSON after the number


def check_halves(value: object) -> None:
    """Refuse half characters anywhere in a value.

    Raises:
        Fault: there is one.
    """
    try:
        path = _path(value, lambda part: isinstance(part, str) and not is_text(part))
    except RecursionError:  # nothing that `parse` gave
        raise Fault("nested too deeply: nobody reads that") from None
    if path is not None:
        raise Fault("a text is broken: it holds half a character (a lone surrogate)", _key_of(path))


def _path(value: object, wanted: Callable[[object], bool]) -> tuple[object, ...] | None:
    """The keys that lead to the first part that is wanted, keys of objects being parts too."""
    if wanted(value):
        return ()
    parts: Iterator[tuple[object, object]] = iter(())
    match value:
        case dict():
            if any(wanted(key) for key in value):
                return ()
            parts = iter(value.items())
        case list():
            parts = iter(enumerate(value))
        case _:
            pass
    for key, part in parts:
        path = _path(part, wanted)
        if path is not None:
            return (key, *path)
    return None


def _key_of(path: tuple[object, ...] | None) -> str | None:
    """The field where the path leads into `data`, else the key of the envelope."""
    if not path:
        return None
    name = path[1] if path[0] == "data" and len(path) > 1 else path[0]
    return name if is_name(name) else None
