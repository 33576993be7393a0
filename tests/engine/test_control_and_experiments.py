"""Holdout and control are two things; experiments split users by hash, and records say who was where."""

from __future__ import annotations

import math
from collections import Counter

import msgspec
import pytest

from botopt.engine.hashes import draw
from botopt.model.decision import Choice
from botopt.model.learning_policy import Experiment, Pacing, SendTime
from botopt.model.user_state import Held, Send, UserState, pack, unpack
from tests.engine.learners import LIVELY, Course, choice, ignores, learning, term, written
from tests.engine.support import CALM, HOUR, at, ev, short

EARLY = Experiment("early", (("as-now", 0.5), ("early", 0.3), ("late", 0.2)))
PURPOSE = "experiment early"
SPLIT = "[{id: r1, when: n == 0, threshold: -0.1}]"


def users(run: Course, number: int = 2_000) -> list[object]:
    return [run(ev("a", f"u{each}", "09:00"))[0] for each in range(number)]


def split(**learners: object) -> Course:
    return Course(learning(written(rules=SPLIT), experiments=[EARLY], split={"r1": ("early", "early")}, **learners))


# ---------------------------------------------------------------- holdout and control


def test_holdout_and_control_are_drawn_apart():
    """A fifth and a fifth: so a twenty-fifth is in both, and gets nothing."""
    run = Course(learning(written(settings=LIVELY), holdout=0.2, control=0.2, pacing=Pacing(1.0)))
    found = Counter((short(decision), term(decision, "pacing") is None) for decision in users(run))
    assert sum(found.values()) == 2_000
    shares = {("holdout", False): 0.16, ("holdout", True): 0.04, ("sent", False): 0.64, ("sent", True): 0.16}
    for kind, share in shares.items():
        assert abs(found[kind] - 2_000 * share) < 4 * math.sqrt(2_000 * share * (1 - share)), found


@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
def test_who_is_in_control_is_a_hash_of_the_seed_and_the_user(share):
    run = Course(learning(written(settings=LIVELY), control=share, pacing=Pacing(1.0), seed=7))
    for number, decision in enumerate(users(run, 200)):
        assert (term(decision, "pacing") is None) is (draw(7, "control", f"u{number}") < share)


def test_the_control_group_is_sent_messages_and_the_holdout_is_not():
    assert [short(d) for d in users(Course(learning(written(), control=1.0)), 3)] == ["sent"] * 3
    assert [short(d) for d in users(Course(learning(written(), holdout=1.0)), 3)] == ["holdout"] * 3


def test_in_control_the_history_has_no_say_and_fatigue_has():
    run = Course(learning(written(settings="fatigue: {per_message: 0.05}"), control=1.0, engagement={"learn": True}))
    ignores(run.state())
    first, second = run(ev("a", "u", "09:00"), ev("a", "u", "09:01"))
    assert (first.score, term(first, "engagement"), term(second, "fatigue")) == (0.8, 1, 0.05)


def test_in_control_conditions_see_the_rate_that_the_prior_leads_to():
    rules = "[{id: r1, when: engagement.rate == 0.3, score: +0.1}]"
    run = Course(learning(written(rules=rules), control=1.0, engagement={"learn": True}))
    snapshot = run.learner.learned.snapshot
    run.learner.learned.snapshot = msgspec.structs.replace(snapshot, rate=0.1, types={"a": 0.2})
    run.learner.low_us, run.learner.next_us = -(2**62), 2**62
    assert run(ev("a", "u", "09:00"))[0].score == 0.9


def test_without_a_control_group_nobody_is_in_it():
    run = Course(learning(written(), pacing=Pacing(1.0)))
    assert all(term(decision, "pacing") is not None for decision in users(run, 50))


# ---------------------------------------------------------------- experiments


def test_arms_get_their_shares_and_keep_their_users():
    run = split()
    found = Counter()
    for number, decision in enumerate(users(run)):
        arm = choice(decision, PURPOSE)
        assert arm.eligible == ("as-now", "early", "late")
        assert arm.propensity == dict(EARLY.arms)[arm.chosen]
        assert arm.draw == pytest.approx(draw(0, PURPOSE, f"u{number}"), abs=1e-9)
        assert decision.threshold == (0.5 if arm.chosen == "early" else 0.6)
        found[arm.chosen] += 1
    for name, share in EARLY.arms:
        assert abs(found[name] - 2_000 * share) < 4 * math.sqrt(2_000 * share * (1 - share))
    again = run(*(ev("a", f"u{number}", "+30 09:00") for number in range(50)))
    assert [choice(d, PURPOSE) for d in again] == [choice(d, PURPOSE) for d in users(split(), 50)]


def test_arms_lie_one_after_another_on_the_line_of_draws():
    for decision in users(split(), 300):
        arm = choice(decision, PURPOSE)
        assert arm.chosen == ("as-now" if arm.draw < 0.5 else "early" if arm.draw < 0.8 else "late")


def test_another_seed_and_another_name_split_anew():
    one = [choice(d, PURPOSE).chosen for d in users(split(), 100)]
    other = [choice(d, PURPOSE).chosen for d in users(split(seed=1), 100)]
    renamed = Experiment("later", EARLY.arms)
    run = Course(learning(written(rules=SPLIT), experiments=[renamed], split={"r1": ("later", "early")}))
    third = [choice(d, "experiment later").chosen for d in users(run, 100)]
    assert len({tuple(one), tuple(other), tuple(third)}) == 3


def test_only_decisions_that_it_has_a_say_in_are_exposed():
    run = split()
    exposed, not_exposed = run(ev("a", "u", "09:00"), ev("b", "u", "09:00"))
    assert choice(exposed, PURPOSE) is not None
    assert not_exposed.choices == ()


def test_exposure_is_recorded_whatever_becomes_of_the_message():
    run = split(holdout=1.0)
    assert choice(run(ev("a", "u", "09:00"))[0], PURPOSE) is not None
    run = split()
    run(ev("user.unsubscribed", "u", "08:00"))
    assert choice(run(ev("a", "u", "09:00"))[0], PURPOSE) is not None


def test_shares_that_fall_short_of_one_by_their_last_bits_leave_nobody_out():
    tenths = Experiment("early", tuple((f"a{number}", 0.1) for number in range(10)))
    run = Course(learning(written(rules=SPLIT), experiments=[tenths], split={"r1": ("early", "a3")}))
    assert sum(1 for decision in users(run, 300) if choice(decision, PURPOSE) is not None) == 300


def test_the_order_of_draws_in_a_record():
    policy = learning(
        written('{id: q, quiet_hours: {from: "02:00", to: "03:00"}}', LIVELY, rules=SPLIT),
        experiments=[EARLY],
        split={"r1": ("early", "early")},
        engagement={"explore": 1.0},
        timed={"a": SendTime(HOUR, 0.5)},
    )
    run = Course(policy)
    ignores(run.state())
    [decision] = run(ev("a", "u", "09:00"))
    assert [each.purpose for each in decision.choices] == [PURPOSE, "explore", "send_time"]
    assert isinstance(decision.choices[0], Choice)


# ---------------------------------------------------------------- what states remember


def without(value: list[object], size: int) -> list[object]:
    return value[:size]


def test_a_state_of_before_can_be_read():
    """The packed form of a version that learned nothing of all users: fields that came later stand at the end."""
    run = Course(learning(written('{id: q, quiet_hours: {from: "22:00", to: "08:00"}}', CALM)))
    run(ev("a", "u", "09:00"), ev("a", "u", "23:00"), ev("user.active", "u", "23:01", channel="chat"))
    plain = msgspec.msgpack.decode(pack(run.state()), strict=False)
    names = UserState.__struct_fields__
    old = without(plain, names.index("paces"))
    sends, held = names.index("sends"), names.index("held")
    old[sends] = [without(send, Send.__struct_fields__.index("lesson")) for send in old[sends]]
    old[held] = [without(each, Held.__struct_fields__.index("timed")) for each in old[held]]
    found = unpack(msgspec.msgpack.encode(old))
    assert found == run.state()
    assert (found.paces, found.hours, found.sends[0].lesson, found.held[0].timed) == ({}, None, None, False)


def test_who_is_deleted_leaves_no_hours_no_pace_and_no_lesson():
    policy = learning(written(), pacing=Pacing(1.0), timed={"a": SendTime(HOUR)}, engagement={"learn": True})
    run = Course(policy)
    run(ev("a", "u", "09:00"), ev("user.active", "u", "09:10"))
    assert run.state().paces
    assert run.state().hours is not None
    run(ev("user.deleted", "u", "09:20"))
    fresh = UserState(clock_us=run.state().clock_us, deleted=True, floor_us=at("09:20"))
    assert pack(run.state()) == pack(fresh)
