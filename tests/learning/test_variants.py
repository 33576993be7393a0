"""Which variant: exact chances with a floor, for any scores and any number of them."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.learning.variants import chances, floor, lately, less_likely, likelihoods, shared, taken
from botopt.model.durations import DAY_US
from botopt.model.learning_policy import Recency

scores = st.lists(st.floats(-5, 50) | st.floats(-0.2, 0.2), min_size=1, max_size=12)


@settings(deadline=None)
@given(scores)
def test_chances_sum_to_one_and_none_is_below_the_floor(values):
    found = chances(values)
    assert math.fsum(found) == pytest.approx(1.0, abs=1e-12)
    least = 0.05 if len(values) <= 4 else 0.2 / len(values)
    assert all(chance >= least - 1e-15 for chance in found)
    assert floor(len(values)) == least


@settings(deadline=None)
@given(scores)
def test_the_better_one_is_never_the_less_likely_one(values):
    pairs = sorted(zip(values, chances(values), strict=True))
    assert all(one[1] <= other[1] + 1e-15 for one, other in pairwise(pairs))


@settings(deadline=None)
@given(scores, st.floats(-3, 3))
def test_only_differences_of_scores_matter(values, shift):
    assert chances([value + shift for value in values]) == pytest.approx(chances(values), abs=1e-9)


def test_two_of_which_one_is_a_tenth_better():
    """(1 - 2 * 0.05) / (1 + exp(0.1 / 0.06)) + 0.05, worked out by hand."""
    worse = 0.9 / (1 + math.exp(0.1 / 0.06)) + 0.05
    assert chances([0.1, 0.0]) == pytest.approx([1 - worse, worse])
    assert worse == pytest.approx(0.193, abs=5e-4)


def test_far_better_leaves_the_others_their_floor():
    assert chances([9.0, 0.0]) == pytest.approx([0.95, 0.05])
    assert chances([9.0, 0.0, 0.0, 0.0]) == pytest.approx([0.85, 0.05, 0.05, 0.05])
    assert chances([9.0, *[0.0] * 9]) == pytest.approx([0.82, *[0.02] * 9])


def test_equal_scores_are_equal_chances():
    for number in range(1, 13):
        assert chances([0.3] * number) == pytest.approx([1 / number] * number)


@pytest.mark.parametrize(("drawn", "place"), [(0.0, 0), (0.1999, 0), (0.2, 1), (0.6999, 1), (0.7, 2), (0.9999999, 2)])
def test_a_draw_takes_the_one_whose_share_of_the_line_it_falls_in(drawn, place):
    assert taken([0.2, 0.5, 0.3], drawn) == place


@settings(deadline=None)
@given(scores, st.floats(0, 1, exclude_max=True))
def test_a_draw_always_takes_one(values, drawn):
    assert 0 <= taken(chances(values), drawn) < len(values)


def test_shares_that_fall_short_of_one_by_their_last_bits_leave_no_draw_without_a_variant():
    assert taken([0.1, 0.2, 0.3], 0.99) == 2


def test_what_a_user_had_lately_is_worth_less_and_half_of_that_after_each_half_life():
    recency = Recency(0.15, 3 * DAY_US)
    assert lately(0, recency) == 0.15
    assert lately(3 * DAY_US, recency) == pytest.approx(0.075)
    assert lately(9 * DAY_US, recency) == pytest.approx(0.15 / 8)
    assert lately(30 * DAY_US, recency) < 0.0002


def test_a_variant_that_the_user_had_is_worth_less_by_as_much():
    recency = Recency(0.15, DAY_US)
    likely = likelihoods([0.1, 0.0, 0.05])
    likely[0] *= less_likely(DAY_US, recency)
    assert shared(likely) == pytest.approx(chances([0.1 - lately(DAY_US, recency), 0.0, 0.05]), abs=1e-12)
