"""Not while the user's budget of messages is used up (`pacing`)."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.engine.stages.stage import Glance, Stage
from botopt.engine.work import Stop, Work
from botopt.learning.pacing import Budget
from botopt.model.decision import Reason
from botopt.model.policy import EventType, Policy
from botopt.model.user_state import UserState


def bind(policy: Policy, event_type: EventType) -> Stage | None:
    """Only for event types whose messages have a budget."""
    category = None if event_type.category is None else policy.categories[event_type.category]
    if policy.settings.pacing is None and (category is None or category.pacing is None):
        return None
    return stops


def stops(work: Work) -> Sequence[Stop]:
    """The bucket holds less than one message."""
    budget = work.plan.budget
    if budget is None or work.control:
        return ()
    stop = glance(budget)(work.state, work.now_us)
    return () if stop is None else (stop,)


def glance(budget: Budget) -> Glance:
    """The same at a glance, for a user who is not in the control group."""
    key, by = budget.key, budget.key or None

    def look(state: UserState, now_us: int) -> Stop | None:
        pace = state.paces.get(key)
        ready_us = None if pace is None else budget.ready_us(pace, now_us)
        return None if ready_us is None else Stop(Reason.PACED, by, ready_us)

    return look
