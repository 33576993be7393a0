"""Where the records of a run go: a file or a screen, and a file of rejected lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from botopt.verify.appending import NOTHING, Appending, Mark
from botopt.verify.journal import Journal


class Sink(Protocol):
    """Takes bytes."""

    def write(self, data: bytes) -> None:
        """Append."""

    def sync(self) -> Mark:
        """Have everything on the disk."""


class Outputs:
    """The outputs of one run.

    Args:
        out: takes record lines.
        rejects: takes entries for the rejects file, if there is one.
        pick: picks the lines that are shown; None shows all.
        shown: how many were shown before.
    """

    def __init__(
        self, out: Sink, rejects: Appending | None, pick: Callable[[bytes], bytes] | None, shown: int = 0
    ) -> None:
        self._out = out
        self._rejects = rejects
        self._pick = pick
        self.shown = shown

    def write(self, records: bytes) -> None:
        """Take record lines."""
        if self._pick is not None:
            records = self._pick(records)
        self.shown += records.count(b"\n")
        self._out.write(records)

    def write_rejected(self, entries: bytes) -> None:
        """Take entries for the rejects file."""
        if self._rejects is not None:
            self._rejects.write(entries)

    def sync(self, journal: Journal) -> Journal:
        """Have everything on the disk, and note how far that is."""
        rejects = NOTHING if self._rejects is None else self._rejects.sync()
        return msgspec.structs.replace(journal, out=self._out.sync(), rejects=rejects, shown=self.shown)
