"""Which variant: a softmax over what is believed of each, with a floor, so that every chance is known exactly.

A chance is (1 - K floor) softmax(score / temperature) + floor for K variants. A variant that this user had lately is
worth less. Thompson sampling is not used: its chances have no closed form, so what it learns cannot be evaluated
afterwards, and where variants go to different people it may do worse than chance (benchmarks/learning.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from botopt.model.learning_policy import Recency

TEMPERATURE = 0.06
"""How sharply better variants are preferred: a tenth better is five times as likely, before the floor."""

FLOOR = 0.05
MOST_EQUAL = 0.2
"""The least chance of a variant: 5 %, or a fifth divided among them where there are more than four."""


def floor(number: int) -> float:
    """The least chance of each of so many variants."""
    return FLOOR if number <= 4 else MOST_EQUAL / number


def likelihoods(scores: Sequence[float]) -> list[float]:
    """How likely each variant is beside the best one, before the floor."""
    highest = max(scores)
    return [math.exp((score - highest) / TEMPERATURE) for score in scores]


def chances(scores: Sequence[float]) -> list[float]:
    """The chance of each variant; they sum to 1."""
    return shared(likelihoods(scores))


def shared(likelihoods: Sequence[float]) -> list[float]:
    """The same from their likelihoods."""
    number = len(likelihoods)
    least = FLOOR if number <= 4 else MOST_EQUAL / number  # `floor`
    free = (1 - number * least) / sum(likelihoods)
    return [free * each + least for each in likelihoods]


def lately(age_us: int, recency: Recency) -> float:
    """How much less a variant is worth that a user had so long ago."""
    return recency.penalty * math.pow(2.0, -age_us / recency.half_life_us)


def less_likely(age_us: int, recency: Recency) -> float:
    """What that multiplies its likelihood with."""
    return math.exp(-lately(age_us, recency) / TEMPERATURE)


def taken(chances: Sequence[float], drawn: float) -> int:
    """Which one a number in [0, 1) chooses."""
    reached = 0.0
    for place, chance in enumerate(chances):
        reached += chance
        if drawn < reached:
            return place
    return len(chances) - 1
