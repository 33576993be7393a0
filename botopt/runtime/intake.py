"""The writer's queue: bounded by events and bytes, with a lane for what must not wait."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from math import ceil
from threading import Condition
from typing import Any

import msgspec

from botopt.runtime.items import Overloaded, Stopping
from botopt.runtime.tasks import Task

AnyTask = Task[Any]

_MOST_CONTROL = 64
"""Tasks of the fast lane in one group."""
_LONGEST_WAIT_S = 60
_SMOOTHING = 0.2


class Bounds(msgspec.Struct, frozen=True):
    """How much may wait, and how many events are decided together."""

    events: int = 20_000
    bytes: int = 64 << 20
    group: int = 500


class Taken(msgspec.Struct, frozen=True):
    """What one group is made of. `waiting_since_us`: when the oldest of those that still wait came in."""

    tasks: Sequence[AnyTask]
    waiting_since_us: int | None
    more: bool


class Intake:
    """Many threads put, one takes."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._ready = Condition()
        self._lane: deque[AnyTask] = deque()
        self._control: deque[AnyTask] = deque()
        self._events = 0
        self._bytes = 0
        self._rate = 0.0  # events a second
        self._taken_at: float | None = None
        self._taken = 0
        self._refusing: str | None = None
        self._closed = False
        self._woken = False

    @property
    def events(self) -> int:
        """How many events wait."""
        return self._events

    @property
    def bytes(self) -> int:
        """How much they take, about."""
        return self._bytes

    @property
    def full(self) -> bool:
        """Whether one more event would be refused."""
        return self._events >= self._bounds.events or self._bytes >= self._bounds.bytes

    @property
    def refusing(self) -> str | None:
        """Why no events are taken any more."""
        return self._refusing

    def put(self, task: AnyTask) -> None:
        """Queue events; a request that is larger than the bounds is taken when nothing else waits.

        Raises:
            Overloaded: the queue is full.
            Stopping: nothing is taken any more.
        """
        bounds = self._bounds
        with self._ready:
            self._check_open()
            full = self._events + task.events > bounds.events or self._bytes + task.size > bounds.bytes
            if full and self._events:
                raise Overloaded(self._retry_after_s())
            self._append(self._lane, task)

    def put_in_order(self, task: AnyTask) -> None:
        """Queue what is never refused for want of room, behind the events that came before it."""
        with self._ready:
            self._check_open()
            self._append(self._lane, task)

    def put_first(self, task: AnyTask) -> None:
        """Queue what goes before all events. It is taken until the very end: what was sent must be noted."""
        with self._ready:
            if self._closed:
                raise Stopping("the service has ended")
            self._append(self._control, task)

    def refuse(self, why: str) -> None:
        """From now on no events are taken."""
        with self._ready:
            self._refusing = why

    def close(self) -> Sequence[AnyTask]:
        """From now on nothing is taken; returns what still waits."""
        with self._ready:
            self._closed = True
            left = (*self._control, *self._lane)
            self._control.clear()
            self._lane.clear()
            self._events = self._bytes = 0
            self._ready.notify()
        return left

    def wake(self) -> None:
        """Let `take` return at once."""
        with self._ready:
            self._woken = True
            self._ready.notify()

    def take(self, wait_s: float) -> Taken:
        """What waits, up to a group; waits for the first."""
        with self._ready:
            if not (self._lane or self._control or self._woken or self._closed):
                self._taken_at = None
                self._ready.wait(wait_s)
            self._woken = False
            tasks: list[AnyTask] = []
            while self._control and len(tasks) < _MOST_CONTROL:
                tasks.append(self._control.popleft())
            events = 0
            while self._lane and (not events or events + self._lane[0].events <= self._bounds.group):
                task = self._lane.popleft()
                events += max(task.events, 1)
                self._events -= task.events
                self._bytes -= task.size
                tasks.append(task)
            self._measure(events)
            since_us = next((task.received_us for task in self._lane if task.received_us is not None), None)
            more = bool(self._lane or self._control)
        # A caller that gave up before its turn came is not served: nobody would know.
        return Taken([task for task in tasks if task.future.set_running_or_notify_cancel()], since_us, more)

    def _append(self, lane: deque[AnyTask], task: AnyTask) -> None:
        lane.append(task)
        self._events += task.events
        self._bytes += task.size
        self._ready.notify()

    def _check_open(self) -> None:
        if self._closed or self._refusing is not None:
            raise Stopping(self._refusing or "the service has ended")

    def _measure(self, events: int) -> None:
        """How fast the queue drains, from one taking to the next while something waits."""
        now = time.monotonic()
        if self._taken_at is not None and self._taken:
            rate = self._taken / max(now - self._taken_at, 1e-6)
            self._rate = rate if not self._rate else self._rate + _SMOOTHING * (rate - self._rate)
        self._taken_at, self._taken = now, events

    def _retry_after_s(self) -> int:
        """When half of what waits will be gone."""
        if not self._rate:
            return 1
        return min(max(ceil(self._events / 2 / self._rate), 1), _LONGEST_WAIT_S)
