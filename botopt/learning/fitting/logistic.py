"""Logistic regression with a ridge towards given weights, by Newton's method.

The penalty is ridge / 2 times the squared distance from the weights it starts at, each measured in standard deviations
of its feature. So without evidence the model is what it started at. No library is used, and results are rounded: the
same rows give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

import msgspec

Column = Sequence[float]

_MOST_STEPS = 100
_SMALL = 1e-10


class Fit(msgspec.Struct, frozen=True):
    """log-odds = intercept + weights . values."""

    intercept: float
    weights: tuple[float, ...]


def fit(
    columns: Sequence[Column],
    clicked: Column,
    counts: Column,
    *,
    start: Sequence[float],
    ridge: float,
    signs: Sequence[int] | None = None,
) -> Fit:
    """The most likely model of these rows.

    Args:
        columns: the values of each feature, one a row.
        clicked: 1.0 or 0.0, one a row.
        counts: how much each row counts.
        start: the weights that the ridge pulls to.
        ridge: how strongly, in rows.
        signs: 1 or -1 where a weight must not be below or above 0; 0 elsewhere. One that would be is 0.
    """
    held = list(signs or [0] * len(columns))
    means, scales = _scales(columns, counts)
    scaled = [_scaled(column, mean, scale) for column, mean, scale in zip(columns, means, scales, strict=True)]
    aims = [weight * scale for weight, scale in zip(start, scales, strict=True)]
    used = [place for place, scale in enumerate(scales) if scale > 0]
    while True:
        intercept, found = _newton([scaled[place] for place in used], clicked, counts, [aims[p] for p in used], ridge)
        wrong = {place for place, weight in zip(used, found, strict=True) if weight * held[place] < 0}
        if not wrong:
            break
        used = [place for place in used if place not in wrong]
    weights = [
        weight if not scale and weight * sign >= 0 else 0.0
        for weight, scale, sign in zip(start, scales, held, strict=True)
    ]
    for place, weight in zip(used, found, strict=True):
        weights[place] = short(weight / scales[place])
    return Fit(short(intercept - math.fsum(map(mul, weights, means))), tuple(weights))


def short(value: float) -> float:
    """Eight significant digits: what comes after them differs from machine to machine, and says nothing."""
    return float(f"{value:.8g}")


def _scales(columns: Sequence[Column], counts: Column) -> tuple[list[float], list[float]]:
    total = math.fsum(counts)
    means, scales = [], []
    for column in columns:
        mean = math.fsum(map(mul, counts, column)) / total
        square = math.fsum(count * (value - mean) ** 2 for count, value in zip(counts, column, strict=True)) / total
        scale = math.sqrt(square)
        means.append(mean)
        scales.append(scale if scale > 1e-9 * (1 + abs(mean)) else 0.0)
    return means, scales


def _scaled(column: Column, mean: float, scale: float) -> Column:
    return [(value - mean) / scale for value in column] if scale else [0.0] * len(column)


def _newton(
    columns: Sequence[Column], clicked: Column, counts: Column, wanted: Sequence[float], ridge: float
) -> tuple[float, list[float]]:
    design = [[1.0] * len(clicked), *columns]
    aims, pulls = [0.0, *wanted], [_SMALL, *([ridge] * len(wanted))]
    point = list(aims)
    cost, odds = _cost(design, clicked, counts, point, aims, pulls)
    for _ in range(_MOST_STEPS):
        chances = [1 / (1 + math.exp(-min(max(value, -30.0), 30.0))) for value in odds]
        errors = [count * (chance - hit) for count, chance, hit in zip(counts, chances, clicked, strict=True)]
        shares = [count * chance * (1 - chance) for count, chance in zip(counts, chances, strict=True)]
        slope = [
            sum(map(mul, errors, column)) + pull * (at - aim)
            for column, at, aim, pull in zip(design, point, aims, pulls, strict=True)
        ]
        step = _solve(_bend(design, shares, pulls), slope)
        size = 1.0
        while True:
            tried = [at - size * change for at, change in zip(point, step, strict=True)]
            new_cost, new_odds = _cost(design, clicked, counts, tried, aims, pulls)
            if new_cost <= cost or size < _SMALL:
                break
            size /= 2
        moved = max(abs(before - after) for before, after in zip(point, tried, strict=True))
        point, cost, odds = tried, new_cost, new_odds
        if moved < _SMALL:
            break
    return point[0], point[1:]


def _bend(design: Sequence[Column], shares: Column, pulls: Sequence[float]) -> list[list[float]]:
    """The second derivatives."""
    size = len(design)
    bend = [[0.0] * size for _ in range(size)]
    for row, column in enumerate(design):
        weighted = list(map(mul, shares, column))
        for other in range(row + 1):
            bend[row][other] = bend[other][row] = sum(map(mul, weighted, design[other]))
        bend[row][row] += pulls[row]
    return bend


def _cost(
    design: Sequence[Column],
    clicked: Column,
    counts: Column,
    point: Sequence[float],
    aims: Sequence[float],
    pulls: Sequence[float],
) -> tuple[float, Column]:
    odds: Column = [0.0] * len(clicked)
    for weight, column in zip(point, design, strict=True):
        odds = [known + weight * value for known, value in zip(odds, column, strict=True)]
    loss = sum(
        count * (_softplus(value) - hit * value) for count, value, hit in zip(counts, odds, clicked, strict=True)
    )
    pull = sum(pull * (at - aim) ** 2 for pull, at, aim in zip(pulls, point, aims, strict=True))
    return loss + pull / 2, odds


def _softplus(odds: float) -> float:
    return max(odds, 0.0) + math.log1p(math.exp(-abs(odds)))


def _solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """By Gauss, with the largest of each column as pivot. The matrix is positive definite."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for place in range(size):
        pivot = max(range(place, size), key=lambda row: abs(rows[row][place]))
        rows[place], rows[pivot] = rows[pivot], rows[place]
        head = rows[place]
        for row in rows[place + 1 :]:
            share = row[place] / head[place]
            for column in range(place, size + 1):
                row[column] -= share * head[column]
    found = [0.0] * size
    for place in reversed(range(size)):
        known = sum(rows[place][column] * found[column] for column in range(place + 1, size))
        found[place] = (rows[place][size] - known) / rows[place][place]
    return found
