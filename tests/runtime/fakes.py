"""A store in memory that can be told to fail, for tests of what stands on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from botopt.model.errors import StateError
from botopt.model.live import Changes
from botopt.state.memory_live import MemoryLive


class FakeStore(MemoryLive):
    """`commits` are all that was committed; `before_commit` and `before_load` may raise."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[Changes] = []
        self.before_commit: Callable[[Changes], None] = lambda _: None
        self.before_load: Callable[[list[str]], None] = lambda _: None
        self.closed = False

    def load(self, users: Iterable[str]):
        users = list(users)
        self.before_load(users)
        return super().load(users)

    def commit_changes(self, changes: Changes) -> frozenset[str]:
        self.before_commit(changes)
        self.commits.append(changes)
        return super().commit_changes(changes)

    def close(self) -> None:
        self.closed = True


def full_disk(_: object) -> None:
    raise StateError("state.db: the disk is full. Nothing of the last batch was written; what was there is kept.")
