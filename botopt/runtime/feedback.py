"""What platforms tell us becomes an event of the user whom it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from botopt.model.condition import ValueType
from botopt.model.delivery import Feedback
from botopt.model.event import Event, Rejected, request_digest
from botopt.model.instants import instant_text
from botopt.model.policy import FEEDBACK_TYPES, Value
from botopt.runtime.desk import Desk
from botopt.runtime.items import Received
from botopt.runtime.tasks import Task
from botopt.sources.instants import END_US, FIRST_US
from botopt.sources.reserved import FAILURE

_TOLD_BYTES = 1_000
_TIMES = frozenset(name for name, spec in FAILURE.items() if spec.type is ValueType.TIME)

Found = tuple[str, str | None]
"""Whom it is about, and which message."""


class TakeFeedback(Task[Sequence[Received]]):
    """Take in what a platform told us through a channel."""

    def __init__(self, channel: str, told: Sequence[Feedback], received_us: int) -> None:
        super().__init__()
        self.events = len(told)
        self.size = len(told) * _TOLD_BYTES
        self.received_us: int = received_us
        self._channel = channel
        self._told = told

    def users(self) -> Iterable[str]:
        return [told.user for told in self._told if told.user is not None]

    def run(self, desk: Desk) -> Sequence[Received]:
        """A platform that names a user in several ways tells one thing: it leaves no more than one record."""
        found = [resolve(desk, self._channel, told, self.received_us) for told in self._told]
        known = {event.id for event in found if isinstance(event, Event)}
        received: list[Received] = []
        for place, (told, event) in enumerate(zip(self._told, found, strict=True)):
            if isinstance(event, str) and told.event_id in known:
                received.append(Received(told.event_id, accepted=False))
                continue
            known.add(told.event_id)
            received.append(self._take(desk, told, event, place))
        return tuple(received)

    def _take(self, desk: Desk, told: Feedback, event: Event | str, place: int) -> Received:
        origin = f"{self.number}:{place}"
        if isinstance(event, Event):
            return desk.decide(event, self.received_us, origin, {}, same_policy=True)
        digest = request_digest(self.received_us, place, f"{origin}\0{told.event_id}".encode())
        rejected = Rejected(0, event, digest, "user", told.event_id, told.type, told.user, told.time_us)
        return desk.reject(rejected, self.received_us)


def resolve(desk: Desk, channel: str, told: Feedback, received_us: int) -> Event | str:
    """The event that was meant, or a sentence that says why there is none.

    It is dated when it came in at the latest: the clock that counts is ours.
    """
    found = _find(desk, channel, told)
    if isinstance(found, str):
        return found
    user, message_id = found
    at_us = received_us if told.time_us is None else min(told.time_us, received_us)
    data = {name: _as_written(name, value) for name, value in told.data.items()}
    if message_id is not None and told.type in FEEDBACK_TYPES:
        data["message_id"] = message_id
    envelope = {
        "specversion": "1.0",
        "id": told.event_id,
        "source": f"botopt:channel:{channel}",
        "type": told.type,
        "subject": user,
        "time": instant_text(at_us),
        "data": data,
    }
    event = desk.serving.decoder.read(envelope, received_us=received_us)
    return event.detail if isinstance(event, Rejected) else event


def _as_written(name: str, value: Value) -> Value:
    """A value as events on the wire have it: they are read as strictly, and there times are texts."""
    if name in _TIMES and isinstance(value, int):
        return instant_text(min(max(value, FIRST_US), END_US - 1))
    return value


def _find(desk: Desk, channel: str, told: Feedback) -> Found | str:
    store, drafted = desk.store, desk.draft.outbox.values()
    if told.message_id is not None:
        message_id = told.message_id.partition(":")[0]
        user = desk.draft.user_of(message_id)
        if user is None:
            row = next((row for row in drafted if row.message_id == message_id), None)
            row = row or next(iter(store.outbox_of(message_id)), None)
            decision = store.decision(message_id) if row is None else None
            user = row.user if row is not None else decision.user if decision is not None else told.user
        return f"no such message: {told.message_id}" if user is None else (user, message_id)
    if told.provider_id is not None:
        row = next((one for one in drafted if (one.channel, one.provider_id) == (channel, told.provider_id)), None)
        row = row or store.by_provider_id(channel, told.provider_id)
        if row is not None:
            return row.user, row.message_id
    if told.address is not None:
        row = store.by_address(channel, told.address)
        if row is not None:
            return row.user, row.message_id
    if told.user is not None:
        return told.user, None
    return "nobody is known whom this is about: no message went to that address, or has that name at its provider"
