"""Engagement, fatigue, windows that conditions ask for, and which words are chosen."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.learning.engagement import Prior, add_outcome, factor, rate, remove_outcome
from botopt.model.durations import DAY_US
from botopt.model.learning_policy import EngagementSettings
from botopt.model.user_state import Response, Tally
from tests.engine.timeline import Story, ev, load, short, tell, us

HOUR = 3_600_000_000

RULES = """\
settings: {SETTINGS}
user:
  plan: {type: text, one_of: [free, pro], default: free}
channels: {chat: {type: console}}
events:
  other: {}
  a:
    fields: {n: {type: number, default: 1}}
    weight: WEIGHT
    message: hi
    rules: [{id: r, when: "WHEN", score: +0.2}]
  b: {weight: 0.9, message: hi, channel: chat}
SUPPRESSION
"""
PLAIN = "fatigue: {per_message: 0}, engagement: {effect: 0}"


def policy(when: str = "n > 1000", settings: str = PLAIN, weight: str = "0.5", suppression: str = ""):
    text = RULES.replace("SETTINGS", settings).replace("WEIGHT", weight).replace("WHEN", when)
    return load(text.replace("SUPPRESSION", suppression), 'templates: {hi: "Hi"}')


def outcomes(decisions):
    return [decision.outcome.value for decision in decisions]


@pytest.mark.parametrize(("later", "sent"), [(HOUR - 1, True), (HOUR, False)])
def test_count_includes_this_event_and_ends_exactly_after_the_window(later, sent):
    found = tell(policy("count('a', '1h') >= 2"), ev("a", "09:00"), ev("a", us("09:00") + later))
    assert outcomes(found) == ["below_threshold", "sent" if sent else "below_threshold"]
    assert outcomes(tell(policy("count('a', '1h') >= 1"), ev("a", "09:00"))) == ["sent"]


@pytest.mark.parametrize(("later", "sent"), [(HOUR - 1, True), (HOUR, False)])
def test_seen_looks_at_what_came_before(later, sent):
    own = policy("seen('a', '1h')")
    assert outcomes(tell(own, ev("a", "09:00"), ev("a", us("09:00") + later)))[1] == (
        "sent" if sent else "below_threshold"
    )
    assert outcomes(tell(own, ev("a", "09:00"))) == ["below_threshold"]
    other = policy("seen('other', '1h')")
    assert outcomes(tell(other, ev("other", "09:00"), ev("a", us("09:00") + later))) == [
        "sent" if sent else "below_threshold"
    ]


@pytest.mark.parametrize(("later", "sent"), [(HOUR - 1, True), (HOUR, False)])
def test_sent_counts_messages_not_events(later, sent):
    rules = policy("sent('1h') >= 1")
    assert outcomes(tell(rules, ev("a", "08:59"), ev("b", "09:00"), ev("a", us("09:00") + later))) == [
        "below_threshold",
        "sent",
        "sent" if sent else "below_threshold",
    ]
    failed = tell(rules, ev("b", "09:00"), ev("message.failed", "09:01"), ev("a", "09:02"))
    assert outcomes(failed) == ["sent", "below_threshold"]


def test_a_release_counts_and_sees_as_of_its_own_time():
    night = 'suppression: [{id: night, quiet_hours: {from: "22:00", to: "08:00"}}]'
    held = [ev("a", "22:30"), ev("other", "+1 07:30"), ev("other", "+1 09:00")]
    count = tell(policy("count('a', '12h') == 1", suppression=night), *held)
    assert outcomes(count) == ["held", "sent"]
    gone = tell(policy("count('a', '9h30m') == 1 or n > 5", suppression=night), *held)
    assert outcomes(gone) == ["held", "below_threshold"]
    later = tell(policy("seen('other', '1h') or time.hour >= 22", suppression=night), *held)
    assert outcomes(later) == ["held", "sent"]
    itself = tell(policy("seen('a', '12h') or time.hour >= 22", suppression=night), *held)
    assert outcomes(itself) == ["held", "below_threshold"]


def test_fatigue_counts_sends_without_a_click_up_to_its_limit():
    rules = policy(
        weight="0.9", settings="engagement: {effect: 0}, fatigue: {per_message: 0.1, within: 2h, limit: 0.25}"
    )
    events = [ev("a", f"09:{minute:02d}") for minute in range(5)]
    assert [d.threshold for d in tell(rules, *events)] == [0.6, 0.7, 0.8, 0.85, 0.85]
    clicked = [events[0], ev("message.clicked", "09:00:30"), events[1], ev("message.dismissed", "09:01:30"), events[2]]
    assert [d.threshold for d in tell(rules, *clicked)] == [0.6, 0.6, 0.7]
    edge = [ev("a", "09:00"), ev("a", us("11:00") - 1), ev("b", "11:00")]
    assert [d.threshold for d in tell(rules, *edge)] == [0.6, 0.7, 0.7]


def test_exactly_as_much_as_is_needed_is_not_enough():
    assert outcomes(tell(policy(weight="0.6"), ev("b", "09:00"), ev("a", "09:01"))) == ["sent", "below_threshold"]
    assert outcomes(tell(policy("n > 0", weight="0.41"), ev("a", "09:01"))) == ["sent"]


@pytest.mark.parametrize(("later", "response"), [(DAY_US - 1, Response.PENDING), (DAY_US, Response.IGNORED)])
def test_a_message_is_ignored_exactly_after_its_time(later, response):
    story = Story(policy(weight="0.9"))
    story.run([ev("a", "09:00"), ev("other", us("09:00") + later)], until="09:00")
    send = story.state().sends[0]
    assert send.response is response
    assert story.state().total.outcome_count == (response is Response.IGNORED)


def test_a_later_click_takes_the_place_of_an_earlier_outcome():
    story = Story(policy(weight="0.9"))
    story.run([ev("a", "09:00"), ev("other", "+2 09:00")], until="09:00")
    assert (story.state().total.click_count, story.state().total.outcome_count) == (0, 1)
    story.run([ev("message.clicked", "+3 09:00"), ev("message.dismissed", "+3 10:00")], until="09:00")
    state = story.state()
    assert (state.total.click_count, state.total.outcome_count, state.total.outcomes) == (1, 1, 1.0)
    assert state.sends[0].response is Response.CLICKED
    assert state.total.at_us == us("+3 09:00")
    story.run([ev("message.failed", "+4 09:00")], until="09:00")
    assert story.state().total == Tally(0.0, 0.0, us("+3 09:00"), 0, 0)


def test_a_dismissal_after_the_message_was_ignored_changes_nothing():
    story = Story(policy(weight="0.9"))
    story.run([ev("a", "09:00"), ev("message.dismissed", "+2 09:00")], until="09:00")
    assert story.state().sends[0].response is Response.IGNORED


def test_ignored_in_a_row_goes_by_the_order_of_sending_and_survives_forgetting():
    rules = policy("engagement.ignored_in_a_row >= 3", weight="0.9", settings=PLAIN)
    story = Story(rules)
    events = [ev("b", f"+{day} 09:00") for day in range(3)]
    first = story.run([*events, ev("a", "+4 09:00")], until="09:00")
    assert first[-1].parts[1].id == "r"
    story.run([ev("other", "+40 09:00")], until="09:00")
    assert (story.state().sends, story.state().ignored_run) == ([], 4)
    later = story.run([ev("a", "+40 10:00")], until="09:00")
    assert later[-1].parts[1].id == "r"
    clicked = Story(rules).run([*events, ev("message.clicked", "+2 10:00"), ev("a", "+4 09:00")], until="09:00")
    assert clicked[-1].parts[1].part == "engagement"


def test_a_mute_begins_again_after_one_more_message():
    rules = policy(weight="0.9", suppression="suppression: [{id: x, mute: 1h, when: n > 5}]")
    times = ["09:00", "09:30", "10:00", "10:01", "11:01"]
    found = tell(rules, *(ev("a", at, n=6) for at in times))
    assert short(found) == [
        "muted x until 2026-03-02T10:00:00Z",
        "muted x until 2026-03-02T10:00:00Z",
        "sent",
        "muted x until 2026-03-02T11:01:00Z",
        "sent",
    ]


half_lives = st.integers(HOUR, 60 * DAY_US)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 90 * DAY_US), st.booleans(), st.booleans()), max_size=15),
    half_lives,
    st.integers(0, 30 * DAY_US),
)
def test_the_rate_is_the_direct_sum_over_all_outcomes(history, half_life, wait):
    chosen = EngagementSettings(half_life_us=half_life)
    total, of_type = Tally(), Tally()
    for at, clicked, same in sorted(history):
        for tally in (total, of_type) if same else (total,):
            add_outcome(tally, at, clicked=clicked, half_life_us=half_life)
    now = max((at for at, _, _ in history), default=0) + wait

    def sums(only_type: bool) -> tuple[float, float]:
        weights = [
            (2.0 ** (-(now - at) / half_life), clicked) for at, clicked, same in history if same or not only_type
        ]
        return math.fsum(w for w, clicked in weights if clicked), math.fsum(w for w, _ in weights)

    clicks, count = sums(only_type=False)
    of_user = (clicks + 10 * 0.3) / (count + 10)
    own_clicks, own_count = sums(only_type=True)
    expected = (own_clicks + 10 * of_user) / (own_count + 10)
    assert rate(total, of_type, now, chosen, Prior(0.3)) == pytest.approx(expected, abs=1e-9)
    if not history:
        assert factor(0.9, total, chosen, Prior(0.3)) == 1.0


@given(st.lists(st.integers(0, 90 * DAY_US), min_size=1, max_size=10), half_lives)
def test_taking_every_outcome_back_leaves_exactly_nothing(times, half_life):
    tally = Tally()
    for at in sorted(times):
        add_outcome(tally, at, clicked=True, half_life_us=half_life)
    for at in times:
        remove_outcome(tally, at, clicked=True, half_life_us=half_life)
    assert (tally.clicks, tally.outcomes, tally.click_count, tally.outcome_count) == (0.0, 0.0, 0, 0)


def test_the_factor_stays_within_its_limits():
    chosen = EngagementSettings()
    some = Tally(1.0, 1.0, 0, 1, 1)
    assert factor(0.3, some, chosen, Prior(0.3)) == 1.0
    assert factor(0.99, some, chosen, Prior(0.3)) == 1.5
    assert factor(0.001, some, chosen, Prior(0.3)) == 0.5
    assert factor(0.48, some, chosen, Prior(0.3)) == pytest.approx((0.48 / 0.3) ** 0.5)


def test_clicks_raise_the_score_and_silence_lowers_it_by_the_formula():
    rules = policy(weight="0.8", settings="fatigue: {per_message: 0}")
    ignored = tell(rules, ev("a", "09:00"), ev("a", "+2 09:00"))
    age = Fraction(1, 30)  # ignored one day ago, with a half-life of thirty
    weight = 2.0 ** float(-age)
    of_user = (0 + 10 * 0.3) / (weight + 10)
    expected = 0.8 * ((10 * of_user) / (weight + 10) / 0.3) ** 0.5
    assert ignored[1].score == pytest.approx(expected, abs=1e-6)


WEIGHTED = """\
templates:
  hi:
    choose: weighted
    variants:
      one: {weight: 1, text: {en: "One"}}
      three: {weight: 3, text: {en: "Three"}}
      never: {weight: 5, when: n > 100, text: {en: "Never"}}
"""
SIMPLE = """\
settings: {seed: SEED, fatigue: {per_message: 0}, engagement: {effect: 0}}
channels: {chat: {type: console}}
events:
  a: {weight: 0.9, message: hi, fields: {n: {type: number, default: 1}}}
SUPPRESSION
"""


def test_weighted_draws_follow_their_weights_and_are_recorded():
    rules = load(SIMPLE.replace("SEED", "7").replace("SUPPRESSION", ""), WEIGHTED)
    found = tell(rules, *(ev("a", "09:00", user=f"u{number}") for number in range(2_000)))
    chosen = [d.message.variant for d in found if d.message is not None]
    assert 400 < chosen.count("one") < 600
    assert "never" not in chosen
    for decision in found:
        [choice] = decision.choices
        assert choice.eligible == ("one", "three")
        assert decision.message is not None
        assert choice.draw is not None
        assert decision.message.variant == ("one" if choice.draw < 0.25 else "three")
        assert choice.propensity == (0.25 if decision.message.variant == "one" else 0.75)


def test_a_release_keeps_its_draw_and_another_seed_draws_anew():
    night = 'suppression: [{id: night, quiet_hours: {from: "22:00", to: "08:00"}}]'
    events = [ev("a", at, user=f"u{number}", id=f"e{number}") for number in range(40) for at in ("09:00",)]
    late = [{**event, "time": "2026-03-02T23:00:00Z"} for event in events]

    def variants(seed: str, lines: list[dict[str, object]]) -> dict[str | None, str]:
        rules = load(SIMPLE.replace("SEED", seed).replace("SUPPRESSION", night), WEIGHTED)
        return {d.user: d.message.variant for d in tell(rules, *lines, until="+2 00:00") if d.message is not None}

    assert variants("7", events) == variants("7", late)
    assert variants("7", events) != variants("8", events)


def test_the_first_variant_that_fits_is_taken_and_learning_without_a_choice_says_so():
    first = WEIGHTED.replace("choose: weighted", "choose: KIND").replace("{weight: 1, text", "{when: n > 5, text")
    first = first.replace("weight: 3, ", "").replace(
        '      never: {weight: 5, when: n > 100, text: {en: "Never"}}\n', ""
    )
    for kind, choices in (("first", []), ("learn", [("variant", ("three",), "three", None, 1.0)])):
        rules = load(SIMPLE.replace("SEED", "0").replace("SUPPRESSION", ""), first.replace("KIND", kind))
        found = tell(rules, ev("a", "09:00", n=6), ev("a", "09:01", n=1))
        said = [d.message.variant for d in found if d.message is not None]
        assert said[1] == "three"
        assert said[0] == "one" if kind == "first" else said[0] == found[0].choices[0].chosen
        assert [(c.purpose, c.eligible, c.chosen, c.draw, c.propensity) for c in found[1].choices] == choices


def test_a_language_falls_back_to_its_parent_and_then_to_the_workspace():
    texts = 'templates: {hi: {variants: {v: {text: {en: "Hi", de: "Hallo", de-AT: "Servus"}}}}}'
    rules = load(SIMPLE.replace("SEED", "0").replace("SUPPRESSION", ""), texts)

    def said(locale: str) -> tuple[str, str]:
        found = tell(rules, ev("user.updated", "08:00", locale=locale), ev("a", "09:00"))
        assert found[0].message is not None
        return found[0].message.locale, found[0].message.text

    assert said("de-AT") == ("de-AT", "Servus")
    assert said("de-CH") == ("de", "Hallo")
    assert said("fr") == ("en", "Hi")
