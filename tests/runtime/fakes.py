"""A store in memory that can be told to fail, for tests of what stands on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from botopt.model.errors import StateError
from botopt.model.live import Changes, DecisionQuery, DecisionRow, OutboxQuery, OutboxRow, OutboxStatus, StoredAnswer
from botopt.model.silence import Silence
from botopt.state.memory import MemoryStore


class FakeStore(MemoryStore):
    """`botopt.model.live.LiveStore`. `commits` are all that was committed; `before_commit` may raise."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[Changes] = []
        self.before_commit: Callable[[Changes], None] = lambda _: None
        self.before_load: Callable[[Iterable[str]], None] = lambda _: None
        self.decided: dict[str, DecisionRow] = {}
        self.rows: dict[str, OutboxRow] = {}
        self.answers: dict[str, StoredAnswer] = {}
        self.silent: list[Silence] = []
        self.version = 0
        self.closed = False

    def load(self, users: Iterable[str]):
        users = list(users)
        self.before_load(users)
        return super().load(users)

    def commit_changes(self, changes: Changes) -> frozenset[str]:
        self.before_commit(changes)
        self.commits.append(changes)
        gone = set(changes.erased)
        self.decided = {id: row for id, row in self.decided.items() if row.user not in gone}
        self.rows = {key: row for key, row in self.rows.items() if row.user not in gone}
        self.commit(changes.users, meta=changes.meta)
        for decision in changes.decisions:
            self.decided[decision.id] = decision
        for row in changes.outbox:
            self.rows[row.key] = row
        for answer in changes.answers:
            self.answers[answer.key] = answer
        return frozenset()

    def tidy(self, before_us: int, limit: int) -> int:
        return 0

    def decisions(self, query: DecisionQuery) -> Sequence[DecisionRow]:
        found = [row for row in self.decided.values() if query.user in (None, row.user)]
        return found[::-1][: query.limit]

    def decision(self, id: str) -> DecisionRow | None:
        return self.decided.get(id)

    def answer(self, key: str) -> StoredAnswer | None:
        return self.answers.get(key)

    def outbox(self, query: OutboxQuery) -> Sequence[OutboxRow]:
        found = [row for row in self.rows.values() if query.user in (None, row.user)]
        return found[::-1][: query.limit]

    def outbox_row(self, key: str) -> OutboxRow | None:
        return self.rows.get(key)

    def outbox_of(self, message_id: str) -> Sequence[OutboxRow]:
        return [row for row in self.rows.values() if row.message_id == message_id]

    def outbox_due(self, now_us: int, channel: str, limit: int) -> Sequence[OutboxRow]:
        due = [
            row
            for row in self.rows.values()
            if row.channel == channel and row.status is OutboxStatus.PENDING and row.next_us <= now_us
        ]
        return sorted(due, key=lambda row: (row.next_us, row.key))[:limit]

    def outbox_claimed(self) -> Sequence[OutboxRow]:
        return [row for row in self.rows.values() if row.status is OutboxStatus.CLAIMED]

    def outbox_next_us(self, channel: str) -> int | None:
        return min(
            (r.next_us for r in self.rows.values() if r.channel == channel and r.status == "pending"), default=None
        )

    def by_provider_id(self, channel: str, provider_id: str) -> OutboxRow | None:
        return next((r for r in self.rows.values() if (r.channel, r.provider_id) == (channel, provider_id)), None)

    def by_address(self, channel: str, address: str) -> OutboxRow | None:
        found = [row for row in self.rows.values() if (row.channel, row.address) == (channel, address)]
        return max(found, key=lambda row: row.created_us, default=None)

    def outbox_counts(self):
        counts: dict[tuple[str, str], int] = {}
        for row in self.rows.values():
            if row.status not in (OutboxStatus.DELIVERED, OutboxStatus.WITHDRAWN, OutboxStatus.DROPPED):
                key = (row.channel, row.status.value)
                counts[key] = counts.get(key, 0) + 1
        return counts

    def silences(self, now_us: int) -> Sequence[Silence]:
        return sorted((one for one in self.silent if one.until_us > now_us), key=lambda one: one.id)

    def api_keys(self):
        return ()

    def control_version(self) -> int:
        return self.version

    def close(self) -> None:
        self.closed = True


def full_disk(_: object) -> None:
    raise StateError("state.db: the disk is full. Nothing of the last batch was written; what was there is kept.")
