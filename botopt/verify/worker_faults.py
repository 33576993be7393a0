"""Faults of worker processes, as the process that started them tells them."""

from __future__ import annotations

import msgspec

from botopt.model import errors
from botopt.model.errors import BotoptError


class WorkerGone(BotoptError):
    """A worker process ended before its work was done."""

    def __init__(self, exit_code: int | None, more: str = "") -> None:
        super().__init__(f"a worker process ended (exit code {exit_code}): was memory short?{more}")


class Fault(msgspec.Struct, array_like=True, frozen=True):
    """An exception on its way to the other process: the name of its class, and its words."""

    kind: str
    words: str

    @classmethod
    def of(cls, fault: Exception) -> Fault:
        """What the other process is to know of an exception."""
        return cls(type(fault).__name__, str(fault))

    def exception(self) -> Exception:
        """One of botopt's own exceptions again; any other comes as a `RuntimeError` that names it."""
        kind = getattr(errors, self.kind, None)
        return kind(self.words) if kind is not None else RuntimeError(f"{self.kind}: {self.words}")
