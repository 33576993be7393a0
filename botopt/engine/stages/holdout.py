"""Users who are never messaged, so that the others' lift can be measured."""

from __future__ import annotations

from botopt.engine.hashes import draw
from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import EventType, Policy, Settings


def is_held_out(settings: Settings, user: str) -> bool:
    """Whether the user is in the holdout: a hash of seed and user id, so it never changes."""
    return draw(settings.seed, "holdout", user) < settings.holdout


def bind(policy: Policy, event_type: EventType) -> Stage | None:
    """Only where the workspace has a holdout."""
    settings = policy.settings
    if settings.holdout <= 0:
        return None

    def stops(work: Work) -> tuple[Stop, ...]:
        if not is_held_out(settings, work.event.user):
            return ()
        return (Stop(Reason.HOLDOUT),)

    return stops
