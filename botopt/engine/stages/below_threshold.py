"""The score must be above what is needed; both are rounded first, so that equal means equal."""

from __future__ import annotations

from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import EventType, Policy


def bind(policy: Policy, event_type: EventType) -> Stage:
    """For every event type."""
    return stops


def stops(work: Work) -> tuple[Stop, ...]:
    """Worth it: score > needed."""
    if work.score > work.needed:
        return ()
    return (Stop(Reason.BELOW_THRESHOLD),)
