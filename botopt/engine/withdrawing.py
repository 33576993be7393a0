"""Whether a message that was sent, but has not left yet, may still go out."""

from __future__ import annotations

from botopt.engine.feedback import settle
from botopt.engine.hashes import decision_id, identity
from botopt.engine.pipeline import first_stop
from botopt.engine.plan import Plan
from botopt.engine.stages.no_consent import refusal
from botopt.engine.values import as_declared
from botopt.engine.work import Work
from botopt.model.decision import Reason
from botopt.model.event import Event
from botopt.model.policy import Policy
from botopt.model.user_state import UserState, pack, unpack

Withdrawal = tuple[Reason, str | None]
"""The reason, and who is named."""


def withdrawal(
    policy: Policy, plan: Plan | None, state: UserState, event: Event, channel: str, now_us: int
) -> Withdrawal | None:
    """See `Engine.withdrawal`."""
    if state.deleted or event.time_us < state.floor_us:  # what happened before the user's present life was forgotten
        return Reason.REJECTED, "user.deleted"
    if plan is None:
        return _of_no_plan(policy, state, event, channel)
    now_us = max(now_us, state.clock_us)
    if any(reason is Reason.RESOLVED for reason, _ in plan.withdrawing):  # its conditions may look at responses
        state = unpack(pack(state))
        settle(state, now_us, plan.settings)
    # As of a held message: its event is remembered already, and is not to be counted twice.
    work = Work(plan, state, as_declared(event, plan.event_type), now_us, _seen_us(state, event), 1)
    work.channel = channel
    stop = first_stop(plan.withdrawing, work)
    return None if stop is None else (stop.reason, stop.by)


def _of_no_plan(policy: Policy, state: UserState, event: Event, channel: str) -> Withdrawal | None:
    event_type = policy.events.get(event.type)
    named = None if event_type is None else event_type.category
    category = None if named is None else policy.categories[named]
    return None if refusal(state.consent, category, channel) is None else (Reason.NO_CONSENT, None)


def _seen_us(state: UserState, event: Event) -> int:
    """When the event came. One that is remembered as resolving others never resolves itself."""
    for past in state.past.get(event.type, ()):
        if past.id == decision_id(event.key, 0, past.time_us):
            return past.time_us
    return state.identities.get(identity(event.key), event.time_us)
