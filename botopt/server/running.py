"""The service and its delivery, side by side: what the server asks, and in which order they begin and end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

from botopt.model.channels import Channel
from botopt.model.delivery import Feedback
from botopt.model.event import Event, Rejected
from botopt.model.live import LiveReader
from botopt.model.policy import Policy
from botopt.runtime.items import Answering, Received
from botopt.runtime.queries import DryRun
from botopt.runtime.service import Service
from botopt.runtime.status import Status
from botopt.server.backend import ChannelState

_LEAST_S = 1.0
"""For the writer, when delivery has used up the time: what came of its attempts must be written down."""


class Delivering(Protocol):
    """What is asked of delivery."""

    def channel(self, name: str) -> Channel | None:
        """The channel of this name."""

    def status(self) -> Sequence[ChannelState]:
        """How the channels do."""

    def stop(self, within_s: float) -> int:
        """End; how many attempts did not."""


class Running:
    """A service with its delivery, as the server sees it."""

    def __init__(self, service: Service, delivering: Delivering) -> None:
        self.service = service
        self._delivering = delivering
        self.reader: Callable[[], LiveReader] = service.reader
        self.explain: Callable[[Event, int], DryRun] = service.explain
        self.not_ready: Callable[[], tuple[str, ...]] = service.not_ready
        self.status: Callable[[], Status] = service.status
        self.channel: Callable[[str], Channel | None] = delivering.channel
        self.channels: Callable[[], Sequence[ChannelState]] = delivering.status

    @property
    def policy(self) -> Policy:
        """The policy that decides now."""
        return self.service.policy

    def receive(
        self,
        events: Sequence[Event | Rejected],
        *,
        received_us: int,
        answering: Answering | None = None,
        trace: Mapping[str, str] | None = None,
        read_by: str | None = None,
    ) -> Future[Sequence[Received]]:
        """See `Backend`."""
        return self.service.receive(events, received_us=received_us, answering=answering, trace=trace, read_by=read_by)

    def feedback(self, channel: str, feedback: Sequence[Feedback], received_us: int) -> Future[Sequence[Received]]:
        """See `Backend`."""
        return self.service.feedback(channel, feedback, received_us)

    def erase(self, user: str, now_us: int) -> Future[bool]:
        """See `Backend`."""
        return self.service.erase(user, now_us)

    def stop(self, drain_s: float, between: Callable[[], None] = lambda: None) -> int:
        """End delivery first, while the writer still writes down what came of it; how many attempts did not end.

        `between` is called when delivery has ended, before the state is closed.
        """
        ends = time.monotonic() + drain_s
        self.service.refuse_events()
        left = self._delivering.stop(drain_s)
        between()
        self.service.stop(max(ends - time.monotonic(), _LEAST_S))
        return left
