"""What another policy would have got, from a log whose choices were drawn with known chances (off-policy evaluation).

A round is one decision. Its weight is the chance that the new policy gives to what was done, over the chance that it
had when it was done. All estimates are for one step: each round is judged at the state in which it was met.

Intervals are normal, of the linearised estimate, with the rounds of one user taken together (Liang and Zeger,
Biometrika 1986): users differ, so their rounds are no independent evidence. A bootstrap would need draws of its own and
thousands of passes; and what breaks normal intervals, a few huge weights or a handful of clicks, breaks it as well.
Such logs are refused instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

Z = 1.959963984540054
"""Of a 95 % interval: the 97.5 % quantile of the normal distribution."""

LEAST_EFFECTIVE = 100.0
"""Effective rounds below which an estimate is worth nothing."""

LEAST_CLICKS = 30
"""Clicks with a weight above 0 below which an estimate is worth nothing."""

Groups = Sequence[int] | None
"""For each round the user it belongs to, as a number from 0; None: every round stands for itself."""


class Estimate(msgspec.Struct, frozen=True):
    """A value and its 95 % interval, in the unit of the rewards."""

    value: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


def ips(weights: Sequence[float], rewards: Sequence[float], groups: Groups = None) -> Estimate:
    """Inverse propensity scoring: the mean of weight times reward (Horvitz and Thompson, JASA 1952).

    Unbiased where the log could have done everything that the new policy does; wild where weights are large.
    """
    return mean([weight * reward for weight, reward in zip(weights, rewards, strict=True)], groups)


def snips(weights: Sequence[float], rewards: Sequence[float], groups: Groups = None) -> Estimate:
    """The same over the sum of the weights (Swaminathan and Joachims, NIPS 2015): a little biased, far less wild.

    The interval is that of a ratio (delta method).

    Raises:
        ZeroDivisionError: no weight is above 0.
    """
    total = math.fsum(weights)
    value = math.fsum(weight * reward for weight, reward in zip(weights, rewards, strict=True)) / total
    scale = len(weights) / total
    apart = [scale * weight * (reward - value) for weight, reward in zip(weights, rewards, strict=True)]
    return interval(value, apart, groups)


def direct(expected: Sequence[float], groups: Groups = None) -> Estimate:
    """The direct method: the mean of what a model foretells of the new policy.

    Its interval says nothing of the model's own mistakes, which no amount of data shrinks: never shown alone.
    """
    return mean(expected, groups)


def doubly_robust(
    weights: Sequence[float],
    rewards: Sequence[float],
    taken: Sequence[float],
    expected: Sequence[float],
    groups: Groups = None,
) -> Estimate:
    """The model's word, put right by what it got wrong about what was done (Dudik, Langford and Li, ICML 2011).

    Args:
        weights: of the rounds.
        rewards: of what was done.
        taken: what the model foretells of what was done.
        expected: what it foretells of the new policy: the mean over what that may do, by its chances.
        groups: whose rounds they are.
    """
    rows = zip(weights, rewards, taken, expected, strict=True)
    return mean([model + weight * (reward - foretold) for weight, reward, foretold, model in rows], groups)


def per_round(
    masses: Sequence[float], weights: Sequence[float], rewards: Sequence[float], groups: Groups = None
) -> tuple[Estimate, list[float]]:
    """Reward in each round where only some action earns any: how often the new policy takes it, times `snips`.

    How often (`masses`, the chance in each round) is known exactly, which takes that much out of the noise.

    Returns:
        The estimate, and each round's part in its deviation (they sum to 0), to compare with other estimates of the
        same rounds.

    Raises:
        ZeroDivisionError: no weight is above 0.
    """
    total, count = math.fsum(weights), len(weights)
    rate = math.fsum(weight * reward for weight, reward in zip(weights, rewards, strict=True)) / total
    share = math.fsum(masses) / count
    scale = share * count / total
    apart = [
        rate * (mass - share) + scale * weight * (reward - rate)
        for mass, weight, reward in zip(masses, weights, rewards, strict=True)
    ]
    return interval(rate * share, apart, groups), apart


def mean(values: Sequence[float], groups: Groups = None) -> Estimate:
    """The mean of the rounds."""
    value = math.fsum(values) / len(values)
    return interval(value, [each - value for each in values], groups)


def interval(value: float, apart: Sequence[float], groups: Groups = None) -> Estimate:
    """A value with its interval, from each round's part in its deviation."""
    if groups is None:
        sums: Sequence[float] = apart
    else:
        by_group = [0.0] * (max(groups, default=-1) + 1)
        for group, part in zip(groups, apart, strict=True):
            by_group[group] += part
        sums = by_group
    number = len(sums)
    if number < 2:
        return Estimate(value, -math.inf, math.inf)
    squares = math.fsum(part * part for part in sums) * number / (number - 1)
    half = Z * math.sqrt(squares) / len(apart)
    return Estimate(value, value - half, value + half)


def effective_size(weights: Sequence[float]) -> float:
    """How many rounds of equal weight would tell as much (Kish, 1965): the squared sum over the sum of squares."""
    squares = math.fsum(weight * weight for weight in weights)
    return math.fsum(weights) ** 2 / squares if squares else 0.0


def to_tell(variance: float, difference: float) -> float:
    """How many each of two groups must have to see a difference in 8 of 10 cases, at 95 %: 16 s^2 / d^2.

    Lehr, Statistics in Medicine 1992.

    Args:
        variance: of one observation; p (1 - p) for a rate p.
        difference: what shall be seen, in the same unit, not 0.
    """
    return 16 * variance / (difference * difference)


def sends_to_tell(rate: float, relative: float) -> int:
    """Messages in each of two groups until such a difference shows, in 8 of 10 cases, at 95 %, rounded to hundreds.

    Args:
        rate: the share that is clicked, above 0.
        relative: the difference as a share of that.
    """
    number = to_tell(rate * (1 - rate), rate * relative)
    return max(100, round(number / 100) * 100)
