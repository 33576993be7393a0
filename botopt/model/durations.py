"""Spans of time in microseconds, and durations as authors type them: `30s`, `15m`, `6h`, `1d`, `2w`, `1h30m`."""

from __future__ import annotations

import re

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

LONGEST_US = 3_660 * DAY_US
"""Ten years and a little: no window is meant to be longer."""

_UNITS = (604_800, 86_400, 3_600, 60, 1)
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)


def parse_duration(text: str) -> int | None:
    """Microseconds; None where the text is no duration, is zero, or is longer than ten years."""
    found = _DURATION.fullmatch(text) if text and len(text) <= 40 else None
    if found is None:
        return None
    seconds = sum(int(number or 0) * unit for number, unit in zip(found.groups(), _UNITS, strict=True))
    us = seconds * SECOND_US
    return us if 0 < us <= LONGEST_US else None
