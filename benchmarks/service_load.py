"""Load for a service: `python -m benchmarks.service_load`, a process of its own.

It speaks HTTP/1.1 over sockets that stay open, one request after another on each, and reads no more of an answer than
its status and its length. With `--rate` requests begin when their time has come, whether or not earlier ones are
answered, and latency counts from that time: a service that falls behind shows it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import deque

TYPES = (
    ("payment_failed", lambda n, r: {"amount": r.randint(1, 900), "currency": "EUR", "order_id": f"A-{n}"}),
    (
        "parcel_delayed",
        lambda n, r: {"tracking": f"AC-{n:06}", "eta": "2027-01-05T12:00:00Z", "days_late": r.randint(1, 5)},
    ),
    ("setup_incomplete", lambda n, r: {"steps_left": r.randint(1, 9), "steps": ["address", "card"]}),
    ("payment_succeeded", lambda n, r: {"order_id": f"A-{n}"}),
)


class Wire(asyncio.Protocol):
    """One connection: `ask` sends a request, and its answer ends the future."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._rest = b""
        self._waiting: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, data: bytes) -> asyncio.Future[int]:
        assert self.transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._rest += data
        head, found, body = self._rest.partition(b"\r\n\r\n")
        if not found:
            return
        place = head.lower().find(b"content-length:")
        size = int(head[place + 15 : place + 30].split(b"\r\n", 1)[0]) if place >= 0 else 0
        if len(body) >= size:
            self._rest = body[size:]
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(int(head[9:12]))

    def connection_lost(self, _: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError("closed"))


def requests(options: argparse.Namespace) -> deque[bytes]:
    """All of them beforehand, each an event of its own: time is what the clock will say, about."""
    chance = random.Random(options.seed)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    path = "/v1/events?wait=true" if options.wait else "/v1/events"
    found = []
    for number in range(options.requests):
        events = []
        for part in range(options.batch):
            kind, data = chance.choices(TYPES, (4, 3, 2, 1))[0]
            user = f"user{int(options.users * chance.random() ** 3)}"  # one in a hundred makes a fifth of the events
            event = {"id": f"{options.seed}-{number}-{part}", "type": kind, "user": user, "time": now}
            events.append(event | {"data": data(number, chance)})
        body = json.dumps(events[0] if options.batch == 1 else events).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {options.host}\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {options.key}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        found.append(head.encode() + body)
    return deque(found)


async def measure(options: argparse.Namespace) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    waiting = requests(options)
    wires = [(await loop.create_connection(Wire, options.host, options.port))[1] for _ in range(options.connections)]
    times: list[float] = []
    statuses: dict[int, int] = {}

    async def one(wire: Wire, due: float | None) -> None:
        data = waiting.popleft()
        began = time.perf_counter() if due is None else due
        status = await wire.ask(data)
        times.append(time.perf_counter() - began)
        statuses[status] = statuses.get(status, 0) + 1

    async def in_turn(wire: Wire) -> None:
        while waiting:
            await one(wire, None)

    async def on_time(free: asyncio.Queue[Wire]) -> None:
        async def run(wire: Wire, due: float) -> None:
            await one(wire, due)
            free.put_nowait(wire)

        start, running = time.perf_counter(), set()
        for number in range(len(waiting)):
            due = start + number / options.rate
            if (left := due - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            task = asyncio.create_task(run(await free.get(), due))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)

    began = time.perf_counter()
    cpu = time.process_time()
    if options.rate:
        free: asyncio.Queue[Wire] = asyncio.Queue()
        for wire in wires:
            free.put_nowait(wire)
        await on_time(free)
    else:
        await asyncio.gather(*(in_turn(wire) for wire in wires))
    took = time.perf_counter() - began
    times.sort()

    def at(share: float) -> float:
        return 1e3 * times[min(len(times) - 1, int(share * len(times)))]

    accepted = sum(count for status, count in statuses.items() if 200 <= status < 300) * options.batch
    return {
        "events_per_s": accepted / took,
        "p50_ms": at(0.50),
        "p99_ms": at(0.99),
        "max_ms": 1e3 * times[-1],
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "own_cpu_share": (time.process_time() - cpu) / took,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", default="none")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=1, help="events in each request")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0, help="requests a second; 0: as fast as they are answered")
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wait", action="store_true")
    sys.stdout.write(json.dumps(asyncio.run(measure(parser.parse_args()))) + "\n")


if __name__ == "__main__":
    main()
