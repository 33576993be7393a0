"""What a policy would do at a given state: not one draw, but the chance of everything it could do."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.engine import hashes
from botopt.engine.plan import Plan
from botopt.engine.scoring import score
from botopt.engine.stages.muted import look
from botopt.engine.stages.send_time import NOW
from botopt.engine.stages.stage import decisive
from botopt.engine.work import Work
from botopt.model.decision import Reason
from botopt.model.errors import RenderError
from botopt.model.policy import Choose
from botopt.verify.evaluating.rounds import Action, Answer

NOTHING = Answer(0.0)


def ask(work: Work, *, thorough: bool = False) -> Answer:
    """Put an event to a policy. The state stays as it is, but for mutes, which look at every event.

    Args:
        work: a fresh one; its scores are filled in.
        thorough: say what follows even where the score is too low.
    """
    plan = work.plan
    work.id = hashes.decision_id(work.event.key, work.attempt, work.now_us)
    score(work)
    if plan.mutes:
        look(plan.mutes, work)
    passing = _passing(work)
    if not passing and not thorough:
        return NOTHING
    return beyond(work, passing)


def _passing(work: Work) -> float:
    plan = work.plan
    if all(reason is not Reason.BELOW_THRESHOLD for reason, _ in plan.stages):
        return 1.0
    if work.explored is not None:
        return plan.settings.engagement.explore
    return 1.0 if work.score > work.needed else 0.0


def beyond(work: Work, passing: float) -> Answer:
    """What follows where the score is high enough. The work must have been scored."""
    plan = work.plan
    stages = plan.stages if work.state.capped else plan.ordinary
    timed = False
    for reason, stage in stages:
        if reason is Reason.BELOW_THRESHOLD:
            continue
        if reason is Reason.SEND_TIME:
            timed = True
            continue
        stops = stage(work)
        if stops:
            stop = decisive(stops)
            waits = {"": 1.0} if stop.hold and stop.until_us is not None else {}
            return Answer(passing, {}, waits)
    hours = _hours(work, plan) if timed else {NOW: 1.0}
    now = hours.pop(NOW)
    sends = {action: now * chance for action, chance in _texts(work, plan).items()} if now else {}
    return Answer(passing, sends, hours)


def _hours(work: Work, plan: Plan) -> dict[str, float]:
    """As the stage `send_time` draws it."""
    offer = None if plan.offering is None else plan.offering(work)
    if offer is None:
        return {NOW: 1.0}
    found: dict[str, float] = {}
    for place, name in enumerate(offer.hours.names):
        chance = offer.chance(place)
        if chance or not place:
            found[name] = found.get(name, 0.0) + chance
    return found


def _texts(work: Work, plan: Plan) -> dict[Action, float]:
    """The chance of each variant that can be worded."""
    bound = plan.template_plan(work.template)
    template, variants = bound.template, bound.eligible(work)
    if len(variants) < 2 or template.choose is Choose.FIRST or (template.choose is Choose.LEARN and work.control):
        odds: Sequence[float] = [1.0]
    elif template.choose is Choose.WEIGHTED:
        total = sum(variant.weight for variant in variants)
        odds = [variant.weight / total for variant in variants]
    else:
        names = tuple(variant.name for variant in variants)
        odds = bound.odds(names, work.learned.snapshot, work.state, work.now_us)
    found = {}
    for variant, chance in zip(variants, odds, strict=False):  # of those that come first, only the first
        try:
            bound.render(work, variant)
        except RenderError:
            continue
        found[Action(work.template, variant.name, work.channel)] = chance
    return found
