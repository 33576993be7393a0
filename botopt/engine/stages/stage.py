"""What a stage is: a function that names everything that stops a message for its reason, or nothing.

Some have a second form, a glance: where nothing but what is known of the user can matter, it says at once what decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from botopt.engine.work import Stop, Work
from botopt.model.user_state import UserState

Stage = Callable[[Work], Sequence[Stop]]

Glance = Callable[[UserState, int], Stop | None]
"""(the user's state, now_us) -> the decisive stop."""


def decisive(stops: Sequence[Stop]) -> Stop:
    """The one that is named: it ends last (never ending is latest), then the alphabetically first."""
    if len(stops) == 1:
        return stops[0]
    return min(stops, key=lambda stop: (stop.until_us is not None, -(stop.until_us or 0), stop.by or ""))


def all_of(glances: Sequence[Glance | None]) -> Glance | None:
    """Several glances as one; None unless each is one."""
    found = [glance for glance in glances if glance is not None]
    if len(found) < len(glances) or not found:
        return None
    if len(found) == 1:
        return found[0]

    def glance(state: UserState, now_us: int) -> Stop | None:
        stops = [stop for each in found if (stop := each(state, now_us)) is not None]
        return decisive(stops) if stops else None

    return glance
