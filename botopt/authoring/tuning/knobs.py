"""What can be turned: the numbers of a policy, in small readable steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from botopt.model.condition import duration_text
from botopt.model.durations import DAY_US, HOUR_US, MINUTE_US
from botopt.model.policy import Cooldown, Limit, Policy

STEP = 0.05
_LADDER = tuple(
    [each * MINUTE_US for each in (5, 10, 15, 30)]
    + [each * HOUR_US for each in (1, 2, 3, 4, 6, 8, 12)]
    + [each * DAY_US for each in (1, 2, 3, 7, 14, 30)]
)


class Sort(StrEnum):
    """Which number of an event type, a rule, a suppression or the settings."""

    WEIGHT = "weight"
    THRESHOLD = "threshold"
    RULE_SCORE = "score"
    RULE_THRESHOLD = "rule threshold"
    BAR = "settings.threshold"
    COOLDOWN = "cooldown"
    LIMIT = "limit"


class Knob(msgspec.Struct, frozen=True, order=True):
    """One number. `owner` is the event type, or the suppression; `rule` the id of a rule of it."""

    sort: str
    owner: str = ""
    rule: str = ""

    @property
    def is_window(self) -> bool:
        """Whether it says how often, and not how much."""
        return self.sort in (Sort.COOLDOWN, Sort.LIMIT)

    def __str__(self) -> str:
        """As people call it."""
        match self.sort:
            case Sort.BAR:
                return "settings: threshold"
            case Sort.RULE_SCORE | Sort.RULE_THRESHOLD:
                return f"{self.owner}, rule {self.rule}: {self.sort.removeprefix('rule ')}"
            case _:
                return f"{self.owner}: {self.sort}"


Turned = Mapping[Knob, float]
"""The numbers that are not as they were. Windows are microseconds, limits whole numbers."""


def values(policy: Policy) -> dict[Knob, float]:
    """Every number that can be turned, as it is now."""
    found: dict[Knob, float] = {Knob(Sort.BAR): policy.settings.threshold}
    for name, event_type in policy.events.items():
        if not event_type.decides or event_type.always:
            continue
        found[Knob(Sort.WEIGHT, name)] = event_type.weight
        if event_type.threshold is not None:
            found[Knob(Sort.THRESHOLD, name)] = event_type.threshold
        for rule in event_type.rules:
            if rule.score:
                found[Knob(Sort.RULE_SCORE, name, rule.id)] = rule.score
            if rule.threshold:
                found[Knob(Sort.RULE_THRESHOLD, name, rule.id)] = rule.threshold
    for suppression in policy.suppressions:
        match suppression.kind:
            case Cooldown(window_us, _):
                found[Knob(Sort.COOLDOWN, suppression.id)] = window_us
            case Limit(count, _, _):
                found[Knob(Sort.LIMIT, suppression.id)] = count
            case _:
                pass
    return found


def steps(knob: Knob, now: float, *, most: int = 1) -> Iterator[float]:
    """Where a number can be turned from here. Windows only get tighter: of what they let through the log says nothing.

    Args:
        knob: the number.
        now: its value.
        most: so many steps of a window.
    """
    match knob.sort:
        case Sort.COOLDOWN:
            yield from [each for each in _LADDER if each > now][:most]
        case Sort.LIMIT:
            yield from [now - each for each in range(1, most + 1) if now - each >= 1]
        case Sort.RULE_SCORE | Sort.RULE_THRESHOLD:
            moved = (round(now + sign * STEP, 2) for sign in (-1, 1))
            yield from (each for each in moved if -1 <= each <= 1 and each * now > 0)
        case _:
            moved = (round(now + sign * STEP, 2) for sign in (-1, 1))
            yield from (each for each in moved if 0 <= each <= 1)


def written(knob: Knob, value: float, before: str = "") -> str:
    """A number as authors type it; `before` is what stood there."""
    match knob.sort:
        case Sort.COOLDOWN:
            return duration_text(int(value))
        case Sort.LIMIT:
            return str(int(value))
        case Sort.RULE_SCORE | Sort.RULE_THRESHOLD:
            return f"{value:+.2f}" if before[:1] in ("+", "-", "") else f"{value:.2f}"
        case _:
            return f"{value:.2f}"
