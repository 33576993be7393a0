"""From lessons to a snapshot: what is believed of all users, and of each variant.

Every estimate is shrunk: it begins where nothing is known yet, and needs evidence to leave. The strengths are
pseudo-counts in messages (or, where weights count rounds, in rounds).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from botopt.learning.lessons import (
    CLICKS,
    EXPECTED,
    HITS,
    LEFT,
    LEFT_HITS,
    OF_HOURS,
    ONE,
    OUTCOMES,
    SENDS,
    TAKEN,
    TAKEN_HITS,
    of_scorer,
    of_variant,
)
from botopt.learning.send_time import smoothed
from botopt.model.learned import Arm, Snapshot
from botopt.model.policy import Choose, Policy, Template

RATE_STRENGTH = 100.0
"""How many messages the `prior` of the policy is worth against what all users did."""

TYPE_STRENGTH = 20.0
"""How many messages the rate of all messages is worth against that of one event type."""

ROUNDS = 105.0
"""Pseudo-rounds of the difference score, as Yancey and Settles (KDD 2020) have them."""

EXPECTED_CLICKS = 8.0
"""Pseudo-clicks of observed against expected."""

HOUR_STRENGTH = 200.0
"""How many acts of users a flat day is worth against when they really act."""

TRUSTED = (0.7, 1.4)
"""Clicks against those the scorer foretold, over about the last 500 messages: outside of it is not asked any more."""

LEAST_SCORED = 100.0
"""Messages before it is judged at all."""


def snapshot(policy: Policy, counts: Mapping[str, int], at_us: int) -> Snapshot:
    """What these counts say. Without any it says what the policy does."""
    prior = policy.settings.engagement.prior
    known = {name: found for name in sorted(policy.events) if (found := _of_type(counts, name))[0] > 0}
    total, hits = sum(count for count, _ in known.values()), sum(clicks for _, clicks in known.values())
    rate = (hits + RATE_STRENGTH * prior) / (total + RATE_STRENGTH)
    types = {name: (clicks + TYPE_STRENGTH * rate) / (count + TYPE_STRENGTH) for name, (count, clicks) in known.items()}
    arms = {
        name: {variant.name: arm(counts, template, variant.name) for variant in template.variants}
        for name, template in sorted(policy.templates.items())
        if template.choose is Choose.LEARN
    }
    values = (rate, types, arms, _hours(counts), _trusted(policy, counts))
    id = blake2b(msgspec.json.encode((at_us, values)), digest_size=6).hexdigest()
    return Snapshot(id, at_us, *values)


def arm(counts: Mapping[str, int], template: Template, variant: str) -> Arm:
    """How a variant did.

    Where every variant may go to everybody: clicks observed against those expected of the people who got it, less one.
    Where one has a condition of its own: the difference score of Yancey and Settles (KDD 2020), which compares people
    who got it with people who could have got it, and so does not credit it with being sent to the right people.
    """
    names = of_variant(template.name, variant)

    def of(kind: str) -> float:
        amount = counts.get(names[kind], 0)
        return amount / ONE if amount > 0 else 0.0

    sends, clicks = of(SENDS), of(HITS)
    if template.differs:
        taken_hits, left_hits = of(TAKEN_HITS), of(LEFT_HITS)
        taken, left = max(of(TAKEN), taken_hits), max(of(LEFT), left_hits)
        if not taken + left:
            return Arm(0.0, sends, clicks)
        mean = (taken_hits + left_hits) / (taken + left)
        with_it = (taken_hits + ROUNDS * mean) / (taken + ROUNDS)
        without = (left_hits + ROUNDS * mean) / (left + ROUNDS)
        return Arm((with_it - without) / without if without > 0 else 0.0, sends, clicks)
    return Arm((clicks + EXPECTED_CLICKS) / (of(EXPECTED) + EXPECTED_CLICKS) - 1, sends, clicks)


def _of_type(counts: Mapping[str, int], event_type: str) -> tuple[float, float]:
    """Its messages and its clicks, never more clicks than messages, never less than none.

    An old message weighs less and less, but a late click on it 1, and so does what takes it back.
    """
    clicks = max(counts.get(f"{CLICKS}\0{event_type}", 0) / ONE, 0.0)
    return max(counts.get(f"{OUTCOMES}\0{event_type}", 0) / ONE, clicks), clicks


def _hours(counts: Mapping[str, int]) -> tuple[float, ...]:
    acts = [max(counts.get(name, 0) / ONE, 0.0) for name in OF_HOURS]
    total = sum(acts)
    shares = [(number + HOUR_STRENGTH / 24) / (total + HOUR_STRENGTH) for number in acts]
    return smoothed(shares)


def scorer_id(policy: Policy) -> str:
    """What lessons call the policy's scorer: another model is judged anew."""
    return "" if policy.scorer is None else policy.scorer.model.digest[:8]


def _trusted(policy: Policy, counts: Mapping[str, int]) -> bool:
    scored, hits, foretold = (counts.get(name, 0) / ONE for name in of_scorer(scorer_id(policy)))
    if scored < LEAST_SCORED:
        return True
    if foretold <= 0:
        return hits <= 0
    low, high = TRUSTED
    return low <= hits / foretold <= high
