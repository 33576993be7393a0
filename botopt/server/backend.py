"""What the server needs of the service behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

from botopt.model.channels import Channel
from botopt.model.delivery import Feedback
from botopt.model.event import Event, Rejected
from botopt.model.live import LiveReader
from botopt.model.policy import Policy
from botopt.runtime.items import Answering, Received
from botopt.runtime.queries import DryRun
from botopt.runtime.status import Status


class ChannelState(Protocol):
    """How a channel does."""

    @property
    def name(self) -> str:
        """Its name in the policy."""

    @property
    def breaker(self) -> str:
        """`closed`, `open` or `half_open`."""

    @property
    def well(self) -> bool:
        """Whether messages flow."""


class Backend(Protocol):
    """The running service, as the server sees it. Any thread may ask."""

    def receive(
        self,
        events: Sequence[Event | Rejected],
        *,
        received_us: int,
        answering: Answering | None = None,
        trace: Mapping[str, str] | None = None,
        read_by: str | None = None,
    ) -> Future[Sequence[Received]]:
        """See `botopt.runtime.items.Submitting`; `read_by` is the revision of the policy that read the events."""

    def feedback(self, channel: str, feedback: Sequence[Feedback], received_us: int) -> Future[Sequence[Received]]:
        """See `botopt.runtime.items.Submitting`."""

    def erase(self, user: str, now_us: int) -> Future[bool]:
        """See `botopt.runtime.items.Submitting`."""

    @property
    def policy(self) -> Policy:
        """The policy that decides now."""

    def reader(self) -> LiveReader:
        """One more reader of the state, for one thread, which closes it."""

    def explain(self, event: Event, now_us: int) -> DryRun:
        """What would be decided about an event that came now. It may take a while."""

    def not_ready(self) -> tuple[str, ...]:
        """Why no events can be taken now, as sentences; none: they can. Cheap."""

    def status(self) -> Status:
        """How everything is. It reads."""

    def channel(self, name: str) -> Channel | None:
        """The channel of that name, as it runs now."""

    def channels(self) -> Sequence[ChannelState]:
        """How the channels do."""
