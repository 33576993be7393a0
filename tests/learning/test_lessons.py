"""What is taken down of messages and their answers: sums that do not depend on who took them down, and when."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.learning.learner import Deaf, Learner, Since
from botopt.learning.lessons import ONE, Lessons, Recorder
from botopt.model.durations import DAY_US, HOUR_US
from botopt.model.learning_policy import EngagementSettings
from botopt.model.policy import Policy, Settings
from botopt.model.user_state import Lesson, Response, Send

T0 = 1_772_442_000_000_000 // DAY_US * DAY_US
FOREVER = EngagementSettings(learn=True, half_life_us=10**9 * DAY_US)
CHOSEN = Lesson("t", "x", {"x": ONE // 4, "y": ONE // 4, "z": ONE // 2}, expected=ONE // 5)


def sent(recorder: Recorder, time_us: int, lesson: Lesson | None = None, event_type: str = "a") -> Send:
    lesson = lesson or Lesson()
    recorder.sent(event_type, time_us, lesson)
    return Send(b"", event_type, "chat", time_us, lesson=lesson)


def answered(recorder: Recorder, send: Send, answer: Response) -> None:
    before, send.response = send.response, answer
    recorder.responded(send, before)


def plain(counts: dict[str, int]) -> dict[str, float]:
    """Without what is 0, in whole messages."""
    return {name.replace("\0", " "): amount / ONE for name, amount in sorted(counts.items()) if amount}


# ---------------------------------------------------------------- one message


def test_a_message_waits_for_its_answer_in_the_period_in_which_it_was_sent():
    recorder = Recorder(HOUR_US)
    sent(recorder, T0 + HOUR_US - 1)
    sent(recorder, T0 + HOUR_US)
    first = T0 // HOUR_US
    assert recorder.lessons == Lessons({}, {first: {"n\0a": ONE}, first + 1: {"n\0a": ONE}})


@pytest.mark.parametrize(
    ("answers", "counted"),
    [
        ([], {}),
        ([Response.CLICKED], {"n a": 1, "y a": 1}),
        ([Response.DISMISSED], {"n a": 1}),
        ([Response.DISMISSED, Response.CLICKED], {"n a": 1, "y a": 1}),
        ([Response.FAILED], {}),
        ([Response.CLICKED, Response.FAILED], {}),
        ([Response.DISMISSED, Response.FAILED], {}),
        ([Response.DISMISSED, Response.CLICKED, Response.FAILED], {}),
    ],
)
def test_an_answer_counts_at_once_and_nothing_waits_any_more(answers, counted):
    recorder = Recorder(HOUR_US)
    send = sent(recorder, T0)
    for answer in answers:
        answered(recorder, send, answer)
    assert plain(recorder.lessons.counts) == counted
    waiting = [plain(amounts) for amounts in recorder.lessons.waiting.values()]
    assert waiting == [{}] if answers else waiting == [{"n a": 1}]


def test_a_variant_that_was_drawn_teaches_of_itself_and_of_those_it_could_have_been():
    """Drawn with a chance of a quarter it stands for four rounds; a quarter not drawn for 4/3, a half for two."""
    recorder = Recorder(HOUR_US)
    answered(recorder, sent(recorder, T0, CHOSEN), Response.CLICKED)
    assert plain(recorder.lessons.counts) == pytest.approx(
        {
            "n a": 1,
            "y a": 1,
            "vn t x": 1,
            "vy t x": 1,
            "ve t x": 0.2,
            "t t x": 4,
            "ty t x": 4,
            "l t y": 4 / 3,
            "ly t y": 4 / 3,
            "l t z": 2,
            "ly t z": 2,
        },
        abs=2 / ONE,
    )


def test_a_variant_that_had_to_be_taken_teaches_nothing_of_a_choice():
    recorder = Recorder(HOUR_US)
    answered(recorder, sent(recorder, T0, Lesson("t", "x", {"x": ONE}, ONE // 5)), Response.CLICKED)
    assert plain(recorder.lessons.counts) == pytest.approx(
        {"n a": 1, "y a": 1, "vn t x": 1, "vy t x": 1, "ve t x": 0.2}, abs=2 / ONE
    )


def test_a_message_of_long_ago_that_is_told_only_now_counts_at_once():
    recorder = Recorder(HOUR_US, matured=T0 // HOUR_US)
    send = sent(recorder, T0 + HOUR_US - 1)
    assert (plain(recorder.lessons.counts), recorder.lessons.waiting) == ({"n a": 1}, {})
    answered(recorder, send, Response.CLICKED)
    assert (plain(recorder.lessons.counts), recorder.lessons.waiting) == ({"n a": 1, "y a": 1}, {})
    answered(recorder, send, Response.FAILED)
    assert (plain(recorder.lessons.counts), recorder.lessons.waiting) == ({}, {})


@pytest.mark.parametrize(("answer", "counted"), [(Response.CLICKED, {"n a": 1, "y a": 1}), (Response.FAILED, {})])
def test_ignored_but_not_counted_yet_it_waits_no_more_when_an_answer_comes(answer, counted):
    recorder = Recorder(HOUR_US)
    send = sent(recorder, T0)
    send.response = Response.IGNORED
    answered(recorder, send, answer)
    assert plain(recorder.lessons.counts) == counted
    assert [plain(amounts) for amounts in recorder.lessons.waiting.values()] == [{}]


def test_the_answer_to_a_message_that_was_not_taken_down_is_not_either():
    recorder = Recorder(HOUR_US)
    answered(recorder, Send(b"", "a", "chat", T0), Response.CLICKED)
    assert not recorder.lessons


def test_what_a_scorer_foretold_is_compared_with_what_came():
    recorder = Recorder(HOUR_US)
    for answer in (Response.CLICKED, Response.DISMISSED):
        answered(recorder, sent(recorder, T0, Lesson(scored=ONE // 4)), answer)
    assert plain(recorder.lessons.counts) == {"n a": 2, "y a": 1, "sn ": 2, "sy ": 1, "se ": 0.5}


def test_who_takes_nothing_down_takes_nothing_down():
    deaf = Deaf()
    answered(deaf, sent(deaf, T0, CHOSEN), Response.CLICKED)
    deaf.active(9, ONE)
    assert not deaf.lessons


def test_acts_are_counted_by_the_hour():
    recorder = Recorder(HOUR_US)
    recorder.active(9, ONE)
    recorder.active(9, 2 * ONE)
    recorder.active(0, ONE)
    assert plain(recorder.lessons.counts) == {"h 00": 1, "h 09": 3}


# ---------------------------------------------------------------- many, with boundaries


@dataclass
class Message:
    """What became of a message, by the page's words."""

    send: Send
    answers: list[Response] = field(default_factory=list)

    def counts(self, now_us: int, ignored_after_us: int) -> Counter[str]:
        """What is counted of it: nothing if it failed; a message if it was answered or is old enough to be ignored."""
        found: Counter[str] = Counter()
        periods = (now_us - ignored_after_us) // HOUR_US
        old = self.send.time_us // HOUR_US < periods
        if Response.FAILED in self.answers or not (self.answers or old):
            return found
        found[f"n {self.send.event_type}"] += 1
        if Response.CLICKED in self.answers:
            found[f"y {self.send.event_type}"] += 1
        return found


ops = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "answer", "answer", "turn"]),
        st.sampled_from([0, 1, HOUR_US // 2, HOUR_US, 3 * HOUR_US]),
        st.integers(0, 5),
        st.sampled_from([Response.CLICKED, Response.DISMISSED, Response.FAILED]),
        st.integers(0, 2),
    ),
    max_size=50,
)


@settings(max_examples=150, deadline=None)
@given(ops, st.booleans(), st.sampled_from([5 * HOUR_US, 11 * HOUR_US // 2]))
def test_after_each_boundary_every_answered_or_old_message_is_counted_once(ops, kept, ignored_after_us):
    """Whatever the order, with any number of workers whose lessons are put together, and after a restart."""
    policy = Policy(Settings(engagement=FOREVER, ignored_after_us=ignored_after_us))
    learner = Learner(policy)
    workers = [Recorder(HOUR_US) for _ in range(3)]
    now, messages, counted = T0, [], {}
    for kind, gap, which, answer, place in ops:
        now += gap
        if learner.is_boundary("u", now, 1):
            for worker in workers:
                learner.merge(worker.lessons)
                worker.lessons.clear()
            learner.turn(now)
            if kept:
                again = Learner(policy)
                again.restore(copy.deepcopy(learner.keep()), Since())
                assert again.learned.snapshot == learner.learned.snapshot
                learner = again
            for worker in workers:
                worker.matured = learner.learned.recorder.matured
                worker.newest = learner.learned.recorder.newest
            counted = sum(
                (message.counts(now // HOUR_US * HOUR_US, ignored_after_us) for message in messages), Counter()
            )
            assert plain(learner.keep().base.counts) == counted
            assert all(period > workers[0].matured for period in learner.keep().base.waiting)
        worker = workers[place]
        for message in messages:  # as `settle` does: unanswered messages become ignored without a word
            if message.send.response is Response.PENDING and now >= message.send.time_us + ignored_after_us:
                message.send.response = Response.IGNORED
        if kind == "send":
            messages.append(Message(sent(worker, now, event_type="ab"[which % 2])))
        elif kind == "answer" and which < len(messages):
            message = messages[-1 - which]
            before = message.send.response
            allowed = {
                Response.CLICKED: before not in (Response.CLICKED, Response.FAILED),
                Response.DISMISSED: before is Response.PENDING,
                Response.FAILED: before is not Response.FAILED,
            }
            if allowed[answer]:
                message.answers.append(answer)
                answered(worker, message.send, answer)


def test_lessons_add_up_in_any_order():
    pieces = [
        Lessons({"a": 1}, {5: {"x": 2}}),
        Lessons({"a": -3, "b": 2}, {5: {"x": -2, "y": 1}, 6: {"x": 1}}),
        Lessons({"b": 7}),
    ]
    one, other = Lessons(), Lessons()
    for piece in pieces:
        one.merge(piece)
    for piece in reversed(pieces):
        other.merge(piece)
    assert one.counts == other.counts == {"a": -2, "b": 9}
    assert one.waiting == other.waiting
