"""What an experiment has shown, as values."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Metric(StrEnum):
    """What is counted for each user; CLICK_RATE is the only one for each message."""

    CLICKS = "clicks_per_user"
    CLICK_RATE = "click_rate"
    GOALS = "goals_per_user"
    MESSAGES = "messages_per_user"
    UNSUBSCRIBED = "unsubscribed_users"
    DISMISSED = "dismissals_per_user"
    FAILED = "failures_per_user"
    ACTIVE = "activities_per_user"


GUARDRAILS = (Metric.UNSUBSCRIBED, Metric.DISMISSED, Metric.FAILED)
"""What must not rise."""


class Arm(msgspec.Struct, frozen=True):
    """One group of users, counted from each one's first exposure on.

    `share` is what the experiment wants, 0 to 1; None where nobody is drawn into the group. `control` users of the arm
    are in the control group: they are counted here and nowhere else. `messages` did not fail, and are old enough for
    their answer to count; `clicks` are among them. `recent` are sent, and too young. `unsubscribed` counts users,
    everything else acts.
    """

    name: str
    share: float | None
    users: int
    control: int = 0
    exposures: int = 0
    messages: int = 0
    recent: int = 0
    clicks: int = 0
    converted: int = 0
    dismissed: int = 0
    failed: int = 0
    unsubscribed: int = 0
    goals: int = 0
    values: Mapping[Metric, float] = {}


class Difference(msgspec.Struct, frozen=True):
    """`arm` minus `against`, with an interval that holds at every look. `relative` is None where `against` has 0.

    `enough`: there are users and acts enough for the interval to hold; without, it says nothing.
    """

    metric: Metric
    arm: str
    against: str
    value: float
    low: float
    high: float
    relative: float | None
    enough: bool

    @property
    def sure(self) -> bool:
        """Whether the interval excludes 0."""
        return self.enough and (self.low > 0 or self.high < 0)


class Verdict(StrEnum):
    """What can be said about an arm. `broken`: nothing, because users are not split as written."""

    TOO_EARLY = "too_early"
    NO_DIFFERENCE = "no_difference_shown"
    MORE = "more"
    FEWER = "fewer"
    BROKEN = "broken_split"


class Conclusion(msgspec.Struct, frozen=True):
    """What the primary metric says of an arm, and which guardrails surely became worse."""

    arm: str
    against: str
    metric: Metric
    verdict: Verdict
    worse: tuple[Metric, ...] = ()


class Split(msgspec.Struct, frozen=True):
    """Whether users are split as written: `p` is the chance of counts as far off or further."""

    chi_square: float
    p: float
    ok: bool


class Need(msgspec.Struct, frozen=True):
    """How many an arm needs to see a relative difference in clicks with 80 % power at one look; None: not known."""

    relative: float
    messages: int | None
    users: int | None


class Results(msgspec.Struct, frozen=True):
    """One experiment, or the holdout, or the control group. `arms[0]` is what the others are compared with.

    `confidence` is that of each interval, all looks together. `warnings` are sentences.
    """

    name: str
    description: str
    since_us: int | None
    arms: tuple[Arm, ...]
    differences: tuple[Difference, ...]
    conclusions: tuple[Conclusion, ...]
    split: Split | None
    needs: tuple[Need, ...]
    confidence: float
    warnings: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """Everything. `held_out` are the users of the holdout that were left out of the experiments."""

    until_us: int | None
    goal: str | None
    decisions: int
    users: int
    held_out: int
    experiments: tuple[Results, ...]
    holdout: Results | None
    control: Results | None
    notes: tuple[str, ...] = ()
