"""Lessons add up in any order, boundaries depend on times alone, and no answer is ever counted twice or lost."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from botopt.learning.keeping import LEARNED_KEY, LESSONS_KEY, Keeping, learner_of, read
from botopt.learning.learner import Kept, Learned, Learner, Shown, Since
from botopt.learning.lessons import ONE, Lessons, Recorder
from botopt.model.errors import StateCorrupt
from botopt.model.user_state import Lesson, Response, Send
from tests.engine.support import DAY, HOUR, MINUTE, at
from tests.learning.everything import everything

NINE = at("2026-03-02T09:00:00Z")
CHOICE = Lesson("hello", "warm", {"warm": ONE // 4, "cold": ONE - ONE // 4}, ONE // 5, ONE // 10)


def learner(**changed: object) -> Learner:
    policy = everything()
    return Learner(replace(policy, settings=replace(policy.settings, **changed)))


def follow(found: Learner, *times: int, users: int = 5) -> list[int]:
    """Events of these times, one a line, of so many users in turn; on which of them it turned."""
    turned = []
    for time_us in times:
        if found.is_boundary(f"u{found.lines % users}", time_us, found.lines):
            found.turn(time_us)
            turned.append(found.lines)
        found.lines += 1
    return turned


def send(time_us: int = NINE, lesson: Lesson | None = CHOICE) -> Send:
    return Send(b"id", "a", "chat", time_us, lesson=lesson)


def answered(recorder: Recorder, message: Send, *answers: Response) -> None:
    for answer in answers:
        before, message.response = message.response, answer
        if answer is not Response.IGNORED:
            recorder.responded(message, before)


def total(found: Learner) -> Lessons:
    """Everything, whether it waits or not."""
    lessons = found.keep().base.copy()
    lessons.merge(found.since().lessons)
    for amounts in lessons.waiting.values():
        lessons.add(amounts.items())
    return Lessons({name: amount for name, amount in lessons.counts.items() if amount})


amounts = st.dictionaries(st.sampled_from("nyab"), st.integers(-(2**40), 2**40), max_size=3)
lessons = st.builds(Lessons, amounts, st.dictionaries(st.integers(-3, 3), amounts, max_size=3))


def plain(found: Lessons) -> object:
    waiting = {period: {k: v for k, v in each.items() if v} for period, each in found.waiting.items()}
    return {k: v for k, v in found.counts.items() if v}, {k: v for k, v in waiting.items() if v}


@given(st.lists(lessons, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_merging_does_not_matter(pieces, chance):
    shuffled = [piece.copy() for piece in pieces]
    chance.shuffle(shuffled)
    one, other, middle = Lessons(), Lessons(), Lessons()
    for piece in pieces:
        one.merge(piece)
    for place, piece in enumerate(shuffled):
        (other if place % 2 else middle).merge(piece)
    other.merge(middle)
    assert plain(one) == plain(other)


@given(lessons, lessons)
def test_a_copy_shares_nothing(one, other):
    copy, before = one.copy(), plain(one)
    copy.merge(other)
    copy.clear()
    assert plain(one) == before


# ---------------------------------------------------------------- boundaries


def test_the_first_event_is_a_boundary_and_so_is_the_first_of_each_hour():
    found = learner()
    times = (NINE + 5 * MINUTE, NINE + 59 * MINUTE, NINE + HOUR - 1, NINE + HOUR, NINE + HOUR, NINE + 4 * HOUR)
    assert follow(found, *times) == [0, 3, 5]
    assert found.learned.snapshot.at_us == NINE + 4 * HOUR


def test_what_is_late_by_up_to_a_day_is_no_boundary():
    found = learner()
    assert follow(found, NINE, NINE - HOUR, NINE - DAY, NINE + MINUTE) == [0]
    assert found.learned.snapshot.at_us == NINE


def test_one_wrong_time_in_2099_does_not_stop_learning():
    found = learner()
    far = at("2099-01-01T00:00:00Z")
    assert follow(found, NINE, far, NINE + MINUTE, far + HOUR, NINE + HOUR, far, NINE + 2 * HOUR) == [0, 4, 6]
    assert found.learned.snapshot.at_us == NINE + 2 * HOUR


def test_a_first_event_in_2099_does_not_stop_learning_for_long():
    found = learner()
    times = [at("2099-01-01T00:00:00Z"), *(NINE + number * MINUTE for number in range(100))]
    assert follow(found, *times) == [0, 20, 61]
    assert found.learned.snapshot.at_us == NINE + HOUR


@pytest.mark.parametrize("away", [-90 * DAY, 90 * DAY])
def test_a_second_file_about_another_month_is_followed_after_twenty_lines(away):
    found = learner()
    times = [NINE + number * MINUTE for number in range(50)]
    assert follow(found, *times, *(each + away for each in times)) == [0, 69]
    assert found.learned.snapshot.at_us == NINE + away


def test_nineteen_wrong_times_in_a_row_and_a_right_one_begin_anew():
    found = learner()
    far = at("2099-01-01T00:00:00Z")
    times = [NINE, *[far] * 19, NINE + MINUTE, *[far] * 19, NINE + 2 * MINUTE]
    assert follow(found, *times) == [0]
    assert follow(found, *[far] * 20) == [len(times) + 19]


def test_lines_between_that_are_no_events_break_the_row():
    found = learner()
    far = at("2099-01-01T00:00:00Z")
    follow(found, NINE)
    for _ in range(100):
        found.lines += 1
        assert follow(found, far) == []


def test_times_within_the_bounds_never_turn():
    found = learner()
    follow(found, NINE)
    assert not found.is_boundary("u", found.low_us, 5)
    assert not found.is_boundary("u", found.next_us - 1, 6)
    assert found.is_boundary("u", found.next_us, 7)


# ---------------------------------------------------------------- answers


FINAL = {
    (): (1, 0),
    (Response.CLICKED,): (1, 1),
    (Response.DISMISSED,): (1, 0),
    (Response.DISMISSED, Response.CLICKED): (1, 1),
    (Response.IGNORED, Response.CLICKED): (1, 1),
    (Response.IGNORED,): (1, 0),
    (Response.FAILED,): (0, 0),
    (Response.CLICKED, Response.FAILED): (0, 0),
    (Response.DISMISSED, Response.FAILED): (0, 0),
    (Response.IGNORED, Response.FAILED): (0, 0),
}


@pytest.mark.parametrize("answers", FINAL)
@pytest.mark.parametrize("hours", [0, 1, 24, 25, 26, 80])
@pytest.mark.parametrize("refresh_us", [HOUR, 7 * MINUTE, 5 * HOUR])
def test_every_answer_adds_up_however_late_it_comes(answers, hours, refresh_us):
    """Nothing fades here, so that sums are exact."""
    found = learner(refresh_us=refresh_us)
    object.__setattr__(found, "_faded", lambda counts, _: counts)
    follow(found, NINE)
    message = send()
    found.learned.recorder.sent("a", NINE, CHOICE)
    follow(found, *(NINE + hour * HOUR for hour in range(1, hours + 1)))
    answered(found.learned.recorder, message, *answers)
    follow(found, *(NINE + (hours + hour) * HOUR for hour in range(1, 90)))
    outcomes, clicks = FINAL[answers]
    expected = {
        "n\0a": outcomes * ONE,
        "y\0a": clicks * ONE,
        "vn\0hello\0warm": outcomes * ONE,
        "ve\0hello\0warm": outcomes * CHOICE.expected,
        "vy\0hello\0warm": clicks * ONE,
        "t\0hello\0warm": outcomes * 4 * ONE,
        "ty\0hello\0warm": clicks * 4 * ONE,
        "l\0hello\0cold": outcomes * 4 * ONE,
        "ly\0hello\0cold": clicks * 4 * ONE,
        "sn\0": outcomes * ONE,
        "se\0": outcomes * CHOICE.scored,
        "sy\0": clicks * ONE,
    }
    counts = {name: amount for name, amount in found.keep().base.counts.items() if amount}
    assert counts == {name: amount for name, amount in expected.items() if amount}
    assert not any(any(each.values()) for each in found.keep().base.waiting.values())


def test_late_feedback_counts_in_the_next_snapshot():
    found = learner()
    follow(found, NINE)
    found.learned.recorder.sent("a", NINE, CHOICE)
    follow(found, NINE + 15 * HOUR, NINE + 30 * HOUR)
    before = found.learned.snapshot
    answered(found.learned.recorder, send(), Response.IGNORED, Response.CLICKED)
    assert found.learned.snapshot is before
    follow(found, NINE + 31 * HOUR)
    assert found.learned.snapshot.types["a"] > before.types["a"]


def test_a_message_counts_as_ignored_when_its_time_is_over_whoever_looks():
    found = learner()
    follow(found, NINE)
    found.learned.recorder.sent("a", NINE + 59 * MINUTE, CHOICE)
    follow(found, *(NINE + hour * HOUR for hour in range(1, 25)))
    assert "a" not in found.learned.snapshot.types
    follow(found, NINE + 25 * HOUR)
    assert found.learned.snapshot.types["a"] < found.learned.snapshot.rate + 1e-12


def test_an_answer_to_what_was_sent_before_anybody_learned_is_not_counted():
    found = learner()
    follow(found, NINE)
    for answer in (Response.CLICKED, Response.FAILED):
        answered(found.learned.recorder, send(lesson=None), answer)
    assert not found.since().lessons


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_waiting_stays_bounded_whatever_the_times_are(seed):
    chance = random.Random(seed)
    found = learner()
    now = NINE
    for _ in range(300):
        now += chance.choice((0, MINUTE, HOUR, 5 * HOUR))
        time_us = chance.choice((now, now, now - 3 * DAY, now + chance.randrange(10**6) * HOUR))
        follow(found, now)
        found.learned.recorder.sent("a", time_us, CHOICE)
        if chance.random() < 0.5:
            answered(found.learned.recorder, send(time_us), Response.CLICKED)
        assert len(found.keep().base.waiting) <= 2 * 24 + 6
        assert len(found.since().lessons.waiting) <= 2 * 24 + 6
    count = 300 * ONE
    follow(found, *(now + hour * HOUR for hour in range(1, 90)))
    assert 0 < found.keep().base.counts["n\0a"] <= count
    assert not any(any(each.values()) for each in found.keep().base.waiting.values())


def test_counts_that_have_faded_to_nothing_are_gone():
    found = learner()
    follow(found, NINE)
    found.learned.recorder.active(9, ONE)
    follow(found, NINE + HOUR)
    assert found.keep().base.counts
    follow(found, *[NINE + 40 * 365 * DAY] * 20)
    assert not found.keep().base.counts


# ---------------------------------------------------------------- what was known when


def test_a_held_message_sees_what_was_known_just_before_its_time():
    found = learner()
    at_nine, at_ten = NINE + 5 * MINUTE, NINE + HOUR + 5 * MINUTE
    follow(found, at_nine)
    first = found.learned.snapshot
    found.learned.recorder.active(9, 100 * ONE)
    follow(found, at_ten)
    second = found.learned.snapshot
    assert first.id != second.id
    for time_us, known in ((0, first), (at_nine, first), (at_ten, first), (at_ten + 1, second), (NINE + DAY, second)):
        assert found.learned.at(time_us).snapshot == known
        assert found.learned.at(time_us).recorder is found.learned.recorder


def test_the_past_that_is_remembered_is_bounded_and_forgotten_when_time_goes_back():
    found = learner()
    follow(found, *(NINE + hour * HOUR for hour in range(200)))
    assert len(found.learned.past) == 64
    follow(found, *[NINE - 90 * DAY] * 20)
    assert len(found.learned.past) == 1


def test_whoever_is_told_of_every_boundary_knows_the_same():
    found = learner()
    follow(found, NINE)
    other = Learned(found.learned.snapshot, Recorder(HOUR))
    encode, decode = msgspec.msgpack.encode, msgspec.msgpack.Decoder(Shown).decode
    other.show(decode(encode(found.shown())))
    for hour in range(1, 80):
        found.learned.recorder.active(hour % 24, ONE)
        other.show(decode(encode(found.turn(NINE + hour * HOUR))))
        mine, theirs = found.learned, other
        assert (mine.past, mine.snapshot) == (theirs.past, theirs.snapshot)
        assert (mine.recorder.matured, mine.recorder.newest) == (theirs.recorder.matured, theirs.recorder.newest)


# ---------------------------------------------------------------- keeping


def busy() -> Learner:
    found = learner()
    for hour in range(40):
        follow(found, NINE + hour * HOUR)
        found.learned.recorder.sent("a", NINE + hour * HOUR, CHOICE)
        answered(found.learned.recorder, send(NINE + hour * HOUR), Response.CLICKED)
    follow(found, at("2099-01-01T00:00:00Z"))
    return found


def everything_known(found: Learner) -> object:
    learned = found.learned
    bounds = (found.low_us, found.next_us, learned.recorder.matured, learned.recorder.newest)
    return msgspec.to_builtins((found.keep(), found.since(), learned.snapshot)), bounds


def test_what_is_kept_goes_on_exactly():
    one = busy()
    other = learner_of(everything(), Keeping(one).meta())
    assert other is not None
    assert everything_known(other) == everything_known(one)
    for found in (one, other):
        follow(found, NINE + 41 * HOUR, NINE + 42 * HOUR)
    assert everything_known(other) == everything_known(one)


def test_restoring_shares_nothing_with_what_was_kept():
    one = busy()
    kept, since = one.keep(), one.since()
    before = msgspec.to_builtins((kept, since))
    other = Learner(everything())
    other.restore(kept, since)
    other.learned.recorder.active(3, ONE)
    follow(other, NINE + 90 * HOUR)
    assert msgspec.to_builtins((kept, since)) == before


def test_the_base_is_written_only_when_it_changed():
    found = busy()
    keeping = Keeping(found)
    assert keeping.meta().keys() == {LEARNED_KEY, LESSONS_KEY}
    keeping.written()
    assert keeping.meta() == {}
    found.learned.recorder.active(3, ONE)
    assert keeping.meta().keys() == {LESSONS_KEY}
    assert keeping.meta().keys() == {LESSONS_KEY}  # nobody said that it was written
    keeping.written()
    follow(found, NINE + 41 * HOUR)
    assert keeping.meta().keys() == {LEARNED_KEY, LESSONS_KEY}


@pytest.mark.parametrize("refresh_us", [HOUR, 3 * HOUR, 10 * MINUTE])
def test_another_policy_sees_the_same_counts(refresh_us):
    one = busy()
    other = learner(refresh_us=refresh_us)
    other.restore(one.keep(), one.since())
    assert total(other) == total(one)
    follow(other, *(NINE + (40 + hour) * HOUR for hour in range(90)))
    assert not any(any(each.values()) for each in other.keep().base.waiting.values())


def test_a_policy_of_another_revision_forgets_what_the_old_one_showed():
    one = busy()
    other = Learner(replace(everything(), revision="another"))
    other.restore(one.keep(), one.since())
    assert [dated.snapshot for dated in other.learned.past] == [other.learned.snapshot]


def test_what_cannot_be_read_is_told():
    good = Keeping(busy()).meta()
    for key in (LEARNED_KEY, LESSONS_KEY):
        with pytest.raises(StateCorrupt, match="restore a backup"):
            read({**good, key: '["?"]'})


@pytest.mark.parametrize(("missing", "there"), [(LEARNED_KEY, LESSONS_KEY), (LESSONS_KEY, LEARNED_KEY)])
def test_half_of_what_was_learned_is_no_beginning(missing, there):
    good = Keeping(busy()).meta()
    for damaged in ({there: good[there]}, {**good, missing: ""}):
        with pytest.raises(StateCorrupt, match=f"row {missing} of its table meta .* removing the row {there}"):
            read(damaged)


def test_nothing_learned_is_nothing_in_the_state():
    assert read({}) is None
    assert learner_of(replace(everything(), scorer=None, templates={}, events={}), {}) is not None  # engagement learns


def test_an_image_is_gone_back_to_as_often_as_anybody_likes():
    found = busy()
    before, image = everything_known(found), found.image()
    for _ in range(2):
        found.learned.recorder.active(5, ONE)
        follow(found, NINE + 41 * HOUR, NINE + 42 * HOUR)
        assert everything_known(found) != before
        found.back_to(image)
        assert everything_known(found) == before


def test_nothing_is_kept_of_nothing():
    assert msgspec.json.decode(msgspec.json.encode(Since()), type=Since) == Since()
    assert msgspec.json.decode(msgspec.json.encode(Kept(0, HOUR, Lessons())), type=Kept) == Kept(0, HOUR, Lessons())
