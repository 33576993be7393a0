"""From the writer's futures to the event loop: one wake-up for all that a commit has answered."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Waiting:
    """Waits in one event loop for futures that other threads finish.

    `asyncio.wrap_future` would wake the loop once for each of them, and a wake-up is a system call.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._woken = False

    def result(self, future: Future[T]) -> asyncio.Future[T]:
        """Ends as the future ends."""
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        waiting: asyncio.Future[T] = loop.create_future()
        future.add_done_callback(partial(self._done, waiting))
        return waiting

    def _done(self, waiting: asyncio.Future[Any], future: Future[Any]) -> None:
        """In whatever thread finished it."""
        self._ready.append((waiting, future))
        if not self._woken:
            self._woken = True
            assert self._loop is not None
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        self._woken = False  # first: what is appended from here on wakes the loop again
        while self._ready:
            waiting, future = self._ready.popleft()
            if waiting.done():
                continue
            fault = future.exception()
            if fault is None:
                waiting.set_result(future.result())
            else:
                waiting.set_exception(fault)
