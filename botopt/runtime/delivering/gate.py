"""Whether a channel may be asked: its rate, what its platform asked for, and its breaker."""

from __future__ import annotations

from botopt.model.delivery import Failed, Receipt
from botopt.model.durations import HOUR_US
from botopt.runtime.delivering.breaker import Breaker, CircuitBreaker
from botopt.runtime.delivering.limiter import Limiter

LONGEST_PAUSE_US = HOUR_US
"""A platform that asks the whole channel to wait for longer is asked again after this, by a few messages."""


class Gate:
    """What stands before one channel. Times are of a monotonic clock. One thread at a time, but for the limiter."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
        self._breaker = CircuitBreaker()
        self._paused_until_us: int | None = None

    @property
    def state(self) -> Breaker:
        """The breaker's."""
        return self._breaker.state

    def free(self, now_us: int, most: int) -> tuple[int, int]:
        """How many messages may be tried, at most `most`, and if none, how long until one may (0: until a result
        comes).
        """
        wait_us = self.paused_us(now_us)
        if wait_us:
            return 0, wait_us
        for free, wait_us in (self._breaker.free(now_us), self.limiter.free(now_us)):
            if free == 0:
                return 0, wait_us
            most = most if free is None else min(most, free)
        return most, 0

    def paused_us(self, now_us: int) -> int:
        """How much longer nothing may be tried, whatever comes."""
        pause_us = 0 if self._paused_until_us is None else max(self._paused_until_us - now_us, 0)
        free, wait_us = self._breaker.free(now_us)
        return max(pause_us, wait_us) if free == 0 else pause_us

    def begin(self) -> int:
        """A message was claimed; what to name when it is over."""
        return self._breaker.begin()

    def unused(self, begun: int) -> None:
        """It was not tried after all."""
        self._breaker.unused(begun)

    def over(self, begun: int, receipt: Receipt, now_us: int, *, asked: bool) -> None:
        """What came of it. `asked`: whether the platform was."""
        if not asked:
            self.unused(begun)
        elif isinstance(receipt, Failed) and (receipt.retryable or receipt.unsure):
            pause_us = min(receipt.retry_after_us or 0, LONGEST_PAUSE_US)
            self._breaker.failed(begun, now_us, pause_us)
            if pause_us:
                self._paused_until_us = max(self._paused_until_us or 0, now_us + pause_us)
        else:
            self._breaker.answered(begun)
