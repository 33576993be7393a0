"""How fast lines become events. Run: `.venv/bin/python -m tests.sources.measure` in the repository's folder."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable

import msgspec

from botopt.model.condition import ValueType
from botopt.model.event import Event
from botopt.model.policy import EventType, FieldSpec, Policy
from botopt.sources.envelope import Decoder
from botopt.sources.strict_json import parse

LINES = 100_000
BATCH = 1_000
ROUNDS = 5


def policy() -> Policy:
    fields = (
        FieldSpec("amount", ValueType.NUMBER, minimum=0),
        FieldSpec("currency", ValueType.TEXT, one_of=("USD", "EUR", "INR"), default="USD"),
        FieldSpec("attempts", ValueType.INTEGER, minimum=1, default=1),
        FieldSpec("order_id", ValueType.TEXT),
        FieldSpec("card", ValueType.BOOLEAN, optional=True),
        FieldSpec("reason", ValueType.TEXT, optional=True, max_length=80),
    )
    other = (FieldSpec("page", ValueType.TEXT), FieldSpec("since", ValueType.TIME, optional=True))
    return Policy(
        events={
            "payment_failed": EventType("payment_failed", fields={f.name: f for f in fields}),
            "page_seen": EventType("page_seen", fields={f.name: f for f in other}),
        }
    )


def native(number: int, chance: random.Random) -> dict[str, object]:
    """One of 220 bytes with 6 fields."""
    return {
        "id": f"evt-{number:016}",
        "type": "payment_failed",
        "user": f"user-{chance.randrange(20_000)}",
        "time": f"2026-03-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        "data": {
            "amount": chance.randrange(1, 99_999) / 100,
            "currency": "EUR",
            "attempts": chance.randrange(1, 4),
            "order_id": f"A-{number:08}",
            "card": True,
            "reason": "card expired",
        },
    }


def changed(**changes: object) -> Callable[[dict[str, object]], dict[str, object]]:
    return lambda event: {**event, **changes}


def data(**changes: object) -> Callable[[dict[str, object]], dict[str, object]]:
    def change(event: dict[str, object]) -> dict[str, object]:
        values = {**event["data"], **changes}
        return {**event, "data": {name: value for name, value in values.items() if value is not ...}}

    return change


def cloud(event: dict[str, object]) -> dict[str, object]:
    rest = {key: value for key, value in event.items() if key != "user"}
    return {"specversion": "1.0", "source": "/billing", "subject": event["user"], **rest}


def backwards(event: dict[str, object]) -> dict[str, object]:
    return {**event, "data": dict(reversed(event["data"].items()))}


CASES: dict[str, Callable[[dict[str, object]], dict[str, object]]] = {
    "native, 6 fields": changed(),
    "without defaults": data(currency=..., attempts=..., reason=...),
    "fields in another order": backwards,
    "other letters": data(reason="abgelaufen: Zürich"),
    "a fraction of a second": changed(time="2026-03-01T09:00:00.123Z"),
    "CloudEvents": cloud,
    "a click": changed(type="message.clicked", data={"message_id": "0123456789abcdef", "event_type": "payment_failed"}),
    "1 text, 1 time": changed(type="page_seen", data={"page": "/pricing", "since": "2026-03-01T08:59:00Z"}),
    "null in 2 fields": data(card=None, reason=None),
    "given up: a field that is not declared": data(trace=1),
    "given up: user.updated": changed(type="user.updated", data={"timezone": "Europe/Berlin"}),
}


def lines(change: Callable[[dict[str, object]], dict[str, object]]) -> list[bytes]:
    chance = random.Random(1)
    return [msgspec.json.encode(change(native(number, chance))) for number in range(LINES)]


def best(work: Callable[[Decoder, list[bytes]], int], decoder: Decoder, raws: list[bytes]) -> float:
    """Microseconds a line, in the best of some rounds."""
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        found = work(decoder, raws)
        times.append(time.perf_counter() - begin)
        assert found == LINES
    return min(times) / LINES * 1e6


def one_by_one(decoder: Decoder, raws: list[bytes]) -> int:
    decode = decoder.decode
    return sum(isinstance(decode(raw, number, 0), Event) for number, raw in enumerate(raws, 1))


def in_batches(decoder: Decoder, raws: list[bytes]) -> int:
    events = 0
    for at in range(0, LINES, BATCH):
        found = decoder.decode_many(raws[at : at + BATCH], range(at + 1, at + 1 + len(raws[at : at + BATCH])), 0)
        events += sum(isinstance(event, Event) for event in found)
    return events


def main() -> None:
    print(f"{'µs a line':40} {'bytes':>6} {'strict':>7} {'typed':>7} {'many':>7} {'times':>6} {'lines/s':>9}")
    for name, change in CASES.items():
        raws = lines(change)
        strict = best(one_by_one, Decoder(policy(), typed=False), raws)
        typed = best(one_by_one, Decoder(policy()), raws)
        many = best(in_batches, Decoder(policy()), raws)
        size = len(raws[0])
        print(f"{name:40} {size:6} {strict:7.2f} {typed:7.2f} {many:7.2f} {strict / many:6.1f} {1e6 / many:9,.0f}")
    raws = lines(changed())
    for label, read in (
        ("the standard library's scanner", lambda raw: parse(raw.decode())),
        ("json.loads", json.loads),
    ):
        begin = time.perf_counter()
        for raw in raws:
            read(raw)
        print(f"{label:40} {'':6} {(time.perf_counter() - begin) / LINES * 1e6:7.2f}")


if __name__ == "__main__":
    main()
