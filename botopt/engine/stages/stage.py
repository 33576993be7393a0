"""What a stage is: a function that names everything that stops a message for its reason, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from botopt.engine.work import Stop, Work

Stage = Callable[[Work], Sequence[Stop]]


def decisive(stops: Sequence[Stop]) -> Stop:
    """The one that is named: it ends last (never ending is latest), then the alphabetically first."""
    if len(stops) == 1:
        return stops[0]
    return min(stops, key=lambda stop: (stop.until_us is not None, -(stop.until_us or 0), stop.by or ""))
