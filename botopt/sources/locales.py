"""Locale tags in `user.updated`."""

from __future__ import annotations

import re
from functools import lru_cache

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:[-_](?P<script>[a-z]{4}))?(?:[-_](?P<territory>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:[-_](?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)",
    re.IGNORECASE | re.ASCII,
)


@lru_cache(maxsize=4096)
def canonical_locale(tag: str) -> str | None:
    """A tag as policies write it (`de_at` is `de-AT`), or None for one that is unknown.

    Known means: Babel has the language, and the script and the country exist. `fr-DE` is known, though Unicode has no
    data for French in Germany: phones send such tags, and a message falls back to `fr`.
    """
    parts = _TAG.fullmatch(tag)
    if parts is None:
        return None
    language = parts["language"].lower()
    script = (parts["script"] or "").title()
    territory = (parts["territory"] or "").upper()
    if not _known(language, script, territory):
        return None
    variants = parts["variants"].replace("_", "-").lower().removeprefix("-")
    return "-".join(part for part in (language, script, territory, variants) if part)


def _known(language: str, script: str, territory: str) -> bool:
    from babel import Locale, UnknownLocaleError  # over 20 ms to import, and many inputs name no locale

    if language == "und":
        return False
    try:
        Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return False
    english = Locale("en")
    return (not script or script in english.scripts) and (not territory or territory in english.territories)
