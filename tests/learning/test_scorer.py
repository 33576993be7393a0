"""A compiled scorer computes what XGBoost computes, and says nothing where a value is missing."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Sequence

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from botopt.learning.fitting.boosting import PARAMETERS, exported
from botopt.learning.scorer import BoundScorer, contributions, curve, edge, log_odds
from botopt.loading.models import problems
from botopt.model.click_model import FEATURES, ClickModel, ModelKind
from botopt.model.learning_policy import Scorer

NAMES = tuple(FEATURES)
singles = st.floats(width=32, allow_nan=False, allow_infinity=False).filter(lambda value: abs(value) <= 1e30)


def single(value: float) -> float:
    """Rounded to 32 bits, as XGBoost rounds; beyond them infinite."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


@given(singles, st.floats(allow_nan=False, allow_infinity=False))
def test_an_edge_parts_values_as_rounding_to_32_bits_does(threshold: float, value: float) -> None:
    assert (value < edge(threshold)) == (single(value) < threshold)


@given(singles, st.integers(-4, 4))
def test_an_edge_is_right_to_the_last_bit_around_the_threshold(threshold: float, steps: int) -> None:
    for start in (threshold, (threshold + float(np.nextafter(np.float32(threshold), np.float32(-np.inf)))) / 2):
        value = start
        for _ in range(abs(steps)):
            value = math.nextafter(value, math.inf if steps > 0 else -math.inf)
        assert (value < edge(threshold)) == (single(value) < threshold)


def trained(rows: np.ndarray, clicked: np.ndarray, **parameters: object) -> tuple[xgboost.Booster, ClickModel]:
    """The same trees twice: XGBoost's, and ours."""
    booster = xgboost.train({**PARAMETERS, **parameters}, xgboost.DMatrix(rows, clicked), 60)
    found = exported(bytes(booster.save_raw("json")))
    return booster, ClickModel("m", ModelKind.TREES, NAMES, found.intercept, trees=found.trees)


def on_thresholds(model: ClickModel, rows: Sequence[Sequence[float]]) -> list[list[float]]:
    """Rows moved onto every threshold of the model, and one step of 32 and of 64 bits to each side."""
    found = []
    numbers = random.Random(5)
    for tree in model.trees:
        for feature, threshold in zip(tree.features, tree.thresholds, strict=True):
            if feature < 0:
                continue
            (below,) = struct.unpack("<f", struct.pack("<f", np.nextafter(np.float32(threshold), np.float32(-np.inf))))
            for value in (threshold, below, (threshold + below) / 2, math.nextafter(threshold, -math.inf)):
                row = list(numbers.choice(rows))
                row[feature] = value
                found.append(row)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("parameters", [{}, {"max_depth": 6, "eta": 0.3, "min_child_weight": 1}])
def test_exported_trees_are_within_a_millionth_of_xgboost_on_every_row(
    seed: int, parameters: dict[str, object]
) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(3_000, 9)) * np.array([1, 3, 0.1, 4, 5, 10, 0.001, 1e4, 1]) + rng.normal(size=9)
    rows[:, 3] = np.round(rows[:, 3])
    clicked = (rng.random(3_000) < 1 / (1 + np.exp(-rows[:, 0] + 0.2 * rows[:, 3] + 1))).astype(float)
    booster, model = trained(rows, clicked, **parameters)
    assert not list(problems(model))
    scorer = BoundScorer(Scorer(model))
    some = [[float(value) for value in row] for row in rows]
    asked = [*some, *on_thresholds(model, some)]
    wanted = booster.predict(xgboost.DMatrix(np.asarray(asked)))
    assert max(abs(scorer.chance(row) - share) for row, share in zip(asked, wanted, strict=True)) < 1e-6
    margins = booster.predict(xgboost.DMatrix(np.asarray(asked)), output_margin=True)
    odds = log_odds(model)
    assert max(abs(odds(row) - margin) for row, margin in zip(asked, margins, strict=True)) < 1e-5


def test_what_features_contribute_sums_to_the_log_odds() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(500, 9))
    _, trees = trained(rows, (rng.random(500) < 0.4).astype(float), min_child_weight=2)
    line = ClickModel("m", ModelKind.LOGISTIC, NAMES, 0.5, tuple(np.linspace(-1, 1, 9).tolist()))
    for model in (trees, line):
        for row in rows[:50].tolist():
            assert math.fsum(contributions(model, row).values()) == pytest.approx(log_odds(model)(row), abs=1e-12)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", range(2))
def test_where_a_value_is_missing_the_scorer_says_nothing(bad: float, place: int) -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(200, 9))
    booster = exported(
        bytes(
            xgboost.train(
                {"objective": "binary:logistic"}, xgboost.DMatrix(rows[:, :2], (rows[:, 0] > 0).astype(float)), 3
            ).save_raw("json")
        )
    )
    values = [0.1, 0.2]
    values[place] = bad
    for weights in ((0.0, 0.0), (1.0, -2.0)):
        for model in (
            ClickModel("m", ModelKind.LOGISTIC, NAMES[:2], 0.5, weights),
            ClickModel("m", ModelKind.TREES, NAMES[:2], booster.intercept, trees=booster.trees),
            ClickModel("m", ModelKind.LOGISTIC, NAMES[:2], 0.5, weights, curve=((-1.0, -1.0), (1.0, 2.0))),
        ):
            assert BoundScorer(Scorer(model)).chance(values) is None
            assert BoundScorer(Scorer(model)).chance([0.1, 0.2]) is not None


def test_a_chance_is_never_0_or_1() -> None:
    scorer = BoundScorer(Scorer(ClickModel("m", ModelKind.LOGISTIC, NAMES[:1], 0.0, (1.0,))))
    assert 0 < scorer.chance([-1e6]) < 1e-12  # type: ignore[operator]
    assert 1 - 1e-12 < scorer.chance([1e6]) < 1  # type: ignore[operator]


def test_a_curve_is_flat_outside_and_straight_between_its_points() -> None:
    bent = curve(((-1.0, -2.0), (0.0, 0.0), (2.0, 1.0)))
    assert [bent(value) for value in (-5.0, -1.0, -0.5, 0.0, 1.0, 2.0, 9.0)] == [-2, -2, -1, 0, 0.5, 1, 1]


def test_calibration_is_applied_before_the_curve() -> None:
    model = ClickModel("m", ModelKind.LOGISTIC, NAMES[:1], 1.0, (2.0,), calibration=(0.5, 0.25), curve=((0, 0), (9, 3)))
    assert log_odds(model)([1.0]) == pytest.approx((0.5 * 3 + 0.25) / 3)


def test_a_thousand_trees_compile() -> None:
    rng = np.random.default_rng(4)
    _, model = trained(rng.normal(size=(500, 9)), (rng.random(500) < 0.4).astype(float), min_child_weight=2)
    many = ClickModel("m", ModelKind.TREES, NAMES, 0.0, trees=model.trees * 16)
    assert not list(problems(many))
    assert math.isfinite(log_odds(many)([0.0] * 9))
