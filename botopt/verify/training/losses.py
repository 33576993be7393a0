"""How far chances are from what came."""

from __future__ import annotations

import math
from collections.abc import Sequence


def loss(odds: float, clicked: float) -> float:
    """The log loss of one row: minus the logarithm of the chance that was given to what came."""
    odds = min(max(odds, -30.0), 30.0)
    return max(odds, 0.0) + math.log1p(math.exp(-abs(odds))) - clicked * odds


def mean(values: Sequence[float], counts: Sequence[float]) -> float:
    """The weighted mean."""
    return math.fsum(map(lambda value, count: value * count, values, counts)) / math.fsum(counts)


def loss_of_odds(odds: Sequence[float], clicked: Sequence[float], counts: Sequence[float]) -> float:
    """The mean log loss."""
    return mean([loss(value, hit) for value, hit in zip(odds, clicked, strict=True)], counts)


def error_of_mean(values: Sequence[float], counts: Sequence[float], groups: Sequence[str]) -> float:
    """One standard error of the weighted mean: of rows, or of groups as wholes, whichever is larger.

    Messages of one user are alike, so that rows alone promise too much.
    """
    total, middle = math.fsum(counts), mean(values, counts)
    by_group: dict[str, float] = {}
    squares = 0.0
    for value, count, group in zip(values, counts, groups, strict=True):
        away = count * (value - middle)
        squares += away * away
        by_group[group] = by_group.get(group, 0.0) + away
    of_groups = math.fsum(away * away for away in by_group.values())
    return math.sqrt(max(squares, of_groups)) / total
