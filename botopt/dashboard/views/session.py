"""What one run of a page works with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from botopt.dashboard.asked import Asked
from botopt.dashboard.queries.asking import Answer, Filter
from botopt.model.policy import Policy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Given(msgspec.Struct, frozen=True):
    """What the command line asked for, and the policy of its workspace, if it named one."""

    asked: Asked
    policy: Policy | None = None

    @property
    def explains(self) -> bool:
        """Whether the engine can be asked why: it needs the policy and the events."""
        return self.policy is not None and bool(self.events)

    @property
    def events(self) -> tuple[Path, ...]:
        """The files of events, in their order."""
        return self.asked.events


class Looking(msgspec.Struct, frozen=True):
    """A visitor's connection, what they chose, and when policies began."""

    con: DuckDBPyConnection
    chosen: Filter
    revisions: Answer
    given: Given
