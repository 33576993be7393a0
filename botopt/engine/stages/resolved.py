"""The matter is closed: an event said so, a little before this one or at any time since."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.engine.hashes import field_key
from botopt.engine.stages.scope import Bound
from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import Resolution
from botopt.model.user_state import PastEvent


def resolving(kind: Resolution, work: Work) -> PastEvent | None:
    """The latest event that closes the matter of this one."""
    data = work.event.data
    wanted = {}
    for name in kind.same:
        value = data.get(name)
        if value is None:
            return None
        wanted[name] = field_key(value)
    since = work.event.time_us - kind.window_us
    latest = None
    for event_type in kind.by:
        for past in reversed(work.state.past.get(event_type, ())):
            if past.time_us <= since:
                break
            same = all(past.keys.get(name) == key for name, key in wanted.items())
            if same and past.id != work.plan.event_id(work):
                if latest is None or past.time_us > latest.time_us:
                    latest = past
                break
    return latest


def bind(bounds: Sequence[Bound]) -> Stage | None:
    """Only for event types that a `resolved_by` concerns."""
    if not bounds:
        return None

    def stops(work: Work) -> list[Stop]:
        found = []
        for bound in bounds:
            kind = bound.suppression.kind
            assert isinstance(kind, Resolution)
            past = resolving(kind, work)
            if past is not None and bound.chosen(work):
                until_us = past.time_us + kind.window_us
                found.append(Stop(Reason.RESOLVED, bound.suppression.id, until_us, past.id))
        return found

    return stops
