"""How many messages a channel may send in a time."""

from __future__ import annotations

from collections import deque
from threading import Lock

_MOST_REMEMBERED = 10_000
"""Of a limit of more messages than these, a fraction holds in the same fraction of the time: that is stricter, and
nobody has to remember a million moments.
"""


class Limiter:
    """At most `messages` in any `per_us`, wherever that begins. A bucket of tokens would let twice as many through, a
    full bucket and what drips in meanwhile. `messages` 0: no limit. Times are of a monotonic clock.

    A place is reserved before a message is claimed, and used when it is sent, or given back.
    """

    def __init__(self, messages: int, per_us: int) -> None:
        self._lock = Lock()
        self._reserved = 0
        self._used: deque[int] = deque()
        self.change(messages, per_us)

    def change(self, messages: int, per_us: int) -> None:
        """Another limit from now on. What was sent before counts."""
        with self._lock:
            parts = -(-messages // _MOST_REMEMBERED) or 1
            self._messages = messages // parts
            self._per_us = -(-per_us // parts)
            self._used = deque(self._used, maxlen=self._messages or 0)

    def free(self, now_us: int) -> tuple[int | None, int]:
        """How many places there are (None: any number), and where there is none, how long until one may come."""
        with self._lock:
            if not self._messages:
                return None, 0
            while self._used and now_us - self._used[0] >= self._per_us:
                self._used.popleft()
            free = self._messages - len(self._used) - self._reserved
            if free > 0:
                return free, 0
            return 0, self._per_us - (now_us - self._used[0]) if self._used else self._per_us

    def reserve(self, count: int) -> None:
        """Keep places that `free` spoke of."""
        with self._lock:
            self._reserved += count

    def use(self, now_us: int) -> None:
        """A message goes out now, on a place that was kept."""
        with self._lock:
            self._reserved -= 1
            if self._messages:
                self._used.append(now_us)

    def give_back(self, count: int = 1) -> None:
        """Places that were kept are not needed."""
        with self._lock:
            self._reserved -= count
