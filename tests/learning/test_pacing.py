"""The token bucket and its controller, against what they mean: integrals added up in small steps, and laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.learning.pacing import INTEGRAL, MOST, PROPORTIONAL, Budget
from botopt.model.durations import DAY_US, HOUR_US
from botopt.model.learning_policy import Pacing
from botopt.model.user_state import Pace

WEEK_US = 7 * DAY_US
T0 = 1_772_442_000_000_000

messages = st.sampled_from([0.1, 0.3, 0.5, 0.7, 1.0, 1.5, 3.0, 10.0, 0.123456])
periods = st.sampled_from([HOUR_US, DAY_US, WEEK_US, 1_234_567])
thresholds = st.sampled_from([0.0, 0.05, 0.6, 0.9, 1.0])


@st.composite
def budgets(draw: st.DrawFn) -> Budget:
    return Budget("", Pacing(draw(messages), draw(periods)), draw(thresholds))


def a_day(number: float, threshold: float = 0.6) -> Budget:
    return Budget("", Pacing(number, DAY_US), threshold)


def rebased(budget: Budget, pace: Pace, now_us: int) -> Pace:
    """The same bucket as of later: a message is taken out and put back."""
    return budget.returned(budget.spent(pace, now_us), now_us)


def slowly(budget: Budget, pace: Pace, rate: float, per_us: int, least: float, age_us: int) -> tuple[float, float]:
    """Level and integral after a time, in 4,000 small steps; the page's words and nothing else."""
    steps = 4_000
    level, integral, half = pace.level, pace.integral, budget.full / 2
    for _ in range(steps):
        middle = min(level + rate * age_us / steps / 2, budget.full)
        error = (middle - half) / half * 1.5
        integral = min(max(integral + 0.30 * error * age_us / steps / per_us, least), 2.5)
        level = min(level + rate * age_us / steps, budget.full)
    return level, integral


# ---------------------------------------------------------------- the bucket


@pytest.mark.parametrize(("number", "full"), [(1.5, 3.0), (3, 6), (0.5, 1.0), (0.3, 1.0), (0.1, 1.0), (1, 2)])
def test_it_holds_twice_the_budget_and_at_least_one_message(number, full):
    assert a_day(number).full == full


def test_it_fills_at_the_rate_of_the_budget_and_never_over():
    budget, pace = a_day(1.5), Pace(0.0, 0.0, T0)
    levels = [budget.level(pace, T0 + days * DAY_US) for days in (0, 1, 2, 3, 400)]
    assert levels == [0.0, 1.5, 3.0, 3.0, 3.0]


def test_a_clock_that_stands_or_goes_back_fills_nothing_and_takes_nothing():
    budget, pace = a_day(1.5), Pace(0.4, -0.2, T0)
    for now_us in (T0, T0 - DAY_US):
        assert budget.level(pace, now_us) == 0.4
        assert budget.lift(pace, now_us) == budget.lift(pace, T0)
        assert budget.spent(pace, now_us) == Pace(-0.6, -0.2, T0)
        assert budget.returned(pace, now_us) == Pace(1.4, -0.2, T0)


def test_a_new_user_begins_half_full_and_pays_for_the_first_message():
    assert a_day(1.5).spent(None, T0) == Pace(0.5, 0.0, T0)
    assert a_day(3).spent(None, T0) == Pace(2.0, 0.0, T0)
    assert a_day(0.2).spent(None, T0) == Pace(-0.5, 0.0, T0)


def test_what_is_returned_makes_it_full_at_most():
    assert a_day(1.5).returned(Pace(2.7, 0.0, T0), T0).level == 3.0
    assert a_day(1.5).returned(Pace(1.7, 0.0, T0), T0).level == pytest.approx(2.7)


def test_messages_that_ask_nobody_take_no_more_than_a_full_bucket_on_credit():
    budget, pace = a_day(1.5), None
    for _ in range(50):
        pace = budget.spent(pace, T0)
    assert pace is not None
    assert pace.level == -3.0


# ---------------------------------------------------------------- when it holds a message again


def test_half_a_message_short_is_the_time_that_half_a_message_takes():
    assert a_day(1).ready_us(Pace(0.5, 0.0, T0), T0 + 1) == T0 + DAY_US // 2
    assert a_day(1).ready_us(Pace(1.0, 0.0, T0), T0) is None
    assert a_day(1).ready_us(Pace(0.5, 0.0, T0), T0 + DAY_US // 2) is None


@settings(deadline=None, max_examples=200)
@given(budgets(), st.floats(-6, 3), st.integers(0, 30 * DAY_US))
def test_it_is_ready_exactly_at_the_time_that_it_names_and_not_before(budget, level, wait):
    pace = Pace(min(max(level, -budget.full), budget.full), 0.0, T0)
    ready_us = budget.ready_us(pace, T0 + wait)
    if ready_us is None:
        assert budget.level(pace, T0 + wait) >= 1.0 - 1e-9
        return
    assert ready_us > T0 + wait
    assert budget.level(pace, T0 + wait) < 1.0
    assert budget.level(pace, ready_us) == pytest.approx(1.0, abs=1e-5)  # what comes in a microsecond, at most
    assert budget.level(pace, ready_us - 1) < 1.0 + 1e-12
    assert budget.ready_us(pace, ready_us) is None
    assert budget.ready_us(pace, ready_us + 1) is None
    assert budget.ready_us(pace, ready_us - 1) == ready_us


@settings(deadline=None)
@given(budgets(), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_window_holds_more_messages_than_the_rate_times_its_length_and_a_full_bucket(budget, gaps):
    """Whatever comes, and however fast: a message goes whenever the bucket lets it."""
    rate = budget.messages
    period = (budget.ready_us(Pace(0.0, 0.0, 0), 0) or 0) * rate  # the budget's own period
    now, pace, sent = T0, None, []
    for gap in gaps:
        now += int(gap * period)
        if pace is None or budget.ready_us(pace, now) is None:
            pace = budget.spent(pace, now)
            sent.append(now)
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            window = (sent[last] - sent[first]) / period
            assert last - first + 1 <= rate * window + budget.full + 1e-6


# ---------------------------------------------------------------- the bar


@pytest.mark.parametrize("number", [0.1, 0.3, 0.5, 1, 1.5, 7])
def test_an_empty_bucket_lifts_the_bar_a_full_one_lowers_it_a_half_full_one_leaves_it(number):
    """The error is -1.5, 0 and 1.5, whatever the budget."""
    budget = a_day(number)
    levels = (0.0, budget.full / 2, budget.full)
    lifts = [budget.lift(Pace(level, 0.0, T0), T0) for level in levels]
    assert lifts == pytest.approx([math.exp(0.75), 1.0, math.exp(-0.75)])


@pytest.mark.parametrize("integral", [-0.3, 0.0, 1.0, 2.5])
def test_the_bar_is_multiplied_by_what_was_summed_up_too(integral):
    budget = a_day(1.5)
    assert budget.lift(Pace(1.5, integral, T0), T0) == pytest.approx(math.exp(-integral))


def test_one_day_of_a_full_bucket_sums_up_so_much():
    pace = rebased(a_day(1.5), Pace(3.0, 0.0, T0), T0 + DAY_US)
    assert pace.integral == pytest.approx(INTEGRAL * 1.5)
    assert a_day(1.5).lift(pace, T0 + DAY_US) == pytest.approx(math.exp(-PROPORTIONAL * 1.5 - 0.45))


def test_from_empty_to_full_the_errors_cancel_out():
    assert rebased(a_day(1.5), Pace(0.0, 0.0, T0), T0 + 2 * DAY_US).integral == pytest.approx(0.0)


def test_on_the_way_the_integral_meets_its_bound_and_comes_back_from_there():
    """-0.3 * 1.5 / 2 in the first day would go below log(0.9); from there it rises by as much as it would have."""
    budget = a_day(1.5, threshold=0.9)
    pace = rebased(budget, Pace(0.0, 0.0, T0), T0 + 2 * DAY_US)
    assert pace.integral == pytest.approx(math.log(0.9) + 0.3 * 0.75)


@settings(max_examples=30, deadline=None)
@given(
    messages,
    st.sampled_from([HOUR_US, DAY_US, WEEK_US]),
    thresholds,
    st.floats(-1, 1),
    st.floats(-3, 3),
    st.floats(0, 8),
)
def test_the_integral_is_the_one_that_small_steps_add_up_to(number, per_us, threshold, level, integral, periods_later):
    budget = Budget("", Pacing(number, per_us), threshold)
    least = max(math.log(max(threshold, 1e-6)), -2.5)
    pace = Pace(level * budget.full, min(max(integral, least), 2.5), T0)
    age_us = int(periods_later * per_us)
    slow_level, slow_integral = slowly(budget, pace, number / per_us, per_us, least, age_us)
    assert budget.level(pace, T0 + age_us) == pytest.approx(slow_level, abs=1e-6)
    error = (slow_level - budget.full / 2) / (budget.full / 2) * 1.5
    assert math.log(budget.lift(pace, T0 + age_us)) == pytest.approx(-0.5 * error - slow_integral, abs=5e-3)


@settings(deadline=None, max_examples=200)
@given(budgets(), st.floats(-1, 1), st.floats(-2.5, 2.5), st.lists(st.integers(0, 9 * DAY_US), min_size=1, max_size=6))
def test_how_often_somebody_asks_does_not_matter(budget, level, integral, gaps):
    """Bounds are met on the way in the same places, so looking in between changes nothing but the last bits."""
    start = rebased(budget, Pace(level * budget.full, integral, T0), T0)
    pace, now = start, T0
    for gap in gaps:
        now += gap
        pace = rebased(budget, pace, now)
    assert pace.level == pytest.approx(budget.level(start, now), abs=1e-6)
    assert budget.lift(pace, now) == pytest.approx(budget.lift(start, now), rel=1e-6)


@settings(deadline=None)
@given(budgets(), st.floats(-1, 1), st.floats(-2.5, 2.5), st.integers(0, 400 * DAY_US))
def test_the_integral_has_bounds(budget, level, integral, age):
    """At the upper one the bar falls to a twelfth; at the lower one a usual bar stands at 1, and no higher."""
    pace = rebased(budget, Pace(level * budget.full, min(integral, MOST), T0), T0 + age)
    assert -MOST <= pace.integral <= MOST
    half_full = Pace(budget.full / 2, pace.integral, T0)
    assert budget.lift(half_full, T0) >= math.exp(-2.5) * 0.999999


@pytest.mark.parametrize("threshold", [0.1, 0.6, 0.95, 1.0])
def test_a_bucket_that_was_empty_for_long_lifts_the_usual_bar_to_one_and_no_further(threshold):
    budget, pace = a_day(1.5, threshold), Pace(0.0, 0.0, T0)
    for day in range(60):  # a message whenever there is half of one: far too many
        pace = budget.spent(pace, T0 + day * DAY_US // 3)
    half_full = Pace(1.5, pace.integral, T0)
    assert threshold * budget.lift(half_full, T0) == pytest.approx(min(1.0, threshold * math.exp(2.5)))


@pytest.mark.parametrize("scores", ["even", "two kinds"])
def test_it_holds_the_budget_through_a_surge(scores):
    """Sixty days of one user, three times as many events for three of them: 1.5 messages a day within a fifth."""
    budget, pace, threshold = a_day(1.5), None, 0.6
    days = [0.0] * 60
    number = 0
    for day in range(60):
        events = 24 if 30 <= day < 33 else 8
        for event in range(events):
            now, number = T0 + day * DAY_US + event * DAY_US // events, number + 1
            drawn = number * 0.6180339887 % 1
            score = drawn if scores == "even" else 0.3 + 0.4 * (drawn > 0.7)
            bar = min(threshold * (1.0 if pace is None else budget.lift(pace, now)), 1.0)
            if score > bar and (pace is None or budget.ready_us(pace, now) is None):
                pace = budget.spent(pace, now)
                days[day] += 1
    for first, last in ((5, 30), (30, 33), (33, 60)):
        assert sum(days[first:last]) / (last - first) == pytest.approx(1.5, rel=0.2), (first, last)
    assert max(days) <= 3 + 1.5


@pytest.mark.parametrize("level", [-2000.0, 2000.0])
def test_what_a_larger_budget_left_behind_is_read_within_the_bounds_of_the_present_one(level):
    budget = a_day(1)
    pace = Pace(level, 50.0 if level < 0 else -50.0, T0)
    assert -budget.full <= budget.level(pace, T0) <= budget.full
    assert 0 < budget.lift(pace, T0) < 100
    ready_us = budget.ready_us(pace, T0)
    assert ready_us is None or ready_us <= T0 + 4 * DAY_US
