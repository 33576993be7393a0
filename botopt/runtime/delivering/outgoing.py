"""From a claimed message to what its channel sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from botopt.model.condition import ValueType
from botopt.model.decision import Message
from botopt.model.delivery import Failed, Outgoing, OutgoingButton, button_payload
from botopt.model.event import Event
from botopt.model.instants import instant_text
from botopt.model.policy import Policy
from botopt.runtime.items import Claimed

LinkFor = Callable[[str, int, str], str]
"""The link that a user gets, from the message's id, the button's number and where the button leads."""

TimeFields = Mapping[str, frozenset[str]]
"""The fields that hold times, by event type."""


def time_fields(policy: Policy) -> TimeFields:
    """The fields that hold times, of each event type that has some."""
    found = {
        event_type.name: frozenset(field.name for field in event_type.fields.values() if field.type is ValueType.TIME)
        for event_type in policy.events.values()
    }
    return {name: fields for name, fields in found.items() if fields}


def outgoing(claimed: Claimed, to: str | None, times: TimeFields, link_for: LinkFor) -> Outgoing | Failed:
    """What the channel is given, or why it cannot be asked. `to` is the attribute that holds addresses."""
    row, parcel = claimed.row, claimed.parcel
    if claimed.address is None:
        named = "address" if to is None else f'"user.{to.removeprefix("user.")}"'
        return Failed(f'the user has no {named}, which "{row.channel}" needs')
    message, event = parcel.message, parcel.event
    return Outgoing(
        id=message.id,
        key=row.key,
        user=row.user,
        address=claimed.address,
        text="\n\n".join(parcel.texts) or message.text,
        title=message.title,
        buttons=tuple(_buttons(message, link_for)),
        locale=message.locale,
        event_type=event.type,
        event_id=event.id,
        template=message.template,
        variant=message.variant,
        data=_data(event, times.get(event.type, frozenset())),
        decided_us=row.created_us,
        expires_us=row.expires_us,
        attempt=max(row.attempts, 1),
        last_active_us=claimed.last_active_us,
        trace=parcel.trace,
    )


def _buttons(message: Message, link_for: LinkFor) -> Iterable[OutgoingButton]:
    for number, button in enumerate(message.buttons):
        link = None if button.link is None else link_for(message.id, number, button.link)
        yield OutgoingButton(button.label, link, button_payload(message.id, number))


def _data(event: Event, times: frozenset[str]) -> Mapping[str, object]:
    if not times:
        return event.data
    return {
        name: instant_text(value) if name in times and isinstance(value, int) else value
        for name, value in event.data.items()
    }
