"""Events in, decided, committed, answered."""

from __future__ import annotations

from botopt.model.decision import Outcome, Reason
from botopt.model.live import unpack_parcel
from tests.runtime.making import NOON, Bench, event


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
    assert [row.id for row in changes.decisions] == [decision.id]
    (row,) = changes.outbox
    assert (row.key, row.channel, row.user, row.next_us) == (decision.id, "chat", "ada", NOON)
    parcel = unpack_parcel(row.parcel)
    assert parcel.message == decision.message
    assert parcel.trace == {"traceparent": "00-1"}
    assert bench.woken == [frozenset({"chat"})]


def test_the_same_event_again_is_told_as_a_duplicate_and_sent_once() -> None:
    bench = Bench()
    bench.receive(event("e1"))
    (received,) = bench.receive(event("e1"))
    assert received.accepted
    assert [decision.reason for decision in received.decisions] == [Reason.DUPLICATE]
    assert len(bench.store.messages) == 1
