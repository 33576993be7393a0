"""What a group of tasks has changed so far, before it is committed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from botopt.model.decision import Decision
from botopt.model.live import Changes, DecisionRow, OutboxRow, StoredAnswer
from botopt.model.ports import UserRow
from botopt.model.record import encode_line


class _Mark(msgspec.Struct, frozen=True):
    decisions: tuple[DecisionRow, ...]
    shown: int
    outbox: dict[str, OutboxRow]
    let_go: frozenset[str]
    answers: tuple[StoredAnswer, ...]
    erased: int
    faults: int


class Draft:
    """The changes of one group. What comes later in the group sees what came before."""

    def __init__(self) -> None:
        self.shown: list[Decision] = []
        """Every decision, for logs and metrics."""
        self.outbox: dict[str, OutboxRow] = {}
        self.answers: list[StoredAnswer] = []
        self.erased: list[str] = []
        self.let_go: set[str] = set()
        """Keys of outbox rows that stood here and went with their user."""
        self.faults: list[tuple[str, Exception]] = []
        """What went wrong beside the point, to be reported."""
        self._decisions: list[DecisionRow] = []
        self._mark: _Mark | None = None

    def add(self, decisions: Iterable[Decision], decided_us: int) -> None:
        """Decisions and their records: all of them, or none if one cannot be written."""
        decisions = tuple(decisions)
        rows = [_row(decision, decided_us) for decision in decisions]
        self.shown += decisions
        self._decisions += rows

    def user_of(self, message_id: str) -> str | None:
        """Whose message it is, if it was decided in this group."""
        return next((row.user for row in reversed(self._decisions) if row.id == message_id), None)

    def erase(self, user: str) -> None:
        """Nothing of a user is written but what comes after this, and the tombstone."""
        self._decisions = [row for row in self._decisions if row.user != user]
        self.let_go.update(key for key, row in self.outbox.items() if row.user == user)
        self.outbox = {key: row for key, row in self.outbox.items() if row.user != user}
        self.answers = [answer for answer in self.answers if user not in answer.users]
        self.erased.append(user)

    def mark(self) -> None:
        """From here on, `undo` takes back."""
        self._mark = _Mark(
            tuple(self._decisions),
            len(self.shown),
            dict(self.outbox),
            frozenset(self.let_go),
            tuple(self.answers),
            len(self.erased),
            len(self.faults),
        )

    def undo(self) -> None:
        """As it was when it was marked."""
        mark = self._mark
        assert mark is not None
        self._decisions = list(mark.decisions)
        self.outbox = dict(mark.outbox)
        self.let_go = set(mark.let_go)
        del self.shown[mark.shown :]
        self.answers = list(mark.answers)
        del self.erased[mark.erased :]
        del self.faults[mark.faults :]

    def changes(self, users: Sequence[UserRow], meta: dict[str, str]) -> Changes:
        """All of it, with these users and meta values."""
        return Changes(
            users=users,
            meta=meta,
            decisions=self._decisions,
            outbox=tuple(self.outbox.values()),
            answers=self.answers,
            erased=self.erased,
        )


def _row(decision: Decision, decided_us: int) -> DecisionRow:
    return DecisionRow(
        decision.id,
        decision.user,
        decision.event_id,
        decision.event_type,
        decision.time_us,
        decision.outcome.value,
        None if decision.reason is None else decision.reason.value,
        encode_line(decision),
        decided_us,
    )


def is_empty(changes: Changes) -> bool:
    """Whether there is nothing to write."""
    return not any(getattr(changes, name) for name in Changes.__struct_fields__)
