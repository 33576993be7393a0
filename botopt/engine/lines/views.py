"""What a snapshot means to one event type, worked out once."""

from __future__ import annotations

from botopt.engine.lines.texts import decimal
from botopt.engine.plan import Plan
from botopt.learning.engagement import factor_of, factor_of_unknown, of_chances, prior_of
from botopt.model.learned import Snapshot


class View:
    """What follows from a snapshot for one event type: what is expected of users, and how records end."""

    __slots__ = (
        "end",
        "factor",
        "low_end",
        "no_message",
        "scorer_factor",
        "unknown_factor",
        "unknown_rate",
        "unknown_text",
    )

    def __init__(self, snapshot: Snapshot, plan: Plan, revision: str) -> None:
        settings = plan.settings.engagement
        prior = prior_of(settings, snapshot, plan.event_type.name)
        self.factor = factor_of(settings, prior)
        self.scorer_factor = of_chances(settings, prior.rate)
        self.unknown_factor = factor_of_unknown(settings, prior)
        self.unknown_rate = prior.rate * prior.ratio
        self.unknown_text = decimal(self.unknown_factor)
        shown = f'"{snapshot.id}"' if plan.learns else "null"
        self.end = f',"snapshot":{shown},"revision":"{revision}"}}\n'
        self.no_message = f',"choices":[],"message":null{self.end}'
        self.low_end = f',"cause":null{self.no_message}'
