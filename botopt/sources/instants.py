"""When events happened: RFC 3339 texts, most of them read by looking up their minute."""

from __future__ import annotations

from botopt.model.instants import instant_us
from botopt.model.values import time_us

FIRST_US = instant_us("2000-01-01T00:00:00Z")
END_US = instant_us("2101-01-01T00:00:00Z")
"""Events happen from the first to before the end."""

LATEST_AHEAD_US = 5 * 60 * 1_000_000
"""How far ahead of its receipt an event may be dated: clocks differ a little."""

_MINUTE = len("2026-03-01T09:00")
_SECOND = len("2026-03-01T09:00:00")
_SECONDS = {f":{second:02}Z": second * 1_000_000 for second in range(60)}
_MILLISECONDS = {f".{number:03}Z": number * 1_000 for number in range(1_000)}
_MOST_MINUTES = 10_000


def rfc3339_us(text: str) -> int | None:
    """Microseconds since 1970 UTC of an RFC 3339 time, or None for any other text."""
    us = time_us(text)
    # RFC 3339 has a T there, and less than 60 minutes in an offset; `time_us` is used for more than this.
    if us is None or text[10] not in "Tt" or (text[-1] not in "Zz" and text[-2] > "5"):
        return None
    return us


class Minutes:
    """Remembers minutes of UTC in which an event happened, so that their other times are look-ups and a sum."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def event_us(self, text: str) -> int | None:
        """What `rfc3339_us` says, where events may happen then; else None."""
        minute = self._known.get(text[:_MINUTE])
        if minute is not None:
            second = _SECONDS.get(text[_MINUTE:])
            if second is not None:
                return minute + second
            second = _SECONDS.get(text[_MINUTE:_SECOND] + "Z")
            fraction = _MILLISECONDS.get(text[_SECOND:])
            if second is not None and fraction is not None:
                return minute + second + fraction
        us = rfc3339_us(text)
        if us is None or not FIRST_US <= us < END_US:
            return None
        if minute is None and text[-1] == "Z":
            self._remember(text[:_MINUTE])
        return us

    def field_us(self, text: str) -> int | None:
        """What `time_us` says."""
        us = self.event_us(text)
        return time_us(text) if us is None else us

    def _remember(self, minute: str) -> None:
        """A minute is valid as a whole: nothing has a leap second here, and events may happen in all of it or never."""
        begin = rfc3339_us(f"{minute}:00Z")
        if begin is not None:
            if len(self._known) >= _MOST_MINUTES:
                self._known.clear()
            self._known[minute] = begin
