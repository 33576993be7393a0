"""`pacing`: a budget of messages for each user, in decisions."""

from __future__ import annotations

import math
from random import Random

import pytest
from msgspec.structs import replace

from botopt.learning.pacing import Budget
from botopt.model.durations import DAY_US
from botopt.model.learning_policy import Pacing
from botopt.model.user_state import Pace
from tests.engine.learners import LIVELY, Course, bar, explained, learning, term, written
from tests.engine.support import CALM, DAY, HOUR, at, clock, ev, short

ONE = Pacing(1.0)  # a day: the bucket holds two
FLAT = {"effect": 0.0}
LOW = f"{CALM}, threshold: 0.2"
"""Scores of 0.8 are above it even where an empty bucket lifts it: to 0.42."""


def easy(suppression: str = "", **learners: object) -> Course:
    """A run under the base policy, where only the bucket stops what pacing stops."""
    return Course(learning(written(suppression, LOW), **learners))


def told(course: Course, *events: dict[str, object], until: str | None = None) -> list[str]:
    return [short(decision) for decision in course(*events, until=until)]


def test_an_empty_bucket_stops_every_message_until_exactly_it_holds_one_again():
    course = easy(pacing=ONE)
    assert told(course, ev("a", "u", "mon 09:00"), ev("a", "u", "mon 09:30")) == ["sent", "paced until tue 09:00"]
    assert told(course, ev("a", "u", at("tue 09:00") - 1)) == ["paced until tue 09:00"]
    assert told(course, ev("a", "u", "tue 09:00")) == ["sent"]


def test_each_user_has_a_bucket_of_their_own():
    course = easy(pacing=ONE)
    assert told(course, *(ev("a", user, "09:00") for user in "uvw")) == ["sent"] * 3


def test_a_category_has_a_budget_apart_from_the_workspaces():
    course = easy(pacing=ONE, paced={"alarm": Pacing(1.0, HOUR)})
    events = [ev("fire", "u", "09:00"), ev("a", "u", "09:00"), ev("fire", "u", "09:30"), ev("a", "u", "10:00")]
    assert told(course, *events) == [
        "sent",
        "sent",
        "paced alarm until 10:00",
        "paced until tue 09:00",
    ]
    assert sorted(course.state().paces) == ["", "alarm"]


def test_only_a_category_may_have_one():
    course = easy(paced={"alarm": ONE})
    assert told(course, *(ev(kind, "u", "09:00") for kind in ("a", "a", "fire", "fire", "loose"))) == [
        "sent",
        "sent",
        "sent",
        "paced alarm until tue 09:00",
        "sent",
    ]
    assert list(course.state().paces) == ["alarm"]


def test_a_message_that_failed_gives_back_what_it_took():
    for failed in (False, True):
        course = easy(pacing=ONE)
        course(ev("a", "u", "09:00"))
        if failed:
            course(ev("message.failed", "u", "09:10"), ev("message.failed", "u", "09:11", event_type="a"))
        assert told(course, ev("a", "u", "09:20"))[0].startswith("sent" if failed else "paced")


def test_it_is_given_back_to_the_budget_that_it_came_from_and_only_once():
    course = easy(pacing=ONE, paced={"alarm": ONE})
    [fire, _] = course(ev("fire", "u", "09:00"), ev("a", "u", "09:00"))
    before = {name: pace.level for name, pace in course.state().paces.items()}
    course(*(ev("message.failed", "u", "09:00", message_id=fire.id) for _ in range(3)))
    after = {name: pace.level for name, pace in course.state().paces.items()}
    assert before == {"alarm": 0.0, "": 0.0}
    assert after == {"alarm": 1.0, "": 0.0}


@pytest.mark.parametrize("fast", [False, True])
def test_what_took_nothing_gives_nothing_back(fast):
    """Sent in the control group; before there was a budget; from a budget of another category."""
    was = {
        "in the control group": learning(written(settings=LOW), pacing=ONE, control=1.0),
        "before the budget": learning(written(settings=LOW)),
        "from another": learning(written(settings=LOW), pacing=ONE, paced={"alarm": Pacing(5.0, HOUR)}),
    }
    for policy in was.values():
        before, after = Course(policy, fast=fast), Course(learning(written(settings=LOW), pacing=ONE), fast=fast)
        [fire] = before(ev("fire", "u", "09:00"))
        assert fire.message is not None
        after.continues(before)
        assert told(after, ev("a", "u", "09:05"), ev("a", "u", "09:06")) == ["sent", "paced until tue 09:05"]
        level = after.state().paces[""].level
        after(ev("message.failed", "u", "09:10", message_id=fire.id))
        assert after.state().paces[""].level == level
        assert told(after, ev("a", "u", "09:20")) == ["paced until tue 09:05"]


def test_what_was_taken_from_a_budget_is_given_back_to_it_wherever_the_event_type_is_by_now():
    before = easy(pacing=ONE, paced={"alarm": ONE})
    [fire, _] = before(ev("fire", "u", "09:00"), ev("a", "u", "09:00"))
    policy = before.policy
    moved = replace(policy, events={**policy.events, "fire": replace(policy.events["fire"], category=None)})
    after = Course(moved)
    after.continues(before)
    after(ev("message.failed", "u", "09:00", message_id=fire.id))
    assert {name: pace.level for name, pace in after.state().paces.items()} == {"alarm": 1.0, "": 0.0}


def test_a_failure_that_another_channel_makes_good_gives_nothing_back():
    course = easy(pacing=ONE)
    course(ev("a", "u", "09:00"), ev("message.failed", "u", "09:10", handed_over=True))
    assert told(course, ev("a", "u", "09:20")) == ["paced until tue 09:00"]


def test_clicked_or_not_a_message_is_paid_for():
    course = easy(pacing=ONE)
    course(ev("a", "u", "09:00"), ev("message.clicked", "u", "09:10"))
    assert told(course, ev("a", "u", "09:20")) == ["paced until tue 09:00"]


@pytest.mark.parametrize("level", [-1.0, 0.0, 0.7, 1.0, 1.6, 2.0])
@pytest.mark.parametrize("integral", [-0.4, 0.0, 2.0])
def test_needed_is_threshold_and_rules_and_what_pacing_adds_to_them(level, integral):
    policy = learning(written(rules="[{id: eager, when: n > 5, threshold: -0.1}]"), pacing=ONE)
    for n, usual in ((0, 0.6), (6, 0.5)):
        course = Course(policy)
        course.state().paces[""] = Pace(level, integral, at("09:00"))
        [decision] = course(ev("a", "u", "09:00", n=n))
        lift = math.exp(-0.5 * (level - 1.0) * 1.5 - integral)
        assert term(decision, "pacing") == pytest.approx(usual * (lift - 1), abs=1e-6)
        assert decision.threshold == pytest.approx(min(max(usual * lift, 0), 1), abs=1e-6)
        assert bar(decision, 0.6) == pytest.approx(decision.threshold, abs=1e-5)
        assert term(decision, "fatigue") is None
        explained(decision)


def test_without_a_message_yet_the_bar_is_the_usual_one():
    [decision] = Course(learning(written(), pacing=ONE))(ev("a", "u", "09:00"))
    assert (decision.threshold, term(decision, "pacing")) == (0.6, 0)


def test_it_stands_in_the_place_of_fatigue():
    tired = written(settings="fatigue: {per_message: 0.1, within: 24h, limit: 0.4}, engagement: {effect: 0}")
    course = Course(learning(tired, paced={"alarm": Pacing(50.0)}))
    course(*(ev("fire", "u", "09:00") for _ in range(4)))
    [fire, a] = course(ev("fire", "u", "09:01"), ev("a", "u", "09:01"))
    assert term(fire, "fatigue") is None
    assert (term(a, "fatigue"), term(a, "pacing"), a.threshold) == (0.4, None, 1)


def test_what_an_author_wrote_still_holds_and_is_named_first():
    cases = {
        ("{id: x, cooldown: 6h}", "a"): "cooldown x until 15:00",
        ("{id: x, limit: 1, within: 6h}", "a"): "capped x until 15:00",
        ("{id: x, inhibited_by: fire, within: 6h}", "fire"): "inhibited x until 15:00",
    }
    for (suppression, first), stopped in cases.items():
        for messages in (1.0, 50.0):
            course = easy(suppression, pacing=Pacing(messages))
            assert told(course, ev(first, "u", "09:00"), ev("a", "u", "09:01")) == ["sent", stopped]


def test_an_empty_bucket_stops_a_message_before_quiet_hours_hold_it():
    policy = learning(written('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}', LOW), pacing=ONE)
    course = Course(policy)
    assert told(course, ev("a", "u", "21:59"), ev("a", "u", "22:30")) == ["sent", "paced until tue 21:59"]


def test_what_is_held_pays_when_it_is_released_and_may_find_nothing_left():
    policy = learning(written('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}', LOW), pacing=ONE)
    course = Course(policy)
    held = told(course, ev("a", "u", "22:00"), ev("a", "u", "22:30"))
    assert held == ["held night until tue 08:00"] * 2
    assert course.state().paces == {}
    assert told(course, until="wed 00:00") == ["sent", "paced until wed 08:00"]


def test_always_is_never_paced_and_pays_all_the_same():
    course = easy(pacing=ONE, always=["fire"])
    assert told(course, *(ev("fire", "u", "09:00") for _ in range(5))) == ["sent"] * 5
    assert course.state().paces[""].level == -2.0  # on credit: no more than a full bucket
    assert told(course, ev("a", "u", "09:00")) == ["below_threshold"]


def test_the_holdout_pays_nothing():
    course = easy(pacing=ONE, holdout=1.0)
    assert told(course, ev("a", "u", "09:00")) == ["holdout"]
    assert course.state().paces == {}


def test_the_control_group_is_not_paced_pays_nothing_and_has_fatigue():
    tired = written(settings="fatigue: {per_message: 0.05, within: 24h, limit: 0.1}, engagement: {effect: 0}")
    course = Course(learning(tired, pacing=ONE, paced={"alarm": ONE}, control=1.0))
    found = course(*(ev(kind, "u", "09:00") for kind in ("a", "a", "a", "fire", "fire")))
    assert [short(decision) for decision in found] == ["sent"] * 5
    assert [term(decision, "fatigue") for decision in found] == [0, 0.05, 0.1, 0.1, 0.1]
    assert [term(decision, "pacing") for decision in found] == [None] * 5
    assert course.state().paces == {}


def test_who_comes_into_the_control_group_later_is_not_paced_by_what_was_before():
    course = easy(pacing=ONE, control=1.0)
    course.state().paces[""] = Pace(-1.0, 0.0, at("09:00"))
    assert told(course, ev("a", "u", "09:00")) == ["sent"]
    assert course.state().paces == {"": Pace(-1.0, 0.0, at("09:00"))}


def test_who_was_deleted_begins_anew():
    course = easy(pacing=ONE)
    course(ev("a", "u", "09:00"), ev("user.deleted", "u", "09:01"))
    assert course.state().paces == {}
    assert told(course, ev("user.subscribed", "u", "09:02"), ev("a", "u", "09:03")) == ["sent"]


def test_a_late_event_is_decided_by_the_users_clock():
    course = easy(pacing=ONE)
    course(ev("a", "u", "09:00"), ev("paid", "u", "tue 09:00"))
    assert told(course, ev("a", "u", "10:00")) == ["sent"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("pacing", [Pacing(1.5), Pacing(3.0, 7 * DAY_US), Pacing(0.4, DAY_US), Pacing(2.0, HOUR)])
def test_no_window_of_a_users_messages_holds_more_than_the_budget_and_a_full_bucket(seed, pacing):
    random = Random(seed)
    course = Course(learning(written(settings=LIVELY), pacing=pacing, engagement=FLAT), fast=True)
    full, now = Budget("", pacing, 0.6).full, at("09:00")
    sent: list[int] = []
    for number in range(250):
        now += int(random.expovariate(4 * pacing.messages / pacing.per_us))
        for decision in course(ev("a", "u", now, id=f"e{number}")):
            if decision.message is not None:
                sent.append(now)  # noqa: PERF401
    assert len(sent) > 20
    for first, start in enumerate(sent):
        for last in range(first, len(sent)):
            window = (sent[last] - start) / pacing.per_us
            assert last - first + 1 <= pacing.messages * window + full + 1e-6


@pytest.mark.parametrize("seed", range(2))
def test_a_budget_is_held_through_a_surge_and_after_it(seed):
    """Twenty users for twenty days with scores of all heights, three times the events on days 10 to 12."""
    random = Random(seed)
    raised = ", ".join(f"{{id: r{step}, when: n >= {step}, score: {'+0.1' if step else '-0.7'}}}" for step in range(10))
    course = Course(learning(written(settings=CALM, rules=f"[{raised}]"), pacing=Pacing(1.5)), fast=True)
    sent: dict[str, list[float]] = {}
    for user in (f"u{number}" for number in range(20)):
        for day in range(20):
            for _ in range(24 if 10 <= day < 13 else 8):
                time = at("00:00") + int((day + random.random()) * DAY)
                sent.setdefault(user, []).append(time)
    events = sorted((time, user) for user, times in sent.items() for time in times)
    counts = {user: [0] * 20 for user in sent}
    for time, user in events:
        for decision in course(ev("a", user, time, n=random.randrange(10))):
            counts[user][(time - at("00:00")) // DAY] += decision.message is not None
    for first, last in ((4, 10), (10, 13), (14, 20)):
        mean = sum(sum(days[first:last]) for days in counts.values()) / len(counts) / (last - first)
        assert mean == pytest.approx(1.5, rel=0.2), (first, last, clock(at("00:00") + first * DAY))
