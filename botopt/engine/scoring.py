"""From matching rules to a score and what it needs (docs/reference/language.md, "Score, threshold, engagement")."""

from __future__ import annotations

from botopt.engine.values import rate_of, unanswered_since
from botopt.engine.work import Work
from botopt.learning.engagement import factor
from botopt.model.decision import Part

PRECISION = 9
"""Decimals to which score and threshold are rounded before they are compared."""


def clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    """The value, or the bound it went over."""
    return low if value < low else min(value, high)


def score(work: Work) -> None:
    """Fill in mask, template, channel, score, needed and parts."""
    plan, state = work.plan, work.state
    event_type, settings = plan.event_type, plan.settings
    mask = work.mask = plan.rules.match(work) if plan.rules is not None else 0
    raw, threshold = event_type.weight, plan.threshold
    template, channel = plan.template, plan.channel
    parts = [Part("base", None, event_type.weight)]
    lowered: list[Part] = []
    if mask:
        for bit, rule in plan.rule_bits:
            if not mask & bit:
                continue
            raw += rule.score or 0.0
            parts.append(Part("rule", rule.id, rule.score or 0.0))
            if rule.threshold is not None:
                threshold += rule.threshold
                lowered.append(Part("threshold", rule.id, rule.threshold))
            if rule.message is not None:
                template = rule.message
            if rule.channel is not None:
                channel = rule.channel
            if rule.skip and work.skipped_by is None:
                work.skipped_by = rule.id
    work.template, work.channel = template, channel
    work.factor = 1.0
    if plan.engagement and state.total.outcome_count:
        work.factor = factor(rate_of(work), state.total, settings.engagement)
    fatigue = settings.fatigue
    work.fatigue = 0.0
    if state.sends and fatigue.per_message:
        unanswered = unanswered_since(work, work.now_us - fatigue.within_us)
        work.fatigue = min(fatigue.per_message * unanswered, fatigue.limit)
    work.raw = clamp(raw)
    work.score = round(clamp(work.raw * work.factor), PRECISION)
    work.needed = round(clamp(threshold + work.fatigue), PRECISION)
    parts.append(Part("engagement", None, work.factor))
    parts.extend(lowered)
    parts.append(Part("fatigue", None, work.fatigue))
    work.parts = parts
