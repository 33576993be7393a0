"""Whether the writer can write, since when not, and why."""

from __future__ import annotations

import msgspec


class Failing(msgspec.Struct, frozen=True):
    """Writing fails since `since_us`; `why` is the last fault, `times` how often it was tried."""

    since_us: int
    why: str
    times: int


class Health:
    """Written by the writer, read by anybody: each of its values is replaced as a whole."""

    def __init__(self) -> None:
        self.failing: Failing | None = None
        self.newest_commit_us: int | None = None

    def wrote(self, now_us: int) -> None:
        """A commit is on the disk."""
        self.failing = None
        self.newest_commit_us = now_us

    def failed(self, now_us: int, why: str) -> None:
        """A commit was refused."""
        before = self.failing
        self.failing = Failing(now_us if before is None else before.since_us, why, 1 + (before.times if before else 0))
