"""With any of the learners: lines written fast say what the engine decides; what records must hold; what states must."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.record import decode_line, encode_line
from botopt.model.user_state import UserState, pack, unpack
from tests.engine.learned_policies import life, policy_of
from tests.engine.learners import Course, bar, choice, explained, term

seeds = st.integers(0, 2**32)


def until(course: Course) -> int:
    return max((state.clock_us for state in course.states.values()), default=0) + 40 * 3_600_000_000


@settings(max_examples=120, deadline=None)
@given(seeds)
def test_lines_say_what_the_engine_decides_whatever_is_learned(seed):
    random = Random(seed)
    policy = policy_of(random)
    slow, fast = Course(policy), Course(policy, fast=True)
    for event in life(random, 120):
        before = len(slow.lines)
        slow(event)
        fast(event)
        assert fast.lines[before:].decode() == slow.lines[before:].decode()
    end = until(slow)
    slow(until=end)
    fast(until=end)
    assert fast.lines == slow.lines
    assert {name: pack(state) for name, state in fast.states.items()} == {
        name: pack(state) for name, state in slow.states.items()
    }
    assert fast.learner.learned.recorder.lessons == slow.learner.learned.recorder.lessons
    assert fast.learner.learned.snapshot == slow.learner.learned.snapshot


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_every_record_explains_its_score_and_its_threshold_and_every_draw_its_chance(seed):
    random = Random(seed)
    policy = policy_of(random)
    course = Course(policy, fast=random.random() < 0.5)
    found = course(*life(random, 120))
    found += course(until=until(course))
    for decision in found:
        explained(decision)
        if decision.threshold is not None:
            event_type = policy.events[decision.event_type]
            usual = policy.settings.threshold if event_type.threshold is None else event_type.threshold
            assert bar(decision, usual) == pytest.approx(decision.threshold, abs=1e-5)
        for drawn in decision.choices:
            assert drawn.chosen in drawn.eligible
            assert 0 < drawn.propensity <= 1
            assert drawn.draw is None or 0 <= drawn.draw < 1
            assert (drawn.draw is None) <= (drawn.propensity == 1)
        worded = choice(decision, "variant")
        if worded is not None:
            least = 0.05 if len(worded.eligible) <= 4 else 0.2 / len(worded.eligible)
            assert worded.propensity >= least - 1e-9
            assert decision.outcome is not Outcome.SENT or decision.message.variant == worded.chosen
        if decision.outcome is Outcome.SENT and not policy.events[decision.event_type].always:
            assert decision.score > decision.threshold
        if term(decision, "explore") is not None:
            assert choice(decision, "explore").chosen == "yes"
        assert (decision.snapshot is not None) == (policy.learns and decision.score is not None)
        assert decode_line(encode_line(decision)) == decision
    assert len({decision.id for decision in found}) == len(found)


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_lines_that_were_decided_before_do_not_change_by_what_comes_after(seed):
    """Nobody looks ahead; and a state that was packed and read again goes on the same."""
    random = Random(seed)
    policy, events = policy_of(random), life(random, 80)
    whole = Course(policy, fast=True)
    whole(*events)
    part = Course(policy, fast=True)
    half = random.randrange(len(events))
    part(*events[:half])
    assert whole.lines.startswith(part.lines)
    part.states = {name: unpack(pack(state)) for name, state in part.states.items()}
    rest = Course(policy, fast=True)
    rest.continues(part)
    rest(*events[half:])
    assert part.lines + rest.lines == whole.lines


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_the_control_group_is_decided_as_if_nothing_was_ever_learned(seed):
    """Whatever others do, and whatever learners there are: the rule as it is written."""
    random = Random(seed)
    policy = policy_of(random)
    events = life(random, 80)
    everybody = Course(replace(policy, settings=replace(policy.settings, control=1.0)))
    mine = [event for event in events if event["user"] == "u0"]
    alone = Course(everybody.policy)
    found = [shown(decision) for decision in everybody(*events) if decision.user == "u0"]
    assert found == [shown(decision) for decision in alone(*mine)]
    for decision in found:
        assert not {"pacing", "scorer", "explore"} & {part[0] for part in decision[3]}
        assert all(value == 1 for name, _, value in decision[3] if name == "engagement")
        assert decision[2] not in (Reason.PACED, Reason.SEND_TIME)
    assert all(not state.paces for state in everybody.states.values())


def shown(decision: Decision) -> tuple[object, ...]:
    parts = tuple((part.part, part.id, part.value) for part in decision.parts)
    text = None if decision.message is None else (decision.message.variant, decision.message.text)
    return decision.event_id, decision.time_us, decision.reason, parts, decision.score, decision.threshold, text


@pytest.mark.parametrize("seed", range(3))
def test_a_users_state_stays_small_after_ten_thousand_events(seed):
    """What learners remember is bounded by the policy, not by how much happens."""
    random = Random(seed)
    policy = policy_of(random)
    course = Course(policy, fast=True)
    sizes = []
    for number, event in enumerate(life(random, 10_000, users=1)):
        course(event)
        if number % 200 == 0:
            course.engine.prune(course.state(str(event["user"])))
        if number % 1_000 == 999:
            state = course.state(str(event["user"]))
            sizes.append(len(pack(state)))
            assert len(pack(UserState(paces=state.paces, hours=state.hours))) < 400
    assert max(sizes) < 3 * sorted(sizes)[1] + 20_000, sizes
    lessons = course.learner.keep().base
    assert len(lessons.counts) < 200
    assert len(lessons.waiting) <= 60
