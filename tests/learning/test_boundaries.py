"""When what was learned changes: at boundaries of event time, whatever single clocks say."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from botopt.learning.learner import Learner, unlearned
from botopt.learning.lessons import ONE, Lessons
from botopt.model.click_model import ClickModel, ModelKind
from botopt.model.durations import DAY_US, HOUR_US
from botopt.model.learning_policy import EngagementSettings, Scorer
from botopt.model.policy import EventType, Policy, Settings
from botopt.model.user_state import NEVER_US, Lesson, Response, Send

T0 = 1_772_442_000_000_000 // DAY_US * DAY_US
EVENTS = {name: EventType(name) for name in "ab"}
POLICY = Policy(Settings(engagement=EngagementSettings(learn=True)), events=EVENTS)


def fed(learner: Learner, times: list[int], first: int = 1, users: Sequence[str] = "abcde") -> list[int]:
    """The boundaries at which it turned, as hours after `T0`; events of these users in turn."""
    turned = []
    for ordinal, time_us in enumerate(times, first):
        if learner.is_boundary(users[ordinal % len(users)], time_us, ordinal):
            learner.turn(time_us)
            turned.append((learner.learned.snapshot.at_us - T0) / HOUR_US)
    return turned


def begun(at: int = T0) -> Learner:
    learner = Learner(POLICY)
    assert fed(learner, [at]) == [(at - T0) // HOUR_US]
    return learner


def clicked(learner: Learner, time_us: int = T0, number: int = 1) -> None:
    for _ in range(number):
        learner.learned.recorder.sent("a", time_us, Lesson())
        send = Send(b"", "a", "chat", time_us, Response.CLICKED, lesson=Lesson())
        learner.learned.recorder.responded(send, Response.PENDING)


def test_before_the_first_event_the_policy_is_all_that_is_known():
    learner = Learner(POLICY)
    assert learner.learned.snapshot == unlearned(POLICY).snapshot
    assert learner.learned.snapshot.rate == 0.3
    assert learner.learned.snapshot.at_us == NEVER_US


def test_it_changes_when_an_event_passes_an_hour_and_not_before():
    learner = begun(T0 + 5)
    assert fed(learner, [T0 + HOUR_US - 1]) == []
    assert fed(learner, [T0 + HOUR_US]) == [1]
    assert fed(learner, [T0 + HOUR_US + 1, T0 + 1]) == []
    assert fed(learner, [T0 + 4 * HOUR_US + 1]) == [4]


def test_lessons_count_from_the_next_boundary_on():
    learner = begun()
    before = learner.learned.snapshot
    clicked(learner)
    assert learner.learned.snapshot is before
    fed(learner, [T0 + HOUR_US - 1])
    assert learner.learned.snapshot is before
    fed(learner, [T0 + HOUR_US])
    assert learner.learned.snapshot.rate == pytest.approx((1 + 30) / 101, abs=1e-4)
    assert learner.learned.snapshot.id != before.id


def test_low_and_next_are_what_is_boundary_asks():
    learner = begun(T0)
    assert (learner.low_us, learner.next_us) == (T0 - DAY_US, T0 + HOUR_US)
    assert not learner.is_boundary("a", learner.low_us, 7)
    assert not learner.is_boundary("a", learner.next_us - 1, 8)
    assert learner.is_boundary("a", learner.next_us, 9)


def test_an_event_of_up_to_a_day_after_the_next_hour_moves_it():
    assert fed(begun(), [T0 + HOUR_US + DAY_US - 1]) == [24]
    assert fed(begun(), [T0 + HOUR_US + DAY_US]) == []


@pytest.mark.parametrize("astray", [T0 + 400 * DAY_US, T0 - 2 * DAY_US, T0 + HOUR_US + DAY_US])
def test_one_wrong_clock_moves_nothing_and_twenty_in_a_row_do(astray):
    learner = begun()
    times = [time for _ in range(50) for time in (astray, T0 + 1)]
    ordinal = 2
    for time_us in times:  # as runs do: what is within bounds is not even asked about
        if not learner.low_us <= time_us < learner.next_us:
            assert not learner.is_boundary("abcde"[ordinal % 5], time_us, ordinal)
        ordinal += 1
    assert fed(learner, [astray] * 19, ordinal) == []
    assert fed(learner, [astray], ordinal + 19) == [(astray - T0) / HOUR_US // 1]


FAR = T0 + 400 * DAY_US


def met(learner: Learner) -> Learner:
    """Several users were at boundaries."""
    assert len(fed(learner, [T0 + hour * HOUR_US for hour in range(1, 6)], 2)) == 5
    return learner


@pytest.mark.parametrize(("users", "follows"), [("x", False), ("xy", False), ("xyz", True), ("xxxxxxxxxxxxyz", True)])
def test_twenty_in_a_row_move_the_clock_only_if_they_are_of_three_users(users, follows):
    learner = met(begun())
    before = learner.keep()
    assert fed(learner, [FAR] * 20, 100, users) == ([400 * 24] if follows else [])
    assert (learner.keep() != before) is follows


def test_a_wrong_clock_does_not_stop_learning_from_others_however_often_it_comes():
    learner = met(begun())
    fed(learner, [FAR] * 100, 100, "x")
    assert fed(learner, [T0 + 6 * HOUR_US], 200, "y") == [6]
    fed(learner, [FAR] * 100, 201, "x")
    assert fed(learner, [T0 + 7 * HOUR_US], 400, "y") == [7]  # not with the line before it, and not to another time


def test_where_nobody_else_says_anything_one_user_is_followed_in_the_end():
    learner = met(begun())
    assert fed(learner, [FAR] * 999, 100, "x") == []
    assert fed(learner, [FAR], 1099, "x") == [400 * 24]


@pytest.mark.parametrize("users", ["x", "xy"])
def test_a_file_about_one_user_or_two_is_followed_as_one_about_many(users):
    learner = Learner(POLICY)
    assert fed(learner, [T0, T0 + HOUR_US], 1, users) == [0, 1]
    assert fed(learner, [FAR] * 19, 3, users) == []
    assert fed(learner, [FAR], 22, users) == [400 * 24]


def test_of_users_no_more_is_kept_than_matters_and_nobody_is_named():
    learner = met(begun())
    fed(learner, [FAR + (number % 2) * 999 * DAY_US for number in range(19)], 100, [f"user{n}" for n in range(19)])
    since = learner.since()
    assert (len(since.astray_users), len(since.met)) == (3, 3)
    assert all(0 <= one < 1 << 16 for one in (*since.astray_users, *since.met))


def test_what_is_astray_is_kept_and_gone_back_to():
    learner = met(begun())
    fed(learner, [FAR] * 10, 100, "xy")
    image, kept, since = learner.image(), learner.keep(), learner.since()
    restored = Learner(POLICY)
    restored.restore(kept, since)
    for one in (learner, restored):
        assert fed(one, [FAR] * 10, 110, "xy") == []
    learner.back_to(image)
    restored = Learner(POLICY)
    restored.restore(kept, since)
    for one in (learner, restored):
        assert fed(one, [FAR] * 10, 110, "z") == [400 * 24]
        assert one.since() == learner.since()


def test_it_follows_to_the_earliest_of_those_that_were_astray():
    learner = begun()
    times = [T0 + 30 * DAY_US + minute * HOUR_US for minute in range(20)]
    assert fed(learner, [*times[5:], *times[:5]]) == [30 * 24]


def test_going_back_does_not_make_old_answers_weigh_more_or_less():
    learner = begun()
    clicked(learner, number=10)
    fed(learner, [T0 + HOUR_US])
    counts = dict(learner.keep().base.counts)
    fed(learner, [T0 - 9 * DAY_US] * 20)
    assert learner.learned.snapshot.at_us == T0 - 9 * DAY_US
    assert learner.keep().base.counts == counts


def test_answers_weigh_half_after_a_half_life_however_often_it_was_looked():
    for steps in (1, 30, 240):
        learner = begun()
        clicked(learner, number=1000)
        fed(learner, [T0 + HOUR_US])
        for step in range(1, steps + 1):
            time_us = T0 + HOUR_US + step * 30 * DAY_US // steps
            fed(learner, [time_us] if steps > 1 else [time_us] * 20, step)
        assert learner.keep().base.counts["n\0a"] / ONE == pytest.approx(500, rel=1e-3)
        assert learner.keep().base.counts["y\0a"] / ONE == pytest.approx(500, rel=1e-3)


def test_hours_are_known_for_longer_and_the_scorer_is_judged_by_its_last_five_hundred():
    learner = begun()
    learner.learned.recorder.active(9, 100 * ONE)
    learner.merge(Lessons({"sn\0": 2000 * ONE, "sy\0": 100 * ONE, "se\0": 120 * ONE}))
    fed(learner, [T0 + HOUR_US])
    fed(learner, [T0 + HOUR_US + 30 * DAY_US] * 20)
    counts = learner.keep().base.counts
    assert counts["h\x0009"] / ONE == pytest.approx(100 * 2**-0.5, rel=1e-3)
    assert counts["sn\0"] / ONE == pytest.approx(250, rel=1e-2)  # the last 500, one half-life later
    assert counts["sn\0"] / 2000 == pytest.approx(counts["sy\0"] / 100, rel=1e-3)
    assert counts["sn\0"] / 2000 == pytest.approx(counts["se\0"] / 120, rel=1e-3)


def test_people_who_never_answer_count_once_their_time_is_over():
    """Sent at 00:30, ignored after a day; the hour in which they were sent must be over, too."""
    learner = begun()
    learner.learned.recorder.sent("a", T0 + HOUR_US // 2, None)
    for hour in range(1, 25):
        fed(learner, [T0 + hour * HOUR_US])
        assert learner.learned.snapshot.types == {}
    fed(learner, [T0 + 25 * HOUR_US])
    assert learner.learned.snapshot.rate == pytest.approx(30 / 101, abs=1e-4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3 * HOUR_US), st.booleans()), max_size=30))
def test_what_is_kept_goes_on_as_if_nothing_had_been(ops):
    one, other = begun(), begun()
    now = T0
    for number, (kind, gap, restart) in enumerate(ops):
        now += gap
        for learner in (one, other):
            if learner.is_boundary("a", now, number):
                learner.turn(now)
            if kind == 0:
                clicked(learner, now)
            elif kind == 1:
                learner.learned.recorder.sent("b", now, None)
        if restart:
            kept, since = other.keep(), other.since()
            other = Learner(POLICY)
            other.restore(kept, since)
        assert one.learned.snapshot == other.learned.snapshot
        assert (one.low_us, one.next_us) == (other.low_us, other.next_us)


def test_with_another_refresh_every_message_still_counts_once():
    for refresh_us in (HOUR_US // 4, 2 * HOUR_US, 5 * HOUR_US):
        learner = begun()
        learner.learned.recorder.sent("a", T0 + HOUR_US // 2, None)
        fed(learner, [T0 + HOUR_US])
        learner.learned.recorder.sent("a", T0 + 3 * HOUR_US // 2, None)
        again = Learner(Policy(Settings(engagement=POLICY.settings.engagement, refresh_us=refresh_us)))
        again.restore(learner.keep(), learner.since())
        answered = Send(b"", "a", "chat", T0 + HOUR_US // 2, Response.CLICKED, lesson=Lesson())
        again.learned.recorder.responded(answered, Response.PENDING)
        for day in (1, 2, 3):
            fed(again, [T0 + day * DAY_US])
        counts = again.keep().base.counts
        assert counts["n\0a"] / ONE == pytest.approx(2, rel=0.1)
        assert counts["y\0a"] / ONE == pytest.approx(1, rel=0.1)
        assert again.keep().base.waiting == {}


def scoring(digest: str) -> Policy:
    model = ClickModel("m", ModelKind.LOGISTIC, (), digest=digest)
    return Policy(POLICY.settings, events=EVENTS, scorer=Scorer(model))


def misled(policy: Policy) -> Learner:
    """The scorer foretold twice the clicks that came."""
    learner = Learner(policy)
    fed(learner, [T0])
    learner.merge(Lessons({"sn\0old": 400 * ONE, "sy\0old": 40 * ONE, "se\0old": 80 * ONE}))
    fed(learner, [T0 + HOUR_US])
    assert not learner.learned.snapshot.scorer_ok
    return learner


@pytest.mark.parametrize(("digest", "trusted"), [("old", False), ("new", True)])
def test_a_new_scorer_is_not_judged_by_what_another_one_foretold(digest, trusted):
    before = misled(scoring("old"))
    before.merge(Lessons({"sn\0old": ONE}, {T0 // HOUR_US: {"sn\0old": 9 * ONE, "n\0a": ONE}}))
    learner = Learner(scoring(digest))
    learner.restore(before.keep(), before.since())
    assert learner.learned.snapshot.scorer_ok is trusted
    fed(learner, [T0 + 30 * HOUR_US] * 20)
    counts = learner.keep().base.counts
    assert counts["n\0a"] > 0


def test_a_scorer_that_was_not_asked_for_long_gets_another_chance():
    learner = misled(scoring("old"))
    for day in range(1, 80):
        fed(learner, [T0 + day * DAY_US])
    assert learner.learned.snapshot.scorer_ok


def test_going_back_and_forth_lets_no_span_fade_twice():
    learner = begun()
    clicked(learner, number=1000)
    fed(learner, [T0 + HOUR_US])
    counts = dict(learner.keep().base.counts)
    for ordinal in (100, 200, 300):
        fed(learner, [T0 - 14 * DAY_US] * 20, ordinal)
        fed(learner, [T0 + HOUR_US] * 20, ordinal + 30)
    assert learner.keep().base.counts == counts


def test_what_lies_astray_decides_nothing_that_is_held_for_later():
    learner = begun()
    times = [T0 + 20_000 * DAY_US] * 20
    for ordinal, time_us in enumerate(times, 2):
        moves = learner.is_boundary("abcde"[ordinal % 5], time_us, ordinal)
    assert moves
    assert learner.ripe_us(times[-1]) <= T0 + DAY_US


def test_snapshots_are_remembered_for_as_long_as_messages_wait_for_their_answer():
    settings = replace(POLICY.settings, ignored_after_us=5 * DAY_US)
    learner = Learner(replace(POLICY, settings=settings))
    fed(learner, [T0 + hour * HOUR_US for hour in range(24 * 6)])
    late = learner.learned.at(T0 + 24 * HOUR_US + 1)
    assert late.snapshot.at_us == T0 + 24 * HOUR_US
