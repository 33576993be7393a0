"""Events in, decided, committed, answered."""

from __future__ import annotations

import threading

import pytest

from botopt.model.decision import Outcome, Reason
from botopt.model.errors import StateCorrupt, StateError
from botopt.model.event import Rejected, request_digest
from botopt.model.live import Changes, DecisionQuery, StoredAnswer, unpack_parcel
from botopt.model.record import decode_line
from botopt.model.silence import Silence
from botopt.runtime.hooks import Hooks
from botopt.runtime.intake import Bounds
from botopt.runtime.items import Overloaded, Stopping
from botopt.runtime.tasks import Broken
from botopt.state.memory_control import MemoryControl
from botopt.state.opening import open_live
from tests.engine.support import base
from tests.runtime.fakes import FakeStore, full_disk
from tests.runtime.making import HOUR, MINUTE, NOON, SECOND, Bench, event, serving_of


def test_an_event_is_decided_committed_and_then_answered() -> None:
    bench = Bench()
    future = bench.put(event("e1"), trace={"traceparent": "00-1"})
    assert not future.done()
    bench.run()
    (received,) = future.result(0)
    (decision,) = received.decisions
    assert received.accepted
    assert decision.outcome is Outcome.SENT
    (changes,) = bench.store.commits
    assert [row.user for row in changes.users] == ["ada"]
    assert [decode_line(row.record) for row in changes.decisions] == [decision]
    (row,) = changes.outbox
    assert (row.key, row.message_id, row.channel, row.user) == (decision.id, decision.id, "chat", "ada")
    assert (row.created_us, row.next_us, row.expires_us) == (NOON, NOON, None)
    parcel = unpack_parcel(row.parcel)
    assert parcel.message == decision.message
    assert parcel.trace == {"traceparent": "00-1"}
    assert bench.woken == [frozenset({"chat"})]
    assert bench.seen == [decision]


def test_the_same_event_again_is_told_as_a_duplicate_and_sent_once() -> None:
    bench = Bench()
    bench.receive(event("e1"))
    (received,) = bench.receive(event("e1"))
    assert received.accepted
    assert [decision.reason for decision in received.decisions] == [Reason.DUPLICATE]
    assert len(bench.store.messages) == 1


def test_what_is_no_event_becomes_its_record() -> None:
    bench = Bench()
    rejected = Rejected(1, "not a JSON object", request_digest(NOON, 1, b"x"), None, "e1")
    (received,) = bench.receive(rejected)
    assert not received.accepted
    assert [decision.detail for decision in received.decisions] == ["not a JSON object"]
    (row,) = bench.store.decisions(DecisionQuery())
    assert (row.event_id, row.outcome, row.user) == ("e1", "rejected", None)
    assert not list(bench.store.users())


def test_every_refusal_has_a_record_of_its_own() -> None:
    bench = Bench()
    bench.receive(event("e0", "user.deleted"))
    bench.receive(event("e1"), event("e1"))
    bench.receive(event("e1"))
    assert len(bench.store.decisions(DecisionQuery(outcome="rejected"))) == 3


def test_the_user_s_clock_reads_the_receipt() -> None:
    bench = Bench()
    (received,) = bench.receive(event("e1", time_us=NOON - HOUR))
    assert received.decisions[0].time_us == NOON


def test_a_message_expires_by_the_time_of_its_event() -> None:
    bench = Bench(serving=serving_of(base(events="x: {channel: chat, weight: 0.8, message: hello, expires_after: 1h}")))
    bench.receive(event("e1", "x", time_us=NOON - MINUTE))
    (row,) = bench.store.messages.values()
    assert row.expires_us == NOON - MINUTE + HOUR


def test_an_event_that_only_tells_something_has_no_decision_even_if_it_releases_one() -> None:
    bench = Bench('{id: night, quiet_hours: {from: "11:00", to: "13:00"}}')
    bench.receive(event("e1"))
    bench.clock.now_us += 2 * HOUR
    (received,) = bench.receive(event("e2", "paid", time_us=bench.clock.now_us))
    assert received.accepted
    assert received.decisions == ()
    assert [row.outcome for row in bench.store.decisions(DecisionQuery())] == ["sent", "held"]


def test_what_is_released_by_the_way_is_not_the_event_s_own_and_not_of_its_trace() -> None:
    bench = Bench('{id: night, quiet_hours: {from: "11:00", to: "13:00"}}')
    bench.receive(event("e1"))
    bench.clock.now_us += 2 * HOUR
    (received,) = bench.receive(event("e2", time_us=bench.clock.now_us), trace={"traceparent": "00-2"})
    assert [decision.event_id for decision in received.decisions] == ["e2"]
    parcels = [unpack_parcel(row.parcel) for row in bench.store.messages.values()]
    assert {parcel.event.id: dict(parcel.trace) for parcel in parcels} == {"e1": {}, "e2": {"traceparent": "00-2"}}


def test_everything_that_waits_is_one_commit() -> None:
    bench = Bench()
    futures = [bench.put(event(f"e{number}", user=f"u{number}")) for number in range(10)]
    bench.run()
    assert len(bench.store.commits) == 1
    assert all(future.result(0)[0].accepted for future in futures)


def test_a_group_ends_at_its_limit() -> None:
    bench = Bench(bounds=Bounds(group=4))
    for number in range(3):
        bench.put(*(event(f"e{number}{place}", user=f"u{number}") for place in range(3)))
    bench.run()
    assert [len(changes.decisions) for changes in bench.store.commits] == [3, 3, 3]


def test_the_answer_to_a_repeated_request_is_kept_in_the_same_commit() -> None:
    bench = Bench()

    def answering(received) -> StoredAnswer:
        return StoredAnswer("k", "h", 202, received[0].decisions[0].id.encode(), NOON)

    (received,) = bench.receive(event("e1"), answering=answering)
    (changes,) = bench.store.commits
    assert [answer.body for answer in changes.answers] == [received.decisions[0].id.encode()]
    assert bench.store.answer("k") == changes.answers[0]


def test_a_request_whose_answer_cannot_be_made_is_not_taken() -> None:
    bench = Bench()

    def answering(_) -> StoredAnswer:
        raise RuntimeError

    with pytest.raises(Broken):
        bench.receive(event("e1"), answering=answering)
    assert not bench.store.messages
    assert bench.state().clock_us < 0


# ---------------------------------------------------------------- faults


def poison(bench: Bench, monkeypatch: pytest.MonkeyPatch, *ids: str) -> None:
    """The engine raises at these events, after it has changed something."""
    decide = bench.serving.engine.decide

    def poisoned(state, event, *rest, **more):
        decisions = decide(state, event, *rest, **more)
        if event.id in ids:
            raise ZeroDivisionError("poison")
        return decisions

    monkeypatch.setattr(bench.serving.engine, "decide", poisoned)


def test_one_event_that_breaks_the_engine_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, calm = Bench(), Bench()
    good = [event("e1"), event("e2", user="bob"), event("e4"), event("e5", user="bob")]
    for one in good:
        calm.put(one)
    calm.run()
    poison(bench, monkeypatch, "e3", "e6")
    futures = {
        id: bench.put(event(id, user=user))
        for id, user in [("e1", "ada"), ("e2", "bob"), ("e3", "ada"), ("e4", "ada"), ("e5", "bob"), ("e6", "carl")]
    }
    bench.run()
    for id, future in futures.items():
        if id in ("e3", "e6"):
            with pytest.raises(Broken, match="took nothing of it"):
                future.result(0)
        else:
            assert future.result(0)[0].accepted
    assert [str(fault) for _, fault in bench.faults] == ["poison", "poison"]
    assert bench.store.messages == calm.store.messages
    assert list(bench.store.users()) == list(calm.store.users())
    assert len(bench.store.commits) == 1


def test_a_request_is_taken_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.receive(event("e0"))
    before = list(bench.store.users())
    poison(bench, monkeypatch, "e2")
    with pytest.raises(Broken):
        bench.receive(event("e1"), event("e2", user="bob"), event("e3", user="carl"))
    assert list(bench.store.users()) == before
    assert len(bench.store.messages) == 1


def test_a_release_that_breaks_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench('{id: night, quiet_hours: {from: "11:00", to: "13:00"}}')
    for user in ("ada", "bob", "carl"):
        bench.receive(event("e1", user=user))
    release = bench.serving.engine.release

    def poisoned(state, until_us, *rest, **more):
        if any(held.event.user == "bob" for held in state.held):
            raise ZeroDivisionError("poison")
        return release(state, until_us, *rest, **more)

    monkeypatch.setattr(bench.serving.engine, "release", poisoned)
    bench.clock.now_us += 2 * HOUR
    bench.run()
    assert sorted(row.user for row in bench.store.messages.values()) == ["ada", "carl"]
    assert len(bench.faults) == 1


def test_rows_that_cannot_be_written_cost_only_their_own_request() -> None:
    bench = Bench()

    def picky(changes: Changes) -> None:
        if any(row.user == "bob" for row in changes.users):
            raise OverflowError("no such time")

    bench.store.before_commit = picky
    futures = [bench.put(event("e1", user=user)) for user in ("ada", "bob", "carl")]
    bench.run()
    assert futures[0].result(0)[0].accepted
    with pytest.raises(Broken):
        futures[1].result(0)
    assert futures[2].result(0)[0].accepted
    assert [user.user for user in bench.store.users()] == ["ada", "carl"]


def test_a_full_disk_acknowledges_nothing_and_is_told_until_there_is_room() -> None:
    bench = Bench()
    bench.receive(event("e0"))
    bench.store.before_commit = full_disk
    bench.clock.now_us += MINUTE
    future = bench.put(event("e1", "b", time_us=bench.clock.now_us))
    bench.run()
    with pytest.raises(Exception, match="the disk is full"):
        future.result(0)
    failing = bench.writer.health.failing
    assert failing is not None
    assert failing.since_us == NOON + MINUTE
    assert "the disk is full" in failing.why
    assert bench.writer.not_ready()[0].startswith(
        "nothing can be written since 2026-03-02T12:01:00Z: state.db: the disk"
    )
    assert bench.state().clock_us == NOON  # as the store has it

    bench.store.before_commit = lambda _: None
    bench.writer._pause_until = 0.0
    bench.run()  # nobody asks for anything, and yet it is noticed
    assert bench.writer.health.failing is None
    assert bench.receive(event("e1", "b", time_us=bench.clock.now_us))[0].decisions[0].outcome is Outcome.SENT


def test_a_user_whose_row_is_damaged_is_nobody_else_s_trouble() -> None:
    bench = Bench()

    def damaged(users: list[str]) -> None:
        if "bob" in users:
            raise StateCorrupt('the state of user "bob" is damaged')

    bench.store.before_load = damaged
    futures = [bench.put(event("e1", user=user)) for user in ("ada", "bob", "carl")]
    bench.run()
    assert [future.exception(0) is None for future in futures] == [True, False, True]
    with pytest.raises(StateCorrupt):
        bench.receive(event("e2", user="bob"))
    assert bench.writer.not_ready() == ()
    assert len(bench.faults) == 2


def test_a_real_full_disk_is_survived(tmp_path) -> None:
    with open_live(tmp_path / "state.db") as store:
        bench = Bench(store=store)
        bench.receive(event("e0"))
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        futures = [
            bench.put(*(event(f"e{number}", user=f"u{number}-{place}") for place in range(200))) for number in range(3)
        ]
        bench.run()
        for future in futures:
            with pytest.raises(StateError, match="the disk is full"):
                future.result(0)
        assert [row.user for row in store.users()] == ["ada"]
        assert len(bench.claim()) == 1  # what fits is written
        store._connection.execute("PRAGMA max_page_count = 1000000")
        assert all(one.accepted for one in bench.receive(*(event("e1", user=f"u{number}") for number in range(200))))
        assert bench.writer.health.failing is None


def test_a_fault_of_the_writer_itself_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    future = bench.put(event("e1"))
    with monkeypatch.context() as broken:
        broken.setattr(bench.writer._groups, "_commit", lambda *_: 1 / 0)
        bench.run()
    with pytest.raises(Broken):
        future.result(0)
    assert bench.receive(event("e1"))[0].decisions[0].outcome is Outcome.SENT


def test_a_store_that_cannot_even_say_what_is_due_keeps_nobody_waiting() -> None:
    bench = Bench()
    bench.store.due = lambda *_: 1 / 0
    assert bench.receive(event("e1"))[0].accepted
    assert [words for words, _ in bench.faults] == ["the writer could not look around"] * len(bench.faults)


def test_a_store_that_cannot_be_read_is_told() -> None:
    bench = Bench()
    bench.store.control_version = lambda: full_disk(None)
    bench.writer.step()
    assert bench.writer.health.failing.times == 1
    bench.writer._pause_until = 0.0
    bench.store.before_commit = full_disk
    bench.writer.step()
    assert bench.writer.health.failing.times >= 2
    assert bench.writer.health.failing.since_us == NOON


@pytest.mark.parametrize("failing", range(12))
def test_a_commit_that_fails_changes_nothing_but_who_has_to_ask_again(failing: int) -> None:
    """Whoever gets a fault sends the same again: at the end all is as if nothing had failed."""
    users = ("ada", "bob", "carl")
    events = [event(f"e{number}", "ab"[number % 2], users[number % 3], NOON + number * MINUTE) for number in range(24)]
    suppression = '{id: often, cooldown: 4m}\n{id: night, quiet_hours: {from: "12:10", to: "12:15"}}'
    calm, bench = Bench(suppression), Bench(suppression)
    commits = 0

    def fails(changes: Changes) -> None:
        nonlocal commits
        commits += 1
        if commits == failing + 1:
            full_disk(changes)

    bench.store.before_commit = fails
    for number in range(0, 24, 2):
        pair = events[number : number + 2]
        for one in (calm, bench):
            one.clock.now_us = pair[-1].time_us
            one.writer._pause_until = 0.0
            futures = [one.put(each, at_us=each.time_us) for each in pair]
            one.run()
            if futures[0].exception(0) is not None:
                assert one is bench
                futures = [one.put(each, at_us=each.time_us) for each in pair]
                one.writer._pause_until = 0.0
                one.run()
            assert all(future.result(0)[0].accepted for future in futures)
    assert bench.store.messages == calm.store.messages
    assert list(bench.store.users()) == list(calm.store.users())
    told = [[(row.id, row.record) for row in one.store.decisions(DecisionQuery(limit=1000))] for one in (bench, calm)]
    assert told[0] == told[1]


@pytest.mark.parametrize("lost", range(8))
def test_an_answer_that_was_lost_after_its_commit_sends_nothing_twice(lost: int) -> None:
    """A disk that fails while it says that it has written: whoever asks again hears of a duplicate."""
    calm, bench = Bench(), Bench()
    commit, commits = bench.store.commit_changes, 0

    def forgetful(changes: Changes) -> frozenset[str]:
        nonlocal commits
        commits += 1
        unwritten = commit(changes)
        if commits == lost + 1:
            full_disk(changes)
        return unwritten

    bench.store.commit_changes = forgetful
    for number in range(8):
        one = event(f"e{number}", user=f"u{number % 3}")
        calm.receive(one)
        try:
            bench.receive(one)
        except StateError:
            bench.writer._pause_until = 0.0
            (received,) = bench.receive(one)
            assert received.decisions[0].reason is Reason.DUPLICATE
            assert number == lost
    assert bench.store.messages == calm.store.messages
    decided = [row.id for row in bench.store.decisions(DecisionQuery()) if row.reason != "duplicate"]
    assert decided == [row.id for row in calm.store.decisions(DecisionQuery())]


# ---------------------------------------------------------------- the queue


def test_a_full_queue_refuses_and_says_when_to_come_again() -> None:
    bench = Bench(bounds=Bounds(events=10))
    for number in range(10):
        bench.put(event(f"e{number}"))
    with pytest.raises(Overloaded, match="too many events are waiting; try again in 1 s") as refused:
        bench.put(event("one more"))
    assert refused.value.retry_after_s == 1
    assert bench.writer.not_ready() == ("the queue is full: 10 events wait",)
    assert bench.claim() is not None  # what delivery asks for is never refused
    bench.run()
    assert bench.receive(event("one more"))


def test_a_queue_is_full_by_bytes_too_and_a_request_larger_than_it_is_taken_alone() -> None:
    bench = Bench(bounds=Bounds(bytes=10_000))
    bench.put(event("e1", "loose", text="x" * 20_000))
    with pytest.raises(Overloaded):
        bench.put(event("e2"))
    bench.run()
    assert len(bench.store.messages) == 1


def test_retry_after_follows_how_fast_the_queue_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("botopt.runtime.intake.time.monotonic", lambda: now)
    bench = Bench(bounds=Bounds(events=1000, group=10))
    for number in range(1000):
        bench.put(event(f"e{number}", "paid", f"u{number}"))
    for _ in range(20):
        bench.writer.step()
        now += 1.0  # ten events a second
    while bench.writer.intake.events < 1000:
        bench.put(event(f"f{bench.writer.intake.events}", "paid"))
    with pytest.raises(Overloaded) as refused:
        bench.put(event("one more"))
    assert refused.value.retry_after_s == 50  # half of the queue


def test_a_caller_that_gave_up_is_not_served() -> None:
    bench = Bench()
    gone, there = bench.put(event("e1")), bench.put(event("e2", "b"))
    assert gone.cancel()
    bench.run()
    assert there.result(0)
    assert [row.event_id for row in bench.store.decisions(DecisionQuery())] == ["e2"]


def test_nothing_is_taken_while_the_service_ends() -> None:
    bench = Bench()
    future = bench.put(event("e1"))
    bench.writer.start()
    bench.writer.stop(drain_s=10)
    assert future.result(0)[0].accepted
    with pytest.raises(Stopping, match="the service is ending"):
        bench.put(event("e2"))


def test_what_cannot_be_done_in_time_is_refused() -> None:
    bench = Bench(bounds=Bounds(group=1))
    entered, go_on = threading.Event(), threading.Event()

    def slow(_: Changes) -> None:
        entered.set()
        assert go_on.wait(10)

    bench.store.before_commit = slow
    first, second = bench.put(event("e1")), bench.put(event("e2"))
    bench.writer.start()
    assert entered.wait(10)
    stopping = threading.Thread(target=bench.writer.stop, args=(0.0,))
    stopping.start()
    while bench.writer.intake.refusing is None:
        pass
    go_on.set()
    stopping.join(10)
    assert first.result(0)
    with pytest.raises(Stopping):
        second.result(0)


def test_hooks_that_raise_are_reported_and_stop_nothing() -> None:
    def broken(_: object) -> None:
        raise KeyError("metric")

    bench = Bench(hooks=Hooks(decided=broken, failed=lambda words, fault: bench.faults.append((words, fault))))
    assert bench.receive(event("e1"))[0].accepted
    assert [words for words, _ in bench.faults] == ["a hook of the service failed"]


# ---------------------------------------------------------------- memory


def test_only_so_many_users_stay_at_hand() -> None:
    bench = Bench(most_users=10)
    for number in range(50):
        bench.receive(event("e1", user=f"u{number}"))
    states = bench.writer.desk.states
    assert len(states) == 10
    assert bench.receive(event("e1", user="u3"))[0].decisions[0].reason is Reason.DUPLICATE
    assert len(states) == 10


def test_states_at_hand_are_bounded_by_bytes_and_all_are_let_go_in_the_end() -> None:
    bench = Bench(most_bytes=20_000)
    for number in range(50):
        bench.receive(event("e1", user=f"u{number}"))
    states = bench.writer.desk.states
    assert 5 < len(states) < 20
    assert states.weight <= 20_000
    assert states.weight == sum(states._weights.values())


def test_who_was_seen_last_goes_last() -> None:
    bench = Bench(most_users=2)
    for user in ("ada", "bob", "ada", "carl"):
        bench.receive(event(f"e{len(bench.store.commits)}", user=user))
    loaded: list[list[str]] = []
    bench.store.before_load = loaded.append
    bench.receive(event("x", user="ada"))
    assert loaded == []
    bench.receive(event("x", user="bob"))
    assert loaded == [["bob"]]


def test_users_of_a_group_are_loaded_at_once() -> None:
    store = FakeStore()
    loaded: list[list[str]] = []
    store.before_load = loaded.append
    bench = Bench(store=store)
    for number in range(5):
        bench.put(event("e1", user=f"u{number}"))
    bench.run()
    assert loaded == [[f"u{number}" for number in range(5)]]


def test_old_decisions_go_when_nothing_else_is_to_be_done() -> None:
    bench = Bench(keep_us=HOUR, tidy_every_s=0.0)
    bench.receive(event("e1"))
    bench.clock.now_us += 2 * HOUR
    bench.run()
    assert bench.store.decisions(DecisionQuery()) == []
    assert len(bench.store.messages) == 1  # it waits still


def test_silences_that_could_not_be_read_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    MemoryControl(bench.store).add_silence(Silence(id="s", until_us=NOON + HOUR))
    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "silences", full_disk)
        bench.run()
    bench.writer._pause_until = 0.0
    bench.run()
    (received,) = bench.receive(event("e1"))
    assert received.decisions[0].reason == "silenced"


def test_a_silence_that_has_just_ended_counts_for_what_came_before_its_end() -> None:
    bench = Bench()
    MemoryControl(bench.store).add_silence(Silence(id="s", until_us=NOON + SECOND))
    bench.clock.now_us += 2 * SECOND
    (before, after) = (bench.put(event(f"e{us}", time_us=us), at_us=us) for us in (NOON, NOON + SECOND))
    bench.run()
    assert [one.result(0)[0].decisions[0].reason for one in (before, after)] == ["silenced", None]


def test_old_decisions_go_too_while_events_never_cease() -> None:
    bench = Bench(keep_us=HOUR, tidy_every_s=0.0)
    bench.receive(event("e1"))
    bench.clock.now_us += 2 * HOUR
    bench.put(event("e2", user="bob", time_us=bench.clock()))
    bench.writer.step()  # there was something to do: this turn was not idle
    assert [row.user for row in bench.store.decisions(DecisionQuery())] == ["bob"]


def test_old_decisions_wait_a_while_for_a_queue_that_is_never_empty() -> None:
    bench = Bench(keep_us=HOUR, tidy_every_s=0.0, bounds=Bounds(group=1))
    bench.receive(event("e1"))
    bench.clock.now_us += 2 * HOUR
    for number in range(3):
        bench.put(event(f"e2{number}", user="bob", time_us=bench.clock()))
    bench.writer.step()
    assert len(bench.store.decisions(DecisionQuery(user="ada"))) == 1
    bench.writer._tidy_at -= 60.0
    bench.writer.step()
    assert bench.store.decisions(DecisionQuery(user="ada")) == []


def test_the_newest_time_and_the_windows_stand_in_the_state() -> None:
    bench = Bench("{id: often, cooldown: 45d}")
    bench.receive(event("e1", time_us=NOON + SECOND))
    meta = bench.store.meta()
    assert meta["newest_event_us"] == str(NOON + SECOND)
    assert "messages sent" in meta["windows"]
    again = Bench("{id: often, cooldown: 60d}", store=bench.store)
    assert again.writer.desk.notices[0].startswith("messages sent: the policy looks back 60d, the state holds 45d")
