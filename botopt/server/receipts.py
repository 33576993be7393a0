"""When requests came: no two at the same microsecond, so that records of refused events never share an id."""

from __future__ import annotations

from botopt.runtime.clock import Clock


class Receipts:
    """Gives each request its time. For one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_us = 0

    def next_us(self) -> int:
        """Now; a microsecond after the request before, where the clock says no more than that.

        A clock that was set back is followed: only a run of requests in one microsecond is spread out.
        """
        now_us = self._clock()
        if self._last_us - _SPREAD_US <= now_us <= self._last_us:
            now_us = self._last_us + 1
        self._last_us = now_us
        return now_us


_SPREAD_US = 1_000
