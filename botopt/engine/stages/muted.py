"""Mutes: silence that a condition begins and a duration ends, or that lasts as long as the condition."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.engine.stages.scope import Bound
from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import Mute
from botopt.model.user_state import MuteState, Send


def end_of(bound: Bound, work: Work) -> int | None:
    """When the running mute ends; None when none runs."""
    kind = bound.suppression.kind
    assert isinstance(kind, Mute)
    mute = work.state.mutes.get(bound.suppression.id)
    if mute is None or kind.window_us is None:
        return None
    end_us = mute.start_us + kind.window_us
    return end_us if work.now_us < end_us else None


def look(mutes: Sequence[Bound], work: Work) -> None:
    """Look at every conditional mute in scope: begin it, or arm it again once its condition is false."""
    for bound in mutes:
        if not bound.covers(work):
            continue
        name = bound.suppression.id
        mute = work.state.mutes.get(name)
        if not work.plan.condition_mask(work) & bound.when_bit:
            if mute is not None:
                mute.armed = True
        elif end_of(bound, work) is None and (mute is None or mute.armed):
            work.state.mutes[name] = MuteState(work.now_us, armed=False, cause=work.id)


def rearm(mutes: Sequence[Bound], mute_states: dict[str, MuteState], send: Send) -> None:
    """One more message in scope was sent: the mutes may begin again."""
    for bound in mutes:
        mute = mute_states.get(bound.suppression.id)
        if mute is not None and bound.counts(send):
            mute.armed = True


def bind(mutes: Sequence[Bound]) -> Stage | None:
    """Only for event types that a mute concerns."""
    if not mutes:
        return None

    def stops(work: Work) -> list[Stop]:
        found = []
        for bound in mutes:
            suppression = bound.suppression
            kind = suppression.kind
            assert isinstance(kind, Mute)
            if kind.window_us is None:
                if bound.chosen(work):
                    found.append(Stop(Reason.MUTED, suppression.id))
            elif not bound.exempt(work):
                end_us = end_of(bound, work)
                if end_us is not None:
                    began = work.state.mutes[suppression.id].cause
                    found.append(Stop(Reason.MUTED, suppression.id, end_us, None if began == work.id else began))
        return found

    return stops
