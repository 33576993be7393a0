"""From matching rules to a score and what it needs (docs/reference/language.md, "Score, threshold, engagement")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from botopt.engine.experiments import arm_of, is_in_control
from botopt.engine.hashes import draw
from botopt.engine.rounding import exact
from botopt.engine.values import prior_of, rate_of, unanswered_since
from botopt.engine.work import Work
from botopt.learning.engagement import factor, of_chance
from botopt.model.decision import Choice, Part
from botopt.model.event import Event
from botopt.model.learning_policy import ScorerUse
from botopt.model.policy import EventType, Rule, Settings


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
    return exact(clamp(weighed.threshold + fatigue))


def lifted(weighed: Weighed, lift: float) -> float:
    """What pacing adds to the threshold, which may be less than nothing."""
    return weighed.threshold * (lift - 1.0)


def score(work: Work) -> None:
    """Fill in mask, template, channel, score, needed, parts, and the draws made on the way."""
    plan = work.plan
    settings = plan.settings
    work.control = is_in_control(settings, work.event.user)
    if plan.experiments:
        work.exposed = tuple(arm_of(each, settings.seed, work.event.user) for each in plan.experiments.values())
    work.mask = plan.rules.match(work) if plan.rules is not None else 0
    weighed = plan.weighed(work.mask)
    work.template, work.channel, work.skipped_by = weighed.template, weighed.channel, weighed.skipped_by
    work.raw = weighed.raw
    _multiply(work)
    work.needed = _needed(work, weighed)
    work.score = _score(work)
    unmoved = exact(work.raw)
    explored: tuple[Part, ...] = ()
    if plan.explores and not work.control and work.score <= work.needed < unmoved:
        work.explored = explore(settings, work.event)
        if work.explored.chosen == "yes":
            explored = (Part("explore", None, unmoved - work.score),)
            work.score = unmoved
    scored = () if work.chance is None else (Part("scorer", None, work.scorer_factor),)
    last = Part("fatigue", None, work.fatigue)
    if work.lift is not None:
        last = Part("pacing", None, lifted(weighed, work.lift))
    engagement = Part("engagement", None, work.factor)
    work.parts = (*weighed.parts, engagement, *scored, *explored, *weighed.lowered, last)


def _multiply(work: Work) -> None:
    """The factors: what the user does with messages, and what a scorer says of this one."""
    plan, state = work.plan, work.state
    settings = plan.settings.engagement
    if not plan.engagement or work.control:
        return
    prior = prior_of(work)
    use = ScorerUse.MULTIPLY
    if plan.scorer is not None and plan.looking is not None and work.learned.snapshot.scorer_ok:
        looked = plan.looking(state, work.now_us, work.learned.snapshot, work.raw, rate_of(work))
        work.chance = plan.scorer.chance(looked)
        if work.chance is not None:
            use = plan.scorer.use
            work.scorer_factor = of_chance(work.chance, settings, prior.rate)
    if use is ScorerUse.MULTIPLY and (state.total.outcome_count or prior.ratio != 1.0):
        work.factor = factor(rate_of(work), state.total, settings, prior)


def _needed(work: Work, weighed: Weighed) -> float:
    plan, state = work.plan, work.state
    settings = plan.settings
    if plan.budget is not None and not work.control:
        pace = state.paces.get(plan.budget.key)
        work.lift = 1.0 if pace is None else plan.budget.lift(pace, work.now_us)
        return needed(weighed, lifted(weighed, work.lift))
    if state.sends and settings.fatigue.per_message:
        work.fatigue = fatigue_of(unanswered_since(work, work.now_us - settings.fatigue.within_us), settings)
    return needed(weighed, work.fatigue)


def _score(work: Work) -> float:
    return exact(clamp(work.raw * work.factor * work.scorer_factor))


def explore(settings: Settings, event: Event) -> Choice:
    """Whether a message that only the user's history keeps back is sent all the same.

    A release draws no second time.
    """
    drawn = draw(settings.seed, "explore", event.user, event.source, event.id)
    share = settings.engagement.explore
    sent = drawn < share
    return Choice("explore", ("no", "yes"), "yes" if sent else "no", drawn, share if sent else 1.0 - share)
