"""`choose: learn`: which variant, from what was learned of all of them and what this user had lately."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from msgspec.structs import replace

from botopt.learning.lessons import ONE, Lessons
from botopt.learning.variants import chances
from botopt.model.decision import Decision
from botopt.model.durations import DAY_US
from botopt.model.learning_policy import EngagementSettings, Recency
from botopt.model.policy import Policy
from botopt.model.user_state import Lesson
from tests.engine.learners import Course, choice, learning, written
from tests.engine.support import CALM, DAY, HOUR, at, ev, short

SAME = """\
templates:
  hello: {choose: learn, variants: {one: {text: {en: One}}, two: {text: {en: Two}}, three: {text: {en: Three}}}}
  other: Other
"""
APART = """\
templates:
  hello: Hello
  apart:
    choose: learn
    variants:
      big: {when: n > 5, text: {en: Big}}
      one: {text: {en: One}}
      two: {text: {en: Two}}
"""


def course(
    templates: str = SAME, *, suppression: str = "", recency: Recency | None = None, **learners: object
) -> Course:
    rules = "[{id: w, when: n >= 0, message: apart}]" if "apart" in templates else "[]"
    policy = written(suppression, CALM, rules=rules, templates=templates)
    if recency is not None:
        changed = {"hello": replace(policy.templates["hello"], recency=recency)}
        policy = replace(policy, templates={**policy.templates, **changed})
    return Course(learning(policy, **learners))


def believing(run: Course, **scores: float) -> Course:
    """A run in which so much is believed of each variant."""
    snapshot = run.learner.learned.snapshot
    [template] = snapshot.arms
    arms = {name: replace(arm, score=scores.get(name, 0.0)) for name, arm in snapshot.arms[template].items()}
    run.learner.learned.snapshot = replace(snapshot, arms={**snapshot.arms, template: arms})
    run.learner.low_us, run.learner.next_us = -(2**62), 2**62
    return run


def drawn(run: Course, user: str = "u", time: str | int = "09:00", id: str = "x", **data: object) -> Decision:
    [decision] = run(ev("a", user, time, id=id, **data))
    return decision


def odds(run: Course, time: str | int = "09:00", **data: object) -> dict[str, float]:
    """The chance of each variant, from many users' draws: each record names the one of its own."""
    found: dict[str, float] = {}
    for number in range(60):
        worded = choice(drawn(run, f"odds{number}", time, **data), "variant")
        found[worded.chosen] = worded.propensity
    return found


# ---------------------------------------------------------------- chances


def test_at_first_all_are_equal_and_the_record_says_so():
    worded = choice(drawn(course()), "variant")
    assert (worded.purpose, worded.eligible) == ("variant", ("one", "two", "three"))
    assert worded.propensity == pytest.approx(1 / 3, abs=1e-9)


def test_the_better_one_is_the_likelier_one():
    run = believing(course(), one=0.1, two=0.0, three=-0.1)
    weights = [math.exp(score / 0.06) for score in (0.1, 0.0, -0.1)]
    expected = [0.85 * weight / sum(weights) + 0.05 for weight in weights]
    assert odds(run) == pytest.approx(dict(zip(("one", "two", "three"), expected, strict=True)), abs=1e-9)


def test_draws_follow_their_chances():
    run, number = believing(course(), one=0.1), 3_000
    found = Counter(choice(drawn(run, f"u{each}"), "variant").chosen for each in range(number))
    for name, chance in odds(run).items():
        assert abs(found[name] - number * chance) < 4 * math.sqrt(number * chance * (1 - chance))


@pytest.mark.parametrize("number", range(2, 13))
def test_none_is_ever_given_up_and_the_chances_are_all_there_is(number):
    names = [f"v{place}" for place in range(number)]
    variants = ", ".join(f"{name}: {{text: {{en: {name}}}}}" for name in names)
    templates = f"templates:\n  hello: {{choose: learn, variants: {{{variants}}}}}\n  other: Other\n"
    run = believing(course(templates), v0=5.0)
    least = 0.05 if number <= 4 else 0.2 / number
    found = {}
    for each in range(400):
        worded = choice(drawn(run, f"u{each}"), "variant")
        found[worded.chosen] = worded.propensity
    assert found["v0"] == pytest.approx(1 - (number - 1) * least, abs=1e-9)
    assert all(chance == pytest.approx(least, abs=1e-9) for name, chance in found.items() if name != "v0")
    assert len(found) == number


def test_a_variant_whose_condition_fails_sleeps_and_the_others_share_its_chance():
    run = believing(course(APART), big=0.05, one=0.1)
    assert odds(run, n=0) == pytest.approx(dict(zip(("one", "two"), chances([0.1, 0.0]), strict=True)), abs=1e-9)
    awake = dict(zip(("big", "one", "two"), chances([0.05, 0.1, 0.0]), strict=True))
    worded = choice(drawn(run, "v", n=6), "variant")
    assert worded.eligible == ("big", "one", "two")
    assert worded.propensity == pytest.approx(awake[worded.chosen], abs=1e-9)


def test_where_only_one_may_go_nothing_is_drawn():
    decision = drawn(believing(course(APART.replace("      one: {text: {en: One}}\n", "")), big=9.0))
    worded = choice(decision, "variant")
    assert (worded.eligible, worded.chosen, worded.draw, worded.propensity) == (("two",), "two", None, 1.0)
    assert decision.message.variant == "two"


def test_the_draw_is_the_events_and_the_seeds_and_nothing_elses():
    def number(seed: int = 0, **event: object) -> float:
        return choice(drawn(course(seed=seed), **event), "variant").draw

    assert number() == number(time="17:00") == number(n=6)
    assert len({number(), number(id="y"), number(user="v"), number(seed=1)}) == 4


def test_a_release_keeps_its_wording_while_nothing_is_learned():
    night = '{id: q, quiet_hours: {from: "22:00", to: "08:00"}}'
    for each in range(15):
        by_day = drawn(course(suppression=night), id=f"e{each}")
        run = course(suppression=night)
        held = drawn(run, time="23:00", id=f"e{each}")
        [release] = run(until="wed 00:00")
        assert (short(held), held.choices) == ("held q until tue 08:00", ())
        assert release.choices == by_day.choices
        assert release.message.variant == by_day.message.variant


def test_the_control_group_gets_the_first_that_may_go():
    for n, first in ((0, "one"), (6, "big")):
        run = believing(course(APART, control=1.0), two=9.0)
        worded = choice(drawn(run, n=n), "variant")
        assert (worded.chosen, worded.draw, worded.propensity) == (first, None, 1.0)
        assert run.state().sends[0].lesson == Lesson()


# ---------------------------------------------------------------- what the user had lately


def lately(run: Course, time: str | int = "09:00") -> dict[str, float]:
    """Each variant's chance for this user by now: 60 events that nobody remembers."""
    found = {}
    state = run.state()
    for number in range(60):
        run.states["u"] = type(state)(clock_us=state.clock_us, sends=list(state.sends))
        worded = choice(drawn(run, time=time, id=f"try{number}"), "variant")
        found[worded.chosen] = worded.propensity
    run.states["u"] = state
    return found


@pytest.mark.parametrize(("age", "left"), [(0, 1.0), (3 * DAY, 0.5), (9 * DAY, 0.125), (30 * DAY - 1, 2**-10)])
def test_a_variant_that_the_user_had_is_worth_less_and_recovers(age, left):
    run = believing(course())
    had = drawn(run).message.variant
    penalty = [0.15 * left if name == had else 0.0 for name in ("one", "two", "three")]
    expected = dict(zip(("one", "two", "three"), chances([-less for less in penalty]), strict=True))
    assert lately(run, at("09:00") + age) == pytest.approx(expected, abs=1e-9)


def test_after_ten_half_lives_it_is_forgotten():
    run = believing(course())
    drawn(run)
    assert lately(run, at("09:00") + 30 * DAY) == pytest.approx({"one": 1 / 3, "two": 1 / 3, "three": 1 / 3})


def test_how_much_less_is_the_templates():
    run = believing(course(recency=Recency(0.3, HOUR)))
    had = drawn(run).message.variant
    expected = chances([-0.15 if name == had else 0.0 for name in ("one", "two", "three")])
    assert lately(run, "10:00") == pytest.approx(dict(zip(("one", "two", "three"), expected, strict=True)), abs=1e-9)


def test_had_twice_only_the_last_time_counts():
    run = believing(course(recency=Recency(0.3, DAY)))
    for day in range(30):
        drawn(run, time=f"+{day} 09:00", id=f"e{day}")
    newest = {send.lesson.variant: send.time_us for send in run.state().sends}
    now = at("+30 09:00")
    expected = chances([-0.3 * 2 ** (-(now - newest[name]) / DAY_US) for name in ("one", "two", "three")])
    assert lately(run, now) == pytest.approx(dict(zip(("one", "two", "three"), expected, strict=True)), abs=1e-9)


def test_what_failed_was_not_had():
    run = believing(course())
    drawn(run)
    run(ev("message.failed", "u", "09:01"))
    assert lately(run, "09:02") == pytest.approx({"one": 1 / 3, "two": 1 / 3, "three": 1 / 3})


def test_a_clicked_one_was_had_too():
    run = believing(course())
    had = drawn(run).message.variant
    run(ev("message.clicked", "u", "09:01"))
    assert lately(run, "09:01")[had] < 0.2


# ---------------------------------------------------------------- what is learned


def answered(run: Course, decision: Decision, user: str = "u", *, click: bool) -> None:
    kind = "message.clicked" if click else "message.dismissed"
    run(ev(kind, user, decision.time_us + 1, message_id=decision.id))


def counts(run: Course) -> dict[str, float]:
    found = run.learner.learned.recorder.lessons
    both = Lessons()
    both.merge(run.learner.keep().base)
    both.merge(found)
    return {name.replace("\0", " "): amount / ONE for name, amount in both.counts.items() if amount}


def test_observed_against_expected_by_hand():
    """Eight of ten that get one of them click it, one of ten the others; the prior says three of ten would."""
    run = course(SAME)
    sends, clicks = Counter(), Counter()
    for number in range(240):
        decision = drawn(run, f"u{number}", at("09:00") + number * 1_000_000)
        name = decision.message.variant
        sends[name] += 1
        click = sends[name] % 10 < (8 if name == "two" else 1)
        clicks[name] += click
        answered(run, decision, f"u{number}", click=click)
    run(ev("paid", "v", "10:00"))
    for name, arm in run.learner.learned.snapshot.arms["hello"].items():
        weight = 2 ** (-1 / 24 / 30)
        expected = (clicks[name] * weight + 8) / (sends[name] * weight * 0.3 + 8) - 1
        assert arm.score == pytest.approx(expected, abs=1e-4)
        assert (arm.sends, arm.clicks) == (
            pytest.approx(sends[name] * weight, abs=1e-3),
            pytest.approx(clicks[name] * weight, abs=1e-3),
        )
    assert choice(drawn(run, "w", "10:01"), "variant").eligible == ("one", "two", "three")
    assert odds(run, "10:02")["two"] > 0.89


def test_expected_is_what_the_users_own_history_leads_to_expect():
    """Who clicks much is expected to click: their click says less for a variant."""
    for clicked, expected in ((0, 0.3), (1, (1 + 10 * (1 + 10 * 0.3) / 11) / 11)):
        run = course(SAME)
        for _ in range(clicked):
            run(ev("a", "u", "08:00", id="before"), ev("message.clicked", "u", "09:00"))
        drawn(run, time="09:00")
        assert run.state().sends[-1].lesson.expected / ONE == pytest.approx(expected, abs=1e-4)


def test_the_difference_score_by_hand():
    """Every draw stands for 1/p of those who got it, and 1/(1 - p) of those who could have."""
    run = course(APART)
    taken, left, hits, misses = Counter(), Counter(), Counter(), Counter()
    for number in range(300):
        decision = drawn(run, f"u{number}", at("09:00") + number * 1_000_000, n=6 * (number % 3 == 0))
        worded = choice(decision, "variant")
        click = number % 3 == 0 or (worded.chosen == "two" and number % 2 == 0)  # warm users click whatever they get
        answered(run, decision, f"u{number}", click=click)
        for name in worded.eligible:
            chance = 1 / len(worded.eligible)
            if name == worded.chosen:
                taken[name] += 1 / chance
                hits[name] += click / chance
            else:
                left[name] += 1 / (1 - chance)
                misses[name] += click / (1 - chance)
    run(ev("paid", "v", "10:00"))
    for name, arm in run.learner.learned.snapshot.arms["apart"].items():
        fade = 2 ** (-1 / 24 / 30)
        mean = (hits[name] + misses[name]) / (taken[name] + left[name])
        with_it = (hits[name] * fade + 105 * mean) / (taken[name] * fade + 105)
        without = (misses[name] * fade + 105 * mean) / (left[name] * fade + 105)
        assert arm.score == pytest.approx((with_it - without) / without, abs=1e-3), name
    arms = run.learner.learned.snapshot.arms["apart"]
    assert arms["two"].score > arms["one"].score
    assert abs(arms["big"].score) < 0.1  # it only went to people who click anyway


def test_a_message_to_the_control_group_teaches_nothing_of_a_variant():
    run = course(control=1.0)
    answered(run, drawn(run), click=True)
    assert counts(run) == {"n a": 1, "y a": 1}


def test_what_is_learned_counts_from_the_next_hour_on():
    run = course()
    answered(run, drawn(run), click=True)
    before = run.learner.learned.snapshot
    run(ev("paid", "v", at("10:00") - 1))
    assert run.learner.learned.snapshot is before
    run(ev("paid", "v", "10:00"))
    assert run.learner.learned.snapshot.at_us == at("10:00")
    assert run.learner.learned.snapshot.arms != before.arms


def test_every_record_names_the_snapshot_that_had_a_say():
    run = course()
    one, two = drawn(run, id="1"), drawn(run, id="2", time="10:00")
    assert None is not one.snapshot != two.snapshot
    assert two.snapshot == run.learner.learned.snapshot.id


def test_a_policy_that_learns_nothing_from_all_users_names_none():
    assert drawn(Course(learning(written()))).snapshot is None


def test_eligibility_that_differs_misleads_raw_rates_and_not_the_difference_score():
    """A wording that may only go to warm users is clicked more, and is not better."""
    policy: Policy = course(APART).policy
    assert policy.settings.engagement == EngagementSettings(effect=0)
    run = Course(policy)
    for number in range(1_500):
        warm = number % 3 == 0
        decision = drawn(run, f"u{number}", at("09:00") + number * 1_000_000, n=6 * warm)
        answered(run, decision, f"u{number}", click=number % 100 < (60 if warm else 5))
    run(ev("paid", "v", "11:00"))
    arms = run.learner.learned.snapshot.arms["apart"]
    raw = {name: arm.clicks / arm.sends for name, arm in arms.items()}
    assert raw["big"] > 2 * max(raw["one"], raw["two"])
    assert abs(arms["big"].score) < 0.12
