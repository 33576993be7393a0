"""From scores that order messages well to chances that come true: Platt's line, and a growing curve.

Platt, "Probabilistic outputs for support vector machines" (1999); isotonic regression by pooling adjacent violators
(Ayer and others, 1955).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from botopt.learning.fitting.logistic import fit, short

_RIDGE = 20.0
"""Rows for which the model is believed as it is."""

LEAST_IN_STEP = 50
"""Rows that each step of a curve rests on, at least."""

MOST_STEPS = 60


def line(odds: Sequence[float], clicked: Sequence[float], counts: Sequence[float]) -> tuple[float, float]:
    """(a, b) such that a * odds + b fits best; a is never below 0."""
    found = fit([odds], clicked, counts, start=[1.0], ridge=_RIDGE, signs=[1])
    return found.weights[0], found.intercept


def growing_curve(
    odds: Sequence[float], clicked: Sequence[float], counts: Sequence[float]
) -> tuple[tuple[float, float], ...]:
    """Points (log-odds before, log-odds after) of the growing curve that fits best; empty where it would be flat."""
    order = sorted(range(len(odds)), key=lambda row: odds[row])
    least = max(LEAST_IN_STEP, math.ceil(len(order) / MOST_STEPS))
    steps: list[list[float]] = []  # weight, clicks, sum of odds
    for begin in range(0, len(order), least):
        rows = order[begin : begin + least]
        if len(rows) < least and steps:
            break
        weight = math.fsum(counts[row] for row in rows)
        steps.append(
            [
                weight,
                math.fsum(counts[row] * clicked[row] for row in rows),
                math.fsum(counts[row] * odds[row] for row in rows),
            ]
        )
    pooled: list[list[float]] = []
    for step in steps:
        pooled.append(step)
        while len(pooled) > 1 and pooled[-2][1] * pooled[-1][0] >= pooled[-1][1] * pooled[-2][0]:
            last = pooled.pop()
            pooled[-1] = [before + after for before, after in zip(pooled[-1], last, strict=True)]
    total = sum(step[1] for step in pooled) / sum(step[0] for step in pooled)
    points = []
    for weight, clicks, sums in pooled:
        share = (clicks + total) / (weight + 1)
        points.append((short(sums / weight), short(math.log(share / (1 - share)))))
    growing = [
        point
        for place, point in enumerate(points)
        if not place or (point[0] > points[place - 1][0] and point[1] >= points[place - 1][1])
    ]
    return tuple(growing) if len(growing) > 1 else ()
