"""A budget of messages for each user: a token bucket, and a controller that moves the bar so that it is neither empty
nor full.

The bucket fills at the budget's rate up to twice the budget; a message takes one out. How far it is from half full is
the error e, measured so that an empty bucket is -1.5 and a full one 1.5; its sum over time, in units of the budget's
period, is the integral I. The bar is multiplied by exp(-0.5 e - I). An empty bucket stops every message, whatever its
score.

The error only changes at a constant rate between two messages, so its integral is worked out exactly when somebody
asks, and does not depend on how often anybody does. Gains and bounds are those of the project's own simulations
(benchmarks/learning.md).
"""

from __future__ import annotations

import math

from botopt.model.policy import Pacing
from botopt.model.user_state import Pace

PROPORTIONAL = 0.5
INTEGRAL = 0.30
MOST = 2.5
"""How far the integral may lower the bar: to a twelfth."""

_SPAN = 1.5
"""The error of a full bucket."""


class Budget:
    """A budget as the policy has it. `threshold` is the usual bar: where the integral has lifted it to 1, it stops."""

    __slots__ = ("_least", "_per_us", "_rate", "_scale", "full", "key", "messages")

    def __init__(self, key: str, pacing: Pacing, threshold: float) -> None:
        self.key = key
        self.messages = pacing.messages
        self._per_us = pacing.per_us
        self.full = max(2 * pacing.messages, 1.0)
        self._rate = pacing.messages / pacing.per_us
        self._scale = _SPAN / pacing.messages
        self._least = max(math.log(max(threshold, 1e-6)), -MOST)

    def level(self, pace: Pace, now_us: int) -> float:
        """Messages that may be sent now."""
        return min(pace.level + self._rate * max(now_us - pace.at_us, 0), self.full)

    def lift(self, pace: Pace, now_us: int) -> float:
        """What the bar is multiplied by."""
        error = (self.level(pace, now_us) - self.messages) * self._scale
        return math.exp(-PROPORTIONAL * error - self._integral(pace, now_us))

    def ready_us(self, pace: Pace, now_us: int) -> int | None:
        """When the bucket holds a message again; None: it does now."""
        if pace.level + self._rate * max(now_us - pace.at_us, 0) >= 1.0:
            return None
        return max(pace.at_us + math.ceil((1.0 - pace.level) / self._rate), now_us + 1)

    def spent(self, pace: Pace | None, now_us: int) -> Pace:
        """After one more message. The first finds the bucket as full as it should be."""
        if pace is None:
            return Pace(self.messages - 1.0, 0.0, now_us)
        level = max(self.level(pace, now_us) - 1.0, -self.full)
        return Pace(level, self._integral(pace, now_us), max(now_us, pace.at_us))

    def returned(self, pace: Pace, now_us: int) -> Pace:
        """After a message came back."""
        level = min(self.level(pace, now_us) + 1.0, self.full)
        return Pace(level, self._integral(pace, now_us), max(now_us, pace.at_us))

    def _integral(self, pace: Pace, now_us: int) -> float:
        """The sum of errors. It first falls while the bucket is less than half full, then rises, and has bounds."""
        age_us = now_us - pace.at_us
        if age_us <= 0:
            return pace.integral
        value, begin_us, level = pace.integral, 0.0, pace.level
        for goal in (self.messages, self.full):
            if level >= goal and goal < self.full:
                continue
            until_us = min(max((goal - level) / self._rate, 0.0), age_us - begin_us)
            after = level + self._rate * until_us
            mean = ((level + after) / 2 - self.messages) * self._scale
            value = self._bounded(value + INTEGRAL * mean * until_us / self._per_us)
            begin_us += until_us
            level = after
            if begin_us >= age_us:
                return value
        error = (self.full - self.messages) * self._scale
        return self._bounded(value + INTEGRAL * error * (age_us - begin_us) / self._per_us)

    def _bounded(self, value: float) -> float:
        return min(max(value, self._least), MOST)
