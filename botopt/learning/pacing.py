"""A budget of messages for each user: a token bucket, and a controller that moves the bar so that it is neither empty
nor full.

The bucket fills at the budget's rate up to twice the budget, at least one message; a message takes one out. How far it
is from half full is the error e, measured so that an empty bucket is -1.5 and a full one 1.5; its sum over time, in
units of the budget's period, is the integral I. The bar is multiplied by exp(-0.5 e - I). An empty bucket stops every
message, whatever its score.

The error only changes at a constant rate between two messages, so its integral is worked out exactly when somebody
asks, and does not depend on how often anybody does. Gains and bounds are those of the project's own simulations
(benchmarks/learning.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from botopt.model.learning_policy import Pacing
from botopt.model.user_state import Pace

PROPORTIONAL = 0.5
INTEGRAL = 0.30
MOST = 2.5
"""How far the integral may lower the bar: to a twelfth."""

_SPAN = 1.5
"""The error of a full bucket."""

_Running = Callable[[Pace, int], tuple[float, float]]
"""(pace, now_us) -> level and integral."""


class Budget:
    """A budget as the policy has it. `threshold` is the usual bar: where the integral has lifted it to 1, it stops."""

    __slots__ = ("_at", "_half", "_least", "_rate", "_scale", "_steepness", "full", "key", "messages", "per_us")

    def __init__(self, key: str, pacing: Pacing, threshold: float) -> None:
        self.key = key
        self.messages = pacing.messages
        self.per_us = pacing.per_us
        self.full = max(2 * pacing.messages, 1.0)
        self._rate = pacing.messages / pacing.per_us
        self._half = self.full / 2  # the budget, but for one below half a message
        self._scale = _SPAN / self._half
        self._steepness = -PROPORTIONAL * self._scale
        self._least = max(math.log(max(threshold, 1e-6)), -MOST)
        gain = INTEGRAL * self._scale / pacing.per_us
        self._at = _running(self.full, self._half, self._rate, gain, self._least)

    def lifts(self) -> tuple[float, float]:
        """Between what `lift` lies, whatever users get. Of an emptier bucket nothing is sent, whatever the score."""
        fullest = (self.full - self.messages) * self._scale
        emptiest = min((1.0 - self.messages) * self._scale, 0.0)
        return math.exp(-PROPORTIONAL * fullest - MOST), math.exp(-PROPORTIONAL * emptiest - self._least)

    def level(self, pace: Pace, now_us: int) -> float:
        """Messages that may be sent now."""
        return self._at(pace, now_us)[0]

    def lift(self, pace: Pace, now_us: int) -> float:
        """What the bar is multiplied by."""
        level, integral = self._at(pace, now_us)
        return math.exp(self._steepness * (level - self._half) - integral)

    def ready_us(self, pace: Pace, now_us: int) -> int | None:
        """When the bucket holds a message again; None: it does now."""
        level = max(pace.level, -self.full)
        if level >= 1.0:
            return None
        ready_us = pace.at_us + math.ceil((1.0 - level) / self._rate)
        return None if ready_us <= now_us else ready_us

    def spent(self, pace: Pace | None, now_us: int) -> Pace:
        """After one more message. The first finds the bucket half full."""
        if pace is None:
            return Pace(self._half - 1.0, 0.0, now_us)
        level, integral = self._at(pace, now_us)
        return Pace(max(level - 1.0, -self.full), integral, max(now_us, pace.at_us))

    def returned(self, pace: Pace, now_us: int) -> Pace:
        """After a message came back."""
        level, integral = self._at(pace, now_us)
        return Pace(min(level + 1.0, self.full), integral, max(now_us, pace.at_us))


def _running(full: float, half: float, rate: float, gain: float, least: float) -> _Running:
    """The function that says how many messages may be sent, and the sum of errors.

    The sum falls while the bucket is less than half full, then rises, and has bounds. With e = scale (level - half) and
    a level that grows by rate, the sum over a piece is the mean error times its length. Bounds can only be met at the
    end of a piece, because each goes one way.
    """

    def at(pace: Pace, now_us: int) -> tuple[float, float]:
        level, value = pace.level, pace.integral
        if not -full <= level <= full:  # it may come from a larger budget
            level = -full if level < -full else full
        if not least <= value <= MOST:
            value = least if value < least else MOST
        age_us: float = now_us - pace.at_us
        if age_us <= 0:
            return level, value
        now = level + rate * age_us
        if now > full:
            now = full
        if level < half:
            falling_us = (half - level) / rate
            if age_us <= falling_us:
                value += gain * (level + rate * age_us / 2 - half) * age_us
                return now, (value if value > least else least)
            value += gain * (level - half) / 2 * falling_us
            if value < least:
                value = least
            level = half
            age_us -= falling_us
        rising_us = (full - level) / rate
        if age_us <= rising_us:
            value += gain * (level + rate * age_us / 2 - half) * age_us
        else:
            value += gain * (((level + full) / 2 - half) * rising_us + (full - half) * (age_us - rising_us))
        return now, (value if value < MOST else MOST)

    return at
