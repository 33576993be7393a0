"""Hours of a user's day: smoothed counts, shrunk to everybody's, halved every sixty days."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.learning.send_time import ACTIVE, CLICKED, KERNEL, UNIT, acted, acts, is_known, smoothed, values
from botopt.model.durations import DAY_US
from botopt.model.user_state import Hours

T0 = 1_772_442_000_000_000
FLAT = (1 / 24,) * 24
done = st.lists(st.tuples(st.integers(0, 23), st.sampled_from([ACTIVE, CLICKED])), max_size=30)


def after(history: list[tuple[int, int]], now_us: int = T0) -> Hours | None:
    hours = None
    for hour, worth in history:
        hours = acted(hours, hour, worth, now_us)
    return hours


def near(hour: int, other: int) -> float:
    """The Gaussian of an hour and a half, round the clock, by the page's words."""
    distance = min((hour - other) % 24, (other - hour) % 24)
    weights = [math.exp(-(min(d, 24 - d) ** 2) / (2 * 1.5**2)) for d in range(24)]
    return weights[distance] / sum(weights)


def test_an_act_is_spread_over_the_hours_around_it_and_round_midnight():
    assert sum(KERNEL) == pytest.approx(1.0)
    hours = acted(None, 23, ACTIVE, T0)
    bins = struct.unpack("<24I", hours.bins)
    assert [count / UNIT for count in bins] == pytest.approx([near(hour, 23) for hour in range(24)], abs=1e-5)
    assert bins[0] == bins[22] < bins[23]
    assert hours.weight == sum(bins)


def test_a_click_is_worth_two_acts():
    assert acts(after([(9, CLICKED)])) == 2 == acts(after([(9, ACTIVE), (9, ACTIVE)]))
    assert after([(9, CLICKED)]) == after([(9, ACTIVE), (9, ACTIVE)])
    assert acts(None) == 0


@settings(deadline=None)
@given(done, st.randoms())
def test_the_order_of_acts_does_not_matter(history, random):
    shuffled = list(history)
    random.shuffle(shuffled)
    assert after(shuffled) == after(history)


def test_with_fewer_than_five_acts_everybodys_day_is_taken():
    everybody = tuple(range(24))
    for number in range(5):
        hours = after([(9, ACTIVE)] * number)
        assert not is_known(hours)
        assert values(hours, everybody) == everybody
    assert is_known(after([(9, ACTIVE)] * 5))
    assert is_known(after([(9, CLICKED)] * 3))


@settings(deadline=None)
@given(done.filter(lambda history: sum(worth for _, worth in history) >= 5), st.integers(0, 23))
def test_an_hours_value_is_the_share_of_acts_near_it_with_five_acts_of_everybody(history, hour):
    everybody = smoothed([2 / 25 if other == 9 else 1 / 25 for other in range(24)])
    number = sum(worth for _, worth in history)
    near_it = sum(worth * near(hour, other) for other, worth in history)
    expected = (near_it + 5 * everybody[hour]) / (number + 5)
    assert values(after(history), everybody)[hour] == pytest.approx(expected, abs=1e-4)


@settings(deadline=None)
@given(done)
def test_values_are_shares_of_one_day(history):
    found = values(after(history), FLAT)
    assert math.fsum(found) == pytest.approx(1.0, abs=1e-6)
    assert all(0 < value < 1 for value in found)


def test_everybodys_day_smoothed_is_still_a_day():
    day = smoothed([1.0 if hour == 3 else 0.0 for hour in range(24)])
    assert sum(day) == pytest.approx(1.0)
    assert day == pytest.approx([near(hour, 3) for hour in range(24)])


@pytest.mark.parametrize(("days", "left"), [(0, 8), (59.999, 8), (60, 4), (119.999, 4), (120, 2), (240, 0.5)])
def test_all_are_halved_every_sixty_days(days, left):
    before = after([(9, ACTIVE)] * 8)
    hours = acted(before, 9, ACTIVE, T0 + int(days * DAY_US))
    assert acts(hours) == pytest.approx(left + 1, abs=1e-3)
    assert struct.unpack("<24I", hours.bins)[9] / UNIT == pytest.approx((left + 1) * KERNEL[0], abs=1e-3)


def test_halvings_are_counted_from_the_first_act_and_not_from_the_last():
    hours = after([(9, ACTIVE)] * 8)
    for day in (50, 59, 61, 100, 119, 121):
        hours = acted(hours, 9, ACTIVE, T0 + day * DAY_US)
    assert acts(hours) == pytest.approx(((8 + 2) / 2 + 3) / 2 + 1, abs=1e-3)
    assert hours is not None
    assert hours.since_us == T0 + 120 * DAY_US


def test_after_many_years_only_the_new_act_is_left():
    hours = acted(after([(9, ACTIVE)] * 8), 12, ACTIVE, T0 + 75 * 365 * DAY_US)
    assert acts(hours) == pytest.approx(1.0, abs=1e-3)
    assert values(hours, FLAT) == FLAT


def test_a_clock_before_the_first_act_halves_nothing():
    assert acts(acted(after([(9, ACTIVE)] * 3), 9, ACTIVE, T0 - 400 * DAY_US)) == 4


@settings(deadline=None, max_examples=3)
@given(st.integers(0, 23))
def test_bins_never_grow_over_their_32_bits_and_never_out_of_shape(hour):
    hours = Hours(struct.pack("<24I", *((1 << 31) // 24 for _ in range(24))), (1 << 31) // 24 * 24, T0)
    for _ in range(20_000):
        hours = acted(hours, hour, CLICKED, T0)
    assert len(hours.bins) == 96
    assert 1 << 29 < hours.weight < 1 << 32
    assert values(hours, FLAT)[hour] == max(values(hours, FLAT))
