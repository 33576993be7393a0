"""Intervals that hold at every look, the test of a split, and sample sizes: against what simulations and books say."""

from __future__ import annotations

import math
import statistics
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botopt.verify.experiments.intervals import (
    ALPHA,
    RARE,
    TUNED,
    Sums,
    between,
    chance_above,
    chi_square,
    multiple,
    needed,
)

LOOKS = 50
ONCE = 1.96


class World:
    """Users in two arms who get messages day after day and click some; nothing is different between the arms."""

    def __init__(self, seed: int, users: int, rate: float, spread: float, share: float, *, grows: bool) -> None:
        self.random = Random(seed)
        self.users, self.rate, self.spread, self.share, self.grows = users, rate, spread, share, grows
        self.people: list[list[float]] = []  # arm, rate, clicks, messages

    def day(self) -> None:
        coming = self.users // LOOKS if self.grows else self.users if not self.people else 0
        for _ in range(coming):
            arm = float(self.random.random() < self.share)
            self.people.append([arm, min(0.9, self.rate * math.exp(self.random.gauss(0, self.spread))), 0, 0])
        for person in self.people:
            if self.random.random() < 0.5:
                person[3] += 1
                person[2] += self.random.random() < person[1]

    def arms(self, *, rate: bool) -> tuple[Sums, Sums]:
        one, other = Sums(), Sums()
        for arm, _, clicks, messages in self.people:
            (one if arm else other).add(clicks, messages if rate else 1.0)
        return one, other


WORLDS = {
    "the same users all along": (120, 0.1, 0.0, 0.5, False),
    "users who differ much": (120, 0.1, 1.0, 0.5, False),
    "users who come day by day": (400, 0.1, 0.5, 0.5, True),
    "a small arm": (300, 0.1, 0.5, 0.2, False),
}


@pytest.mark.parametrize("world", WORLDS)
def test_looking_every_day_finds_nothing_where_there_is_nothing(world):
    users, rate, spread, share, grows = WORLDS[world]
    runs, wrong, naive = 120, [0, 0], [0, 0]
    for seed in range(runs):
        people = World(seed, users, rate, spread, share, grows=grows)
        excluded, plain = [False, False], [False, False]
        for _ in range(LOOKS):
            people.day()
            for place, ratio in enumerate((False, True)):
                one, other = people.arms(rate=ratio)
                if min(one.n, other.n) < 20 or one.x + other.x < 20:
                    continue
                found = between(one, other)
                excluded[place] |= found.excludes_zero
                error = math.sqrt(one.variance + other.variance)
                plain[place] |= abs(found.difference) > ONCE * error
        for place in (0, 1):
            wrong[place] += excluded[place]
            naive[place] += plain[place]
    noise = 2 * math.sqrt(ALPHA * (1 - ALPHA) / runs)
    assert max(wrong) / runs <= ALPHA + noise
    assert max(naive) / runs > ALPHA + noise, "intervals for one look would do here, so this world proves nothing"


def test_a_difference_that_is_there_is_found():
    found = []
    for seed in range(20):
        random = Random(seed)
        one, other = Sums(), Sums()
        for _ in range(2_000):
            one.add(random.random() < 0.15)
            other.add(random.random() < 0.08)
        interval = between(one, other)
        found.append(interval.excludes_zero)
        assert interval.low < 0.07 < interval.high
    assert all(found)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=2, max_size=40))
def test_sums_give_the_mean_and_the_variance_of_a_mean(pairs):
    plain, ratio = Sums(), Sums()
    for x, y in pairs:
        plain.add(x)
        ratio.add(x, y)
    values = [x for x, _ in pairs]
    assert plain.mean == pytest.approx(statistics.mean(values))
    assert plain.variance == pytest.approx(statistics.variance(values) / len(values))
    occasions = sum(y for _, y in pairs)
    if occasions:
        rate = sum(values) / occasions
        left = [x - rate * y for x, y in pairs]
        assert ratio.variance == pytest.approx(statistics.variance(left) * len(pairs) / occasions**2)
    else:
        assert (ratio.mean, ratio.variance) == (0.0, 0.0)


def test_an_interval_is_narrowest_where_it_was_tuned():
    for tuned in (RARE, TUNED):
        at = {acts: multiple(4.0 * acts, tuned=tuned) for acts in (tuned // 10, tuned, tuned * 30)}
        assert at[tuned] == min(at.values())
        assert 3.0 < at[tuned] < 3.1


def test_an_interval_is_that_of_robbins():
    rest = 4.0 * TUNED / (-2 * math.log(0.05) + math.log(-2 * math.log(0.05)) + 1)
    for intrinsic in (10.0, 1_000.0, 1e6):
        bound = math.sqrt((intrinsic + rest) * math.log((intrinsic + rest) / (rest * 0.05**2)))
        assert multiple(intrinsic) == pytest.approx(bound / math.sqrt(intrinsic))


def test_more_comparisons_make_wider_intervals():
    one, other = Sums(10, 20, 10, 80, 20, 10), Sums(10, 30, 10, 99, 30, 10)
    narrow, wide = between(one, other), between(one, other, ALPHA / 3)
    assert wide.low < narrow.low < narrow.difference < narrow.high < wide.high


def test_nothing_known_is_no_difference():
    found = between(Sums(), Sums())
    assert (found.difference, found.low, found.high, found.excludes_zero) == (0.0, 0.0, 0.0, False)


@pytest.mark.parametrize(
    ("counts", "shares", "value", "degrees"),
    [
        ((50, 50), (0.5, 0.5), 0.0, 1),
        ((60, 40), (0.5, 0.5), 4.0, 1),
        ((10, 20, 30), (0.5, 0.25, 0.25), 30.0, 2),
        ((30, 14, 34, 45, 57, 20), (1 / 6,) * 6, 37.78, 5),
    ],
)
def test_a_split_is_judged_by_chi_square(counts, shares, value, degrees):
    assert chi_square(counts, shares) == (pytest.approx(value), pytest.approx(chance_above(value, degrees)))


def test_one_group_is_always_split_as_written():
    assert chi_square((100,), (1.0,)) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("degrees", "value"), list(enumerate((3.841459, 5.991465, 7.814728, 9.487729, 11.070498, 12.591587), 1))
)
def test_one_in_twenty_is_above_the_value_in_the_tables(degrees, value):
    assert chance_above(value, degrees) == pytest.approx(0.05, rel=1e-5)


def test_chance_falls_as_the_statistic_grows():
    for groups in (2, 3, 4, 5):
        chances = [chi_square([100 + off, *[100] * (groups - 1)], [1 / groups] * groups)[1] for off in range(0, 60, 10)]
        assert chances == sorted(chances, reverse=True)
        assert chances[0] == 1.0


@pytest.mark.parametrize(("relative", "sends"), [(0.20, 4_600), (0.10, 18_400), (0.05, 73_600)])
def test_sample_sizes_are_those_of_the_table(relative, sends):
    assert needed(0.08 * 0.92, 0.08 * relative) == sends
