"""`explore`: a share of the messages that only a user's own history keeps back goes out all the same."""

from __future__ import annotations

import pytest

from botopt.model.decision import Choice
from botopt.model.durations import DAY_US
from botopt.model.learning_policy import Pacing
from botopt.model.user_state import Pace
from tests.engine.learners import LIVELY, Course, choice, explained, ignores, learning, term, written
from tests.engine.support import at, ev, short

HALF = {"explore": 0.5}
SURE = {"explore": 1.0}


def course(suppression: str = "", *, rules: str = "[]", settings: str = LIVELY, **learners: object) -> Course:
    return Course(learning(written(suppression, settings, rules=rules), **learners))


def one(run: Course, kind: str = "a", time: str = "09:00", **data: object):
    """The record of an event of a user who ignores everything."""
    ignores(run.state(), kind)
    [decision] = run(ev(kind, "u", time, **data))
    return decision


def test_a_message_that_only_the_history_keeps_back_goes_out_with_a_part_of_its_own():
    decision = one(course(engagement=SURE))
    assert short(decision) == "sent"
    assert [part.part for part in decision.parts] == ["base", "engagement", "explore", "fatigue"]
    assert (decision.score, decision.threshold) == (0.8, 0.6)
    assert term(decision, "explore") == pytest.approx(0.8 - 0.8 * term(decision, "engagement"), abs=2e-6)
    assert choice(decision, "explore") == Choice("explore", ("no", "yes"), "yes", choice(decision, "explore").draw, 1.0)
    explained(decision)


def test_by_default_nothing_is_explored():
    decision = one(course())
    assert (short(decision), decision.choices, term(decision, "explore")) == ("below_threshold", (), None)


@pytest.mark.parametrize("fast", [False, True])
def test_the_share_is_the_policys_and_each_draw_says_its_chance(fast):
    run = Course(learning(written(settings=LIVELY), engagement={"explore": 0.1}), fast=fast)
    sent = 0
    for number in range(3_000):
        user = f"u{number}"
        ignores(run.state(user))
        [decision] = run(ev("a", user, "09:00", id="same"))
        drawn = choice(decision, "explore")
        assert drawn is not None
        assert drawn.chosen == ("yes" if drawn.draw < 0.1 else "no")
        assert drawn.propensity == (0.1 if drawn.chosen == "yes" else 0.9)
        assert short(decision) == ("sent" if drawn.chosen == "yes" else "below_threshold")
        explained(decision)
        sent += drawn.chosen == "yes"
    assert 3_000 * 0.1 - 4 * 16.5 < sent < 3_000 * 0.1 + 4 * 16.5


def test_it_is_drawn_for_each_event_anew_and_for_the_same_event_the_same():
    def drawn(seed: int = 0) -> list[float]:
        run = course(engagement=HALF, seed=seed)
        found = [one(run, id=f"e{number}") for number in range(20)]
        return [choice(decision, "explore").draw for decision in found]

    assert len(set(drawn())) == 20
    assert drawn() == drawn()
    assert drawn() != drawn(7)


@pytest.mark.parametrize(
    ("why", "rules", "settings"),
    [
        ("the event itself", "[{id: r, when: n == 0, score: -0.3}]", LIVELY),
        ("a rule's threshold", "[{id: r, when: n == 0, threshold: +0.2}]", LIVELY),
    ],
)
def test_what_is_kept_back_by_anything_else_is_not_explored(why, rules, settings):
    decision = one(course(rules=rules, settings=settings, engagement=SURE))
    assert (short(decision), decision.choices, term(decision, "explore")) == ("below_threshold", (), None), why


def test_what_pacing_or_fatigue_keeps_back_is_not_explored():
    run = course(pacing=Pacing(1.0), engagement=SURE)
    run.state().paces[""] = Pace(0.9, -0.3, at("09:00"))  # the bar is at 0.82
    assert one(run).choices == ()
    tired = "fatigue: {per_message: 0.2, within: 24h, limit: 0.4}"
    run = course(settings=tired, engagement=SURE)
    run(ev("fire", "u", "08:50"))
    assert one(run).choices == ()


def test_what_is_worth_it_anyway_is_not_explored():
    [decision] = course(engagement=SURE)(ev("a", "u", "09:00"))
    assert (short(decision), decision.choices) == ("sent", ())


def test_a_bar_that_is_met_exactly_is_not_gone_over():
    """Needed is 0.8: more than that is not to be had, whatever the history says."""
    decision = one(course(settings=f"{LIVELY}, threshold: 0.8", engagement=SURE))
    assert (short(decision), decision.choices) == ("below_threshold", ())


def test_always_is_not_explored_because_nothing_keeps_it_back():
    decision = one(course(always=["a"], engagement=HALF))
    assert (short(decision), decision.choices, term(decision, "explore")) == ("sent", (), None)


def test_where_engagement_is_off_nothing_is_explored():
    policy = written(settings=LIVELY, events="off: {weight: 0.5, message: hello, channel: chat, engagement: off}")
    run = Course(learning(policy, engagement=SURE))
    assert one(run, "off").choices == ()


def test_the_control_group_is_not_explored():
    decision = one(course(control=1.0, engagement=SURE))
    assert (short(decision), decision.choices, term(decision, "engagement")) == ("sent", (), 1.0)


@pytest.mark.parametrize(
    ("suppression", "stopped"),
    [
        ("{id: x, cooldown: 6h}", "cooldown x until 14:50"),
        ("{id: x, limit: 1, within: 6h}", "capped x until 14:50"),
        ('{id: x, quiet_hours: {from: "08:55", to: "10:00"}}', "held x until 10:00"),
        ('{id: x, quiet_hours: {from: "08:55", to: "10:00"}, action: drop}', "quiet_hours x until 10:00"),
        ("{id: x, mute: always, when: n == 0}", "muted x"),
    ],
)
def test_it_goes_past_no_suppression(suppression, stopped):
    run = course(suppression, engagement=SURE)
    run(ev("a", "u", "08:50", n=1))
    assert short(one(run)) == stopped


def test_it_goes_past_no_word_of_the_user_no_expiry_no_skip_and_no_holdout():
    run = course(engagement=SURE)
    run(ev("user.unsubscribed", "u", "08:00"))
    assert short(one(run)).startswith("no_consent")
    assert short(one(course(rules="[{id: r, when: n == 0, skip: true}]", engagement=SURE))) == "skipped r"
    assert short(one(course(holdout=1.0, engagement=SURE))) == "holdout"
    run = course(engagement=SURE, expires={"a": DAY_US // 24})
    run(ev("paid", "u", "12:00"))
    assert short(one(run, time="09:00")) == "expired"


def test_a_release_draws_no_second_time():
    """The draw is that of the event: what was to go out at night goes out in the morning, and what was not is not."""
    night = '{id: x, quiet_hours: {from: "22:00", to: "08:00"}}'
    draws = {}
    for number in range(40):
        run = course(night, engagement=HALF)
        ignores(run.state())
        [first] = run(ev("a", "u", "23:00", id=f"e{number}"))
        if choice(first, "explore").chosen == "no":
            assert short(first) == "below_threshold"
            assert run(until="wed 00:00") == []
            continue
        [second] = run(until="wed 00:00")
        assert (short(first), short(second)) == ("held x until tue 08:00", "sent")
        assert choice(second, "explore") == choice(first, "explore")
        draws[number] = choice(first, "explore").draw
    assert 8 <= len(draws) <= 32


def test_what_a_type_lost_it_can_win_back():
    """A user who once ignored all of a type, and would click now, gets some again after a while; without, never."""
    for share, recovers in ((0.0, False), (0.2, True)):
        run = course(engagement={"explore": share, "effect": 1.0}, ignored_after_us=DAY_US // 2)
        ignores(run.state(), time="mon 08:00", number=30)
        sent = 0
        for day in range(1, 100):
            for decision in run(ev("a", "u", f"+{day} 09:00", id=f"e{day}")):
                if decision.message is not None:
                    sent += 1
                    run(ev("message.clicked", "u", f"+{day} 09:05", message_id=decision.id))
        assert (sent > 30) is recovers, sent
