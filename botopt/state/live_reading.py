"""Reading what the live service keeps, from a state file (`botopt.model.live.LiveReader`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from botopt.model.errors import StateCorrupt
from botopt.model.live import ApiKey, DecisionQuery, DecisionRow, OutboxQuery, OutboxRow, OutboxStatus, StoredAnswer
from botopt.model.silence import Silence
from botopt.state import live_queries as queries
from botopt.state.faults import in_words
from botopt.state.live_rows import Values, answer_of, decision_of, key_of, outbox_of, silence_of

_COUNTED = tuple(
    status
    for status in OutboxStatus
    if status not in (OutboxStatus.DELIVERED, OutboxStatus.WITHDRAWN, OutboxStatus.DROPPED)
)


class LiveReading:
    """The part of a store that reads the live service's tables. Each method sees what was committed last."""

    _path: Path
    _connection: sqlite3.Connection

    def _rows(self, query: str, values: Values = ()) -> list[Values]:
        with in_words(self._path):
            try:
                return self._connection.execute(query, values).fetchall()
            except UnicodeEncodeError:  # half a character, from a command line: no row holds it
                return []

    def decisions(self, query: DecisionQuery) -> Sequence[DecisionRow]:
        """Decisions, newest first."""
        return [decision_of(self._path, values) for values in self._rows(*queries.decisions(query))]

    def decision(self, id: str) -> DecisionRow | None:
        """One decision."""
        rows = self._rows(queries.DECISION_BY_ID, (id,))
        return decision_of(self._path, rows[0]) if rows else None

    def answer(self, key: str) -> StoredAnswer | None:
        """The answer that was given under this key."""
        rows = self._rows(queries.ANSWER_BY_KEY, (key,))
        return answer_of(self._path, rows[0], self._rows(queries.ANSWER_USERS, (key,))) if rows else None

    def outbox(self, query: OutboxQuery) -> Sequence[OutboxRow]:
        """Messages, newest first."""
        found: list[Values] = []
        for status in dict.fromkeys(query.statuses) or (None,):
            found += self._rows(*queries.outbox(query, status))
        found.sort(key=lambda values: values[0] if isinstance(values[0], int) else 0, reverse=True)
        return [outbox_of(self._path, values[1:]) for values in found[: max(0, query.limit)]]

    def outbox_row(self, key: str) -> OutboxRow | None:
        """One message on its way through one channel."""
        return self._first(queries.BY_KEY, (key,))

    def outbox_of(self, message_id: str) -> Sequence[OutboxRow]:
        """All rows of one message, oldest first; by the keys that begin with its id."""
        return self._outbox(queries.OF_MESSAGE, (message_id, f"{message_id};", message_id))  # `;` comes after `:`

    def outbox_due(self, now_us: int, channel: str, limit: int) -> Sequence[OutboxRow]:
        """What is pending on a channel and may be tried now: the first `limit`, by (next_us, key)."""
        return self._outbox(queries.DUE, (channel, now_us, limit))

    def outbox_ahead(self, now_us: int, limit: int) -> Sequence[OutboxRow]:
        """Pending messages that were changed later than now: by a clock that has gone back since."""
        return self._outbox(queries.AHEAD, (now_us, limit))

    def outbox_claimed(self) -> Sequence[OutboxRow]:
        """What was claimed and has no receipt: after a crash, the attempts whose fate is not known."""
        return self._outbox(queries.CLAIMED, ())

    def outbox_next_us(self, channel: str) -> int | None:
        """When the next pending message of a channel may be tried."""
        rows = self._rows(queries.NEXT_US, (channel,))
        return self._number(rows[0][0]) if rows else None

    def by_provider_id(self, channel: str, provider_id: str) -> OutboxRow | None:
        """The message that a provider calls so; the newest, if there are several."""
        return self._first(queries.BY_PROVIDER_ID, (channel, provider_id))

    def by_address(self, channel: str, address: str) -> OutboxRow | None:
        """The newest message to this address."""
        return self._first(queries.BY_ADDRESS, (channel, address))

    def outbox_counts(self) -> Mapping[tuple[str, str], int]:
        """How many messages by (channel, status), of those that are not delivered, withdrawn or dropped."""
        return {
            (str(channel), status.value): self._number(count)
            for status in _COUNTED
            for channel, count in self._rows(queries.COUNT, (status.value,))
        }

    def silences(self, now_us: int) -> Sequence[Silence]:
        """Those that have not ended, by id."""
        return [silence_of(self._path, values) for values in self._rows(queries.SILENCES, (now_us,))]

    def api_keys(self) -> Sequence[ApiKey]:
        """All keys, revoked ones too, by id."""
        return [key_of(self._path, values) for values in self._rows(queries.API_KEYS)]

    def drops_after(self, number: int, limit: int) -> Sequence[tuple[int, str]]:
        """Messages that administrators gave up after entry `number` of the audit trail: entries and keys, in order."""
        return [(self._number(entry), str(key)) for entry, key in self._rows(queries.DROPS, (number, limit))]

    def control_version(self) -> int:
        """Changes whenever another connection has written; cheap."""
        return self._number(self._rows("PRAGMA data_version")[0][0])

    def _first(self, query: str, values: Values) -> OutboxRow | None:
        rows = self._outbox(query, values)
        return rows[0] if rows else None

    def _outbox(self, query: str, values: Values) -> Sequence[OutboxRow]:
        return [outbox_of(self._path, row) for row in self._rows(query, values)]

    def _number(self, value: object) -> int:
        if not isinstance(value, int):
            raise StateCorrupt(f"{self._path} is damaged: a number in the table outbox is none")
        return value
