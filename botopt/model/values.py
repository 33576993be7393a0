"""Whether a value obeys the field that it is for. Nothing is converted: `"42"` is no number, and true no integer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from botopt.model.condition import ValueType
from botopt.model.policy import FieldSpec, Value

LARGEST = 2**53
"""Integers up to here, either way, are exact in every program that reads JSON."""

_DEEPEST = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII)
# A day inside the calendar's ends, so that every time zone can show it.
_FIRST_US = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST_US = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // _MICROSECOND


class Problem(msgspec.Struct, frozen=True):
    """Why a value does not fit. The sentence follows the field's name: `amount` + `must be a number, not "high"`."""

    sentence: str


def check(spec: FieldSpec, value: object) -> Value | Problem:
    """The value as events carry it, or what is wrong with it.

    A number becomes a float, `5.0` an integer where one is wanted, a time microseconds. None is absent: the default
    steps in, and without one a field that is not optional has a problem.
    """
    if value is None:
        if spec.default is None and not spec.optional:
            return Problem("is missing")
        return spec.default
    return _CHECKS[spec.type](spec, value)


def is_text(text: str) -> bool:
    """Whether a text can be written as UTF-8: half a surrogate pair cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def time_us(text: str) -> int | None:
    """Microseconds since 1970 UTC of an RFC 3339 time with an offset, or None for any other text."""
    if not _TIME.fullmatch(text):
        return None
    try:
        us = (datetime.fromisoformat(text.upper()) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None
    return us if _FIRST_US <= us <= _LAST_US else None


def shown(value: object) -> str:
    """A value in a sentence: texts in quotes, and nothing longer than a line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            flat = " ".join(value.split())
            whole = flat if len(flat) <= 60 else flat[:59] + "…"
            return f'"{whole.encode("utf-8", "backslashreplace").decode()}"'
        case float() if value.is_integer() and abs(value) < LARGEST:
            return str(int(value))
        case int() | float():
            return repr(value) if isinstance(value, float) or abs(value) < 10**40 else f"{str(value)[:20]}…"
        case list() | tuple():
            return "a list"
        case _:
            return "an object"


def _text(spec: FieldSpec, value: object) -> Value | Problem:
    if not isinstance(value, str):
        return Problem(f"must be text, not {shown(value)}")
    if not is_text(value):
        return Problem("holds half a character, which nobody can read")
    if spec.one_of and value not in spec.one_of:
        return Problem(f"must be {any_of(spec.one_of)}, not {shown(value)}")
    if spec.max_length is not None and len(value) > spec.max_length:
        return Problem(f"must have at most {spec.max_length} characters, not {len(value)}")
    if spec.pattern is not None and not spec.pattern.fullmatch(value):
        return Problem(f"must match the pattern {spec.pattern.text}, and {shown(value)} does not")
    return value


def _integer(spec: FieldSpec, value: object) -> Value | Problem:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return Problem(f"must be a whole number, not {shown(value)}")
    return value if (problem := _bounds(spec, value)) is None else problem


def _number(spec: FieldSpec, value: object) -> Value | Problem:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return Problem(f"must be a number, not {shown(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        return Problem("must be a number, not infinity or no number at all")
    return float(value) if (problem := _bounds(spec, value)) is None else problem


def _bounds(spec: FieldSpec, value: float) -> Problem | None:
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        return Problem(f"must be a number from -{LARGEST} to {LARGEST}, not {shown(value)}")
    if spec.one_of and value not in spec.one_of:
        return Problem(f"must be {any_of(spec.one_of)}, not {shown(value)}")
    if spec.minimum is not None and value < spec.minimum:
        return Problem(f"must be at least {shown(spec.minimum)}, not {shown(value)}")
    if spec.maximum is not None and value > spec.maximum:
        return Problem(f"must be at most {shown(spec.maximum)}, not {shown(value)}")
    return None


def _boolean(_: FieldSpec, value: object) -> Value | Problem:
    return value if isinstance(value, bool) else Problem(f"must be true or false, not {shown(value)}")


def _time(_: FieldSpec, value: object) -> Value | Problem:
    us = time_us(value) if isinstance(value, str) else None
    if us is None:
        return Problem(f'must be a time such as "2026-03-01T09:00:00Z", not {shown(value)}')
    return us


def _list(_: FieldSpec, value: object) -> Value | Problem:
    if not isinstance(value, list):
        return Problem(f"must be a list, not {shown(value)}")
    return _inside(value) or value


def _object(_: FieldSpec, value: object) -> Value | Problem:
    if not isinstance(value, dict):
        return Problem(f"must be an object, not {shown(value)}")
    return _inside(value) or value


def _inside(value: object, depth: int = 1) -> Problem | None:
    """What no list or object may hold, however deep."""
    match value:
        case str():
            return None if is_text(value) else Problem("holds half a character, which nobody can read")
        case float() if not math.isfinite(value):
            return Problem("holds infinity or no number at all")
        case int() if not -LARGEST <= value <= LARGEST:
            return Problem(f"holds {shown(value)}, which is out of range")
        case list() | dict() if depth > _DEEPEST:
            return Problem(f"is nested more than {_DEEPEST} levels deep")
        case list():
            parts = value
        case dict():
            parts = [*value, *value.values()]
        case _:
            return None
    return next((problem for part in parts if (problem := _inside(part, depth + 1))), None)


def any_of(options: tuple[str | int | float, ...]) -> str:
    """`EUR, USD or INR`, or the first few of many."""
    words = [option if isinstance(option, str) else shown(option) for option in options]
    if len(words) > 8:
        return f"one of {', '.join(words[:6])} and {len(words) - 6} others"
    return f"{', '.join(words[:-1])} or {words[-1]}" if words[1:] else words[0]


_CHECKS: Mapping[ValueType, Callable[[FieldSpec, object], Value | Problem]] = {
    ValueType.TEXT: _text,
    ValueType.INTEGER: _integer,
    ValueType.NUMBER: _number,
    ValueType.BOOLEAN: _boolean,
    ValueType.TIME: _time,
    ValueType.LIST: _list,
    ValueType.OBJECT: _object,
}
