"""Small words of the handbook: durations, lists, names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from botopt.model.counting import number_of

_UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def duration_words(microseconds: int) -> str:
    """`5400000000` is "1 hour 30 minutes"; a single day is "24 hours", which is what it lasts."""
    seconds = microseconds // 1_000_000
    if seconds == 86_400:
        return "24 hours"
    words = []
    units = _UNITS if seconds >= 2 * _UNITS[0][1] and seconds % _UNITS[0][1] == 0 else _UNITS[1:]
    for unit, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            words.append(counted(count, unit))
    return " ".join(words) or "no time"


def last_words(microseconds: int) -> str:
    """What follows "in the last": `hour`, `24 hours`, `7 days`."""
    return duration_words(microseconds).removeprefix("1 ") if _is_one(microseconds) else duration_words(microseconds)


def _is_one(microseconds: int) -> bool:
    return any(microseconds == size * 1_000_000 for unit, size in _UNITS if unit != "day")


def counted(count: int, noun: str) -> str:
    """`1 rule`, `2 rules`, `no rules`."""
    return number_of(count, noun, none="no")


def name_words(name: str) -> str:
    """A field's name as words: `days_late` and `daysLate` are "days late"."""
    return " ".join(_HUMP.sub(" ", name).replace("_", " ").split()).lower() or name


def quoted(text: str) -> str:
    """A name or a value that is text, in quotes, on one line."""
    return f"“{' '.join(text.split())}”" if text.strip() else "an empty text" if not text else "a blank text"


def listed(words: Sequence[str], word: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {word} {words[-1]}"


def sentence(text: str) -> str:
    """With a capital at the beginning and a full stop at the end."""
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."
