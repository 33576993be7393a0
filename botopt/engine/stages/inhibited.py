"""A more important message went out a moment ago; it never stops its own kind."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.engine.stages.scope import Bound
from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import Inhibition
from botopt.model.user_state import Response, Send


def inhibiting(kind: Inhibition, work: Work) -> Send | None:
    """The latest message in the window that stops this one."""
    since = work.now_us - kind.window_us
    own = work.event.type
    for send in reversed(work.state.sends):
        if send.time_us <= since:
            return None
        if send.event_type != own and send.event_type in kind.by and send.response is not Response.FAILED:
            return send
    return None


def bind(bounds: Sequence[Bound]) -> Stage | None:
    """Only for event types that an `inhibited_by` concerns."""
    if not bounds:
        return None

    def stops(work: Work) -> list[Stop]:
        found = []
        for bound in bounds:
            kind = bound.suppression.kind
            assert isinstance(kind, Inhibition)
            send = inhibiting(kind, work)
            if send is not None and bound.chosen(work):
                found.append(Stop(Reason.INHIBITED, bound.suppression.id, send.time_us + kind.window_us, send.id))
        return found

    return stops
