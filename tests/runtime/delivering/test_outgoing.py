"""What a channel is given."""

from __future__ import annotations

import msgspec
import pytest

from botopt.model.condition import ValueType
from botopt.model.decision import Button
from botopt.model.delivery import Failed, Outgoing, OutgoingButton
from botopt.model.event import Event
from botopt.model.live import OutboxRow, Parcel
from botopt.model.policy import EventType, FieldSpec, Policy
from botopt.runtime.delivering.outgoing import outgoing, time_fields
from botopt.runtime.items import Claimed
from tests.runtime.delivering.support import CLAIMED, T, message_id, parcel, row, with_buttons

TIMES = {"paid": frozenset({"at", "until"})}


def link_for(id: str, number: int, link: str) -> str:
    return f"https://b.example/c/{id}/{number}?to={link}"


def claimed(carries: Parcel, *, address: str | None = "+49151", **fields: object) -> Claimed:
    given: OutboxRow = row(**{"status": CLAIMED, "attempts": 2, "expires_us": T + 9, **fields})
    return Claimed(given, carries, address, T - 5)


def test_the_whole_message():
    carries = with_buttons(0, Button("Pay", "https://shop.example/pay"), Button("Later"))
    carries = msgspec.structs.replace(carries, trace={"traceparent": "00-1-2-01"})
    id = message_id(0)
    assert outgoing(claimed(carries, key=f"{id}:sms"), "phone", {}, link_for) == Outgoing(
        id=id,
        key=f"{id}:sms",
        user="u0",
        address="+49151",
        text="Hello 0",
        buttons=(
            OutgoingButton("Pay", f"https://b.example/c/{id}/0?to=https://shop.example/pay", f"botopt:{id}:0"),
            OutgoingButton("Later", None, f"botopt:{id}:1"),
        ),
        event_type="paid",
        event_id="e0",
        template="hello",
        variant="main",
        data={"amount": 12.5},
        decided_us=T,
        expires_us=T + 9,
        attempt=2,
        last_active_us=T - 5,
        trace={"traceparent": "00-1-2-01"},
    )


def test_times_are_texts_and_other_numbers_are_not():
    data = {"at": T, "until": None, "count": T, "paid": True, "list": [1, "a"]}
    event = Event("e0", "", "paid", "u0", T, data)
    message = outgoing(claimed(parcel(event=event)), None, TIMES, link_for)
    assert isinstance(message, Outgoing)
    assert message.data == {**data, "at": "2026-03-01T09:00:00Z"}
    msgspec.json.encode(message)


def test_texts_of_a_platform_replace_ours():
    message = outgoing(claimed(parcel(texts=("One", "Two"))), None, {}, link_for)
    assert isinstance(message, Outgoing)
    assert message.text == "One\n\nTwo"


@pytest.mark.parametrize("to", ["phone", "user.phone"])
def test_a_user_without_an_address_is_told_by_the_attribute(to: str):
    message = outgoing(claimed(parcel(), address=None), to, {}, link_for)
    assert message == Failed('the user has no "user.phone", which "chat" needs')


def test_the_fields_that_hold_times_are_the_policys():
    fields = {"at": FieldSpec("at", ValueType.TIME), "n": FieldSpec("n", ValueType.INTEGER)}
    policy = Policy(events={"paid": EventType("paid", fields=fields), "tip": EventType("tip")})
    assert time_fields(policy) == {"paid": {"at"}}
