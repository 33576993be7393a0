"""What the writer takes in and what it gives back: the words that server, delivery and writer have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

import msgspec

from botopt.model.decision import Decision
from botopt.model.delivery import Feedback
from botopt.model.errors import BotoptError
from botopt.model.event import Event, Rejected
from botopt.model.live import OutboxRow, Parcel, StoredAnswer


class Overloaded(BotoptError):
    """The queue is full. Try again after `retry_after_s` seconds; nothing was taken."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many events are waiting; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Stopping(BotoptError):
    """The service is ending, or its state cannot be written; nothing was taken."""


class Received(msgspec.Struct, frozen=True):
    """What became of one event.

    `decisions` are its own, not those of messages that it released; none for an event that leads to no decision
    (feedback, attributes, what is only remembered).
    """

    event_id: str | None
    accepted: bool
    decisions: tuple[Decision, ...] = ()


Answering = Callable[[Sequence[Received]], StoredAnswer]
"""Makes the answer that is to be kept for an `Idempotency-Key`, from what became of the request's events.

It is called in the writer's thread before the commit, and may be called again for the same request.
"""


class Claimed(msgspec.Struct, frozen=True):
    """A message that may be tried now; the claim is on the disk. `address` is where to; None: the user has none there.

    `last_active_us` is when the user was last heard of in the chat, on this channel or on none in particular.
    """

    row: OutboxRow
    parcel: Parcel
    address: str | None
    last_active_us: int | None


class Writing(Protocol):
    """What delivery asks of the writer. Every future ends when the change is on the disk, or with its fault."""

    def claim(
        self, channel: str, limit: int, to: str | None = None, due_us: int | None = None
    ) -> Future[Sequence[Claimed]]:
        """Claim what is due on a channel. What must not go out any more is withdrawn instead, and not given back.

        Args:
            channel: its name.
            limit: how many at most.
            to: the attribute that holds addresses, as the channel that asks was made with it (None: the user's id): the
                policy that decides may be another one by now.
            due_us: only what was due by then; None: by now.
        """

    def conclude(self, rows: Sequence[OutboxRow], feedback: Sequence[Feedback] = ()) -> Future[None]:
        """Write these rows, new ones (a fallback) too, and take in the feedback (`message.failed`) with them.

        A row takes the place of a claimed one, or is new: what is over, or was erased meanwhile, stays as it is.
        """

    def unfinished(self) -> Sequence[OutboxRow]:
        """What an earlier life of the service had claimed when it ended: nobody knows how these attempts went."""


class Submitting(Protocol):
    """What the server asks of the writer."""

    def receive(
        self,
        events: Sequence[Event | Rejected],
        *,
        received_us: int,
        answering: Answering | None = None,
        trace: Mapping[str, str] | None = None,
        read_by: str | None = None,
    ) -> Future[Sequence[Received]]:
        """Decide events, in their order, and commit what follows. All of them are taken, or none.

        Args:
            events: what one request brought.
            received_us: when it came; no user's clock reads less from then on.
            answering: makes the answer that is committed with it.
            trace: the headers of its W3C trace context.
            read_by: the revision of the policy whose decoder read them. Where another policy decides them meanwhile
                (or None says that nobody knows), they are taken as that one declares them, and an event of a type that
                it does not know is rejected.

        Raises:
            Overloaded: at once, when the queue is full.
            Stopping: at once.
        """

    def feedback(self, channel: str, feedback: Sequence[Feedback], received_us: int) -> Future[Sequence[Received]]:
        """Take in what a platform told us. What names no user or message that is known is not accepted.

        Raises:
            Overloaded: at once, when the queue is full.
            Stopping: at once.
        """

    def erase(self, user: str, now_us: int) -> Future[bool]:
        """Forget a user; whether anything was known. Until `user.subscribed` comes, the id is refused."""
