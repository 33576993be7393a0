"""What a line that is not strict JSON still says: its top-level texts, as far as they can be read.

This serves the record of a rejected line only, so that a person finds the event; nothing is decided on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_SPACE = re.compile(r"[ \t\r\n]*")
_TEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]', re.DOTALL)
_OTHER = re.compile(r'[^][{},":\s]+')


def salvage(text: str) -> Mapping[str, str]:
    """Top-level keys with a text as value, up to the first place that makes no sense.

    A key that stands twice is left out.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    twice: set[str] = set()
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        return found
    while True:
        key, at = _text_at(text, _skip(text, at + 1))
        at = _skip(text, at)
        if key is None or text[at : at + 1] != ":":
            break
        at = _skip(text, at + 1)
        (twice if key in seen else seen).add(key)
        value, end = _text_at(text, at)
        if value is None:
            end = _end_of_value(text, at)
            if end == at:
                break
        else:
            found[key] = value
        at = _skip(text, end)
        if text[at : at + 1] != ",":
            break
    return {key: value for key, value in found.items() if key not in twice}


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return at if space is None else space.end()


def _text_at(text: str, at: int) -> tuple[str | None, int]:
    quoted = _TEXT.match(text, at)
    if quoted is None:
        return None, at
    try:
        value = json.loads(quoted[0], strict=False)
    except ValueError:
        return None, at
    return str(value), quoted.end()


def _end_of_value(text: str, at: int) -> int:
    """Where a value ends that is no text; `at` itself where none can be made out."""
    if text[at : at + 1] not in {"{", "["}:
        other = _OTHER.match(text, at)
        return at if other is None else other.end()
    depth = 0
    for token in _BRACKET.finditer(text, at):
        if token[0] in {"{", "["}:
            depth += 1
        elif token[0] in {"}", "]"}:
            depth -= 1
            if depth == 0:
                return token.end()
    return at
