"""The working record of one decision: everything the stages read and the pipeline fills in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botopt.learning.learner import Learned
from botopt.model.decision import Choice, Part, Reason, Rendered
from botopt.model.event import Event
from botopt.model.silence import Silence
from botopt.model.user_state import Lesson, UserState

if TYPE_CHECKING:
    from botopt.engine.plan import Plan


class Stop:
    """One thing that stops a message: which suppression or rule, until when, and what filled its window."""

    __slots__ = ("by", "cause", "hold", "reason", "until_us")

    def __init__(
        self,
        reason: Reason,
        by: str | None = None,
        until_us: int | None = None,
        cause: bytes | None = None,
        *,
        hold: bool = False,
    ) -> None:
        self.reason = reason
        self.by = by
        self.until_us = until_us
        self.cause = cause
        self.hold = hold


class Work:
    """One event, decided now. Mutable on purpose: it lives for one decision only.

    `now_us` is the decision time, `seen_us` the user's clock when the event came (both differ for a release). `chance`
    is the scorer's, `lift` what pacing multiplies the bar with, each None where there is none. `control`: nothing
    learned has a say. `timed`: the better hour was chosen already. `exposed`, `explored`, `hour` and `worded` are the
    draws.
    """

    # Defaults stand on the class: one is made for almost every event, and sets what it needs.
    id = b""
    mask = 0
    conditions: int | None = None
    rate: float | None = None
    raw = score = needed = fatigue = 0.0
    factor = scorer_factor = 1.0
    chance: float | None = None
    lift: float | None = None
    control = timed = False
    parts: Sequence[Part] = ()
    skipped_by: str | None = None
    template = ""
    channel = ""
    variant = ""
    exposed: tuple[Choice, ...] = ()
    explored: Choice | None = None
    hour: Choice | None = None
    worded: Choice | None = None
    lesson: Lesson | None = None
    rendered: Rendered | None = None
    stop: Stop | None = None
    silences: Sequence[Silence] = ()

    def __init__(
        self,
        plan: Plan,
        state: UserState,
        event: Event,
        now_us: int,
        seen_us: int,
        attempt: int,
        learned: Learned | None = None,
    ) -> None:
        self.plan = plan
        self.learned = plan.unlearned if learned is None else learned
        self.state: UserState = state
        self.event: Event = event
        self.now_us: int = now_us
        self.seen_us = seen_us
        self.attempt = attempt

    @property
    def choices(self) -> tuple[Choice, ...]:
        """All draws, in the order in which they were made."""
        drawn = (*self.exposed, self.explored, self.hour, self.worded)
        return tuple(choice for choice in drawn if choice is not None)

    @property
    def is_release(self) -> bool:
        """Whether a held message is decided again."""
        return self.attempt > 0

    @property
    def timezone(self) -> str:
        """The user's time zone."""
        zone = self.state.attributes.get("timezone")
        return zone if isinstance(zone, str) else self.plan.settings.timezone

    @property
    def locale(self) -> str:
        """The user's locale."""
        locale = self.state.attributes.get("locale")
        return locale if isinstance(locale, str) else self.plan.settings.locale
