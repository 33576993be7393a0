"""A policy and lines for the tests of sources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from botopt.model.condition import ValueType
from botopt.model.event import Event, Rejected
from botopt.model.policy import Category, Channel, EventType, FieldSpec, Pattern, Policy
from botopt.sources.envelope import Decoder
from botopt.sources.jsonl import InputFile

AT = "2026-03-01T09:00:00Z"
AT_US = 1_772_355_600_000_000


def read_lines(name: str, *, input: int = 0) -> Iterator[tuple[int, bytes]]:
    """Every line of a file with its number."""
    with InputFile(name, input) as file:
        for line in file:
            yield line.number, line.raw


def fields(*specs: FieldSpec) -> dict[str, FieldSpec]:
    return {spec.name: spec for spec in specs}


POLICY = Policy(
    categories={"transactional": Category("transactional"), "marketing": Category("marketing")},
    channels={"chat": Channel("chat", "console"), "sms": Channel("sms", "console")},
    attributes=fields(
        FieldSpec("name", ValueType.TEXT, optional=True),
        FieldSpec("plan", ValueType.TEXT, one_of=("free", "pro"), default="free"),
        FieldSpec("age", ValueType.INTEGER, optional=True),
    ),
    events={
        "ping": EventType("ping"),
        "payment_failed": EventType(
            "payment_failed",
            accepts=("com.acme.PaymentFailed", "pay-fail"),
            fields=fields(
                FieldSpec("amount", ValueType.NUMBER, minimum=0),
                FieldSpec("currency", ValueType.TEXT, one_of=("USD", "EUR"), default="USD"),
                FieldSpec("attempts", ValueType.INTEGER, minimum=1, default=1),
                FieldSpec("reason", ValueType.TEXT, optional=True, max_length=20),
            ),
        ),
        "all_kinds": EventType(
            "all_kinds",
            fields=fields(
                FieldSpec(
                    "code", ValueType.TEXT, optional=True, pattern=Pattern("A-[0-9]+", re.compile("A-[0-9]+").fullmatch)
                ),
                FieldSpec("flag", ValueType.BOOLEAN, optional=True),
                FieldSpec("at", ValueType.TIME, optional=True),
                FieldSpec("items", ValueType.LIST, optional=True),
                FieldSpec("shop", ValueType.OBJECT, optional=True),
                FieldSpec("whole", ValueType.INTEGER, optional=True),
                FieldSpec("ratio", ValueType.NUMBER, optional=True),
            ),
        ),
    },
)

GOOD = {"id": "e1", "type": "payment_failed", "user": "ada", "time": AT, "data": {"amount": 5}}
GOOD_CLOUD = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/billing",
    "type": "com.acme.PaymentFailed",
    "subject": "ada",
    "time": AT,
    "data": {"amount": 5},
}


def native(**changes: object) -> bytes:
    """A good line with some keys changed; `...` takes a key out."""
    return line({**GOOD, **changes})


def cloud(**changes: object) -> bytes:
    return line({**GOOD_CLOUD, **changes})


def of(event_type: str, /, **data: object) -> bytes:
    return native(type=event_type, data=data)


def line(envelope: dict[str, object]) -> bytes:
    return json.dumps({key: value for key, value in envelope.items() if value is not ...}, ensure_ascii=False).encode()


def decode(raw: bytes, number: int = 7) -> Event | Rejected | None:
    return Decoder(POLICY).decode(raw, number, 0)


def event(raw: bytes, number: int = 7) -> Event:
    found = decode(raw, number)
    assert isinstance(found, Event), found
    return found


def rejected(raw: bytes, number: int = 7) -> Rejected:
    found = decode(raw, number)
    assert isinstance(found, Rejected), found
    return found
