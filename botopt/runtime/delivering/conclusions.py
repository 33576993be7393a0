"""What attempts led to, on its way to the disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from botopt.model.durations import SECOND_US
from botopt.model.live import OutboxRow
from botopt.runtime.delivering.transitions import Transition
from botopt.runtime.items import Writing

FIRST_PAUSE_US = SECOND_US
LONGEST_PAUSE_US = 30 * SECOND_US
"""How long to wait before what could not be written is tried again: doubled each time, up to this."""


class Conclusions:
    """Keeps every result until it is on the disk, however long that takes.

    What waits is written together. If that fails each is written alone, so that one that cannot be written keeps no
    other back. One thread at a time.
    """

    def __init__(self, writing: Writing, news: Callable[[], None]) -> None:
        self._writing = writing
        self._news = news
        self._waiting: list[Transition] = []
        self._under_way: list[tuple[Sequence[Transition], Future[None]]] = []
        self._failed: deque[Transition] = deque()
        self._pause_us = 0
        self._again_us = 0
        self.fault: BaseException | None = None
        """Why the last one could not be written; None: it could."""

    @property
    def unwritten(self) -> int:
        """How many results are not on the disk."""
        return len(self._waiting) + len(self._failed) + sum(len(batch) for batch, _ in self._under_way)

    def add(self, transition: Transition) -> None:
        """One more result."""
        if transition.rows or transition.feedback:
            self._waiting.append(transition)

    def write(self, now_us: int) -> Sequence[OutboxRow]:
        """Give what waits to the writer. What has reached the disk since the last time. `now_us` is monotonic."""
        written = self._settled(now_us)
        if self._waiting:
            batch, self._waiting = self._waiting, []
            self._submit(batch, now_us)
        if self._failed and now_us >= self._again_us:
            again, self._failed = self._failed, deque()
            for transition in again:
                self._submit([transition], now_us)
        return written

    def wait_us(self, now_us: int) -> int | None:
        """How long until something is tried again; None: nothing is."""
        return max(self._again_us - now_us, 0) if self._failed else None

    def claimed_again(self, key: str) -> None:
        """This message was claimed anew: what is still to be written about it was written after all."""
        self._failed = deque(
            transition for transition in self._failed if all(row.key != key for row in transition.rows)
        )

    def _submit(self, batch: Sequence[Transition], now_us: int) -> None:
        rows = [row for transition in batch for row in transition.rows]
        feedback = [told for transition in batch for told in transition.feedback]
        try:
            future = self._writing.conclude(rows, feedback)
        except Exception as fault:  # noqa: BLE001  # results are kept whatever ails the writer
            self._put_off(batch, fault, now_us)
            return
        self._under_way.append((batch, future))
        future.add_done_callback(lambda _: self._news())

    def _settled(self, now_us: int) -> Sequence[OutboxRow]:
        written: list[OutboxRow] = []
        under_way, self._under_way = self._under_way, []
        for batch, future in under_way:
            if not future.done():
                self._under_way.append((batch, future))
            elif future.cancelled():
                self._put_off(batch, InterruptedError("the writer did not take it"), now_us)
            elif (fault := future.exception()) is not None:
                self._put_off(batch, fault, now_us)
            else:
                written += [row for transition in batch for row in transition.rows]
        if written and not self._failed:
            self._pause_us, self.fault = 0, None
        return written

    def _put_off(self, batch: Sequence[Transition], fault: BaseException, now_us: int) -> None:
        self.fault = fault
        if now_us >= self._again_us:
            self._pause_us = min(max(2 * self._pause_us, FIRST_PAUSE_US), LONGEST_PAUSE_US)
            self._again_us = now_us + self._pause_us
        self._failed.extend(batch)
