"""What a replay did, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

import msgspec

from botopt.model.decision import Decision, Outcome, Reason

_Name = TypeVar("_Name", bound=Hashable)
Key = tuple[str | None, Outcome, Reason | None]
"""What records are counted by: event type, outcome, reason."""


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A summary at rest, between two parts of one run."""

    lines: int
    decided: tuple[tuple[str | None, Outcome, Reason | None, int], ...]
    rejected: dict[str, int]
    responses: dict[str, int]


class Summary:
    """Counts over the records of one run. `rejected` is keyed by the general part of the sentence."""

    def __init__(self) -> None:
        self.lines = 0
        self.decided: Counter[Key] = Counter()
        self.rejected: Counter[str] = Counter()
        self.responses: Counter[str] = Counter()
        self.still_held = 0
        self.interrupted = False

    def add(self, decision: Decision) -> None:
        """Count one record."""
        self.decided[decision.event_type, decision.outcome, decision.reason] += 1
        if decision.outcome is Outcome.REJECTED:
            self.rejected[(decision.detail or "").partition(":")[0]] += 1

    def merge(self, other: Summary) -> None:
        """Add the counts of another part of the run."""
        self.lines += other.lines
        self.decided.update(other.decided)
        self.rejected.update(other.rejected)
        self.responses.update(other.responses)

    @property
    def records(self) -> int:
        """How many records were written."""
        return self.decided.total()

    def outcomes(self) -> Counter[str]:
        """Records by outcome."""
        return _summed((outcome.value, number) for (_, outcome, _), number in self.decided.items())

    def reasons(self) -> Counter[str]:
        """Records by reason."""
        return _summed((reason.value, number) for (_, _, reason), number in self.decided.items() if reason is not None)

    def event_types(self) -> Counter[tuple[str, str]]:
        """Records by event type and outcome, without rejected ones."""
        return _summed(
            ((name, outcome.value), number)
            for (name, outcome, _), number in self.decided.items()
            if name is not None and outcome is not Outcome.REJECTED
        )

    def keep(self) -> Kept:
        """The counts so far."""
        decided = sorted(self.decided.items(), key=lambda pair: (pair[0][0] or "", *map(str, pair[0][1:])))
        return Kept(self.lines, tuple((*key, n) for key, n in decided), dict(self.rejected), dict(self.responses))

    @classmethod
    def kept(cls, kept: Kept) -> Summary:
        """A summary that goes on counting from there."""
        summary = cls()
        summary.lines = kept.lines
        summary.decided.update({(name, outcome, reason): n for name, outcome, reason, n in kept.decided})
        summary.rejected.update(kept.rejected)
        summary.responses.update(kept.responses)
        return summary

    def to_plain(self) -> dict[str, object]:
        """The summary as plain data, largest counts first."""
        by_type: dict[str, dict[str, int]] = {}
        for (event_type, outcome), number in sorted(self.event_types().items()):
            by_type.setdefault(event_type, {})[outcome] = number
        return {
            "lines": self.lines,
            "records": self.records,
            "outcomes": largest_first(self.outcomes()),
            "reasons": largest_first(self.reasons()),
            "rejected": largest_first(self.rejected),
            "responses": largest_first(self.responses),
            "event_types": by_type,
            "still_held": self.still_held,
            "interrupted": self.interrupted,
        }


def largest_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts in an order that does not depend on who counted first."""
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _summed(parts: Iterable[tuple[_Name, int]]) -> Counter[_Name]:
    total: Counter[_Name] = Counter()
    for name, number in parts:
        total[name] += number
    return total
