"""Query parameters: read strictly, refused in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.datastructures import QueryParams

from botopt.model.names import did_you_mean
from botopt.model.values import time_us
from botopt.server.problems import Problem
from botopt.sources.texts import is_name

_YES, _NO = frozenset({"", "1", "true", "yes"}), frozenset({"0", "false", "no"})


def flag(parameters: QueryParams, name: str) -> bool:
    """A parameter that says yes or no; `?wait` alone says yes."""
    value = parameters.get(name)
    if value is None:
        return False
    word = value.lower()
    if word not in _YES and word not in _NO:
        raise wrong(name, "is true or false", f"?{name}=true")
    return word in _YES


def name(parameters: QueryParams, key: str) -> str | None:
    """A parameter that holds an id or another name."""
    value = parameters.get(key)
    if value is not None and not is_name(value):
        raise wrong(key, "has 1 to 256 characters, none of them a control character", "look at its value")
    return value


def choice(parameters: QueryParams, key: str, options: Iterable[str]) -> str | None:
    """A parameter that is one of some words."""
    value = parameters.get(key)
    known = tuple(options)
    if value is not None and value not in known:
        raise wrong(key, f"is one of {', '.join(known)}", did_you_mean(value[:100], known) or "use one of them")
    return value


def whole_number(parameters: QueryParams, key: str, lowest: int, highest: int) -> int | None:
    """A parameter that counts."""
    value = parameters.get(key)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 20 and lowest <= int(value) <= highest):
        raise wrong(key, f"is a whole number from {lowest:,} to {highest:,}", f"?{key}={lowest}")
    return int(value)


def instant(parameters: QueryParams, key: str) -> int | None:
    """A parameter that is a time, as microseconds since 1970 UTC."""
    value = parameters.get(key)
    if value is None:
        return None
    us = time_us(value)
    if us is None or us < 0:
        raise wrong(key, "is a time with an offset", f"?{key}=2026-03-01T09:00:00Z (a + is written %2B in an address)")
    return us


def only(parameters: QueryParams, known: Mapping[str, object] | Iterable[str]) -> None:
    """Refuse parameters that nothing reads: a misspelt filter would let everything through."""
    names = tuple(known)
    for key in parameters:
        if key not in names:
            raise Problem(
                "bad-parameter",
                f"there is no parameter {key[:100]!a}",
                did_you_mean(key[:100], names) or f"there are {', '.join(names) or 'none'}",
            )
    for key in names:
        if len(parameters.getlist(key)) > 1:
            raise wrong(key, "stands once", "give it once")


def wrong(key: str, must: str, fix: str) -> Problem:
    """A parameter with a wrong value; the value is not repeated."""
    return Problem("bad-parameter", f"the parameter {key} {must}", fix)
