"""What platforms tell us, and users who are forgotten."""

from __future__ import annotations

import msgspec
import pytest

from botopt.engine.hashes import decision_id
from botopt.model.delivery import Feedback
from botopt.model.live import DecisionQuery, OutboxStatus, StoredAnswer
from botopt.model.user_state import Response, unpack
from botopt.runtime.feedback import TakeFeedback
from botopt.runtime.intake import Bounds
from botopt.runtime.items import Overloaded
from botopt.runtime.receiving import Erase
from tests.runtime.making import DAY, HOUR, MINUTE, NOON, Bench, event


def clicked(**whom: object) -> Feedback:
    return Feedback(type="message.clicked", event_id="c1", **whom)


@pytest.fixture
def bench() -> Bench:
    """Two messages to ada, the first of them the one that is meant; both delivered."""
    bench = Bench()
    bench.receive(event("e1"))
    (first,) = bench.claim()
    bench.conclude([delivered(first.row, "p1", "+49")])
    bench.clock.now_us += MINUTE
    bench.receive(event("e2", "b", time_us=bench.clock.now_us))
    (second,) = bench.claim()
    bench.conclude([delivered(second.row, "p2", "+49")])
    bench.ids = [first.row.key, second.row.key]
    return bench


def delivered(row, provider_id: str, address: str):
    return msgspec.structs.replace(row, status=OutboxStatus.DELIVERED, provider_id=provider_id, address=address)


def responses(bench: Bench) -> list[str]:
    return [send.response.name.lower() for send in bench.state().sends]


@pytest.mark.parametrize(
    ("whom", "expected"),
    [
        ({"message_id": "FIRST"}, ["clicked", "pending"]),
        ({"message_id": "FIRST:sms"}, ["clicked", "pending"]),
        ({"provider_id": "p1"}, ["clicked", "pending"]),
        ({"provider_id": "unknown", "address": "+49"}, ["pending", "clicked"]),
        ({"address": "+49", "user": "somebody else"}, ["pending", "clicked"]),
        ({"user": "ada"}, ["pending", "clicked"]),
    ],
)
def test_the_user_is_found_by_whatever_the_platform_names(bench: Bench, whom, expected) -> None:
    whom = {key: value.replace("FIRST", bench.ids[0]) for key, value in whom.items()}
    (received,) = bench.told(clicked(**whom))
    assert received.accepted, received.decisions
    assert responses(bench) == expected


def test_one_thing_that_a_platform_tells_by_several_names_leaves_one_record(bench: Bench) -> None:
    before = len(bench.store.decisions(DecisionQuery(limit=100)))
    both = [Feedback(type="user.active", event_id="SM1", address=address) for address in ("whatsapp:+49", "+49")]
    assert [one.accepted for one in bench.told(*both)] == [False, True]
    assert [one.accepted for one in bench.told(both[1], both[1])] == [True, True]
    assert len(bench.store.decisions(DecisionQuery(limit=100))) == before
    nobody = [msgspec.structs.replace(one, event_id="SM2", address=f"{one.address}00") for one in both]
    assert [one.accepted for one in bench.told(*nobody)] == [False, False]
    assert len(bench.store.decisions(DecisionQuery(limit=100))) == before + 1


@pytest.mark.parametrize(
    ("whom", "channel", "sentence"),
    [
        ({"message_id": "0123456789abcdef01234567"}, "chat", "no such message: 0123456789abcdef01234567"),
        ({"provider_id": "p1"}, "sms", "nobody is known whom this is about"),
        ({"address": "+1"}, "chat", "nobody is known whom this is about"),
        ({}, "chat", "nobody is known whom this is about"),
        ({"user": "nobody"}, "chat", "no message to take this for"),
    ],
)
def test_what_names_nobody_is_not_accepted_and_says_so(bench: Bench, whom, channel, sentence) -> None:
    (received,) = bench.told(clicked(**whom), channel=channel)
    assert not received.accepted
    (decision,) = received.decisions
    assert str(decision.detail).startswith(sentence)
    assert responses(bench) == ["pending", "pending"]


def test_a_platform_that_says_it_again_is_heard_once(bench: Bench) -> None:
    assert bench.told(clicked(provider_id="p1"))[0].accepted
    tally = bench.state().total.click_count
    assert bench.told(clicked(provider_id="p1"))[0].accepted
    assert bench.state().total.click_count == tally == 1


def test_a_platform_s_clock_that_is_ahead_does_no_harm(bench: Bench) -> None:
    told = clicked(provider_id="p1", time_us=bench.clock.now_us + DAY)
    assert bench.told(told)[0].accepted
    assert bench.state().clock_us == bench.clock.now_us


def test_feedback_is_read_as_strictly_as_events(bench: Bench) -> None:
    (received,) = bench.told(Feedback(type="user.active", event_id="x", user="ada", data={"channel": "no-such"}))
    assert not received.accepted
    assert "no-such" in str(received.decisions[0].detail)


def test_a_provider_that_caps_is_told_to_the_engine(bench: Bench) -> None:
    until_us = bench.clock.now_us + DAY
    data = {"reason": "131049", "capped_until": until_us}
    told = Feedback(type="message.failed", event_id="f", message_id=bench.ids[1], data=data)
    bench.conclude([], [told])
    assert responses(bench) == ["pending", "failed"]
    assert bench.state().capped["chat"].until_us == until_us


def test_a_provider_that_caps_for_ever_is_heard_too(bench: Bench) -> None:
    told = Feedback(type="message.failed", event_id="f", message_id=bench.ids[1], data={"capped_until": 2**62})
    bench.conclude([], [told])
    assert responses(bench) == ["pending", "failed"]


def test_somebody_who_writes_to_us_was_active(bench: Bench) -> None:
    told = Feedback(type="user.active", event_id="m1", address="+49", data={"channel": "chat"})
    assert bench.told(told)[0].accepted
    assert bench.state().active["chat"].time_us == bench.clock.now_us


def test_feedback_about_a_message_of_the_same_group_is_taken() -> None:
    bench = Bench()
    id = decision_id(event("e1").key, 0, NOON).hex()
    future = bench.put(event("e1"))
    bench.writer.intake.put(task := TakeFeedback("chat", [clicked(message_id=id)], NOON))
    bench.run()
    assert future.result(0)[0].decisions[0].id == id
    assert task.future.result(0)[0].accepted


def test_feedback_waits_in_the_same_bounded_queue() -> None:
    bench = Bench(bounds=Bounds(events=1))
    bench.put(event("e1"))
    with pytest.raises(Overloaded):
        bench.writer.intake.put(TakeFeedback("chat", [clicked(user="ada")], NOON))


# ---------------------------------------------------------------- erasure


def test_an_erased_user_leaves_a_tombstone_and_nothing_else(bench: Bench) -> None:
    bench.receive(event("e3", user="bob"))
    assert bench.erase("ada")
    assert [row.user for row in bench.store.decisions(DecisionQuery())] == ["bob"]
    assert [row.user for row in bench.store.messages.values()] == ["bob"]
    state = unpack(bench.store.load(["ada"])["ada"])
    assert state.deleted
    assert state.floor_us == bench.clock.now_us
    assert not state.sends
    assert not state.identities


def test_an_erased_user_is_refused_until_they_subscribe(bench: Bench) -> None:
    bench.erase("ada")
    (received,) = bench.receive(event("e4", time_us=bench.clock.now_us))
    assert not received.accepted
    assert "until user.subscribed" in str(received.decisions[0].detail)
    bench.clock.now_us += HOUR
    assert bench.receive(event("s", "user.subscribed", time_us=bench.clock.now_us))[0].accepted
    assert bench.receive(event("e5", time_us=bench.clock.now_us))[0].decisions[0].outcome == "sent"


def test_nobody_can_be_erased_too(bench: Bench) -> None:
    assert not bench.erase("nobody")
    assert not bench.receive(event("e4", user="nobody"))[0].accepted


def test_what_is_on_its_way_when_its_user_is_erased_stays_gone(bench: Bench) -> None:
    bench.receive(event("e3", "fire", time_us=bench.clock.now_us))
    (claimed,) = bench.claim()
    bench.erase("ada")
    failed = Feedback(type="message.failed", event_id="f", message_id=claimed.row.key, user="ada")
    bench.conclude([msgspec.structs.replace(claimed.row, status=OutboxStatus.DEAD)], [failed])
    assert not bench.store.messages
    assert not bench.store.decisions(DecisionQuery())


def test_an_answer_that_tells_of_an_erased_user_is_not_kept() -> None:
    bench = Bench()

    def answering(received) -> StoredAnswer:
        return StoredAnswer("k", "h", 202, b"ada", NOON, ("ada",))

    bench.put(event("e1"), answering=answering)
    bench.writer.intake.put_in_order(Erase("ada", NOON))
    bench.run()
    assert bench.store.answer("k") is None


def test_erasure_keeps_its_place_among_the_events() -> None:
    bench = Bench()
    before = bench.put(event("e1"))
    bench.writer.intake.put_in_order(task := Erase("ada", NOON))
    after = bench.put(event("e2", "user.subscribed"), event("e3"))
    bench.run()
    assert before.result(0)[0].decisions[0].outcome == "sent"
    assert task.future.result(0)
    assert [one.accepted for one in after.result(0)] == [True, True]
    assert [row.event_id for row in bench.store.decisions(DecisionQuery())] == ["e3"]
    assert len(bench.store.messages) == 1
    assert bench.state().sends[-1].response is Response.PENDING
    assert len(bench.store.commits) == 1
