"""Which unquoted YAML texts are numbers, true, false or nothing: the YAML 1.2 core rules, narrowed."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

Value = str | int | float | bool | None

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"([-+]?)(?:([0-9]+)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_OTHER_BASES = re.compile(r"0x[0-9A-Fa-f]+|0o[0-7]+")
_NO_NUMBERS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_STARTS = frozenset("0123456789+-.")
LARGEST = 2**53 - 1
"""Every whole number up to here is kept exactly, in JSON, JavaScript and a float too."""
_DIGITS = len(str(LARGEST))


class Fault(NamedTuple):
    """A text that looks like a number but is not taken as one."""

    code: str
    message: str
    hint: str


def resolve(text: str) -> tuple[Value, Fault | None]:
    """The value of an unquoted text, and what is wrong with it as a number. A faulty one stays text."""
    if text in _WORDS:
        return _WORDS[text], None
    if text[0] not in _NUMBER_STARTS:
        return text, None
    found = _DECIMAL.fullmatch(text)
    if not found:
        return text, _not_decimal(text)
    sign, whole, fraction, exponent = found.groups()
    if whole and len(whole) > 1 and whole[0] == "0":
        plain = sign.replace("+", "") + (whole.lstrip("0") or "0") + (fraction or "") + (exponent or "")
        return text, Fault(
            "B015",
            f'"{_cut(text)}" begins with a zero, so it could be a number or a text',
            f'for the text type "{_cut(text)}" with the quotes, for the number type {_cut(plain)}',
        )
    if fraction is None and exponent is None and whole:
        if len(whole) > _DIGITS or int(whole) > LARGEST:
            return text, _out_of_range(text)
        return int(text), None
    number = float(text)
    if math.isinf(number) or (number == 0 and re.search("[1-9]", text.lower().partition("e")[0])):
        return text, _out_of_range(text)
    return number, None


def _not_decimal(text: str) -> Fault | None:
    if _OTHER_BASES.fullmatch(text):
        plain = f", for the number type {int(text, 0)}" if len(text) < 16 else ", for the number type it in decimals"
        return Fault(
            "B015",
            f'"{_cut(text)}" is a number in a notation for programmers',
            f'for the text type "{_cut(text)}" with the quotes{plain}',
        )
    if _NO_NUMBERS.fullmatch(text):
        return Fault(
            "B015",
            f'"{text}" means infinity or no number at all, and no policy can count with that',
            f'type a plain number, or "{text}" with the quotes for the text',
        )
    return None


def _out_of_range(text: str) -> Fault:
    return Fault(
        "B016",
        f'"{_cut(text)}" is out of range, so it would not be kept exactly',
        f'type a number closer to 0; if it is an id or a code, put it in quotes: "{_cut(text)}"',
    )


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
