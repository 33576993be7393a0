"""Who looks on: what delivery tells of itself, for logs, metrics and the service's own status. No text of a message, no
address.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from botopt.model.live import OutboxRow
from botopt.runtime.delivering.breaker import Breaker


class Watching(Protocol):
    """What is told as it happens. Called from many threads; must come back at once."""

    def attempted(self, row: OutboxRow, took_us: int) -> None:
        """A channel was asked, and has answered, failed, or been given up after so long."""

    def concluded(self, row: OutboxRow) -> None:
        """What became of an attempt is on the disk: delivered, dead, unsure, or pending again; `detail` says why."""

    def breaker(self, channel: str, state: Breaker) -> None:
        """A channel's breaker has changed."""

    def stuck(self, channel: str, threads: int) -> None:
        """How many attempts of a channel do not come back; told when it changes."""

    def trouble(self, channel: str, detail: str) -> None:
        """Something keeps this channel from its work, such as a full disk. It tries again."""


class Unwatched:
    """Nobody looks on."""

    def attempted(self, row: OutboxRow, took_us: int) -> None: ...
    def concluded(self, row: OutboxRow) -> None: ...
    def breaker(self, channel: str, state: Breaker) -> None: ...
    def stuck(self, channel: str, threads: int) -> None: ...
    def trouble(self, channel: str, detail: str) -> None: ...


class ChannelStatus(msgspec.Struct, frozen=True):
    """How a channel does. `paused_us`: how much longer nothing is claimed, as its platform or its breaker wants.

    `unwritten`: results that are not on the disk yet. `stuck` counts attempts that do not come back; `blocked`: there
    are so many that none is begun any more. `draining`: it is ending, or belongs to a policy that was replaced.
    """

    name: str
    breaker: Breaker
    running: int
    paused_us: int = 0
    unwritten: int = 0
    stuck: int = 0
    blocked: bool = False
    draining: bool = False

    @property
    def well(self) -> bool:
        """Whether messages flow."""
        return self.breaker is Breaker.CLOSED and not self.blocked
