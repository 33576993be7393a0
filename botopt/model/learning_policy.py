"""What a policy says about learning: each part is off where it is not said.

Shares lie between 0 and 1. Durations and windows are microseconds (`_us`).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from botopt.model.click_model import ClickModel
from botopt.model.durations import DAY_US
from botopt.model.position import NOWHERE, Position


class EngagementSettings(msgspec.Struct, frozen=True):
    """How much clicks and silence move a score (docs/reference/language.md, "Engagement").

    `learn`: what all users do replaces `prior`, hour by hour. `explore` is the share, 0 to 1, of messages
    kept back only by a user's own history that are sent all the same.
    """

    prior: float = 0.30
    strength: float = 10.0
    half_life_us: int = 30 * DAY_US
    effect: float = 0.5
    low: float = 0.5
    high: float = 1.5
    learn: bool = False
    explore: float = 0.0


class Pacing(msgspec.Struct, frozen=True):
    """How many messages a user gets in each `per_us`, on average: the bar rises and falls to hold it."""

    messages: float
    per_us: int = DAY_US


class SendTime(msgspec.Struct, frozen=True):
    """A message may wait this long for the user's better hour.

    `explore` is the share, 0 to 1, that goes at an hour drawn from those allowed: so that other hours are known, too.
    """

    within_us: int
    explore: float = 0.05


class ScorerUse(StrEnum):
    """What a scorer does to the engagement factor."""

    REPLACE = "replace"
    MULTIPLY = "multiply"


class Scorer(msgspec.Struct, frozen=True):
    """A trained model that says how likely a click is, and what becomes of that."""

    model: ClickModel
    use: ScorerUse = ScorerUse.REPLACE
    position: Position = NOWHERE


class Experiment(msgspec.Struct, frozen=True):
    """A named split of users. `arms` are names and shares (0 to 1, together 1), in the order in which they stand."""

    name: str
    arms: tuple[tuple[str, float], ...]
    description: str = ""
    position: Position = NOWHERE


class Recency(msgspec.Struct, frozen=True):
    """How much less a variant is worth to a user who had it lately: `penalty` at once, half of it one
    `half_life_us` later.

    The defaults are for messages that come every few days; Duolingo (KDD 2020) uses 0.017 and 15 days for daily ones.
    """

    penalty: float = 0.15
    half_life_us: int = 3 * DAY_US
