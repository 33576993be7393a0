"""Threads that post events, and post each again until it was taken: what careful clients do, and what careless ones do."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Self

import msgspec

from tests.proof.world import World, event, until

KINDS = ("hooked", "texted", "cooled", "limited", "weak", "seen", "passed_on")
SIZES = (1, 25)
"""Events in a request, one size for each client in turn."""

_AGAIN = 0.15
"""Of all requests, those that are sent once more although they were taken."""


class Taken(msgspec.Struct, frozen=True):
    """A request that was answered with 2xx: its key, its bytes, and the answer."""

    key: str
    body: bytes
    answer: bytes


class Clients:
    """Clients at work, as long as the block. `taken` are the events of every 2xx, by id.

    Every request has an `Idempotency-Key`, but those that a careless client repeats.
    """

    def __init__(
        self,
        world: World,
        threads: int = 4,
        *,
        kinds: tuple[str, ...] = KINDS,
        user: Callable[[int], str] = lambda n: f"u{n % 50}",
        pause_s: float = 0.0,
        seed: int = 20261129,
    ) -> None:
        self.world = world
        self.taken: dict[str, Mapping[str, object]] = {}
        self.answers: list[Taken] = []
        self.statuses: Counter[int] = Counter()
        self.unheard = 0
        self.over = threading.Event()
        self._kinds = kinds
        self._user = user
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._next = 0
        self._threads = [
            threading.Thread(target=self._run, args=(SIZES[n % len(SIZES)], random.Random(seed + n)), daemon=True)
            for n in range(threads)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def progress(self, more: int = 30) -> None:
        """Wait until so many more events were taken."""
        before = len(self.taken)
        until(lambda: len(self.taken) >= before + more, "it takes nothing any more", 60, self.world.log)

    def _run(self, size: int, chance: random.Random) -> None:
        while not self.over.is_set():
            with self._lock:
                first, self._next = self._next, self._next + size
            events = [self._event(n) for n in range(first, first + size)]
            body = json.dumps(events[0] if size == 1 else events).encode()
            while not self._post(f"k{first}", body, events):
                if self.over.is_set():
                    return
                time.sleep(0.02)
            if chance.random() < _AGAIN:  # it came, and its client does not know
                self._post(None, body, events)
            time.sleep(self._pause_s)

    def _event(self, n: int) -> dict[str, object]:
        """An event whose type leads to no record has users of its own: else the books could not say when it came between
        the others of its user, and moved their clock.
        """
        kind = self._kinds[n % len(self._kinds)]
        return event(n, kind) | {"user": f"s{n % 50}" if kind == "seen" else self._user(n)}

    def _post(self, key: str | None, body: bytes, events: list[dict[str, object]]) -> bool:
        named = {} if key is None else {"idempotency_key": key}
        try:
            status, said = self.world.ask("POST", "/v1/events", body, **named)
        except OSError:
            with self._lock:
                self.unheard += 1
            return False
        with self._lock:
            self.statuses[status] += 1
            if status == 202:
                self.taken.update((str(one["id"]), one) for one in events)
                if key is not None:
                    self.answers.append(Taken(key, body, said))
        return status == 202


def answers_are_repeated(world: World, clients: Clients, most: int = 60) -> int:
    """Who asks again with the same key gets the very same answer, whatever happened since; how many were asked."""
    chosen = random.Random(1).sample(clients.answers, min(most, len(clients.answers)))
    for one in chosen:
        status, headers, said = world.ask_all("POST", "/v1/events", one.body, idempotency_key=one.key)
        assert (status, said, headers.get("idempotency-replayed")) == (202, one.answer, "true")
    return len(chosen)
