"""What delivery asks of the writer."""

from __future__ import annotations

import msgspec
import pytest

from botopt.model.delivery import Feedback
from botopt.model.errors import StateCorrupt
from botopt.model.live import DecisionQuery, OutboxStatus
from botopt.model.policy import DeliverySettings
from botopt.model.user_state import Response, pack
from botopt.runtime.claims import Claim
from botopt.runtime.receiving import Erase
from botopt.runtime.serving import serve
from botopt.state.memory_control import MemoryControl
from tests.engine.support import base
from tests.runtime.fakes import full_disk
from tests.runtime.making import HOUR, MINUTE, NOON, Bench, event, serving_of

EXPIRES = base(events="x: {channel: chat, weight: 0.8, message: hello, expires_after: 1h}")


def sent(bench: Bench, *events):
    """The ids of messages that were sent for these."""
    return [received.decisions[0].id for received in bench.receive(*(events or (event("e1"),)))]


def response(bench: Bench, user: str = "ada") -> Response:
    return bench.state(user).sends[-1].response


def test_a_claim_is_on_the_disk_before_the_message_is_given_out() -> None:
    bench = Bench()
    (id,) = sent(bench)
    bench.clock.now_us += MINUTE
    (claimed,) = bench.claim()
    assert claimed.row == bench.store.messages[id]
    assert (claimed.row.status, claimed.row.attempts, claimed.row.first_us) == ("claimed", 1, NOON + MINUTE)
    assert claimed.parcel.message.id == id
    assert claimed.parcel.event == event("e1")
    assert claimed.address == "ada"
    assert claimed.last_active_us is None
    assert bench.claim() == []


def test_only_so_many_are_claimed_and_only_of_that_channel() -> None:
    bench = Bench()
    sent(bench, *(event("e1", user=f"u{number}") for number in range(5)))
    assert len(bench.claim(limit=3)) == 3
    assert bench.claim("sms") == []
    assert len(bench.claim()) == 2


def test_two_claims_of_one_group_do_not_give_out_one_message_twice() -> None:
    bench = Bench()
    sent(bench)
    claims = [Claim("chat", 10, NOON) for _ in range(2)]
    for claim in claims:
        bench.writer.intake.put_first(claim)
    bench.run()
    assert [len(claim.future.result(0)) for claim in claims] == [1, 0]


def test_an_attempt_counts_on_and_the_first_one_is_remembered() -> None:
    bench = Bench()
    sent(bench)
    (claimed,) = bench.claim()
    bench.conclude([msgspec.structs.replace(claimed.row, status=OutboxStatus.PENDING, next_us=NOON + MINUTE)])
    assert bench.claim() == []
    assert bench.woken[-1] == frozenset({"chat"})
    bench.clock.now_us += MINUTE
    (again,) = bench.claim()
    assert (again.row.attempts, again.row.first_us) == (2, NOON)


def test_an_empty_claim_writes_nothing() -> None:
    bench = Bench()
    sent(bench)
    bench.claim()
    before = len(bench.store.commits)
    assert bench.claim() == []
    assert len(bench.store.commits) == before


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (event("x", "user.deleted"), "rejected: user.deleted"),
        (event("x", "user.unsubscribed"), "no_consent"),
        (event("x", "user.unsubscribed", channel="chat"), "no_consent"),
        (event("x", "paid", order="7"), "resolved: paid-since"),
    ],
)
def test_what_must_not_go_out_any_more_is_withdrawn_and_taken_back(told, reason) -> None:
    bench = Bench("{id: paid-since, resolved_by: [paid], same: [order], within: 7d}")
    (id,) = sent(bench, event("e1", order="7"))
    bench.receive(told)
    assert bench.claim() == []
    row = bench.store.messages[id]
    assert (row.status, row.detail, row.attempts) == ("withdrawn", reason, 0)
    if told.type != "user.deleted":
        assert response(bench) is Response.FAILED
    assert bench.claim() == []


def test_what_has_expired_is_withdrawn() -> None:
    bench = Bench(serving=serving_of(EXPIRES))
    (id,) = sent(bench, event("e1", "x"))
    bench.clock.now_us += HOUR + 1
    assert bench.claim() == []
    assert (bench.store.messages[id].status, bench.store.messages[id].detail) == ("withdrawn", "expired")
    assert response(bench) is Response.FAILED


def test_what_was_taken_back_counts_for_no_cooldown() -> None:
    bench = Bench("{id: often, cooldown: 6h}")
    sent(bench)
    bench.receive(event("x", "user.unsubscribed"))
    bench.claim()
    bench.receive(event("y", "user.subscribed"))
    assert bench.receive(event("e2"))[0].decisions[0].outcome == "sent"


def test_a_message_that_died_is_taken_back_once_however_often_it_is_said() -> None:
    bench = Bench()
    (id,) = sent(bench)
    (claimed,) = bench.claim()
    dead = msgspec.structs.replace(claimed.row, status=OutboxStatus.DEAD)
    failed = Feedback(type="message.failed", event_id=f"dead:{id}", message_id=id, user="ada")
    bench.conclude([dead], [failed])
    assert response(bench) is Response.FAILED
    state = bench.state().identities.copy()
    bench.conclude([dead], [failed])
    assert bench.state().identities == state
    assert len(bench.store.decisions(DecisionQuery())) == 1


def test_a_fallback_is_a_row_of_its_own_and_can_be_claimed() -> None:
    bench = Bench()
    (id,) = sent(bench)
    (claimed,) = bench.claim()
    dead = msgspec.structs.replace(claimed.row, status=OutboxStatus.DEAD)
    other = msgspec.structs.replace(
        claimed.row, key=f"{id}:sms", channel="sms", status=OutboxStatus.PENDING, attempts=0, first_us=None
    )
    bench.conclude([dead, other])
    (again,) = bench.claim("sms")
    assert (again.row.key, again.row.message_id, again.row.attempts) == (f"{id}:sms", id, 1)


def test_the_address_is_the_attribute_that_the_channel_names() -> None:
    bench = Bench()
    sent(bench)
    (claimed,) = bench.claim(to="nick")
    assert claimed.address is None
    bench.receive(event("x", "user.updated", nick="+49 151"))
    sent(bench, event("e2", "b"))
    (claimed,) = bench.claim(to="nick")
    assert claimed.address == "+49 151"


def test_a_channel_of_the_policy_before_gets_addresses_of_its_own_kind() -> None:
    chat = msgspec.structs.replace(serving_of(base()).policy.channels["chat"], delivery=DeliverySettings(to="mail"))
    bench = Bench(serving=serve(msgspec.structs.replace(serving_of(base()).policy, channels={"chat": chat}), 0))
    bench.receive(event("x", "user.updated", nick="+49 151", mail="ada@b.example"))
    sent(bench)
    (claimed,) = bench.claim(to="nick")
    assert claimed.address == "+49 151"


def test_delivery_learns_when_the_user_was_last_heard_of() -> None:
    bench = Bench()
    sent(bench, event("e1"), event("e2", "b"))
    bench.receive(event("x", "user.active", channel="sms"))
    assert bench.claim(limit=1)[0].last_active_us is None
    bench.clock.now_us += MINUTE
    bench.receive(event("y", "user.active", time_us=NOON + MINUTE))
    assert bench.claim()[0].last_active_us == NOON + MINUTE


def test_what_an_administrator_dropped_meanwhile_is_not_given_out() -> None:
    bench = Bench()
    kept, dropped = sent(bench, event("e1"), event("e2", "b"))
    bench.store.before_commit = lambda _: MemoryControl(bench.store).drop_outbox([dropped], NOON, "me")
    assert [claimed.row.key for claimed in bench.claim()] == [kept]
    assert bench.store.messages[dropped].status == "dropped"


def test_a_message_whose_bytes_are_damaged_is_dead() -> None:
    bench = Bench()
    (id,) = sent(bench)
    bench.store.messages[id] = msgspec.structs.replace(bench.store.messages[id], parcel=b"?")
    assert bench.claim() == []
    assert bench.store.messages[id].status == "dead"
    assert "damaged" in str(bench.store.messages[id].detail)
    assert response(bench) is Response.FAILED


def test_a_message_whose_user_is_damaged_keeps_no_other_waiting() -> None:
    bench = Bench(most_users=1)
    ids = sent(bench, event("e1"), event("e1", user="bob"), event("e1", user="carl"))

    def damaged(users: list[str]) -> None:
        if "bob" in users:
            raise StateCorrupt('the state of user "bob" is damaged')

    bench.receive(event("x", "paid", user="zoe"))  # so that the others have to be read
    bench.store.before_load = damaged
    assert sorted(claimed.row.user for claimed in bench.claim()) == ["ada", "carl"]
    assert (bench.store.messages[ids[1]].status, bench.store.messages[ids[1]].detail) == (
        "dead",
        'the state of user "bob" is damaged',
    )
    bench.conclude([], [Feedback(type="message.failed", event_id="f", message_id=ids[1], user="bob")])
    assert [words for words, _ in bench.faults] == ["a message could not be taken back from bob"]


def test_a_message_that_breaks_the_engine_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    broken, fine = sent(bench, event("e1", order="broken"), event("e2", "b"))
    withdrawal = bench.serving.engine.withdrawal

    def poisoned(state, event, channel, now_us):
        return 1 / 0 if event.data.get("order") == "broken" else withdrawal(state, event, channel, now_us)

    with monkeypatch.context() as poison:
        poison.setattr(bench.serving.engine, "withdrawal", poisoned)
        assert [claimed.row.key for claimed in bench.claim()] == [fine]
        assert bench.claim() == []
    row = bench.store.messages[broken]
    assert (row.status, row.next_us, row.attempts) == ("pending", NOON + MINUTE, 0)
    assert str(row.detail).startswith("botopt failed")
    assert len(bench.faults) == 1
    bench.clock.now_us += MINUTE
    assert [claimed.row.key for claimed in bench.claim()] == [broken]


def test_a_result_is_written_even_if_the_engine_breaks_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    (id,) = sent(bench)
    (claimed,) = bench.claim()
    before = pack(bench.state())
    decide = bench.serving.engine.decide

    def poisoned(*some, **more):
        decide(*some, **more)
        raise ZeroDivisionError

    monkeypatch.setattr(bench.serving.engine, "decide", poisoned)
    dead = msgspec.structs.replace(claimed.row, status=OutboxStatus.DEAD)
    bench.conclude([dead], [Feedback(type="message.failed", event_id="f", message_id=id, user="ada")])
    assert bench.store.messages[id].status == "dead"
    assert pack(bench.state()) == before
    assert len(bench.faults) == 1


def test_a_claim_that_cannot_be_written_gives_nothing_out() -> None:
    bench = Bench()
    (id,) = sent(bench)
    bench.store.before_commit = full_disk
    with pytest.raises(Exception, match="disk is full"):
        bench.claim()
    assert bench.store.messages[id].status == "pending"


def test_what_an_earlier_life_had_claimed_is_handed_out_as_unfinished() -> None:
    bench = Bench()
    sent(bench, event("e1"), event("e2", "b"))
    (claimed,) = bench.claim(limit=1)
    again = Bench(store=bench.store)
    assert again.writer.unfinished == (claimed.row,)
    assert len(again.claim()) == 1
    assert again.writer.unfinished == (claimed.row,)


def test_claims_go_before_events_that_wait() -> None:
    bench = Bench()
    sent(bench)
    order: list[str] = []
    first = bench.put(event("e2"))
    first.add_done_callback(lambda _: order.append("event"))
    claim = Claim("chat", 1, NOON)
    claim.future.add_done_callback(lambda _: order.append("claim"))
    bench.writer.intake.put_first(claim)
    bench.run()
    assert order == ["claim", "event"]


def test_a_claim_of_a_user_who_is_erased_in_the_same_group_is_not_given_out() -> None:
    bench = Bench()
    sent(bench)
    claim, erase = Claim("chat", 10, NOON), Erase("ada", NOON)
    bench.writer.intake.put_first(claim)
    bench.writer.intake.put_in_order(erase)
    bench.run()
    assert erase.future.result(0)
    assert list(claim.future.result(0)) == []


DOUBT = "it may have arrived; the service ended during an attempt"


def in_doubt(bench: Bench, *events) -> str:
    """A message that is tried again though it may have arrived."""
    (id,) = sent(bench, *events)
    (claimed,) = bench.claim()
    bench.conclude([msgspec.structs.replace(claimed.row, status=OutboxStatus.PENDING, detail=DOUBT)])
    return id


def test_what_may_have_arrived_is_withdrawn_but_not_taken_back() -> None:
    bench = Bench(serving=serving_of(EXPIRES))
    id = in_doubt(bench, event("e1", "x"))
    bench.clock.now_us += HOUR + 1
    assert bench.claim() == []
    row = bench.store.messages[id]
    assert (row.status, row.detail) == ("withdrawn", "it may have arrived; expired")
    assert response(bench) is Response.PENDING


def test_what_may_have_arrived_and_is_damaged_is_not_taken_back() -> None:
    bench = Bench()
    id = in_doubt(bench)
    bench.store.messages[id] = msgspec.structs.replace(bench.store.messages[id], parcel=b"\x00")
    assert bench.claim() == []
    assert bench.store.messages[id].status == "dead"
    assert response(bench) is Response.PENDING


def test_a_message_that_another_channel_has_taken_over_is_not_taken_back() -> None:
    bench = Bench(serving=serving_of(EXPIRES))
    (id,) = sent(bench, event("e1", "x"))
    (claimed,) = bench.claim()
    dead = msgspec.structs.replace(claimed.row, status=OutboxStatus.DEAD)
    other = msgspec.structs.replace(claimed.row, key=f"{id}:sms", channel="sms", status=OutboxStatus.DELIVERED)
    bench.conclude([dead, other])
    assert MemoryControl(bench.store).retry_outbox([id], bench.clock(), "somebody") == 1
    bench.clock.now_us += HOUR + 1
    assert bench.claim() == []
    assert bench.store.messages[id].status == "withdrawn"
    assert response(bench) is Response.PENDING


def drop(bench: Bench, *keys: str) -> None:
    assert MemoryControl(bench.store).drop_outbox(keys, bench.clock(), "somebody") == len(keys)
    bench.run()


def test_what_a_person_gives_up_before_it_left_is_taken_back() -> None:
    bench = Bench("{id: often, cooldown: 6h}")
    (id,) = sent(bench)
    drop(bench, id)
    assert response(bench) is Response.FAILED
    assert bench.store.meta()["drops_seen"] == "1"
    (again,) = bench.receive(event("e2"))
    assert again.decisions[0].outcome == "sent"


def test_what_was_given_up_while_no_service_ran_is_taken_back_at_the_start() -> None:
    bench = Bench()
    (id,) = sent(bench)
    assert MemoryControl(bench.store).drop_outbox([id], bench.clock(), "somebody") == 1
    again = Bench(store=bench.store)
    again.run()
    assert response(again) is Response.FAILED
    commits = len(bench.store.commits)
    Bench(store=bench.store).run()
    assert not any(commit.users for commit in bench.store.commits[commits:]), "and only once"


def test_what_may_have_arrived_counts_also_where_a_person_gives_it_up() -> None:
    bench = Bench()
    drop(bench, in_doubt(bench))
    assert response(bench) is Response.PENDING


def test_what_another_channel_took_over_counts_also_where_a_person_gives_the_first_row_up() -> None:
    bench = Bench()
    (id,) = sent(bench)
    (claimed,) = bench.claim()
    dead = msgspec.structs.replace(claimed.row, status=OutboxStatus.DEAD)
    other = msgspec.structs.replace(claimed.row, key=f"{id}:sms", channel="sms", status=OutboxStatus.DELIVERED)
    bench.conclude([dead, other])
    drop(bench, id)
    assert response(bench) is Response.PENDING


def test_many_that_are_given_up_at_once_are_all_taken_back_whatever_the_disk_does() -> None:
    bench = Bench()
    ids = sent(bench, *(event("e1", user=f"u{number}") for number in range(250)))
    bench.store.before_commit = full_disk
    assert MemoryControl(bench.store).drop_outbox(ids, bench.clock(), "somebody") == 250
    bench.run()
    bench.store.before_commit = lambda _: None
    bench.writer._pause_until = 0.0
    bench.run()
    assert {response(bench, f"u{number}") for number in range(250)} == {Response.FAILED}


def test_a_dead_message_that_is_given_up_is_not_told_twice() -> None:
    bench = Bench()
    (id,) = sent(bench)
    (claimed,) = bench.claim()
    dead = msgspec.structs.replace(claimed.row, status=OutboxStatus.DEAD)
    failed = Feedback(type="message.failed", event_id=f"{id}:failed", message_id=id, user="ada")
    bench.conclude([dead], [failed])
    drop(bench, id)
    assert len(bench.store.decisions(DecisionQuery())) == 1
