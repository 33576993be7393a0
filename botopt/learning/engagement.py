"""What a user's clicks and silence are worth: exactly decayed counts, smoothed rates, and the score's factor.

An outcome of age d weighs 2^(-d / half_life). Sums are kept as of the time of the last outcome and decayed
when read, so the result does not depend on how often anybody looked. Whole-number twins of the sums say
exactly whether there was any outcome at all. The rate is a Beta-Bernoulli posterior mean, twice: the user
shrinks to the prior, the user's event type shrinks to the user (docs/reference/language.md, "Engagement").
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from botopt.model.learned import Snapshot
from botopt.model.learning_policy import EngagementSettings
from botopt.model.user_state import Tally


def weight(age_us: int, half_life_us: int) -> float:
    """How much an outcome of this age still counts, 0 to 1."""
    return math.pow(2.0, -age_us / half_life_us)


def add_outcome(tally: Tally, at_us: int, *, clicked: bool, half_life_us: int) -> None:
    """Count one outcome, dated `at_us`, which may lie before the newest one."""
    if at_us > tally.at_us:
        fade = weight(at_us - tally.at_us, half_life_us)
        tally.clicks *= fade
        tally.outcomes *= fade
        tally.at_us = at_us
    share = weight(tally.at_us - at_us, half_life_us)
    tally.outcomes += share
    tally.outcome_count += 1
    if clicked:
        tally.clicks += share
        tally.click_count += 1


def remove_outcome(tally: Tally, at_us: int, *, clicked: bool, half_life_us: int) -> None:
    """Take back an outcome that was counted at `at_us`."""
    share = weight(tally.at_us - at_us, half_life_us)
    tally.outcome_count -= 1
    tally.outcomes = max(tally.outcomes - share, 0.0) if tally.outcome_count else 0.0
    if clicked:
        tally.click_count -= 1
        tally.clicks -= share
    tally.clicks = max(tally.clicks, 0.0) if tally.click_count else 0.0


MOST_LIKELY = 0.9
"""The rate that an event type's popularity may lead to expect of a user, at most."""


class Prior(msgspec.Struct, frozen=True):
    """What is expected of a user about whom nothing is known: of all messages, and of one event type's as a share of
    that.

    Without learning these are `settings.engagement.prior`, and 1.
    """

    rate: float
    ratio: float = 1.0


def prior_of(settings: EngagementSettings, snapshot: Snapshot, event_type: str) -> Prior:
    """What a policy expects, given what was learned."""
    if not settings.learn:
        return Prior(settings.prior)
    return Prior(snapshot.rate, snapshot.types.get(event_type, snapshot.rate) / snapshot.rate)


def rate(total: Tally, of_type: Tally | None, now_us: int, settings: EngagementSettings, prior: Prior) -> float:
    """The share of this event type's messages that this user is expected to click, 0 to 1."""
    if not total.outcome_count:
        return prior.rate * prior.ratio
    fade = weight(now_us - total.at_us, settings.half_life_us)
    strength = settings.strength
    of_user = (total.clicks * fade + strength * prior.rate) / (total.outcomes * fade + strength)
    of_user = min(of_user * prior.ratio, max(of_user, MOST_LIKELY))
    if of_type is None or not of_type.outcome_count:
        return of_user
    fade = weight(now_us - of_type.at_us, settings.half_life_us)
    return (of_type.clicks * fade + strength * of_user) / (of_type.outcomes * fade + strength)


def factor(rate: float, total: Tally, settings: EngagementSettings, prior: Prior) -> float:
    """What the raw score is multiplied with; exactly 1 while nothing is known, neither of the user nor of the type."""
    if not total.outcome_count and prior.ratio == 1.0:
        return 1.0
    return of_chance(rate, settings, prior.rate)


def factor_of_unknown(settings: EngagementSettings, prior: Prior) -> float:
    """The factor of a user without any outcome."""
    return factor(prior.rate * prior.ratio, Tally(), settings, prior)


def of_chance(chance: float, settings: EngagementSettings, prior: float) -> float:
    """The factor that belongs to a chance of a click."""
    return of_chances(settings, prior)(chance)


def of_chances(settings: EngagementSettings, prior: float) -> Callable[[float], float]:
    """The function from a chance of a click to the factor that belongs to it."""
    power, effect, low, high = math.pow, settings.effect, settings.low, settings.high

    def of(chance: float) -> float:
        try:
            factor = power(chance / prior, effect)
        except OverflowError:
            return high
        return low if factor < low else high if factor > high else factor

    return of


def factor_range(settings: EngagementSettings) -> tuple[float, float]:
    """Between what the factor lies, whatever users do: rates lie between 0 and 1."""
    if not settings.effect:
        return 1.0, 1.0
    if settings.learn:
        return settings.low, settings.high
    most = math.exp(min(-math.log(settings.prior) * settings.effect, 700.0)) * (1 + 1e-9)
    return settings.low, max(1.0, min(settings.high, most))


def factor_of(settings: EngagementSettings, prior: Prior) -> Callable[[Tally, Tally | None, int], tuple[float, float]]:
    """`factor` of `rate`, and `rate`, in one call for (total, of_type, now_us), bit for bit, for a total with outcomes.

    Almost every event asks for it; one function with everything at hand takes half the time of four.
    """
    power, half_life_us, strength, expected = math.pow, settings.half_life_us, settings.strength, prior.rate
    effect, low, high, share = settings.effect, settings.low, settings.high, settings.strength * prior.rate
    ratio, likely = prior.ratio, MOST_LIKELY

    def of(total: Tally, of_type: Tally | None, now_us: int) -> tuple[float, float]:
        fade = power(2.0, -(now_us - total.at_us) / half_life_us)
        rate = (total.clicks * fade + share) / (total.outcomes * fade + strength)
        if ratio != 1.0:
            scaled = rate * ratio
            if scaled > likely:
                scaled = min(scaled, max(rate, likely))
            rate = scaled
        if of_type is not None and of_type.outcome_count:
            fade = power(2.0, -(now_us - of_type.at_us) / half_life_us)
            rate = (of_type.clicks * fade + strength * rate) / (of_type.outcomes * fade + strength)
        try:
            value = power(rate / expected, effect)
        except OverflowError:
            value = high
        return (low if value < low else high if value > high else value), rate

    return of
