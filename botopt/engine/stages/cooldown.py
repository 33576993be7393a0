"""After a send, nothing with the same keys for a while."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.engine.hashes import field_key
from botopt.engine.stages.scope import Bound
from botopt.engine.stages.stage import Glance, Stage, all_of
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import Cooldown
from botopt.model.user_state import Response, Send, UserState


def latest(bound: Bound, work: Work) -> Send | None:
    """The newest send in scope with the same keys that still cools down; two absent values are equal."""
    kind = bound.suppression.kind
    assert isinstance(kind, Cooldown)
    since = work.now_us - kind.window_us
    own = work.event.type if "event" in kind.per else None
    fields = kind.per if own is None else tuple(name for name in kind.per if name != "event")
    wanted: dict[str, int | None] | None = None
    for send in reversed(work.state.sends):
        if send.time_us <= since:
            return None
        if (own is not None and send.event_type != own) or send.response is Response.FAILED or not bound.counts(send):
            continue
        if not fields:
            return send
        if wanted is None:
            values = ((name, work.event.data.get(name)) for name in fields)
            wanted = {name: None if value is None else field_key(value) for name, value in values}
        if all(send.keys.get(name) == key for name, key in wanted.items()):
            return send
    return None


def glance(bounds: Sequence[Bound], event_type: str) -> Glance | None:
    """The same at a glance, where no condition, channel or field matters."""
    return all_of([_glance(bound, event_type) for bound in bounds])


def _glance(bound: Bound, event_type: str) -> Glance | None:
    kind, name, counts, failed = bound.suppression.kind, bound.suppression.id, bound.counts, Response.FAILED
    assert isinstance(kind, Cooldown)
    if not bound.always_chosen or set(kind.per) - {"event"}:
        return None
    window_us, any_type, everything = kind.window_us, "event" not in kind.per, bound.counts_all

    def look(state: UserState, now_us: int) -> Stop | None:
        since_us = now_us - window_us
        for send in reversed(state.sends):
            time_us = send.time_us
            if time_us <= since_us:
                return None
            if (
                (any_type or send.event_type == event_type)
                and send.response is not failed
                and (everything or counts(send))
            ):
                return Stop(Reason.COOLDOWN, name, time_us + window_us, send.id)
        return None

    return look


def bind(bounds: Sequence[Bound]) -> Stage | None:
    """Only for event types that a cooldown concerns."""
    if not bounds:
        return None
    windows = [
        (bound, bound.suppression.kind.window_us) for bound in bounds if isinstance(bound.suppression.kind, Cooldown)
    ]
    longest_us = max(window_us for _, window_us in windows)

    def stops(work: Work) -> Sequence[Stop]:
        sends = work.state.sends
        if not sends or sends[-1].time_us <= work.now_us - longest_us:
            return ()
        found = []
        for bound, window_us in windows:
            send = latest(bound, work)
            if send is not None and bound.chosen(work):
                found.append(Stop(Reason.COOLDOWN, bound.suppression.id, send.time_us + window_us, send.id))
        return found

    return stops
