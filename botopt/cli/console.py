"""Where words go: results to standard output, everything else to standard error."""

from __future__ import annotations

import os
import sys
from functools import cache
from unicodedata import category

from rich.console import Console
from rich.markup import escape

_HARMLESS = ("Zs", "Mn", "Mc", "Cn")  # spaces of all kinds, marks, and what is newer than this Python
_WIDE = 100  # columns assumed where the output is no terminal


@cache
def out() -> Console:
    """Standard output."""
    return Console(soft_wrap=True, highlight=False, emoji=False, width=None if sys.stdout.isatty() else _WIDE)


@cache
def err() -> Console:
    """Standard error."""
    return Console(
        stderr=True, soft_wrap=True, highlight=False, emoji=False, width=None if sys.stderr.isatty() else _WIDE
    )


def say(text: str, style: str | None = None) -> None:
    """A line on standard error, printed as it is."""
    err().print(visible(text), style=style, markup=False)


def visible(text: str) -> str:
    """Text with control characters shown instead of obeyed: what users typed must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" or category(c) in _HARMLESS else f"\\x{ord(c):02x}" for c in text)


def marked(text: str) -> str:
    """Text to stand inside rich markup."""
    return escape(visible(text))


def mute_stdout() -> None:
    """After a broken pipe nothing more can be said there, and Python must not try at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
