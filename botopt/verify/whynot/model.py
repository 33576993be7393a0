"""The answer: how many were sent, and for each reason how many were not."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.model.decision import Outcome, Part, Reason


class Logged(msgspec.Struct, frozen=True):
    """What is needed of a decision record. `parts` are read only where they matter."""

    id: str
    event_id: str | None
    event_type: str | None
    user: str | None
    time: str | None
    line: int | None
    outcome: Outcome
    reason: Reason | None
    by: str | None
    detail: str | None
    until: str | None
    score: float | None
    threshold: float | None
    parts: msgspec.Raw
    cause: str | None
    revision: str
    choices: msgspec.Raw = msgspec.Raw(b"[]")


class Closing(msgspec.Struct, frozen=True):
    """What alone would have lifted a message over the threshold; other reasons may still have stopped it.

    `part` is fatigue, pacing, engagement, scorer, or rule. A rule would have had to match, or to not match (`matched`
    is what it did). `score` and `threshold` are what the part gave, or would have given; of engagement and scorer,
    `score` is the factor.
    """

    part: str
    id: str | None = None
    matched: bool = True
    score: float = 0.0
    threshold: float = 0.0


class Cause(msgspec.Struct, frozen=True):
    """The decision that filled a window; `event_type` is None where the log does not hold it."""

    id: str
    event_type: str | None = None
    event_id: str | None = None
    time_us: int | None = None


class Miss(msgspec.Struct, frozen=True):
    """One decision: the one that came nearest to being sent, or, where nothing measures that, the newest.

    `gap` is how far the score was below the threshold. `left_us` is how long the reason would still have lasted; of
    what is held, how long it has to wait. `waited_us` is how long what expired had been held.
    """

    id: str
    event_id: str | None
    user: str | None
    time_us: int | None
    line: int | None = None
    by: str | None = None
    detail: str | None = None
    until_us: int | None = None
    score: float | None = None
    threshold: float | None = None
    gap: float | None = None
    left_us: int | None = None
    waited_us: int | None = None
    parts: tuple[Part, ...] = ()
    closing: Closing | None = None
    cause: Cause | None = None

    @property
    def measured(self) -> bool:
        """Whether it was chosen because it came nearest."""
        return (self.gap, self.left_us, self.waited_us) != (None, None, None)

    def nearer(self, other: Miss) -> bool:
        """Whether this came nearer than another of the same reason; where nothing measures it, whether it is newer."""
        for ours, others in ((self.gap, other.gap), (self.left_us, other.left_us), (self.waited_us, other.waited_us)):
            if ours is not None or others is not None:
                return others is None or (ours is not None and ours < others)
        return (self.time_us or 0) >= (other.time_us or 0)


class ByCount(msgspec.Struct, frozen=True):
    """How often one rule, suppression, template, field or category decided, for one reason.

    `detail` tells kinds of rejected lines apart. `by` is None where a reason has nothing to name, as a better hour.
    """

    reason: Reason
    by: str | None
    detail: str | None
    count: int


class ReasonCount(msgspec.Struct, frozen=True):
    """One reason. Times are of the first and the last decision; None where lines had no time.

    `unexplored` are those that only the user's own history kept back, and that exploring did not let out.
    """

    reason: Reason
    count: int
    first_us: int | None
    last_us: int | None
    by: tuple[ByCount, ...]
    nearest: Miss
    unexplored: int = 0


class HeldCount(msgspec.Struct, frozen=True):
    """Messages that were held: how long at least, and what became of them (by outcome or reason)."""

    count: int
    by: tuple[ByCount, ...]
    shortest: Miss
    later: Mapping[str, int]
    waiting: int


class Answer(msgspec.Struct, frozen=True):
    """Everything about one event type. `records` is how many the log holds of any type.

    `events` counts each event once: one that was held and decided again has the reason of its last decision.
    `reasons` stand with the most frequent first. `explored` of those sent went out only because exploring drew them.
    """

    event_type: str
    records: int
    events: int
    sent: int
    first_us: int | None
    last_us: int | None
    reasons: tuple[ReasonCount, ...]
    held: HeldCount | None
    revisions: tuple[str, ...]
    explored: int = 0
