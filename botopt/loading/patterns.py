"""Patterns of fields, in RE2: no text can make one of them slow."""

from __future__ import annotations

from collections.abc import Callable

import re2


def _quiet() -> object:
    options = re2.Options()
    options.log_errors = False  # it would write to the terminal
    return options


_OPTIONS = _quiet()


def matcher(text: str) -> Callable[[str], object]:
    """A function that says whether a whole text matches.

    Raises:
        re2.error: this is no pattern.
    """
    fullmatch: Callable[[str], object] = re2.compile(text, _OPTIONS).fullmatch
    return fullmatch
