"""Held messages fall due by the wall clock; operators' silences come and go."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from botopt.model.decision import Outcome, Reason
from botopt.model.live import DecisionQuery, unpack_parcel
from botopt.model.silence import Silence
from botopt.runtime.intake import Bounds
from botopt.runtime.scheduler import PAGE
from botopt.state.memory_control import MemoryControl
from tests.runtime.fakes import full_disk
from tests.runtime.making import DAY, HOUR, MINUTE, NOON, SECOND, Bench, event

QUIET = '{id: night, quiet_hours: {from: "11:00", to: "13:00"}}'
ONE = NOON + HOUR  # when the quiet hours end


def outcomes(bench: Bench) -> list[tuple[str | None, str]]:
    return [(row.user, row.outcome) for row in reversed(bench.store.decisions(DecisionQuery(limit=100_000)))]


def test_a_held_message_goes_out_when_its_time_has_come_and_not_before() -> None:
    bench = Bench(QUIET)
    (received,) = bench.receive(event("e1"))
    assert received.decisions[0].until_us == ONE
    for now_us, sent in ((ONE - 1, 0), (ONE, 1)):
        bench.clock.now_us = now_us
        bench.run()
        assert len(bench.store.messages) == sent
    (row,) = bench.store.messages.values()
    assert unpack_parcel(row.parcel).event.id == "e1"
    assert (row.created_us, row.next_us) == (ONE, ONE)
    assert outcomes(bench) == [("ada", "held"), ("ada", "sent")]


def test_held_messages_survive_a_restart_and_are_decided_at_their_own_time() -> None:
    bench = Bench(QUIET)
    bench.receive(event("e1"))
    again = Bench(QUIET, store=bench.store)
    again.clock.now_us = ONE + 3 * HOUR
    again.run()
    (newest,) = again.store.decisions(DecisionQuery(limit=1))
    assert (newest.outcome, newest.time_us, newest.decided_us) == ("sent", ONE, ONE + 3 * HOUR)


def test_a_clock_that_jumps_back_waits_and_loses_nothing() -> None:
    bench = Bench(QUIET)
    bench.receive(event("e1"))
    bench.clock.now_us = NOON - HOUR
    bench.run()
    (received,) = bench.receive(event("e2", "b", time_us=bench.clock.now_us))
    assert received.decisions[0].time_us == NOON  # this user's clock never runs backwards
    bench.clock.now_us = ONE
    bench.run()
    assert outcomes(bench) == [("ada", "held"), ("ada", "held"), ("ada", "sent"), ("ada", "sent")]


def test_a_clock_that_jumps_ahead_and_back_releases_once() -> None:
    bench = Bench(QUIET)
    bench.receive(event("e1"))
    for now_us in (ONE + DAY, NOON, ONE, ONE + DAY):
        bench.clock.now_us = now_us
        bench.run()
    assert outcomes(bench) == [("ada", "held"), ("ada", "sent")]


def test_a_clock_that_jumps_back_keeps_no_message_waiting() -> None:
    bench = Bench()
    now, later = (received.decisions[0].id for received in bench.receive(event("e1"), event("e2", "b")))
    row = bench.store.messages[later]
    bench.store.messages[later] = msgspec.structs.replace(row, next_us=NOON + 5 * MINUTE)
    bench.clock.now_us = NOON - HOUR
    bench.run()
    assert bench.store.messages[now].next_us == NOON - HOUR
    assert bench.store.messages[later].next_us == NOON - HOUR + 5 * MINUTE
    assert bench.woken[-1] == frozenset({"chat"})
    assert [claimed.row.key for claimed in bench.claim()] == [now]


def test_a_clock_that_went_back_while_nobody_looked_keeps_none_waiting_either() -> None:
    bench = Bench()
    bench.receive(event("e1"))
    again = Bench(store=bench.store)
    again.clock.now_us = NOON - HOUR
    again.run()
    assert len(again.claim()) == 1


def test_what_fell_due_before_an_event_came_in_is_released_before_it_and_what_falls_due_later_after_it() -> None:
    """Even where the queue is behind: an event counts from when it came in."""
    bench = Bench(QUIET + "\n{id: often, cooldown: 30m, per: [user]}", bounds=Bounds(group=1))
    bench.receive(event("held"))
    before, after = ONE - SECOND, ONE + SECOND
    bench.put(event("e0", user="bob", time_us=before), at_us=before)
    bench.put(event("early", "b", time_us=before), at_us=before)
    bench.put(event("late", "b", time_us=after), at_us=after)
    bench.clock.now_us = ONE + MINUTE
    bench.run()
    told = [(row.event_id, row.outcome, row.reason) for row in bench.store.decisions(DecisionQuery(user="ada"))]
    assert told[::-1] == [
        ("held", "held", "quiet_hours"),
        ("early", "held", "quiet_hours"),
        ("held", "sent", None),
        ("early", "suppressed", "cooldown"),
        ("late", "suppressed", "cooldown"),
    ]


def test_ten_thousand_that_fall_due_at_once_leave_room_for_fresh_events() -> None:
    bench = Bench(QUIET)
    many = 10_000
    for start in range(0, many, 500):
        bench.put(*(event("e1", user=f"u{number}") for number in range(start, start + 500)))
    bench.run()
    assert bench.store.held() == many
    bench.store.commits.clear()
    bench.clock.now_us = ONE
    waited = []
    for number in range(50):
        future = bench.put(event(f"fresh{number}", "b", f"v{number}", ONE))
        before = len(bench.store.commits)
        while not future.done():
            bench.writer.step()
        waited.append(len(bench.store.commits) - before)
    assert set(waited) == {1}
    bench.run()
    assert bench.store.held() == 0
    groups = [len(changes.decisions) for changes in bench.store.commits]
    assert max(groups) <= PAGE + 1
    assert len(groups) == many // PAGE
    users = [row.user for changes in bench.store.commits for row in changes.outbox if not row.user.startswith("v")]
    assert len(users) == len(set(users)) == many


def test_silences_are_known_from_the_start_and_end_by_time() -> None:
    bench = Bench()
    control = MemoryControl(bench.store)
    control.add_silence(Silence("s1", ("a",), NOON, NOON + HOUR, "an outage", "me"))
    again = Bench(store=bench.store)
    (received,) = again.receive(event("e1"))
    assert (received.decisions[0].reason, received.decisions[0].by) == (Reason.SILENCED, "s1")
    assert received.decisions[0].until_us == NOON + HOUR
    assert again.receive(event("e2", "b"))[0].decisions[0].outcome is Outcome.SENT
    again.clock.now_us = NOON + HOUR
    assert again.receive(event("e3", time_us=NOON + HOUR))[0].decisions[0].outcome is Outcome.SENT
    again.clock.now_us += 2 * MINUTE
    again.run()
    assert again.writer.desk.silences == ()


def test_a_silence_that_an_administrator_adds_or_ends_counts_from_the_next_group() -> None:
    bench = Bench()
    bench.receive(event("e1"))
    control = MemoryControl(bench.store)
    control.add_silence(Silence("s1", until_us=NOON + HOUR))
    assert bench.receive(event("e2"))[0].decisions[0].reason is Reason.SILENCED
    assert bench.woken[-1] is None  # whatever was changed, delivery looks
    control.end_silence("s1", NOON, "me")
    assert bench.receive(event("e3"))[0].decisions[0].outcome is Outcome.SENT


def test_sequence_numbers_rise_with_the_groups() -> None:
    bench = Bench()
    for number in range(5):
        bench.receive(event(f"e{number}", user=f"u{number}"))
    rows = bench.store.decisions(DecisionQuery())
    assert all(newer.sequence > older.sequence for newer, older in pairwise(rows))


def test_a_clock_that_jumps_back_puts_off_none_of_many_messages_whatever_the_disk_does() -> None:
    bench = Bench()
    bench.clock.now_us += HOUR
    bench.receive(*(event("e1", user=f"u{number}", time_us=bench.clock()) for number in range(1_200)))
    bench.clock.now_us -= HOUR
    bench.receive(*(event("e2", user=f"later{number}", time_us=bench.clock()) for number in range(1_200)))
    bench.clock.now_us -= HOUR
    bench.store.before_commit = full_disk
    bench.run()
    bench.store.before_commit = lambda _: None
    bench.writer._pause_until = 0.0
    bench.run()
    assert all(row.next_us <= bench.clock() for row in bench.store.messages.values())
