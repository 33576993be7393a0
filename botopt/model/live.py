"""What the live service keeps in a state file beside the users, as rows; and what it asks of the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from botopt.model.decision import Message
from botopt.model.event import Event
from botopt.model.ports import StateStore, UserRow
from botopt.model.silence import Silence


class OutboxStatus(StrEnum):
    """Where a message is on its way.

    `pending`: waits for its time. `claimed`: an attempt began. `delivered`: the provider took it. `withdrawn`: it was
    not to go out any more. `dead`: given up. `unsure`: it may have arrived; a person decides. `dropped`: a person gave
    it up.
    """

    PENDING = "pending"
    CLAIMED = "claimed"
    DELIVERED = "delivered"
    WITHDRAWN = "withdrawn"
    DEAD = "dead"
    UNSURE = "unsure"
    DROPPED = "dropped"


OPEN = (OutboxStatus.PENDING, OutboxStatus.CLAIMED)
"""What is not over yet."""

DOUBTFUL = "it may have arrived; "
"""Before the detail of a row of which some attempt may have arrived. It is how the row remembers that."""


class Parcel(msgspec.Struct, frozen=True, array_like=True):
    """What a row of the outbox carries: the message, the event that led to it, and the trace it belongs to.

    `texts` replace the message's text where a platform returned texts that another channel carries.
    """

    message: Message
    event: Event
    trace: Mapping[str, str] = {}
    texts: tuple[str, ...] = ()


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """One message on its way through one channel. `key` is its idempotency key: the message's id, and `:channel` after
    it where another channel took over.

    `next_us`: not before then. `first_us`: when the first attempt began. `detail`: the last failure, or why it was
    withdrawn. `provider_id`, `address`: as known since an attempt. `parcel`: a packed `Parcel` (see `pack_parcel`).
    """

    key: str
    message_id: str
    user: str
    channel: str
    status: OutboxStatus = OutboxStatus.PENDING
    attempts: int = 0
    created_us: int
    next_us: int
    first_us: int | None = None
    changed_us: int
    expires_us: int | None = None
    provider_id: str | None = None
    address: str | None = None
    detail: str | None = None
    parcel: bytes

    @property
    def doubtful(self) -> bool:
        """Whether some attempt may have arrived, and nobody knows."""
        return (self.detail or "").startswith(DOUBTFUL)

    def came_to(self, detail: str) -> str:
        """The `detail` that says this from now on; doubt is not forgotten."""
        return DOUBTFUL + detail if self.doubtful else detail


class DecisionRow(msgspec.Struct, frozen=True):
    """A decision record with what people look for; `record` is its JSON line.

    `sequence` is given by the store, and always rises: `decided_us`, or one more than the last one. So it is also the
    time of the decision by a clock that never goes back.
    """

    id: str
    user: str | None
    event_id: str | None
    event_type: str | None
    time_us: int | None
    outcome: str
    reason: str | None
    record: bytes
    decided_us: int
    sequence: int = 0


class StoredAnswer(msgspec.Struct, frozen=True):
    """The answer to a request with an `Idempotency-Key`. `key` is a hash of who asked and their key, `body_hash` of
    the body. `users` are those of whom `body` tells something: it is deleted when one of them is erased.
    """

    key: str
    body_hash: str
    status: int
    body: bytes
    created_us: int
    users: tuple[str, ...] = ()


class ApiKey(msgspec.Struct, frozen=True):
    """A key to the service. `hashed` is a SHA-256 of the secret part, which nobody keeps. Scopes: ingest, read,
    admin.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    hashed: bytes
    created_us: int
    expires_us: int | None = None
    revoked_us: int | None = None


class Changes(msgspec.Struct, kw_only=True):
    """Everything that is committed together. Later rows win over earlier ones with the same key or id.

    `erased` are users whose decisions, messages and answers go (their state row stays, as a tombstone, among `users`):
    those that stand in the store already. The rows beside it here are written afterwards, so they hold only what came
    after the erasure.
    """

    users: Sequence[UserRow] = ()
    meta: Mapping[str, str] = {}
    decisions: Sequence[DecisionRow] = ()
    outbox: Sequence[OutboxRow] = ()
    answers: Sequence[StoredAnswer] = ()
    erased: Sequence[str] = ()


class DecisionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which decisions, newest first. `before` is a sequence number: only older ones. `since_us` (with it) and
    `until_us` (without it) are compared with sequence numbers too.
    """

    user: str | None = None
    event_id: str | None = None
    event_type: str | None = None
    outcome: str | None = None
    reason: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    before: int | None = None
    limit: int = 100


class OutboxQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages of the outbox, newest first; empty `statuses`: all."""

    statuses: tuple[OutboxStatus, ...] = ()
    channel: str | None = None
    user: str | None = None
    limit: int = 100


class LiveReader(Protocol):
    """Reading beside the writer: each method sees what was committed last. One thread at a time; open one for each.

    Messages of erased users are not among what is read.
    """

    def load(self, users: Iterable[str]) -> Mapping[str, bytes]:
        """The packed states of those users that are known."""

    def meta(self) -> Mapping[str, str]:
        """Values about the whole state."""

    def held(self) -> int:
        """How many messages are held, over all users."""

    def decisions(self, query: DecisionQuery) -> Sequence[DecisionRow]:
        """Decisions, newest first."""

    def decision(self, id: str) -> DecisionRow | None:
        """One decision."""

    def answer(self, key: str) -> StoredAnswer | None:
        """The answer that was given under this key."""

    def outbox(self, query: OutboxQuery) -> Sequence[OutboxRow]:
        """Messages, newest first."""

    def outbox_row(self, key: str) -> OutboxRow | None:
        """One message on its way through one channel."""

    def outbox_of(self, message_id: str) -> Sequence[OutboxRow]:
        """All rows of one message, oldest first; by the keys that begin with its id."""

    def outbox_due(self, now_us: int, channel: str, limit: int) -> Sequence[OutboxRow]:
        """What is pending on a channel and may be tried now: the first `limit`, by (next_us, key)."""

    def outbox_ahead(self, now_us: int, limit: int) -> Sequence[OutboxRow]:
        """Pending messages that were changed later than now, by a clock that went back since. Reads all that wait."""

    def outbox_claimed(self) -> Sequence[OutboxRow]:
        """What was claimed and has no receipt: after a crash, the attempts whose fate is not known."""

    def outbox_next_us(self, channel: str) -> int | None:
        """When the next pending message of a channel may be tried."""

    def by_provider_id(self, channel: str, provider_id: str) -> OutboxRow | None:
        """The message that a provider calls so."""

    def by_address(self, channel: str, address: str) -> OutboxRow | None:
        """The newest message to this address."""

    def outbox_counts(self) -> Mapping[tuple[str, str], int]:
        """How many messages by (channel, status), of those that are not delivered, withdrawn or dropped."""

    def silences(self, now_us: int) -> Sequence[Silence]:
        """Those that have not ended, by id."""

    def api_keys(self) -> Sequence[ApiKey]:
        """All keys, revoked ones too, by id."""

    def drops_after(self, number: int, limit: int) -> Sequence[tuple[int, str]]:
        """Messages that administrators gave up after entry `number` of the audit trail: entries and keys, in order."""

    def control_version(self) -> int:
        """Changes whenever another process has written; cheap."""

    def close(self) -> None:
        """Let go of the file."""


class LiveStore(StateStore, LiveReader, Protocol):
    """The one that writes. It belongs to the writer's thread."""

    def commit_changes(self, changes: Changes) -> frozenset[str]:
        """All of it or nothing, on the disk when it returns.

        Returns the keys of those outbox rows that were not written, because an administrator dropped the message
        since it was read, or its user was erased: it must not be tried.
        """

    def tidy(self, before_us: int, limit: int) -> int:
        """Delete decisions, finished messages (dead and unsure ones too) and answers older than this, at most `limit`
        of each; how many went.
        """


class Control(Protocol):
    """What administrators change, also while a server runs: short transactions of their own, each with an audit
    entry.
    """

    def add_key(self, key: ApiKey, who: str) -> None:
        """One more key."""

    def revoke_key(self, id: str, now_us: int, who: str) -> bool:
        """Whether there was such a key that was not revoked."""

    def add_silence(self, silence: Silence) -> None:
        """One more silence."""

    def end_silence(self, id: str, now_us: int, who: str) -> bool:
        """Whether there was such a silence that had not ended."""

    def retry_outbox(self, keys: Sequence[str], now_us: int, who: str) -> int:
        """Dead, unsure and pending messages: try them now. How many there were.

        The attempts of dead and unsure ones are counted anew; their keys stay the same.
        """

    def drop_outbox(self, keys: Sequence[str], now_us: int, who: str) -> int:
        """Dead, unsure and pending messages: give them up. How many there were."""

    def audit(self, limit: int) -> Sequence[tuple[int, str, str, str]]:
        """(at_us, who, action, subject), newest first."""

    def close(self) -> None:
        """Let go of the file."""


_parcels = msgspec.msgpack.Decoder(Parcel)
_encoder = msgspec.msgpack.Encoder()


def pack_parcel(parcel: Parcel) -> bytes:
    """A parcel as bytes."""
    return _encoder.encode(parcel)


def unpack_parcel(blob: bytes) -> Parcel:
    """The parcel that `pack_parcel` wrote.

    Raises:
        msgspec.MsgspecError: the bytes are none.
    """
    return _parcels.decode(blob)
