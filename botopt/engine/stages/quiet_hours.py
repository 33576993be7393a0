"""Not while the clock on the user's wall says it is quiet."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.engine.calendar import quiet_until
from botopt.engine.stages.scope import Bound
from botopt.engine.stages.stage import Stage
from botopt.engine.work import Stop, Work
from botopt.model.decision import Reason
from botopt.model.policy import QuietHours


def bind(bounds: Sequence[Bound]) -> Stage | None:
    """Only for event types that quiet hours concern."""
    if not bounds:
        return None

    def stops(work: Work) -> list[Stop]:
        found = []
        for bound in bounds:
            kind = bound.suppression.kind
            assert isinstance(kind, QuietHours)
            until_us = quiet_until(kind, work.now_us, work.timezone)
            if until_us is not None and bound.chosen(work):
                found.append(Stop(Reason.QUIET_HOURS, bound.suppression.id, until_us, hold=kind.hold))
        return found

    return stops
