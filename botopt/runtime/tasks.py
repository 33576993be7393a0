"""What can be asked of the writer: each is one piece of work, done whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import Future
from itertools import count
from typing import Generic, TypeVar

from botopt.model.errors import BotoptError
from botopt.runtime.desk import Desk
from botopt.runtime.serving import Serving

T = TypeVar("T")

_numbers = count(1)


class Broken(BotoptError):
    """A fault of botopt's own: nothing of this request was taken."""

    def __init__(self) -> None:
        super().__init__("botopt failed on this request, and took nothing of it; the log of the service says why")


class Task(Generic[T]):
    """One thing that is asked. `run` may be called again, after everything that it changed was taken back.

    `events` and `size` (bytes, about) are what it takes in the queue. `received_us` is when it came. No other task of
    this process has its `number`.
    """

    events: int = 0
    size: int = 0
    received_us: int | None = None

    def __init__(self) -> None:
        self.future: Future[T] = Future()
        self.number = next(_numbers)

    def users(self) -> Iterable[str]:
        """Whose states it will ask for, as far as that is known before."""
        return ()

    def run(self, desk: Desk) -> T:
        """Do it."""
        raise NotImplementedError

    def settle(self, result: T, unwritten: Collection[str]) -> T:
        """What to answer, now that it is committed. `unwritten` are the keys of outbox rows that an administrator
        dropped meanwhile, or whose user was erased.
        """
        return result

    def failed(self, fault: Exception) -> None:
        """It raised this, or what it did could not be committed."""
        self.future.set_exception(fault)


class Swap(Task[tuple[str, ...]]):
    """Decide by another policy from now on; the answer are the notices about what the state does not remember.

    The writer does it between two groups: nothing of it needs to be committed before it counts.
    """

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self._serving = serving

    def run(self, desk: Desk) -> tuple[str, ...]:
        desk.serve(self._serving)
        return desk.notices
