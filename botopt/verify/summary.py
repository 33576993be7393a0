"""What a replay did, in numbers."""

from __future__ import annotations

from collections import Counter

from botopt.model.decision import Decision, Outcome


class Summary:
    """Counts over the records of one run. `rejected` is keyed by the general part of the sentence."""

    def __init__(self) -> None:
        self.records = 0
        self.lines = 0
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.event_types: Counter[tuple[str, str]] = Counter()
        self.rejected: Counter[str] = Counter()
        self.responses: Counter[str] = Counter()
        self.still_held = 0
        self.interrupted = False

    def add(self, decision: Decision) -> None:
        """Count one record."""
        self.records += 1
        self.outcomes[decision.outcome.value] += 1
        if decision.reason is not None:
            self.reasons[decision.reason.value] += 1
        if decision.outcome is Outcome.REJECTED:
            self.rejected[(decision.detail or "").partition(":")[0]] += 1
        elif decision.event_type is not None:
            self.event_types[decision.event_type, decision.outcome.value] += 1

    def to_plain(self) -> dict[str, object]:
        """The summary as plain data, largest counts first."""
        by_type: dict[str, dict[str, int]] = {}
        for (event_type, outcome), number in sorted(self.event_types.items()):
            by_type.setdefault(event_type, {})[outcome] = number
        return {
            "lines": self.lines,
            "records": self.records,
            "outcomes": dict(self.outcomes.most_common()),
            "reasons": dict(self.reasons.most_common()),
            "rejected": dict(self.rejected.most_common()),
            "responses": dict(self.responses.most_common()),
            "event_types": by_type,
            "still_held": self.still_held,
            "interrupted": self.interrupted,
        }
