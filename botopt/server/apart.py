"""Threads for work that strangers can cause: it keeps nobody else waiting, and only so much of it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from botopt.server.problems import Problem

T = TypeVar("T")


class Apart:
    """A few threads of their own for one kind of work. For one event loop.

    Args:
        name: of the threads.
        threads: how many there are.
        most: how much may be under way or wait.
        busy: what is said when there is more.
        wait_s: when to come again then.
    """

    def __init__(self, name: str, threads: int, most: int, busy: str, wait_s: int) -> None:
        self._threads = ThreadPoolExecutor(threads, f"botopt-{name}")
        self._most = most
        self._busy = busy
        self._wait_s = wait_s
        self._now = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What the work gives.

        Raises:
            Problem: too much waits already.
        """
        if self._now >= self._most:
            raise Problem("busy", self._busy, "try again", headers={"retry-after": str(self._wait_s)})
        self._now += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._now -= 1

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
