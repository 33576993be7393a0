"""Locale tags in settings. Templates have a check of their own, which also renders."""

from __future__ import annotations

import re

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}", re.ASCII)


def written(tag: str) -> str | None:
    """The tag as it is written in a policy (`de_at` is `de-AT`), or None if there is no such locale."""
    from babel import Locale, UnknownLocaleError  # slow to import

    if not _TAG.fullmatch(tag):
        return None
    try:
        Locale.parse(tag.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return None
    language, *rest = tag.replace("_", "-").split("-")
    return "-".join((language.lower(), *(_subtag(part) for part in rest)))


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part.lower()
