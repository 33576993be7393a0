"""How fast lines become events. Run: `.venv/bin/python -m tests.sources.measure` in the repository's folder."""

from __future__ import annotations

import random
import time

import msgspec

from botopt.model.condition import ValueType
from botopt.model.event import Event
from botopt.model.policy import EventType, FieldSpec, Policy
from botopt.sources.envelope import Decoder
from botopt.sources.strict_json import parse

LINES = 200_000


def policy() -> Policy:
    fields = (
        FieldSpec("amount", ValueType.NUMBER, minimum=0),
        FieldSpec("currency", ValueType.TEXT, one_of=("USD", "EUR", "INR"), default="USD"),
        FieldSpec("attempts", ValueType.INTEGER, minimum=1, default=1),
        FieldSpec("order_id", ValueType.TEXT),
        FieldSpec("reason", ValueType.TEXT, optional=True),
    )
    return Policy(events={"payment_failed": EventType("payment_failed", fields={f.name: f for f in fields})})


def lines() -> list[bytes]:
    chance = random.Random(1)
    return [
        msgspec.json.encode(
            {
                "id": f"evt-{number}",
                "type": "payment_failed",
                "user": f"user-{chance.randrange(20_000)}",
                "time": f"2026-03-01T09:{number // 60 % 60:02}:{number % 60:02}Z",
                "data": {
                    "amount": chance.randrange(1, 99_999) / 100,
                    "currency": "EUR",
                    "attempts": chance.randrange(1, 4),
                    "order_id": f"A-{number}",
                    "reason": "card expired",
                },
            }
        )
        for number in range(LINES)
    ]


def main() -> None:
    raws = lines()
    decode = Decoder(policy()).decode
    for _ in range(3):
        begin = time.perf_counter()
        for raw in raws:
            parse(raw.decode())
        parsed = time.perf_counter() - begin
        begin = time.perf_counter()
        events = sum(isinstance(decode(raw, number, 0), Event) for number, raw in enumerate(raws, 1))
        decoded = time.perf_counter() - begin
        assert events == LINES
        print(
            f"strict JSON {parsed / LINES * 1e6:.2f} µs, whole line {decoded / LINES * 1e6:.2f} µs: "
            f"{LINES / decoded:,.0f} lines/s"
        )


if __name__ == "__main__":
    main()
