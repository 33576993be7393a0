"""Texts that match simple patterns: letters, classes such as `[A-Z0-9]`, digits, and how often they come."""

from __future__ import annotations

import re
from random import Random

from botopt.model.policy import Pattern

_PIECE = re.compile(r"(?P<cls>\[(?!\^)(?:\\.|[^\]\\])+\])|(?P<esc>\\.)|(?P<any>\.)|(?P<char>[^\\\[\]().|?*+{}^$])")
_TIMES = re.compile(r"\{(\d+)(?:,(\d*))?\}|[?*+]")
_ESCAPED = {"d": "0123456789", "w": "abcdefghijklmnopqrstuvwxyz0123456789_", "s": " "}
_MORE = 3
"""How many times more something comes that may come any number of times, at most."""


def matching(pattern: Pattern, random: Random) -> str | None:
    """A text that the pattern matches; None where the pattern has more to it."""
    text, place, made = pattern.text, 0, []
    while place < len(text):
        piece = _PIECE.match(text, place)
        if piece is None:
            return None
        place = piece.end()
        letters = _letters(piece)
        low, high = 1, 1
        times = _TIMES.match(text, place)
        if times is not None:
            low, high = _bounds(times)
            place = times.end()
        made.append("".join(random.choice(letters) for _ in range(random.randint(low, high))))
    found = "".join(made)
    return found if pattern.fullmatch(found) else None


def _letters(piece: re.Match[str]) -> str:
    if piece["any"]:
        return "abcdefghij"
    if piece["char"]:
        return piece["char"]
    if piece["esc"]:
        return _ESCAPED.get(piece["esc"][1], piece["esc"][1])
    found, inside, place = "", piece["cls"][1:-1], 0
    while place < len(inside):
        if inside[place] == "\\":
            found += _ESCAPED.get(inside[place + 1], inside[place + 1])
            place += 2
        elif inside[place + 1 : place + 2] == "-" and place + 2 < len(inside):
            found += "".join(map(chr, range(ord(inside[place]), ord(inside[place + 2]) + 1)))
            place += 3
        else:
            found += inside[place]
            place += 1
    return found or "a"


def _bounds(times: re.Match[str]) -> tuple[int, int]:
    if times[0][0] != "{":
        return {"?": (0, 1), "*": (0, _MORE), "+": (1, 1 + _MORE)}[times[0]]
    low = int(times[1])
    high = low if times[2] is None else int(times[2] or low + _MORE)
    return low, max(low, min(high, low + 2 * _MORE))
