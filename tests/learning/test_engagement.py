"""Rates with what all users do behind them: the prior in numerator and denominator, a type's share of it, bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.learning.engagement import (
    Prior,
    add_outcome,
    factor,
    factor_of,
    factor_of_unknown,
    factor_range,
    of_chance,
    prior_of,
    rate,
)
from botopt.model.durations import DAY_US
from botopt.model.learned import Snapshot
from botopt.model.learning_policy import EngagementSettings
from botopt.model.user_state import Tally

T0 = 1_772_442_000_000_000
LEARNS = EngagementSettings(learn=True)
inside = st.floats(0.001, 0.999)
histories = st.lists(st.tuples(st.integers(0, 90 * DAY_US), st.booleans(), st.booleans()), max_size=12)
chosen = st.builds(
    EngagementSettings,
    prior=inside,
    strength=st.sampled_from([0.5, 10.0, 100.0]),
    half_life_us=st.sampled_from([DAY_US, 30 * DAY_US]),
    effect=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    low=st.sampled_from([0.1, 0.5, 1.0]),
    high=st.sampled_from([1.0, 1.5, 9.0]),
    learn=st.booleans(),
)


def told(history: list[tuple[int, bool, bool]], settings: EngagementSettings) -> tuple[Tally, Tally]:
    total, of_type = Tally(), Tally()
    for at_us, clicked, same in sorted(history):
        for tally in (total, of_type) if same else (total,):
            add_outcome(tally, T0 + at_us, clicked=clicked, half_life_us=settings.half_life_us)
    return total, of_type


def sums(tally: Tally, now_us: int, settings: EngagementSettings) -> tuple[float, float]:
    """Clicks and outcomes by now."""
    fade = math.pow(2.0, -(now_us - tally.at_us) / settings.half_life_us)
    return tally.clicks * fade, tally.outcomes * fade


# ---------------------------------------------------------------- learning off


@settings(deadline=None)
@given(histories, chosen, inside)
def test_without_learning_every_number_is_that_of_the_language_bit_for_bit(history, settings, other):
    """Section 5, and not one operation more: what all users do is not even looked at."""
    settings = EngagementSettings(
        settings.prior, settings.strength, settings.half_life_us, settings.effect, settings.low, settings.high
    )
    total, of_type = told(history, settings)
    now_us = T0 + 100 * DAY_US
    prior = prior_of(settings, Snapshot("", 0, other, {"a": other / 2}), "a")
    assert prior == Prior(settings.prior, 1.0)
    clicks, outcomes = sums(total, now_us, settings)
    expected = (clicks + settings.strength * settings.prior) / (outcomes + settings.strength)
    if of_type.outcome_count:
        clicks, outcomes = sums(of_type, now_us, settings)
        expected = (clicks + settings.strength * expected) / (outcomes + settings.strength)
    if not total.outcome_count:
        expected = settings.prior
    assert rate(total, of_type, now_us, settings, prior) == expected
    multiplied = min(max(math.pow(expected / settings.prior, settings.effect), settings.low), settings.high)
    assert factor(expected, total, settings, prior) == (multiplied if total.outcome_count else 1.0)
    assert factor_of_unknown(settings, prior) == 1.0


# ---------------------------------------------------------------- learning on


def test_what_all_users_do_stands_in_numerator_and_denominator():
    """All users click one of ten: who clicked one of one is rated (1 + 10 * 0.1) / (1 + 10), and that is double."""
    prior = prior_of(LEARNS, Snapshot("", 0, 0.1), "a")
    assert prior == Prior(0.1, 1.0)
    total, of_type = told([(0, True, True)], LEARNS)
    of_user = (1 + 10 * 0.1) / (1 + 10)
    expected = (1 + 10 * of_user) / (1 + 10)
    found = rate(total, of_type, T0, LEARNS, prior)
    assert found == pytest.approx(expected)
    assert factor(found, total, LEARNS, prior) == min(math.sqrt(expected / 0.1), 1.5)


def test_a_user_about_whom_nothing_is_known_has_the_types_rate():
    prior = prior_of(LEARNS, Snapshot("", 0, 0.2, {"liked": 0.3, "nobody": 0.08}), "nobody")
    assert rate(Tally(), None, T0, LEARNS, prior) == pytest.approx(0.08)
    assert factor_of_unknown(LEARNS, prior) == pytest.approx(math.sqrt(0.4))
    assert factor_of_unknown(LEARNS, prior_of(LEARNS, Snapshot("", 0, 0.2, {"liked": 0.3}), "liked")) == pytest.approx(
        math.sqrt(1.5)
    )


def test_a_type_of_which_nothing_is_known_has_the_rate_of_all():
    prior = prior_of(LEARNS, Snapshot("", 0, 0.2, {"liked": 0.3}), "new")
    assert prior == Prior(0.2, 1.0)
    assert factor_of_unknown(LEARNS, prior) == 1.0


@pytest.mark.parametrize(("of_type", "expected"), [(1e-6, 0.5), (0.999, 1.5)])
def test_a_type_that_nobody_or_everybody_clicks_moves_a_score_to_its_limit_and_no_further(of_type, expected):
    prior = prior_of(LEARNS, Snapshot("", 0, 0.2, {"a": of_type}), "a")
    assert factor_of_unknown(LEARNS, prior) == expected


def test_a_users_own_history_of_other_types_is_carried_over_by_the_types_share():
    """Who clicks 0.4 where people click 0.2 is expected to click 0.1 of what people click 0.05 of."""
    prior = Prior(0.2, 0.25)
    total = Tally(30.0, 70.0, T0, 30, 70)
    of_user = (30 + 10 * 0.2) / (70 + 10)
    assert rate(total, None, T0, LEARNS, prior) == pytest.approx(of_user * 0.25)
    assert rate(total, Tally(), T0, LEARNS, prior) == pytest.approx(of_user * 0.25)


def test_a_popular_type_leads_to_expect_nine_of_ten_at_most_unless_the_user_clicks_more():
    prior = Prior(0.2, 4.0)
    some, all_of_them = Tally(30.0, 70.0, T0, 30, 70), Tally(1000.0, 1000.0, T0, 1000, 1000)
    assert rate(some, None, T0, LEARNS, prior) == 0.9
    assert rate(all_of_them, None, T0, LEARNS, prior) == pytest.approx((1000 + 2) / 1010)


@settings(deadline=None)
@given(histories, chosen, inside, inside)
def test_a_rate_lies_between_0_and_1_and_a_factor_between_its_limits(history, settings, of_all, of_type):
    prior = prior_of(settings, Snapshot("", 0, of_all, {"a": of_type}), "a")
    total, of_own = told(history, settings)
    now_us = T0 + 100 * DAY_US
    found = rate(total, of_own, now_us, settings, prior)
    assert 0 < found < 1
    multiplied = factor(found, total, settings, prior)
    low, high = factor_range(settings)
    assert low <= multiplied <= high
    assert settings.low <= multiplied <= settings.high


@settings(deadline=None)
@given(histories, chosen, inside, inside)
def test_the_short_way_gives_the_same_bits(history, settings, of_all, of_type):
    prior = prior_of(settings, Snapshot("", 0, of_all, {"a": of_type}), "a")
    total, of_own = told(history, settings)
    now_us = T0 + 100 * DAY_US
    long_way = factor(rate(total, of_own, now_us, settings, prior), total, settings, prior)
    if total.outcome_count:
        assert factor_of(settings, prior)(total, of_own, now_us)[0] == long_way
        assert factor_of(settings, prior)(total, None, now_us)[0] == factor(
            rate(total, None, now_us, settings, prior), total, settings, prior
        )
    else:
        assert factor_of_unknown(settings, prior) == long_way


@pytest.mark.parametrize(("chance", "expected"), [(0.3, 1.0), (0.6, math.sqrt(2)), (1e-9, 0.5), (1.0, 1.5)])
def test_a_chance_becomes_a_factor_by_the_same_formula(chance, expected):
    assert of_chance(chance, EngagementSettings(), 0.3) == pytest.approx(expected)
