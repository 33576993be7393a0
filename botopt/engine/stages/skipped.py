"""A rule said `skip: true`; the first matching one is named."""

from __future__ import annotations

from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import EventType, Policy


def bind(policy: Policy, event_type: EventType) -> Stage | None:
    """Only for event types with a skipping rule."""
    if not any(rule.skip for rule in event_type.rules):
        return None

    def stops(work: Work) -> tuple[Stop, ...]:
        if work.skipped_by is None:
            return ()
        return (Stop(Reason.SKIPPED, work.skipped_by),)

    return stops
