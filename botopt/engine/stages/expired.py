"""Older than `expires_after`, by the event's own time: exactly that old is still sent."""

from __future__ import annotations

from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import EventType, Policy


def bind(policy: Policy, event_type: EventType) -> Stage | None:
    """Only for event types that expire."""
    after_us = event_type.expires_after_us
    if after_us is None:
        return None

    def stops(work: Work) -> tuple[Stop, ...]:
        if work.now_us - work.event.time_us <= after_us:
            return ()
        return (Stop(Reason.EXPIRED),)

    return stops
