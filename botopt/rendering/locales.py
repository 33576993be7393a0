"""Locale tags: which ones exist, how they are written, and which of a variant's a user gets."""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache

from babel import Locale, UnknownLocaleError

_LONGEST = 40
"""No real tag is longer, and a user's comes with events."""

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*")


@lru_cache(maxsize=1024)
def _parsed(tag: str) -> Locale | None:
    if len(tag) > _LONGEST or not _TAG.fullmatch(tag):
        return None
    try:
        return Locale.parse(tag.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return None


def is_locale(tag: str) -> bool:
    """Whether Babel knows this locale, however it is written: `de-AT`, and `de_at` too."""
    return _parsed(tag) is not None


def canonical(tag: str) -> str:
    """A tag as it is written in a policy: `de_at` is `de-AT`, `zh-hant-tw` is `zh-Hant-TW`."""
    language, *rest = tag.replace("_", "-").split("-")
    return "-".join((language.lower(), *(_subtag(part) for part in rest)))


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part.lower()


def chain(tag: str) -> tuple[str, ...]:
    """The tag and what it falls back to: `de-AT`, then `de`."""
    if len(tag) > _LONGEST:
        return ()
    parts = canonical(tag).split("-")
    return tuple("-".join(parts[:length]) for length in range(len(parts), 0, -1))


def choose(tag: str, available: Container[str], otherwise: str) -> str:
    """The nearest available locale for a user's tag, else `otherwise`."""
    return next((candidate for candidate in chain(tag) if candidate in available), otherwise)


@lru_cache(maxsize=1024)
def locale(tag: str) -> Locale:
    """Babel's data for a tag or the nearest one it falls back to; English for a tag that is none.

    Validation refuses unknown tags, so the last resort only serves policies that were never validated.
    """
    return next((found for candidate in chain(tag) if (found := _parsed(candidate))), Locale("en"))
