"""From matching rules to a score and what it needs (docs/reference/language.md, "Score, threshold, engagement")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from botopt.engine.values import rate_of, unanswered_since
from botopt.engine.work import Work
from botopt.learning.engagement import factor
from botopt.model.decision import Part
from botopt.model.policy import EventType, Rule, Settings

PRECISION = 9
"""Decimals to which score and threshold are rounded before they are compared."""


def clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    """The value, or the bound it went over."""
    return low if value < low else min(value, high)


class Weighable(Protocol):
    """What a score is made of: an event type's own values, and its rules by their bits."""

    event_type: EventType
    threshold: float
    template: str
    channel: str
    rule_bits: Sequence[tuple[int, Rule]]


class Weighed:
    """All that follows from which rules hold: sums, terms, and where the message goes.

    `raw` lies between 0 and 1, `threshold` is a plain sum; `parts` are the base and the rules' scores, `lowered`
    the rules' thresholds.
    """

    __slots__ = ("channel", "lowered", "parts", "raw", "skipped_by", "template", "threshold")

    def __init__(self, plan: Weighable, mask: int) -> None:
        raw, self.threshold = plan.event_type.weight, plan.threshold
        self.template, self.channel = plan.template, plan.channel
        self.skipped_by: str | None = None
        parts, lowered = [Part("base", None, raw)], []
        for bit, rule in plan.rule_bits:
            if not mask & bit:
                continue
            raw += rule.score or 0.0
            parts.append(Part("rule", rule.id, rule.score or 0.0))
            if rule.threshold is not None:
                self.threshold += rule.threshold
                lowered.append(Part("threshold", rule.id, rule.threshold))
            if rule.message is not None:
                self.template = rule.message
            if rule.channel is not None:
                self.channel = rule.channel
            if rule.skip and self.skipped_by is None:
                self.skipped_by = rule.id
        self.raw = clamp(raw)
        self.parts, self.lowered = tuple(parts), tuple(lowered)


def fatigue_of(unanswered: int, settings: Settings) -> float:
    """What so many unanswered messages add to the threshold."""
    return min(settings.fatigue.per_message * unanswered, settings.fatigue.limit)


def needed(weighed: Weighed, fatigue: float) -> float:
    """What the score must be above, rounded."""
    return round(clamp(weighed.threshold + fatigue), PRECISION)


def score(work: Work) -> None:
    """Fill in mask, template, channel, score, needed and parts."""
    plan, state = work.plan, work.state
    settings = plan.settings
    work.mask = plan.rules.match(work) if plan.rules is not None else 0
    weighed = plan.weighed(work.mask)
    work.template, work.channel, work.skipped_by = weighed.template, weighed.channel, weighed.skipped_by
    work.factor = 1.0
    if plan.engagement and state.total.outcome_count:
        work.factor = factor(rate_of(work), state.total, settings.engagement)
    work.fatigue = 0.0
    if state.sends and settings.fatigue.per_message:
        work.fatigue = fatigue_of(unanswered_since(work, work.now_us - settings.fatigue.within_us), settings)
    work.raw = weighed.raw
    work.score = round(clamp(work.raw * work.factor), PRECISION)
    work.needed = needed(weighed, work.fatigue)
    engagement, tired = Part("engagement", None, work.factor), Part("fatigue", None, work.fatigue)
    work.parts = (*weighed.parts, engagement, *weighed.lowered, tired)
