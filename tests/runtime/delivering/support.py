"""A writer in memory, clocks that are set by hand, and channels that do as they are told."""

from __future__ import annotations

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from heapq import heappop, heappush
from threading import Event as Signal
from threading import RLock

import msgspec

from botopt.model.channels import Channel
from botopt.model.decision import Button, Message
from botopt.model.delivery import Delivered, Feedback, Outgoing, Receipt
from botopt.model.durations import SECOND_US
from botopt.model.event import Event
from botopt.model.live import OutboxRow, OutboxStatus, Parcel, pack_parcel, unpack_parcel
from botopt.model.policy import DeliverySettings, Policy
from botopt.runtime.delivering.breaker import Breaker
from botopt.runtime.delivering.lane import Lane
from botopt.runtime.delivering.making import Made
from botopt.runtime.delivering.postman import Postman
from botopt.runtime.delivering.transitions import Facts, is_due
from botopt.runtime.delivering.world import World
from botopt.runtime.items import Claimed

T = 1_772_355_600_000_000  # 2026-03-01T09:00:00Z
PATIENCE_S = 20.0
"""Until a test gives up waiting for threads; it never waits so long when all is well."""

PENDING, CLAIMED, DELIVERED = OutboxStatus.PENDING, OutboxStatus.CLAIMED, OutboxStatus.DELIVERED
DEAD, UNSURE, WITHDRAWN = OutboxStatus.DEAD, OutboxStatus.UNSURE, OutboxStatus.WITHDRAWN


def message_id(number: int) -> str:
    return f"{number:024x}"


def parcel(number: int = 0, channel: str = "chat", **fields: object) -> Parcel:
    message = Message(message_id(number), "hello", "main", "en", channel, f"Hello {number}")
    event = Event(f"e{number}", "", "paid", f"u{number}", T, {"amount": 12.5})
    return Parcel(**{"message": message, "event": event, **fields})  # type: ignore[arg-type]


def row(number: int = 0, channel: str = "chat", **fields: object) -> OutboxRow:
    given: dict[str, object] = {
        "key": message_id(number),
        "message_id": message_id(number),
        "user": f"u{number}",
        "channel": channel,
        "created_us": T,
        "next_us": T,
        "changed_us": T,
        "parcel": pack_parcel(parcel(number, channel)),
        **fields,
    }
    return OutboxRow(**given)  # type: ignore[arg-type]


def with_buttons(number: int, *buttons: Button) -> Parcel:
    plain = parcel(number)
    return msgspec.structs.replace(plain, message=msgspec.structs.replace(plain.message, buttons=buttons))


def until(true: Callable[[], object], what: str = "") -> None:
    """Wait for other threads."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"in vain: {what or true}"
        time.sleep(0.001)


class Time:
    """A wall clock and a monotonic one, both set by hand."""

    def __init__(self) -> None:
        self.wall_us = T
        self.monotonic = 0
        self.moved: Callable[[], None] = lambda: None

    def now_us(self) -> int:
        return self.wall_us

    def monotonic_us(self) -> int:
        return self.monotonic

    def advance(self, us: int) -> None:
        self.wall_us += us
        self.monotonic += us
        self.moved()

    def jump(self, us: int) -> None:
        """Somebody sets the wall clock."""
        self.wall_us += us
        self.moved()


class Writer:
    """An outbox in memory, by the rules of `Writing`. It answers at once, or fails as long as it is told to."""

    def __init__(self, clock: Time) -> None:
        self.clock = clock
        self.rows: dict[str, OutboxRow] = {}
        self.feedback: list[Feedback] = []
        self.claims: list[tuple[str, int]] = []
        self.asked_for: list[str | None] = []
        self.batches: list[int] = []
        self.withdrawing: Callable[[OutboxRow], str | None] = lambda _: None
        self.address: Callable[[OutboxRow], str | None] = lambda row: row.user
        self.ailing: Exception | None = None
        self.refuse: Callable[[OutboxRow], bool] = lambda _: False
        self._lock = RLock()
        self._queues: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self._counts: Counter[str] = Counter()

    def put(self, *rows: OutboxRow) -> None:
        with self._lock:
            for row in rows:
                before = self.rows.get(row.key)
                self._counts[row.status.value] += 1
                if before is not None:
                    self._counts[before.status.value] -= 1
                self.rows[row.key] = row
                if row.status is PENDING:
                    heappush(self._queues[row.channel], (row.next_us, row.key))

    def next_us(self, channel: str) -> int | None:
        with self._lock:
            queue = self._queues[channel]
            while queue and not self._waits(*queue[0]):
                heappop(queue)
            return queue[0][0] if queue else None

    def statuses(self) -> Mapping[str, int]:
        with self._lock:
            return {status: count for status, count in self._counts.items() if count}

    def claim(
        self, channel: str, limit: int, to: str | None = None, due_us: int | None = None
    ) -> Future[Sequence[Claimed]]:
        with self._lock:
            self.claims.append((channel, limit))
            self.asked_for.append(to)
            if self.ailing is not None:
                return _ended(self.ailing)
            now_us, found = self.clock.now_us(), []
            for _ in range(limit):
                next_us = self.next_us(channel)
                if next_us is None or not is_due(next_us, now_us if due_us is None else due_us):
                    break
                row = self.rows[heappop(self._queues[channel])[1]]
                why = self.withdrawing(row)
                if why is not None:
                    self.put(msgspec.structs.replace(row, status=WITHDRAWN, detail=why))
                    continue
                first_us = now_us if row.first_us is None else row.first_us
                fields = {"status": CLAIMED, "attempts": row.attempts + 1, "first_us": first_us, "changed_us": now_us}
                row = msgspec.structs.replace(row, **fields)  # type: ignore[arg-type]
                self.put(row)
                found.append(Claimed(row, unpack_parcel(row.parcel), self.address(row), None))
            return _ended(found)

    def conclude(self, rows: Sequence[OutboxRow], feedback: Sequence[Feedback] = ()) -> Future[None]:
        with self._lock:
            if self.ailing is not None:
                return _ended(self.ailing)
            if any(self.refuse(row) for row in rows):
                return _ended(ValueError("one of these cannot be written"))
            self.batches.append(len(rows))
            for row in rows:
                before = self.rows.get(row.key)
                assert before is None or before.status is CLAIMED, f"{row} takes the place of {before}"
            self.put(*rows)
            self.feedback += feedback
            return _ended(None)

    def unfinished(self) -> Sequence[OutboxRow]:
        with self._lock:
            return [row for row in self.rows.values() if row.status is CLAIMED]

    def _waits(self, next_us: int, key: str) -> bool:
        row = self.rows[key]
        return row.status is PENDING and row.next_us == next_us


def _ended(result: object) -> Future[object]:  # type: ignore[misc]
    future: Future[object] = Future()
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
    return future


Step = Receipt | Exception | Callable[[Outgoing], Receipt]


class Scripted(Channel):
    """Says one thing after another, the last one for ever."""

    def __init__(self, *script: Step) -> None:
        self._script: Iterator[Step] = itertools.chain(script, itertools.repeat(script[-1] if script else Delivered()))
        self._lock = RLock()
        self.sent: list[Outgoing] = []
        self.at_once = self.most_at_once = 0
        self.closed = False

    def send(self, message: Outgoing) -> Receipt:
        with self._lock:
            self.sent.append(message)
            step = next(self._script)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if isinstance(step, Exception):
                raise step
            return step(message) if callable(step) else step
        finally:
            with self._lock:
                self.at_once -= 1

    def close(self) -> None:
        self.closed = True


class Hanging:
    """A step that comes back when it is let go."""

    def __init__(self, then: Receipt | None = None) -> None:
        self._go = Signal()
        self._then = then or Delivered("late")

    def __call__(self, _: Outgoing) -> Receipt:
        assert self._go.wait(PATIENCE_S), "nobody let it go"
        return self._then

    def let_go(self) -> None:
        self._go.set()


class Witness:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.attempts: list[OutboxRow] = []
        self.written: list[OutboxRow] = []
        self.states: list[tuple[str, Breaker]] = []
        self.counts: list[int] = []
        self.troubles: list[str] = []

    def attempted(self, row: OutboxRow, took_us: int) -> None:
        self.attempts.append(row)

    def concluded(self, row: OutboxRow) -> None:
        self.written.append(row)

    def breaker(self, channel: str, state: Breaker) -> None:
        self.states.append((channel, state))

    def stuck(self, channel: str, threads: int) -> None:
        self.counts.append(threads)

    def trouble(self, channel: str, detail: str) -> None:
        self.troubles.append(detail)


class Office:
    """A postman with a writer in memory, and clocks that are set by hand."""

    def __init__(self) -> None:
        self.clock = Time()
        self.writer = Writer(self.clock)
        self.seen = Witness()
        self.world = World(
            self.writer,
            next_us=self.writer.next_us,
            now_us=self.clock.now_us,
            monotonic_us=self.clock.monotonic_us,
            chance=lambda: 0.5,
            link_for=lambda id, number, link: f"https://b.example/c/{id}.{number}",
            watching=self.seen,
        )
        self.postman = Postman(self.world)
        self.clock.moved = self.postman.wake_all

    def lane(self, name: str = "chat") -> Lane:
        return self.postman._lanes[name]

    def look(self, name: str = "chat") -> None:
        """Wait until a channel has looked at everything as it is now."""
        lane = self.lane(name)
        step, counted = lane._step, 0

        def counting() -> int:
            nonlocal counted
            wait_us = step()
            counted += 1
            return wait_us

        lane._step = counting  # type: ignore[method-assign]
        for wanted in (1, 2):  # the first may have begun before
            lane.wake()
            until(lambda n=wanted: counted >= n, "a look")
        lane._step = step  # type: ignore[method-assign]

    def put(self, *rows: OutboxRow) -> None:
        self.writer.put(*rows)
        for channel in {row.channel for row in rows}:
            self.postman.wake(channel)

    def settled(self, **statuses: int) -> bool:
        return dict(self.writer.statuses()) == statuses

    def wait(self, **statuses: int) -> None:
        """Until the outbox holds so many rows of each status."""
        until(lambda: self.settled(**statuses), f"{statuses}, not {dict(self.writer.statuses())}")


def made(
    channel: Channel, name: str = "chat", *, repeatable: bool = False, settings: DeliverySettings | None = None
) -> Made:
    return Made(name, settings or DeliverySettings(), Facts(repeatable), channel, name.encode())


def policy() -> Policy:
    return Policy()


@contextmanager
def office(*channels: Made, rows: Sequence[OutboxRow] = ()) -> Iterator[Office]:
    """An office at work; it is closed, without waiting for what hangs."""
    place = Office()
    place.writer.put(*rows)
    place.postman.start(policy(), {each.name: each for each in channels})
    try:
        yield place
    finally:
        place.writer.ailing = None
        place.postman.stop(0)


def seconds(number: float) -> int:
    return round(number * SECOND_US)
