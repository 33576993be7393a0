"""A simulated run as files: events as `botopt replay` reads them, and the records of what was decided."""

from __future__ import annotations

from typing import TextIO

import msgspec

from botopt.model.condition import ValueType
from botopt.model.event import Event
from botopt.model.instants import instant_text
from botopt.model.policy import Policy
from botopt.verify.simulation.closed_loop import Log

_encode = msgspec.json.encode


def log_into(policy: Policy, events: TextIO | None, records: TextIO | None) -> Log:
    """Write both as they happen: answers name the messages of the records by their ids."""
    times = {
        name: frozenset(spec.name for spec in event_type.fields.values() if spec.type is ValueType.TIME)
        for name, event_type in policy.events.items()
    }

    def event(happened: Event) -> None:
        if events is not None:
            events.write(line_of(happened, times.get(happened.type, frozenset())))

    def record(line: str) -> None:
        if records is not None:
            records.write(line)

    return Log(event, record)


def line_of(event: Event, times: frozenset[str] = frozenset()) -> str:
    """An event in the native form, one line; `times` are its fields that are instants."""
    data = {
        name: instant_text(value) if name in times and isinstance(value, int) else value
        for name, value in event.data.items()
    }
    plain = {
        "id": event.id,
        "type": event.type,
        "user": event.user,
        "time": instant_text(event.time_us),
    }
    return _encode({**plain, "data": data} if data else plain).decode() + "\n"
