"""A service that learns decides what a replay of the same events decides; what is not committed has taught nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from botopt.learning.keeping import LEARNED_KEY, LESSONS_KEY, read
from botopt.learning.lessons import ONE
from botopt.model.decision import Decision, Outcome
from botopt.model.errors import StateCorrupt, StateError
from botopt.model.event import Event, Line
from botopt.model.live import DecisionQuery
from botopt.model.record import decode_line
from botopt.runtime.intake import Bounds
from botopt.runtime.queries import Queries
from botopt.runtime.readers import Readers
from botopt.runtime.serving import Serving, serve
from botopt.runtime.tasks import Broken, Swap
from botopt.sources.envelope import Decoder
from botopt.state.backup import back_up
from botopt.state.memory import MemoryStore
from botopt.state.sqlite import open_state
from botopt.verify.replay import Decided, Replay
from tests.engine.support import base
from tests.learning.everything import everything, timeline
from tests.runtime.fakes import full_disk
from tests.runtime.making import DAY, HOUR, Bench, serving_of

SERVING = serve(everything(), 0, "reference")
seeds = st.integers(0, 10_000)


def events_of(seed: int, length: int = 80) -> list[Event]:
    decoder = Decoder(SERVING.policy)
    read = [decoder.decode(json.dumps(each).encode(), 1) for each in timeline(seed, length, wild=False)]
    return [event for event in read if isinstance(event, Event)]


def by_user(decisions: Sequence[Decision]) -> Mapping[str | None, list[Decision]]:
    """In their order; refusals have ids of their own wherever they are made."""
    found: dict[str | None, list[Decision]] = {}
    for one in decisions:
        if one.outcome is not Outcome.REJECTED:
            found.setdefault(one.user, []).append(one)
    return found


def replayed(seed: int, end_us: int, length: int = 80) -> tuple[Mapping[str | None, list[Decision]], object]:
    store = MemoryStore()
    lines = [Line(place, json.dumps(each).encode()) for place, each in enumerate(timeline(seed, length, wild=False), 1)]
    run = Replay(SERVING.engine, Decoder(SERVING.policy), store)
    decisions = [item.decision for item in run.run(lines, until_us=end_us) if isinstance(item, Decided)]
    return by_user(decisions), learned(store)


def learned(store: MemoryStore) -> object:
    """What counts, and what waits, put together: a replay may hear of a message later, when its user comes by."""
    found = read(store.meta())
    assert found is not None
    kept, since = found
    waiting = kept.base.copy()
    waiting.merge(since.lessons)
    still = {period: {name: one for name, one in each.items() if one} for period, each in waiting.waiting.items()}
    still = {period: each for period, each in still.items() if each}
    return kept.clock_us, kept.base.counts, since.lessons.counts, still, kept.past, since.lines


def served(bench: Bench, events: Sequence[Event], cuts: set[int], end_us: int) -> None:
    for number, event in enumerate(events):
        bench.put(event, at_us=event.time_us)
        if number in cuts:
            bench.clock.now_us = event.time_us
            bench.writer.step()
    bench.clock.now_us = end_us
    bench.run()


def told(bench: Bench) -> Mapping[str | None, list[Decision]]:
    rows = bench.store.decisions(DecisionQuery(limit=10_000))
    return by_user([decode_line(row.record) for row in reversed(rows)])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seeds, st.sets(st.integers(0, 79)), st.integers(1, 6), st.booleans())
def test_a_service_decides_what_a_replay_of_its_events_decides(seed, cuts, group, careful):
    events = events_of(seed)
    end_us = events[-1].time_us + 3 * DAY
    bench = Bench(serving=SERVING, bounds=Bounds(group=group))
    if careful:
        bench.writer._groups._attempt = bench.writer._groups._carefully
    served(bench, events, cuts, end_us)
    expected, known = replayed(seed, end_us)
    assert told(bench) == expected
    assert learned(bench.store) == known


# ---------------------------------------------------------------- what is not committed has taught nothing


def known(bench: Bench) -> object:
    """What the desk knows, to the last number."""
    learner = bench.writer.desk.learning._keeping.learner
    return msgspec.to_builtins((learner.keep(), learner.since(), learner.learned.snapshot))


def one_by_one(bench: Bench, events: Sequence[Event]) -> None:
    for event in events:
        bench.clock.now_us = event.time_us
        bench.receive(event, at_us=event.time_us)


def crossing(events: Sequence[Event]) -> list[Event]:
    """The same, and an event that begins a new period."""
    last_us = events[-1].time_us
    return [Event(f"late{hour}", "", "fire", f"u{hour}", last_us + hour * HOUR, {}) for hour in (1, 2)]


@pytest.fixture
def bench() -> Bench:
    made = Bench(serving=SERVING)
    one_by_one(made, events_of(4, 60))
    return made


def test_a_group_that_cannot_be_committed_leaves_no_lesson(bench):
    before, stored = known(bench), dict(bench.store.meta())
    bench.store.before_commit = full_disk
    events = crossing(events_of(4, 60))
    bench.clock.now_us = events[-1].time_us
    future = bench.put(*events)
    bench.run()
    with pytest.raises(StateError):
        future.result(0)
    assert known(bench) == before
    assert bench.store.meta() == stored
    bench.store.before_commit = lambda _: None
    bench.writer._pause_until = 0.0
    other = Bench(serving=SERVING)
    one_by_one(other, [*events_of(4, 60), *events])
    one_by_one(bench, events)
    assert learned(bench.store) == learned(other.store)


def test_a_task_that_breaks_leaves_no_lesson_and_takes_back_its_boundary(bench):
    events = crossing(events_of(4, 60))
    before = known(bench)
    bench.clock.now_us = events[-1].time_us

    def broken(_: object) -> None:
        raise ZeroDivisionError

    bad = bench.put(*events, answering=broken)
    bench.run()
    with pytest.raises(Broken):
        bad.result(0)
    assert known(bench) == before
    bad, good = bench.put(*events, answering=broken), bench.put(*events)
    bench.run()
    with pytest.raises(Broken):
        bad.result(0)
    assert all(one.accepted for one in good.result(0))
    other = Bench(serving=SERVING)
    one_by_one(other, events_of(4, 60))
    other.clock.now_us = bench.clock.now_us
    other.receive(*events)
    assert learned(bench.store) == learned(other.store)


def test_after_a_restart_a_service_goes_on_where_the_state_is(bench):
    events = crossing(events_of(4, 60))
    other = Bench(serving=SERVING, store=bench.store, clock=bench.clock)
    assert known(other) == known(bench)
    one_by_one(other, events)
    whole = Bench(serving=SERVING)
    one_by_one(whole, [*events_of(4, 60), *events])
    assert learned(other.store) == learned(whole.store)
    assert told(other) == told(whole)


def test_the_clock_of_one_user_moves_nobodys_also_after_a_restart(bench):
    last = events_of(4, 60)[-1]
    one_by_one(bench, [Event(f"h{hour}", "", "fire", f"u{hour}", last.time_us + hour * HOUR, {}) for hour in (1, 2, 3)])
    before = bench.writer.desk.learning._keeping.learner.keep()
    for number in range(50):
        if number == 10:
            bench = Bench(serving=SERVING, store=bench.store, clock=bench.clock)
        bench.receive(Event(f"far{number}", "", "a", "u5", last.time_us + 20_000 * DAY, {}))
    learner = bench.writer.desk.learning._keeping.learner
    assert learner.keep() == before
    assert learner.since().astray == 50
    bench.receive(*(Event(f"near{user}", "", "a", user, last.time_us + 20_000 * DAY, {}) for user in ("u6", "u7")))
    assert learner.keep().clock_us > before.clock_us


def test_the_base_is_written_at_boundaries_only(bench):
    last = events_of(4, 60)[-1]
    bench.store.commits.clear()
    same_hour = Event("more", "", "fire", "u1", last.time_us + 1, {})
    one_by_one(bench, [same_hour, *crossing([last])])
    written = [commit.meta.keys() & {LEARNED_KEY, LESSONS_KEY} for commit in bench.store.commits]
    assert written[0] == {LESSONS_KEY}
    assert {LEARNED_KEY, LESSONS_KEY} in written[1:]


def test_a_new_policy_goes_on_with_what_was_learned(bench):
    policy = SERVING.policy
    calmer = replace(policy, revision="calmer", settings=replace(policy.settings, refresh_us=3 * HOUR))
    before = bench.writer.desk.learning._keeping.learner.keep().base.counts
    bench.do_swap = Swap(serve(calmer, 0, "reference"))
    bench.writer.intake.put_first(bench.do_swap)
    bench.run()
    bench.do_swap.future.result(0)
    after = bench.writer.desk.learning._keeping.learner
    assert after.keep().base.counts == before
    assert after.keep().revision == "calmer"
    one_by_one(bench, crossing(events_of(4, 60)))
    found = read(bench.store.meta())
    assert found is not None
    assert found[0].refresh_us in (HOUR, 3 * HOUR)


def test_a_policy_that_does_not_learn_leaves_what_was_learned_in_the_state(bench):
    before = {key: bench.store.meta()[key] for key in (LEARNED_KEY, LESSONS_KEY)}
    calm = Bench(store=bench.store, clock=bench.clock)
    calm.receive(Event("x", "", "a", "u1", bench.clock.now_us, {}))
    assert {key: bench.store.meta()[key] for key in (LEARNED_KEY, LESSONS_KEY)} == before


def test_a_click_while_nothing_is_learned_is_counted_when_learning_goes_on():
    """A learns and sends, B does not learn, the user clicks, and A is served again; also where a group was taken back."""
    bench, calm = Bench(serving=SERVING), serving_of(base())
    at_us = bench.clock.now_us
    bench.receive(*(Event(f"f{user}", "", "fire", user, at_us, {}) for user in ("u1", "u4", "u5", "u6")))
    sent = sum(sends_that_taught(bench, user) for user in ("u1", "u4", "u5", "u6"))
    assert sent > 2
    before = read(bench.store.meta())
    swap(bench, calm)
    clicks = [Event(f"c{user}", "", "message.clicked", user, at_us, {}) for user in ("u1", "u4", "u5", "u6")]
    bench.store.before_commit = full_disk
    future = bench.put(*clicks)
    bench.run()
    with pytest.raises(StateError):
        future.result(0)
    bench.store.before_commit = lambda _: None
    bench.writer._pause_until = 0.0
    bench.receive(*clicks)
    found = read(bench.store.meta())
    assert (found[0], found[1].lines) == (before[0], before[1].lines)
    swap(bench, SERVING)
    one_by_one(bench, [Event(f"p{hour}", "", "paid", f"u{hour % 7}", at_us + hour * HOUR, {}) for hour in range(1, 60)])
    counts = bench.writer.desk.learning._keeping.learner.keep().base.counts
    assert counts["y\0fire"] == pytest.approx(counts["n\0fire"], rel=1e-6)
    assert 0.9 * sent < counts["n\0fire"] / ONE <= sent


def swap(bench: Bench, serving: Serving) -> None:
    task = Swap(serving)
    bench.writer.intake.put_first(task)
    bench.run()
    task.future.result(0)


def test_whoever_breaks_the_engine_does_not_keep_others_from_a_new_period(bench):
    """A user whose held message cannot be decided when its time is about to count."""
    night = events_of(4, 60)[-1].time_us // DAY * DAY + 2 * DAY + 22 * HOUR
    held = Event("held", "", "fire", "u1", night, {})
    one_by_one(bench, [Event(f"step{n}", "", "fire", "u2", night - 2 * DAY + n * 12 * HOUR, {}) for n in range(5)])
    one_by_one(bench, [held])
    assert bench.state("u1").held
    engine = bench.writer.desk.serving.engine
    release = engine.release

    def broken(state: object, *more: object, **named: object) -> object:
        if state is bench.writer.desk.states.look("u1"):
            raise ZeroDivisionError
        return release(state, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(engine), "release", lambda _, *more, **named: broken(*more, **named))
        one_by_one(bench, [Event(f"on{n}", "", "fire", "u2", night + n * 12 * HOUR, {}) for n in range(1, 6)])
    assert any("could not be decided" in words or "release" in words for words, _ in bench.faults)
    found = read(bench.store.meta())
    assert found is not None
    assert found[0].clock_us >= night + 2 * DAY


def waiting_for_an_hour(bench: Bench) -> int:
    """A message of u1 is held over the night, and the scheduler does not look; the afternoon after it."""
    night = events_of(4, 60)[-1].time_us // DAY * DAY + 2 * DAY + 22 * HOUR
    one_by_one(bench, [Event(f"step{n}", "", "fire", "u2", night - 2 * DAY + n * 12 * HOUR, {}) for n in range(5)])
    one_by_one(bench, [Event("held", "", "fire", "u1", night, {})])
    assert bench.state("u1").held
    afternoon = night + 18 * HOUR
    desk = bench.writer.desk
    desk.decide(Event("on", "", "paid", "u3", afternoon, {}), afternoon, "on", {}, same_policy=True)
    assert bench.state("u1").held
    return afternoon


def sends_that_taught(bench: Bench, user: str) -> int:
    return sum(send.lesson is not None for send in bench.state(user).sends)


def counted(bench: Bench, event_type: str) -> float:
    """Messages of a type that count, answered or not; older ones a little less than 1."""
    return bench.writer.desk.learning._keeping.learner.keep().base.counts.get(f"n\0{event_type}", 0) / ONE


def test_what_was_decided_for_others_before_a_message_could_not_be_taken_back_keeps_its_lessons(bench, monkeypatch):
    """The event begins a new period, before which a held message of somebody else is decided."""
    now = waiting_for_an_hour(bench)
    desk, engine = bench.writer.desk, bench.writer.desk.serving.engine
    sends, count = sends_that_taught(bench, "u1"), counted(bench, "fire")
    decide, own = engine.decide, Event("f", "", "fire", "u5", now + 20 * HOUR, {})

    def broken(state: object, event: Event, *more: object, **named: object) -> object:
        if event.id == "f":
            decide(state, event, *more, **named)  # it has changed everything that it can
            raise ZeroDivisionError
        return decide(state, event, *more, **named)

    monkeypatch.setattr(type(engine), "decide", lambda _, *more, **named: broken(*more, **named))
    turns, before, clock_us = desk.learning._keeping.learner.turns, desk.states.copy("u5"), bench.state("u5").clock_us
    desk.take_back(own, now + 20 * HOUR, "f")
    assert [words for words, _ in desk.draft.faults] == ["a message could not be taken back from u5"]
    assert desk.states.copy("u5") == before
    assert bench.state("u5").clock_us == clock_us
    assert sends_that_taught(bench, "u1") == sends + 1
    assert counted(bench, "fire") > count
    assert desk.learning._keeping.learner.turns > turns


def test_what_cannot_be_written_down_has_not_happened(bench, monkeypatch):
    now = waiting_for_an_hour(bench)
    desk = bench.writer.desk
    before, copy = known(bench), desk.states.copy("u1")
    reached, shown, outbox = desk.reached, len(desk.draft.shown), dict(desk.draft.outbox)

    def unwritable(_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr("botopt.runtime.desk.pack_parcel", unwritable)
    desk._attempt("u1", lambda: desk.release("u1", now), "failed")
    assert [words for words, _ in desk.draft.faults] == ["failed"]
    assert (known(bench), desk.states.copy("u1")) == (before, copy)
    assert (desk.reached, len(desk.draft.shown), desk.draft.outbox) == (reached, shown, outbox)


def test_a_damaged_user_does_not_keep_others_from_a_new_period(bench):
    now = waiting_for_an_hour(bench)
    other = Bench(serving=SERVING, store=bench.store, clock=bench.clock)
    desk = other.writer.desk

    def damaged(users: list[str]) -> None:
        if "u1" in users:
            raise StateCorrupt("the state of user u1 is damaged")

    bench.store.before_load = damaged
    for hours in (4, 22):
        at_us = now + hours * HOUR
        desk.decide(Event(f"on{hours}", "", "paid", "u3", at_us, {}), at_us, "on", {}, same_policy=True)
    assert {words for words, _ in desk.draft.faults} == {"what was held for u1 could not be decided"}
    assert desk.learning._keeping.learner.keep().clock_us >= now + 21 * HOUR


def test_a_dry_run_shows_what_the_service_would_decide_and_teaches_nothing(bench, tmp_path):
    """From a file, as a service asks it."""
    path = tmp_path / "state.db"
    with open_state(path, create=True, read_only=False) as store:
        served_from = Bench(serving=SERVING, store=store, clock=bench.clock)
        one_by_one(served_from, events_of(4, 60))
        event = Event("dry", "", "fire", "u8", bench.clock.now_us + 2 * HOUR, {})
        before = dict(store.meta())
        readers = Readers(lambda: open_state(path, create=False, read_only=True))
        shown = Queries(readers).explain(SERVING.policy, event, event.time_us)
        readers.close()
        assert dict(store.meta()) == before
        served_from.clock.now_us = event.time_us
        [received] = served_from.receive(event)
    [decided] = received.decisions
    assert shown.decisions[-1] == decided


def test_a_copy_of_a_state_goes_on_like_the_state(bench, tmp_path):
    path, copy = tmp_path / "state.db", tmp_path / "copy.db"
    events = crossing(events_of(4, 60))
    with open_state(path, create=True, read_only=False) as store:
        one_by_one(Bench(serving=SERVING, store=store, clock=bench.clock), events_of(4, 60))
    back_up(path, copy)
    left = []
    for name in (path, copy):
        with open_state(name, create=False, read_only=False) as store:
            bench.clock.now_us = events[0].time_us
            one_by_one(Bench(serving=SERVING, store=store, clock=bench.clock), events)
            left.append((learned(store), dict(store.meta())))
    assert left[0] == left[1]
