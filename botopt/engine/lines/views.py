"""What a snapshot means to one event type, worked out once."""

from __future__ import annotations

from botopt.engine.lines.texts import decimal
from botopt.engine.plan import Plan
from botopt.learning.engagement import factor_of, factor_of_unknown, prior_of
from botopt.model.learned import Snapshot


class View:
    """What follows from a snapshot for one event type: what is expected of users, and how records end."""

    __slots__ = (
        "end",
        "factor",
        "low_end",
        "no_message",
        "prior",
        "unknown_factor",
        "unknown_scores",
        "unknown_text",
    )

    def __init__(self, snapshot: Snapshot, plan: Plan, revision: str) -> None:
        settings = plan.settings.engagement
        self.prior = prior_of(settings, snapshot, plan.event_type.name)
        self.factor = factor_of(settings, self.prior)
        self.unknown_factor = factor_of_unknown(settings, self.prior)
        self.unknown_text = decimal(self.unknown_factor)
        self.unknown_scores: dict[int, tuple[float, str]] = {}
        shown = f'"{snapshot.id}"' if plan.learns else "null"
        self.end = f',"snapshot":{shown},"revision":"{revision}"}}\n'
        self.no_message = f',"choices":[],"message":null{self.end}'
        self.low_end = f',"cause":null{self.no_message}'
