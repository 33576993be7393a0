"""Click models by hand."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.learning.scorer import BoundScorer, log_odds
from botopt.model.click_model import ClickModel, ModelKind, Tree
from botopt.model.learning_policy import Scorer, ScorerUse

NAMES = ("user_rate", "hour")
LOGISTIC = ClickModel("m", ModelKind.LOGISTIC, NAMES, intercept=-1.0, weights=(0.5, -2.0))
TENTH = struct.unpack("<f", struct.pack("<f", 0.1))[0]  # 0.10000000149: above the 64-bit 0.1
STUMP = Tree((1, -1, -1), (TENTH, 0.0, 0.0), (1, 0, 0), (2, 0, 0), (0.0, -0.25, 0.75))
DEEP = Tree(
    (0, 1, -1, -1, -1), (0.0, TENTH, 0.0, 0.0, 0.0), (1, 2, 0, 0, 0), (4, 3, 0, 0, 0), (0.0, 0.0, 1.0, 2.0, 4.0)
)
TREES = ClickModel("t", ModelKind.TREES, NAMES, intercept=-0.5, trees=(STUMP, DEEP))


def test_a_logistic_model_is_its_weights_times_the_values():
    assert log_odds(LOGISTIC)([2.0, 0.25]) == -1.0 + 0.5 * 2.0 - 2.0 * 0.25
    assert BoundScorer(Scorer(LOGISTIC)).chance([2.0, 0.25]) == pytest.approx(1 / (1 + math.exp(0.5)))


@pytest.mark.parametrize(
    ("values", "odds"),
    [
        ([-1.0, 0.0], -0.5 - 0.25 + 1.0),
        ([-1.0, 0.2], -0.5 + 0.75 + 2.0),
        ([1.0, 0.0], -0.5 - 0.25 + 4.0),
        ([0.0, 0.0], -0.5 - 0.25 + 4.0),  # on the threshold: not below it
    ],
)
def test_trees_add_up_their_leaves(values, odds):
    assert log_odds(TREES)(values) == pytest.approx(odds)


def test_values_are_compared_as_32_bit_floats():
    """0.1 is below the threshold as it stands, and equal to it as a 32-bit float: it goes to the right."""
    assert TENTH > 0.1
    assert log_odds(TREES)([-1.0, 0.1]) == pytest.approx(-0.5 + 0.75 + 2.0)
    assert log_odds(TREES)([-1.0, 0.0999999]) == pytest.approx(-0.5 - 0.25 + 1.0)


def test_calibration_comes_last():
    slope, shift = 0.5, 0.25
    model = ClickModel("m", ModelKind.LOGISTIC, NAMES, -1.0, (0.5, -2.0), calibration=(slope, shift))
    assert log_odds(model)([2.0, 0.25]) == 0.5 * -0.5 + 0.25


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_where_nothing_can_be_said_nothing_is(value):
    assert BoundScorer(Scorer(LOGISTIC)).chance([value, 0.0]) is None


@settings(deadline=None)
@given(st.lists(st.floats(-1e30, 1e30), min_size=2, max_size=2), st.sampled_from([LOGISTIC, TREES]))
def test_a_chance_lies_between_0_and_1(values, model):
    chance = BoundScorer(Scorer(model)).chance(values)
    assert chance is None or 0 < chance < 1


def test_the_use_is_the_policys():
    assert BoundScorer(Scorer(TREES, ScorerUse.MULTIPLY)).use is ScorerUse.MULTIPLY
    assert BoundScorer(Scorer(TREES)).use is ScorerUse.REPLACE
