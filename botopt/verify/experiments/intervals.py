"""Differences between groups of users, with intervals that hold however often, and whenever, somebody looks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from botopt.learning.evaluation import to_tell

ALPHA = 0.05
"""One minus the confidence of an interval, over all looks together."""

TUNED = 300
"""Counted acts (clicks, say) at which the intervals are narrowest; chosen before any data, as it must be. With 30 or
10,000 they are up to a quarter wider than they could be."""

RARE = 50
"""The same for what is rare, as guardrails are."""

_EVEN = 4.0  # the variance of a difference of totals over the number of acts, where two arms have half of users each


class Sums(msgspec.Struct, gc=False):
    """What is needed of the users of a group: `x` is what each one did, `y` how often there was an occasion."""

    n: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    def add(self, x: float, y: float = 1.0) -> None:
        """One more user."""
        self.n += 1
        self.x += x
        self.y += y
        self.xx += x * x
        self.xy += x * y
        self.yy += y * y

    @property
    def mean(self) -> float:
        """Acts for each occasion; 0 where there was none. With `y` always 1: for each user."""
        return self.x / self.y if self.y else 0.0

    @property
    def variance(self) -> float:
        """Of `mean`: users are drawn, not occasions, so what one user does hangs together (the delta method)."""
        if self.n < 2 or not self.y:  # a variance needs two
            return 0.0
        mean = self.mean
        squares = self.xx - 2 * mean * self.xy + mean * mean * self.yy
        return max(0.0, squares) * self.n / (self.n - 1) / (self.y * self.y)


class Between(msgspec.Struct, frozen=True):
    """A difference and the interval around it."""

    difference: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether there surely is a difference."""
        return self.low > 0 or self.high < 0


def between(group: Sums, other: Sums, alpha: float = ALPHA, tuned: int = TUNED) -> Between:
    """`group.mean - other.mean`, with an anytime-valid interval.

    The total D = (difference times occasions) has a variance V that grows with every user and every act. Robbins'
    normal mixture bounds a Brownian motion at all times V together: |D| < sqrt((V + r) ln((V + r) / (r alpha^2))) for
    every V with probability 1 - alpha, whatever r > 0 is, if it is fixed beforehand; r only says at which V the bound
    is tightest. By the strong approximation of sums it holds asymptotically for D with an estimated V.

    Users come back, so the same user's acts enter several looks. Where what users do hangs together over time (those
    who clicked often go on to), D turns less between looks than a Brownian motion of the same variances, and the
    interval is on the safe side (Slepian's inequality).

    Sources: H. Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of Mathematical
    Statistics 41 (1970); S. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic
    confidence sequences", Annals of Statistics 49 (2021), equation (14); I. Waudby-Smith, D. Arbour, R. Sinha,
    E. Kennedy, A. Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", Annals of
    Statistics 52 (2024), theorem 2.2 and, for the choice of r, appendix B.2.

    Args:
        group: one group of users, drawn at random.
        other: the one that it is compared with.
        alpha: one minus the confidence; for several comparisons, divided by their number.
        tuned: at how many acts the interval shall be narrowest.
    """
    difference = group.mean - other.mean
    variance = group.variance + other.variance
    occasions = group.y + other.y
    half = math.sqrt(variance) * multiple(variance * occasions * occasions, alpha, tuned)
    return Between(difference, difference - half, difference + half)


def multiple(intrinsic: float, alpha: float = ALPHA, tuned: int = TUNED) -> float:
    """How many standard errors the interval reaches to each side when the variance of the total is `intrinsic`.

    1.96 would hold for a single look.
    """
    if intrinsic <= 0:
        return 0.0
    log = -2 * math.log(alpha)
    rest = _EVEN * tuned / (log + math.log(log) + 1)
    whole = intrinsic + rest
    return math.sqrt(whole / intrinsic * (math.log(whole / rest) + log))


def chi_square(counts: Sequence[int], shares: Sequence[float]) -> tuple[float, float]:
    """Pearson's statistic of counts against the shares they should have, and the chance of one as large or larger."""
    total = sum(counts)
    wanted = [total * share for share in shares]
    if len(counts) < 2 or not all(wanted):
        return 0.0, 1.0
    value = sum((count - each) ** 2 / each for count, each in zip(counts, wanted, strict=True))
    return value, chance_above(value, len(counts) - 1)


def chance_above(value: float, degrees: int) -> float:
    """The upper tail of the chi-square distribution, by its recurrence in steps of two degrees of freedom."""
    half = value / 2
    if degrees % 2:
        found, at = math.erfc(math.sqrt(half)), 0.5
    else:
        found, at = math.exp(-half), 1.0
    while at < degrees / 2:
        found += math.exp(at * math.log(half) - half - math.lgamma(at + 1)) if half else 0.0
        at += 1
    return min(1.0, found)


def needed(variance: float, difference: float) -> int:
    """How many each of two groups must have to see a difference with 80 % power at one look (`to_tell`).

    Args:
        variance: of one observation; p (1 - p) for a rate p.
        difference: what shall be seen, in the same unit.
    """
    return math.ceil(to_tell(variance, difference)) if difference else 0
