"""The user is in a conversation: they said or did something a moment ago."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.engine.stages.scope import Bound
from botopt.engine.stages.stage import Glance, Stage, all_of
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import Conversation
from botopt.model.user_state import Activity, UserState


def latest(bound: Bound, work: Work) -> Activity | None:
    """What the user did last, if its window is not over.

    Where channels are in scope, only there, or on no channel in particular.
    """
    kind, channels = bound.suppression.kind, bound.suppression.channels
    assert isinstance(kind, Conversation)
    for channel, activity in reversed(work.state.active.items()):
        if not channels or not channel or channel in channels:
            return activity if work.now_us < activity.time_us + kind.window_us else None
    return None


def bind(bounds: Sequence[Bound]) -> Stage | None:
    """Only for event types that an `in_conversation` concerns."""
    if not bounds:
        return None

    def stops(work: Work) -> Sequence[Stop]:
        if not work.state.active:
            return ()
        found = []
        for bound in bounds:
            kind = bound.suppression.kind
            assert isinstance(kind, Conversation)
            activity = latest(bound, work)
            if activity is not None and bound.chosen(work):
                until_us = activity.time_us + kind.window_us
                found.append(Stop(Reason.IN_CONVERSATION, bound.suppression.id, until_us, activity.id))
        return found

    return stops


def glance(bounds: Sequence[Bound], _event_type: str) -> Glance | None:
    """The same at a glance, where no condition and no channel matters."""
    return all_of([_glance(bound) for bound in bounds])


def _glance(bound: Bound) -> Glance | None:
    kind, name = bound.suppression.kind, bound.suppression.id
    assert isinstance(kind, Conversation)
    if not bound.always_chosen:
        return None
    window_us = kind.window_us

    def look(state: UserState, now_us: int) -> Stop | None:
        if not state.active:
            return None
        activity = next(reversed(state.active.values()))
        until_us = activity.time_us + window_us
        return Stop(Reason.IN_CONVERSATION, name, until_us, activity.id) if now_us < until_us else None

    return look
