"""Which lines of a block begin a new period of learning, mostly without decoding them.

A line's time is read as text where that is certain to be the event's own: there is one `"time"`, and no backslash. Such
texts are in the order of the times, so they are compared as they are. What looks like a boundary is decoded before it
counts as one, and so is what cannot be read as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from botopt.learning.learner import Learner
from botopt.model.event import Event
from botopt.model.instants import instant_text
from botopt.model.user_state import NEVER_US

_TIME = re.compile(rb'"time":[ \t]*"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.\d{1,6})?Z"')
_SECOND_US = 1_000_000
_SECOND = len("2026-03-01T09:00:00")

Decode = Callable[[bytes, int], object]


class Boundaries:
    """Follows the times of all lines, for those who decide only some of them.

    `decode` reads a line and its number: an event, or something else for what is none.
    """

    def __init__(self, learner: Learner, decode: Decode) -> None:
        self._learner = learner
        self._decode = decode

    def texts(self, lines: Sequence[bytes]) -> list[bytes] | None:
        """The time of each line, to the second, empty where it must be decoded; None where no line is a boundary."""
        together = b"\n".join(lines)
        low, high = self._texts()
        if low and b"\\" not in together:
            found = _TIME.findall(together)
            if len(found) == together.count(b'"time"') and (not found or (low <= min(found) and max(found) < high)):
                return None  # every event has its time among them
        search = _TIME.search
        texts = []
        for raw in lines:
            match = search(raw)
            sure = match is not None and raw.count(b'"time"') == 1 and b"\\" not in raw
            texts.append(match[1] if sure else b"")  # type: ignore[index]  # there is one where it is sure
        return texts

    def next(self, lines: Sequence[bytes], texts: Sequence[bytes], begin: int, first: int) -> tuple[int, int] | None:
        """The place of the first line from `begin` on before which the learner must turn, and its time; None: no more.

        `first` is the number of the first of the lines.
        """
        learner = self._learner
        low, high = self._texts()
        for place in range(begin, len(lines)):
            text = texts[place]
            if text and low <= text < high:
                continue
            event = self._decode(lines[place], first + place)
            if isinstance(event, Event) and learner.is_boundary(event.user, event.time_us, learner.lines + place):
                return place, event.time_us
        return None

    def _texts(self) -> tuple[bytes, bytes]:
        """Between which times no line is a boundary: seconds that lie in there as a whole; empty: there are none."""
        low_us, next_us = self._learner.low_us, self._learner.next_us
        if low_us == NEVER_US:
            return b"", b""
        return _text(-(-low_us // _SECOND_US)), _text(next_us // _SECOND_US)


def _text(second: int) -> bytes:
    return instant_text(second * _SECOND_US).encode()[:_SECOND]
