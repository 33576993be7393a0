"""What the live service keeps, in memory: for tests, and to try a service that forgets everything when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar

import msgspec

from botopt.model.live import (
    OPEN,
    ApiKey,
    Changes,
    DecisionQuery,
    DecisionRow,
    OutboxQuery,
    OutboxRow,
    OutboxStatus,
    StoredAnswer,
)
from botopt.model.ports import UserRow
from botopt.model.silence import Silence
from botopt.state.memory import MemoryStore

P = ParamSpec("P")
R = TypeVar("R")

_COUNTED = (*OPEN, OutboxStatus.DEAD, OutboxStatus.UNSURE)


def _whole(
    method: Callable[Concatenate[MemoryLive, P], R],
) -> Callable[Concatenate[MemoryLive, P], R]:
    """One thread at a time: readers see each commit whole."""

    def alone(self: MemoryLive, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            return method(self, *args, **kwargs)

    return alone


class MemoryLive(MemoryStore):
    """A store in memory (`botopt.model.live.LiveStore`). Any thread may read it.

    What a `MemoryControl` changes stands in the public attributes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock = RLock()
        self.keys: dict[str, ApiKey] = {}
        self.silenced: dict[str, Silence] = {}
        self.messages: dict[str, OutboxRow] = {}
        self.audit: list[tuple[int, str, str, str]] = []
        self.version = 1
        self._decisions: dict[str, DecisionRow] = {}
        self._answers: dict[str, StoredAnswer] = {}
        self._erased: dict[str, int] = {}
        self._last = 0

    @_whole
    def load(self, users: Iterable[str]) -> Mapping[str, bytes]:
        """The packed states of those users that are known."""
        return super().load(users)

    @_whole
    def commit(self, rows: Iterable[UserRow], *, meta: Mapping[str, str]) -> None:
        """Write users and meta values together, or nothing at all."""
        super().commit(rows, meta=meta)

    @_whole
    def commit_changes(self, changes: Changes) -> frozenset[str]:
        """All of it or nothing; the keys of outbox rows that were not written."""
        self._erase(frozenset(changes.erased))
        super().commit(changes.users, meta=changes.meta)
        for row in changes.decisions:
            self._last = max(self._last + 1, row.decided_us)
            self._decisions.pop(row.id, None)
            self._decisions[row.id] = msgspec.structs.replace(row, sequence=self._last)
        self._answers.update((answer.key, answer) for answer in changes.answers)
        return frozenset(row.key for row in changes.outbox if not self._put(row))

    def _put(self, row: OutboxRow) -> bool:
        before = self.messages.get(row.key)
        if {row.key, row.message_id} & self._erased.keys():
            return False
        if before is not None and before.status is OutboxStatus.DROPPED:
            return False
        created_us = row.created_us if before is None else before.created_us
        self.messages[row.key] = msgspec.structs.replace(row, created_us=created_us)
        return True

    def _erase(self, users: frozenset[str]) -> None:
        self._decisions = {id: row for id, row in self._decisions.items() if row.user not in users}
        self._answers = {key: answer for key, answer in self._answers.items() if not users & {*answer.users}}
        for row in [row for row in self.messages.values() if row.user in users]:
            del self.messages[row.key]
            self._erased[row.key] = row.changed_us

    @_whole
    def tidy(self, before_us: int, limit: int) -> int:
        """Delete decisions, finished messages and answers older than this, at most `limit` of each; how many went."""
        over = {row.key: row.changed_us for row in self.messages.values() if row.status not in OPEN} | self._erased
        old: list[tuple[dict[str, int], tuple[dict[str, object], ...]]] = [
            ({row.id: row.sequence for row in self._decisions.values()}, (_plain(self._decisions),)),
            (over, (_plain(self.messages), _plain(self._erased))),
            ({answer.key: answer.created_us for answer in self._answers.values()}, (_plain(self._answers),)),
        ]
        gone = 0
        for times, tables in old:
            for key in [key for key in sorted(times, key=lambda key: times[key]) if times[key] < before_us][:limit]:
                gone += 1
                for table in tables:
                    table.pop(key, None)
        return gone

    @_whole
    def decisions(self, query: DecisionQuery) -> Sequence[DecisionRow]:
        """Decisions, newest first."""
        wanted = [
            (name, value)
            for name in ("user", "event_id", "event_type", "outcome", "reason")
            if (value := getattr(query, name)) is not None
        ]
        found = [
            row
            for row in self._decisions.values()
            if all(getattr(row, name) == value for name, value in wanted)
            and (query.since_us is None or row.sequence >= query.since_us)
            and all(row.sequence < us for us in (query.until_us, query.before) if us is not None)
        ]
        return sorted(found, key=attrgetter("sequence"), reverse=True)[: max(0, query.limit)]

    @_whole
    def decision(self, id: str) -> DecisionRow | None:
        """One decision."""
        return self._decisions.get(id)

    @_whole
    def answer(self, key: str) -> StoredAnswer | None:
        """The answer that was given under this key."""
        return self._answers.get(key)

    def _outbox(self, keep: Callable[[OutboxRow], bool]) -> list[OutboxRow]:
        with self.lock:
            return [row for row in self.messages.values() if keep(row)]

    def outbox(self, query: OutboxQuery) -> Sequence[OutboxRow]:
        """Messages, newest first."""
        found = self._outbox(
            lambda row: (
                (not query.statuses or row.status in query.statuses)
                and query.channel in (None, row.channel)
                and query.user in (None, row.user)
            )
        )
        return found[::-1][: max(0, query.limit)]

    @_whole
    def outbox_row(self, key: str) -> OutboxRow | None:
        """One message on its way through one channel."""
        return self.messages.get(key)

    def outbox_of(self, message_id: str) -> Sequence[OutboxRow]:
        """All rows of one message, oldest first."""
        return self._outbox(lambda row: row.message_id == message_id)

    def outbox_due(self, now_us: int, channel: str, limit: int) -> Sequence[OutboxRow]:
        """What is pending on a channel and may be tried now: the first `limit`, by (next_us, key)."""
        found = self._outbox(lambda row: _waits(row, channel) and row.next_us <= now_us)
        return sorted(found, key=attrgetter("next_us", "key"))[:limit]

    def outbox_ahead(self, now_us: int, limit: int) -> Sequence[OutboxRow]:
        """Pending messages that were changed later than now: by a clock that has gone back since."""
        return self._outbox(lambda row: row.status is OutboxStatus.PENDING and row.changed_us > now_us)[:limit]

    def outbox_claimed(self) -> Sequence[OutboxRow]:
        """What was claimed and has no receipt: after a crash, the attempts whose fate is not known."""
        return self._outbox(lambda row: row.status is OutboxStatus.CLAIMED)

    def outbox_next_us(self, channel: str) -> int | None:
        """When the next pending message of a channel may be tried."""
        return min((row.next_us for row in self._outbox(lambda row: _waits(row, channel))), default=None)

    def by_provider_id(self, channel: str, provider_id: str) -> OutboxRow | None:
        """The message that a provider calls so; the newest, if there are several."""
        return _last(self._outbox(lambda row: (row.channel, row.provider_id) == (channel, provider_id)))

    def by_address(self, channel: str, address: str) -> OutboxRow | None:
        """The newest message to this address."""
        return _last(self._outbox(lambda row: (row.channel, row.address) == (channel, address)))

    def outbox_counts(self) -> Mapping[tuple[str, str], int]:
        """How many messages by (channel, status), of those that are not delivered, withdrawn or dropped."""
        counts: dict[tuple[str, str], int] = {}
        for row in self._outbox(lambda row: row.status in _COUNTED):
            key = (row.channel, row.status.value)
            counts[key] = counts.get(key, 0) + 1
        return counts

    @_whole
    def silences(self, now_us: int) -> Sequence[Silence]:
        """Those that have not ended, by id."""
        return [self.silenced[id] for id in sorted(self.silenced) if self.silenced[id].until_us > now_us]

    @_whole
    def api_keys(self) -> Sequence[ApiKey]:
        """All keys, revoked ones too, by id."""
        return [self.keys[id] for id in sorted(self.keys)]

    def drops_after(self, number: int, limit: int) -> Sequence[tuple[int, str]]:
        """Messages that a `MemoryControl` gave up after entry `number` of the audit trail: entries and keys."""
        entries = enumerate(self.audit[number:], number + 1)
        return [(place, key) for place, (_, _, action, key) in entries if action == "outbox drop"][:limit]

    def control_version(self) -> int:
        """Changes whenever a `MemoryControl` has written."""
        return self.version


def _plain(table: object) -> dict[str, object]:
    assert isinstance(table, dict)
    return table


def _waits(row: OutboxRow, channel: str) -> bool:
    return row.status is OutboxStatus.PENDING and row.channel == channel


def _last(rows: Sequence[OutboxRow]) -> OutboxRow | None:
    return rows[-1] if rows else None
