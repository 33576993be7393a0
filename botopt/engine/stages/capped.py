"""At most so many sends in a rolling or calendar window, with slots kept for what matters more.

A provider may cap a channel, too: for this user it takes nothing more for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from botopt.engine.calendar import window_of
from botopt.engine.stages.scope import Bound
from botopt.engine.stages.stage import Glance, Stage, all_of
from botopt.engine.work import Stop, Work
from botopt.model.decision import PROVIDER, Reason
from botopt.model.policy import Limit
from botopt.model.user_state import ProviderCap, Response, Send, UserState


class Slots:
    """How full a cap is for one message: the sends that count, and the slots kept from its category."""

    __slots__ = ("end_us", "free", "kept", "sends")

    def __init__(self, sends: list[Send], kept: int, free: bool, end_us: int | None) -> None:
        self.sends = sends
        self.kept = kept
        self.free = free
        self.end_us = end_us


def _kept(kind: Limit, bound: Bound, sends: Sequence[Send], category: str | None) -> int:
    """Reserved slots of other categories that are not used yet."""
    kept = 0
    for name, slots in kind.reserved:
        if name != category:
            used = sum(1 for send in sends if bound.categories.get(send.event_type) == name)
            kept += max(0, slots - used)
    return kept


def slots(bound: Bound, work: Work) -> Slots:
    """The cap as it stands: `end_us` is when a slot becomes free, None when it is free or never will be."""
    kind = bound.suppression.kind
    assert isinstance(kind, Limit)
    if kind.calendar is None:
        since, next_us = work.now_us - kind.window_us, None
    else:
        begin_us, next_us = window_of(kind.calendar, work.now_us, work.timezone)
        since = begin_us - 1
    sends = []
    for send in reversed(work.state.sends):
        if send.time_us <= since:
            break
        if send.response is not Response.FAILED and bound.counts(send):
            sends.append(send)
    sends.reverse()
    category = work.plan.event_type.category
    kept = _kept(kind, bound, sends, category)
    if len(sends) + kept < kind.count:
        return Slots(sends, kept, True, None)
    if next_us is not None:
        return Slots(sends, kept, False, next_us)
    for gone in range(1, len(sends) + 1):
        left = sends[gone:]
        if len(left) + _kept(kind, bound, left, category) < kind.count:
            return Slots(sends, kept, False, sends[gone - 1].time_us + kind.window_us)
    return Slots(sends, kept, False, None)


def by_provider(work: Work) -> ProviderCap | None:
    """The cap of the channel's provider, if it has not ended. It is over at exactly its end."""
    cap = work.state.capped.get(work.channel)
    return cap if cap is not None and work.now_us < cap.until_us else None


def bind(bounds: Sequence[Bound]) -> Stage:
    """For every event type: providers cap channels, whatever goes there."""
    looks = [(bound, _any(bound)) for bound in bounds]

    def stops(work: Work) -> list[Stop]:
        found: list[Stop] = []
        for bound, look in looks:
            stop = look(work)
            if stop is not None and bound.chosen(work):
                found.append(stop)
        if work.state.capped:
            cap = by_provider(work)
            if cap is not None:
                found.append(Stop(Reason.CAPPED, PROVIDER, cap.until_us, cap.cause))
        return found

    return stops


_Look = Callable[[Work], Stop | None]
"""What a full cap says; whether it may stop this message is another question."""


def _any(bound: Bound) -> _Look:
    name, rolling = bound.suppression.id, _rolling(bound)
    if rolling is not None:
        return lambda work: rolling(work.state, work.now_us)

    def look(work: Work) -> Stop | None:
        cap = slots(bound, work)
        return None if cap.free else Stop(Reason.CAPPED, name, cap.end_us, cap.sends[-1].id if cap.sends else None)

    return look


def glance(bounds: Sequence[Bound], _event_type: str) -> Glance | None:
    """The same at a glance, where no condition, channel, calendar or reserved slot matters."""
    return all_of([_rolling(bound) if bound.always_chosen else None for bound in bounds])


def _rolling(bound: Bound) -> Glance | None:
    """A cap in a rolling window without reserved slots: most are. It is full if its last `count` sends are in it."""
    kind, name, counts, failed = bound.suppression.kind, bound.suppression.id, bound.counts, Response.FAILED
    assert isinstance(kind, Limit)
    if kind.calendar is not None or kind.reserved:
        return None
    count, window_us, everything = kind.count, kind.window_us, bound.counts_all

    def look(state: UserState, now_us: int) -> Stop | None:
        since_us = now_us - window_us
        sends = state.sends
        if len(sends) < count or sends[-count].time_us <= since_us:
            return None
        left, newest = count, None
        for send in reversed(sends):
            if send.time_us <= since_us:
                return None
            if send.response is not failed and (everything or counts(send)):
                newest = newest or send
                left -= 1
                if not left:
                    return Stop(Reason.CAPPED, name, send.time_us + window_us, newest.id)
        return None

    return look
