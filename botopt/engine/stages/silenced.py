"""An operator said: not now. Silences come in with the event; a replay has none, and does not ask."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import EventType, Policy
from botopt.model.silence import Silence


def active(silences: Sequence[Silence], event_type: str, now_us: int) -> list[Silence]:
    """Those that hold for messages of this event type now. A silence is over at exactly its end."""
    return [one for one in silences if now_us < one.until_us and (not one.events or event_type in one.events)]


def bind(policy: Policy, event_type: EventType) -> Stage:
    """For every event type: nobody knows beforehand what will be silenced."""
    name = event_type.name

    def stops(work: Work) -> Sequence[Stop]:
        if not work.silences:
            return ()
        return [Stop(Reason.SILENCED, one.id, one.until_us) for one in active(work.silences, name, work.now_us)]

    return stops
