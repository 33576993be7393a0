"""Logistic regression with a ridge: against the conditions of its optimum, and where evidence is missing."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.learning.fitting.calibrating import growing_curve, line
from botopt.learning.fitting.logistic import fit
from botopt.learning.scorer import curve


def sample(seed: int, rows: int, weights: list[float], shift: float = -1.0) -> tuple[list[list[float]], list[float]]:
    rng = random.Random(seed)
    columns = [[rng.gauss(0, 1 + place) for _ in range(rows)] for place in range(len(weights))]
    odds = [shift + sum(w * value for w, value in zip(weights, row, strict=True)) for row in zip(*columns, strict=True)]
    return columns, [float(rng.random() < 1 / (1 + math.exp(-value))) for value in odds]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 50))
def test_at_the_optimum_the_slope_is_that_of_the_ridge(seed: int, ridge: float) -> None:
    columns, clicked = sample(seed, 300, [0.8, -0.3])
    counts = [1.0 + (place % 3) for place in range(300)]
    start = [1.0, 0.0]
    found = fit(columns, clicked, counts, start=start, ridge=ridge)
    errors = [
        count * (1 / (1 + math.exp(-(found.intercept + found.weights[0] * a + found.weights[1] * b))) - hit)
        for a, b, hit, count in zip(*columns, clicked, counts, strict=True)
    ]
    assert math.fsum(errors) == pytest.approx(0, abs=1e-4)
    total = sum(counts)
    for place, column in enumerate(columns):
        mean = math.fsum(map(lambda count, value: count * value, counts, column)) / total
        variance = math.fsum(count * (value - mean) ** 2 for count, value in zip(counts, column, strict=True)) / total
        slope = math.fsum(error * (value - mean) for error, value in zip(errors, column, strict=True))
        pull = ridge * variance * (found.weights[place] - start[place])
        assert slope + pull == pytest.approx(0, abs=1e-4)


def test_with_many_rows_the_truth_is_found() -> None:
    columns, clicked = sample(1, 20_000, [0.8, -0.3])
    found = fit(columns, clicked, [1.0] * 20_000, start=[1.0, 0.0], ridge=10)
    assert found.weights == pytest.approx((0.8, -0.3), abs=0.05)
    assert found.intercept == pytest.approx(-1, abs=0.06)


def test_without_evidence_a_model_is_what_it_started_at() -> None:
    columns, clicked = sample(1, 40, [0.8, -0.3])
    found = fit(columns, clicked, [1.0] * 40, start=[1.0, 0.0], ridge=1e9)
    assert found.weights == pytest.approx((1.0, 0.0), abs=1e-4)


def test_a_column_that_never_varies_keeps_its_start() -> None:
    columns, clicked = sample(1, 400, [0.8])
    found = fit([*columns, [3.0] * 400], clicked, [1.0] * 400, start=[1.0, 0.5], ridge=1)
    assert found.weights[1] == 0.5


def test_a_sign_that_does_not_fit_makes_the_weight_0_and_leaves_the_others_at_their_best() -> None:
    columns, clicked = sample(1, 2_000, [0.8, -0.3])
    held = fit(columns, clicked, [1.0] * 2_000, start=[1.0, 0.0], ridge=1, signs=[1, 1])
    alone = fit(columns[:1], clicked, [1.0] * 2_000, start=[1.0], ridge=1)
    assert held.weights[1] == 0
    assert held.weights[0] == pytest.approx(alone.weights[0], rel=1e-6)
    fitting = fit(columns, clicked, [1.0] * 2_000, start=[1.0, 0.0], ridge=1, signs=[1, -1])
    assert fitting == fit(columns, clicked, [1.0] * 2_000, start=[1.0, 0.0], ridge=1)


@pytest.mark.parametrize("hit", [0.0, 1.0])
def test_where_everything_or_nothing_is_clicked_numbers_stay_finite(hit: float) -> None:
    columns, _ = sample(1, 60, [0.8])
    found = fit(columns, [hit] * 60, [1.0] * 60, start=[1.0], ridge=10)
    assert all(math.isfinite(value) for value in (found.intercept, *found.weights))


def test_a_line_undoes_an_overconfident_model() -> None:
    (odds,), clicked = sample(3, 5_000, [1.0], shift=0.0)
    a, b = line([3 * value + 1 for value in odds], clicked, [1.0] * 5_000)
    assert a == pytest.approx(1 / 3, abs=0.03)
    assert b == pytest.approx(-1 / 3, abs=0.08)


def test_a_line_never_turns_a_model_upside_down() -> None:
    (odds,), clicked = sample(3, 2_000, [1.0])
    assert line([-value for value in odds], clicked, [1.0] * 2_000)[0] == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_curve_grows_and_comes_close_to_the_truth(seed: int) -> None:
    (odds,), clicked = sample(seed, 4_000, [1.0], shift=0.0)
    points = growing_curve([value**3 for value in odds], clicked, [1.0] * 4_000)
    assert len(points) > 2
    assert all(after[0] > before[0] and after[1] >= before[1] for before, after in pairwise(points))
    bent = curve(points)
    assert bent(-1.0) == pytest.approx(-1.0, abs=0.5)
    assert bent(1.0) == pytest.approx(1.0, abs=0.5)


def test_of_what_says_nothing_no_curve_is_made() -> None:
    rng = random.Random(2)
    odds = [rng.gauss(0, 1) for _ in range(500)]
    clicked = [float(value < 0) for value in odds]  # the wrong way round
    assert growing_curve(odds, clicked, [1.0] * 500) == ()
