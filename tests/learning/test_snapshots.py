"""What counts of all users say, by hand; and that no counts, however odd, say what cannot be."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.learning.lessons import ONE
from botopt.learning.snapshots import snapshot
from botopt.model.condition import ALWAYS
from botopt.model.learned import Snapshot
from botopt.model.learning_policy import EngagementSettings
from botopt.model.policy import Choose, EventType, Policy, Settings, Template, Text, Variant, When

TEXTS = {"en": Text("x")}
SAME = Template("same", (Variant("one", TEXTS), Variant("two", TEXTS)), choose=Choose.LEARN)
APART = Template("apart", (Variant("some", TEXTS, when=When(ALWAYS)), Variant("all", TEXTS)), choose=Choose.LEARN)
PLAIN = Template("plain", (Variant("only", TEXTS),))
POLICY = Policy(
    Settings(engagement=EngagementSettings(prior=0.3, learn=True)),
    events={name: EventType(name) for name in "ab"},
    templates={t.name: t for t in (SAME, APART, PLAIN)},
)


def of(**counts: float) -> Snapshot:
    """A snapshot of counts; `n__a` is the count `n` of `a`."""
    return snapshot(POLICY, {name.replace("__", "\0"): round(value * ONE) for name, value in counts.items()}, 0)


def test_of_nothing_it_says_what_the_policy_does():
    found = of()
    assert (found.rate, found.types, found.scorer_ok) == (0.3, {}, True)
    assert found.hours == pytest.approx((1 / 24,) * 24)
    assert {name: {each: arm.score for each, arm in arms.items()} for name, arms in found.arms.items()} == {
        "same": {"one": 0.0, "two": 0.0},
        "apart": {"some": 0.0, "all": 0.0},
    }


def test_the_rate_of_all_counts_a_hundred_messages_of_the_prior():
    assert of(n__a=60, y__a=6, n__b=40, y__b=14).rate == pytest.approx((20 + 100 * 0.3) / (100 + 100))


def test_a_types_rate_counts_twenty_messages_of_all():
    found = of(n__a=60, y__a=6, n__b=40)
    assert found.rate == pytest.approx((6 + 30) / 200)
    assert found.types == pytest.approx(
        {"a": (6 + 20 * found.rate) / (60 + 20), "b": (0 + 20 * found.rate) / (40 + 20)}
    )


def test_what_the_policy_does_not_know_any_more_has_no_say():
    assert of(n__gone=600, y__gone=500, n__a=10) == of(n__a=10)


def test_observed_against_expected():
    """Sent to people who were expected to click 32 times, one was clicked 42 times: (42 + 8) / (32 + 8) - 1."""
    found = of(vn__same__one=100, vy__same__one=42, ve__same__one=32, vn__same__two=50, ve__same__two=32)
    one, two = found.arms["same"]["one"], found.arms["same"]["two"]
    assert (one.score, one.sends, one.clicks) == (pytest.approx(0.25), 100, 42)
    assert (two.score, two.sends, two.clicks) == (pytest.approx(-0.8), 50, 0)


def test_the_difference_score_compares_those_who_got_it_with_those_who_could_have():
    """Taken by 300 rounds with 45 clicks, left by 700 with 70: each begins at the 115 of 1000 of both together."""
    found = of(t__apart__some=300, ty__apart__some=45, l__apart__some=700, ly__apart__some=70)
    mean = 115 / 1000
    with_it = (45 + 105 * mean) / (300 + 105)
    without = (70 + 105 * mean) / (700 + 105)
    assert found.arms["apart"]["some"].score == pytest.approx((with_it - without) / without)
    assert found.arms["apart"]["some"].score == pytest.approx(0.3822, abs=1e-4)
    assert found.arms["apart"]["all"].score == 0.0


def test_where_one_variant_has_a_condition_observed_and_expected_is_not_asked():
    assert of(vn__apart__some=100, vy__apart__some=90, ve__apart__some=1).arms["apart"]["some"].score == 0.0
    taken = of(t__same__one=100, ty__same__one=90, l__same__one=100, ly__same__one=1)
    assert taken.arms["same"]["one"].score == 0.0


def test_more_clicks_than_messages_are_as_many_messages():
    """Messages weigh less and less, and a late click 1."""
    odd = {"t__apart__some": 1, "ty__apart__some": 40, "l__apart__some": 9, "ly__apart__some": 30}
    even = odd | {"t__apart__some": 40, "l__apart__some": 30}
    assert of(**odd).arms == of(**even).arms
    assert of(n__a=1, y__a=30).rate == of(n__a=30, y__a=30).rate < 1
    assert of(n__a=5, y__a=-3).types == of(n__a=5).types


def test_nobody_who_could_have_had_it_clicked():
    """Not even the shrunken rate divides by nothing."""
    assert of(t__apart__all=300, l__apart__all=300).arms["apart"]["all"].score == 0.0
    assert of(t__apart__all=9, ty__apart__all=9).arms["apart"]["all"].score == 0.0


def test_hours_are_shares_of_what_users_do_with_two_hundred_acts_of_a_flat_day():
    found = of(h__09=1000)
    assert sum(found.hours) == pytest.approx(1.0)
    weights = [math.exp(-(min(d, 24 - d) ** 2) / 4.5) for d in range(24)]
    shares = [(1000 * (hour == 9) + 200 / 24) / 1200 for hour in range(24)]
    by_hand = sum(shares[other] * weights[(9 - other) % 24] for other in range(24)) / sum(weights)
    assert found.hours[9] == pytest.approx(by_hand)
    assert found.hours[8] == pytest.approx(found.hours[10])


@pytest.mark.parametrize(
    ("scored", "clicked", "foretold", "trusted"),
    [
        (99, 0, 50, True),  # too few to judge
        (100, 0, 50, False),
        (500, 34, 50, False),
        (500, 35, 50, True),
        (500, 70, 50, True),
        (500, 71, 50, False),
        (500, 9, 0, False),  # what it says cannot come
        (500, 0, 0, True),
    ],
)
def test_a_scorer_is_trusted_while_clicks_are_about_those_it_foretold(scored, clicked, foretold, trusted):
    assert of(sn__=scored, sy__=clicked, se__=foretold).scorer_ok is trusted


def test_the_id_is_that_of_the_values_and_their_time():
    assert of(n__a=1).id == of(n__a=1).id
    assert of(n__a=1).id != of(n__a=2).id
    assert snapshot(POLICY, {}, 0).id != snapshot(POLICY, {}, 1).id


amounts = st.integers(-(10**12), 10**15) | st.integers(-1000, 1000)
names = st.sampled_from(
    [
        *(f"{kind}\0{name}" for kind in "ny" for name in "ab"),
        *(
            f"{kind}\0{name}"
            for kind in ("vn", "vy", "ve", "t", "ty", "l", "ly")
            for name in ("same\0one", "same\0two", "apart\0some", "apart\0all")
        ),
        *(f"h\0{hour:02}" for hour in (0, 9, 23)),
        *("sn\0", "sy\0", "se\0"),
    ]
)


@settings(deadline=None)
@given(st.dictionaries(names, amounts), st.floats(0.01, 0.99))
def test_whatever_was_counted_rates_lie_between_0_and_1(counts, prior):
    """Old messages weigh less and less; what takes them back, or clicks them, weighs 1. So sums may even be odd."""
    settings = Settings(engagement=EngagementSettings(prior=prior, learn=True))
    policy = Policy(settings, events=POLICY.events, templates=POLICY.templates)
    found = snapshot(policy, counts, 0)
    assert 0 < found.rate < 1
    assert all(0 < rate < 1 for rate in found.types.values())
    assert all(math.isfinite(arm.score) for arms in found.arms.values() for arm in arms.values())
    assert sum(found.hours) == pytest.approx(1.0)
    assert all(0 < share < 1 for share in found.hours)
