"""The threads that send for one channel, and what to do about one that does not come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread

from botopt.model.delivery import Failed, Receipt
from botopt.model.durations import SECOND_US
from botopt.runtime.items import Claimed

STUCK_FOR_EACH = 2
"""So many threads may be written off for each place; then the channel is stuck, until one comes back after all."""


class Attempt:
    """One attempt at one message. `ticket` is what the gate calls it; `asked`: whether the platform was asked."""

    __slots__ = ("asked", "began_us", "claimed", "receipt", "ticket", "took_us", "written_off")

    def __init__(self, claimed: Claimed, ticket: int) -> None:
        self.claimed = claimed
        self.ticket = ticket
        self.asked = False
        self.began_us: int | None = None
        self.took_us = 0
        self.written_off = False
        self.receipt: Receipt | None = None


class Crew:
    """At most `size` attempts at once, each in a thread.

    Args:
        name: the channel's, for the threads.
        size: how many.
        limit_us: how long one attempt may take before its thread is written off.
        send: makes the attempt. It may raise.
        monotonic_us: a clock for durations.
        news: called when an attempt is over.
    """

    def __init__(
        self,
        name: str,
        size: int,
        limit_us: int,
        send: Callable[[Attempt], Receipt],
        monotonic_us: Callable[[], int],
        news: Callable[[], None],
    ) -> None:
        self._name, self._size, self._limit_us = name, size, limit_us
        self._send, self._monotonic_us, self._news = send, monotonic_us, news
        self._changed = Condition()
        self._waiting: deque[Attempt] = deque()
        self._running: set[Attempt] = set()
        self._over: list[Attempt] = []
        self._idle = 0
        self._threads = 0
        self._closed = False
        self.stuck = 0
        """Threads that were written off and have not come back."""

    @property
    def blocked(self) -> bool:
        """Whether so many threads do not come back that none is begun any more."""
        return self.stuck >= STUCK_FOR_EACH * self._size

    @property
    def running(self) -> int:
        """Attempts that are not over."""
        with self._changed:
            return len(self._running) + len(self._waiting)

    @property
    def resting(self) -> bool:
        """Whether every attempt is over, and `over` has told of it."""
        with self._changed:
            return not self._running and not self._waiting and not self._over

    @property
    def free(self) -> int:
        """How many more attempts can be begun. A place is free once `over` has told what became of the last attempt:
        it may say that nothing is to be begun now.
        """
        with self._changed:
            taken = len(self._running) + len(self._waiting) + len(self._over)
            return 0 if self.blocked else max(self._size - taken, 0)

    def give(self, attempt: Attempt) -> None:
        """Begin this one as soon as a thread is there.

        Raises:
            RuntimeError: the system gives no thread; the attempt is not taken.
        """
        with self._changed:
            if self._idle <= len(self._waiting) and self._threads < self._size:
                Thread(target=self._work, name=f"botopt send {self._name}", daemon=True).start()
                self._threads += 1
            self._waiting.append(attempt)
            self._changed.notify()

    def take_back(self) -> list[Attempt]:
        """The attempts that have not begun."""
        with self._changed:
            taken = list(self._waiting)
            self._waiting.clear()
            return taken

    def over(self) -> list[Attempt]:
        """The attempts that are over since it was asked last, those of written-off threads too."""
        now_us = self._monotonic_us()
        with self._changed:
            for attempt in [each for each in self._running if self._left_us(each, now_us) <= 0]:
                self._running.remove(attempt)
                self._threads -= 1  # the next message gets another thread
                self.stuck += 1
                attempt.written_off = True
                attempt.took_us = self._limit_us
                words = f"the channel did not come back within {self._limit_us / SECOND_US:g} s"
                attempt.receipt = Failed(words, retryable=True, unsure=True)
                self._over.append(attempt)
            over, self._over = self._over, []
            return over

    def wait_us(self) -> int | None:
        """How long until a thread may have to be written off; None: none is at work."""
        now_us = self._monotonic_us()
        with self._changed:
            return min((max(self._left_us(each, now_us), 0) for each in self._running), default=None)

    def close(self) -> None:
        """No more attempts. Idle threads end; a thread at work ends when it comes back."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _left_us(self, attempt: Attempt, now_us: int) -> int:
        return self._limit_us if attempt.began_us is None else attempt.began_us + self._limit_us - now_us

    def _work(self) -> None:
        while (attempt := self._next()) is not None:
            receipt: Receipt
            try:
                receipt = self._send(attempt)
            except BaseException as fault:  # noqa: BLE001  # whatever it was, it says nothing about the message's fate
                receipt = Failed(f"the channel failed by itself: {type(fault).__name__}", retryable=True, unsure=True)
            if not self._finish(attempt, receipt):
                return

    def _next(self) -> Attempt | None:
        with self._changed:
            self._idle += 1
            while not self._waiting and not self._closed:
                self._changed.wait()
            self._idle -= 1
            if not self._waiting:
                self._threads -= 1
                return None
            attempt = self._waiting.popleft()
            attempt.began_us = self._monotonic_us()
            self._running.add(attempt)
            return attempt

    def _finish(self, attempt: Attempt, receipt: Receipt) -> bool:
        """Whether this thread still has its place."""
        with self._changed:
            mine = not attempt.written_off
            if mine:
                self._running.remove(attempt)
                attempt.receipt = receipt
                attempt.took_us = self._monotonic_us() - (attempt.began_us or 0)
                self._over.append(attempt)
            else:
                self.stuck -= 1
        self._news()
        return mine
