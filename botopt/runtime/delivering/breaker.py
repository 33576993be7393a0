"""A circuit breaker: while a platform is down its messages wait, instead of using up their attempts."""

from __future__ import annotations

from collections import deque
from enum import StrEnum

from botopt.model.durations import MINUTE_US, SECOND_US

IN_A_ROW = 5
"""Failures, one after another, that open it: too many for chance, and few enough to spare messages."""

SAMPLE = 20
"""How many of the last answers a rate is taken of."""

MOST_FAILING = 0.5
"""Of the sample. A platform that refuses every second message is not well."""

FIRST_OPEN_US = 5 * SECOND_US
LONGEST_OPEN_US = 5 * MINUTE_US
"""How long it stays open: doubled each time it opens again before the platform has proved itself."""


class Breaker(StrEnum):
    """`closed`: messages flow. `open`: none is claimed. `half_open`: one message tries whether the platform is back."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """The state of one channel's platform. Times are of a monotonic clock. One thread at a time.

    A failure is what may be tried again: it speaks of the platform. A message that is refused for good speaks of the
    message, and shows that the platform answers.
    """

    def __init__(self) -> None:
        self.state = Breaker.CLOSED
        self._round = 0
        """Rises with each change of the state: what was begun before says nothing about what is now."""
        self._in_a_row = 0
        self._sample: deque[bool] = deque(maxlen=SAMPLE)
        self._openings = 0
        self._well = 0
        self._opened_us = 0
        self._wait_us = 0
        self._probing = False

    def free(self, now_us: int) -> tuple[int | None, int]:
        """How many messages may be tried (None: any number), and where none may, how long until one may (0: until a
        result comes).
        """
        if self.state is Breaker.OPEN and now_us - self._opened_us >= self._wait_us:
            self._turn(Breaker.HALF_OPEN)
        match self.state:
            case Breaker.CLOSED:
                return None, 0
            case Breaker.OPEN:
                return 0, self._opened_us + self._wait_us - now_us
            case Breaker.HALF_OPEN:
                return (0, 0) if self._probing else (1, 0)

    def begin(self) -> int:
        """A message is tried now; what to name when its result comes."""
        if self.state is Breaker.HALF_OPEN:
            self._probing = True
        return self._round

    def unused(self, begun: int) -> None:
        """What was begun did not ask the platform."""
        if begun == self._round:
            self._probing = False

    def answered(self, begun: int) -> None:
        """The platform gave an answer that can be relied on."""
        if begun != self._round:
            return
        self._in_a_row = 0
        self._sample.append(False)
        self._well += 1
        if self._well >= SAMPLE:
            self._openings = 0
        if self.state is Breaker.HALF_OPEN:
            self._turn(Breaker.CLOSED)

    def failed(self, begun: int, now_us: int, at_least_us: int = 0) -> None:
        """The platform failed. `at_least_us`: it asked not to be tried for so long."""
        if begun != self._round:
            return
        self._in_a_row += 1
        self._sample.append(True)
        many = len(self._sample) == SAMPLE and sum(self._sample) >= MOST_FAILING * SAMPLE
        if self.state is Breaker.HALF_OPEN or self._in_a_row >= IN_A_ROW or many:
            self._wait_us = max(min(FIRST_OPEN_US << min(self._openings, 32), LONGEST_OPEN_US), at_least_us)
            self._openings += 1
            self._opened_us = now_us
            self._turn(Breaker.OPEN)

    def _turn(self, state: Breaker) -> None:
        self.state = state
        self._round += 1
        self._probing = False
        self._in_a_row = 0
        self._well = 0
        self._sample.clear()
