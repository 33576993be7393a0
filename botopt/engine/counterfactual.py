"""The smallest change that would have sent a message, checked by working the score out again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import msgspec

from botopt.engine import numbers
from botopt.engine.rounding import exact
from botopt.engine.scoring import clamp
from botopt.engine.stages.stage import decisive
from botopt.engine.values import getter
from botopt.engine.work import Work
from botopt.model.condition import All, AnyOf, Comparison, Condition, Literal, Not, Ref
from botopt.model.decision import PROVIDER, Reason
from botopt.model.instants import instant_text
from botopt.model.policy import Rule, Value
from botopt.network.tracing import failing, trace, with_values

_MOST_RULES = 3  # rules that a suggestion asks to match at once
_OF_BAR = ("threshold", "fatigue", "pacing")
_STEP = 0.01  # weights are written with two decimals


def smallest_change(work: Work, reasons: Sequence[Reason]) -> tuple[str, ...]:
    """One sentence for each thing in the way, in the order of the pipeline; nothing for a sent message."""
    stages = dict(work.plan.stages)
    sentences = []
    for reason in reasons:
        if reason is Reason.BELOW_THRESHOLD:
            sentences.append(_worth(work))
        elif reason is Reason.EXPIRED:
            late_us = work.now_us - work.event.time_us - (work.plan.event_type.expires_after_us or 0)
            sentences.append(f"decided {numbers.number(late_us / 1_000_000)} s earlier, it would not have expired")
        elif reason is Reason.NO_CONSENT:
            sentences.append("the user would have to consent: a user.subscribed event")
        elif reason is Reason.SKIPPED:
            sentences.append(f"rule {work.skipped_by} would have to not match")
        elif reason is Reason.HOLDOUT:
            sentences.append("the user would have to be outside the holdout")
        elif reason is Reason.RENDER_FAILED:
            sentences.append(f"template {work.template} would have to render within its bounds")
        else:
            stop = decisive(stages[reason](work))
            name = _name(reason, stop.by)
            if stop.until_us is None or stop.until_us <= work.now_us:
                sentences.append(f"{name} would have to not stop it")
            else:
                sentences.append(f"{name} stops it until {instant_text(stop.until_us)}: at that time or later")
    return tuple(sentences)


def _name(reason: Reason, by: str | None) -> str:
    """Who stops it, in words."""
    match reason:
        case Reason.SILENCED:
            return f"silence {by}"
        case Reason.CAPPED if by == PROVIDER:
            return f"the {by}"
        case Reason.PACED:
            return "the budget" if by is None else f"the budget of {by}"
        case Reason.SEND_TIME:
            return "the wait for a better hour"
        case _:
            return str(by)


class _Flip(msgspec.Struct, frozen=True):
    """A rule that would have to match, or would have to not match; `cost` is how far the event is from that."""

    rule: Rule
    match: bool
    cost: float

    def sentence(self, work: Work) -> str:
        """What would have to be different, with the present values."""
        traced = trace(self.rule.when.condition, lambda ref: _value(work, ref))
        if self.match:
            return f"rule {self.rule.id} would have to match: {' and '.join(failing(traced))}"
        return f"rule {self.rule.id} would have to not match: {with_values(traced)}"


def _worth(work: Work) -> str:
    flips = list(_flips(work))
    for size in range(1, min(_MOST_RULES, len(flips)) + 1):
        enough = [some for some in combinations(flips, size) if _sends(work, some)]
        if enough:
            best = min(enough, key=lambda some: sum(flip.cost for flip in some))
            return "; and ".join(flip.sentence(work) for flip in best)
    gap = numbers.number(round(work.needed - work.score, 6))
    weight = work.plan.event_type.weight
    while weight < 1.0:
        weight = round(weight + _STEP, 2)
        if _sends(work, (), weight - work.plan.event_type.weight):
            return f"the score is {gap} too low: a weight of {numbers.number(weight)} would be enough"
    return f"the score is {gap} too low, and no weight up to 1 would be enough: the threshold is out of reach"


def _flips(work: Work) -> Iterator[_Flip]:
    """Rules that would help if they matched, or if they did not."""
    for bit, rule in work.plan.rule_bits:
        matched = bool(work.mask & bit)
        effect = (rule.score or 0.0) - (rule.threshold or 0.0)
        if not rule.skip and effect and (effect > 0) is not matched:
            yield _Flip(rule, not matched, _cost(rule.when.condition, not matched, work))


def _cost(condition: Condition, wanted: bool, work: Work) -> float:
    """How far values are from making a condition true or false: relative distances of numbers, else 1 for each part."""
    match condition:
        case Not(part):
            return _cost(part, not wanted, work)
        case All(parts) | AnyOf(parts):
            costs = [_cost(part, wanted, work) for part in parts]
            return sum(costs) if isinstance(condition, All) is wanted else min(costs, default=1.0)
        case _ if trace(condition, lambda ref: _value(work, ref)).holds is wanted:
            return 0.0
        case Comparison(_, Ref() as ref, Literal(constant)) | Comparison(_, Literal(constant), Ref() as ref):
            value = _value(work, ref)
            if isinstance(value, int | float) and isinstance(constant, int | float):
                return abs(value - constant) / max(abs(value), abs(constant), 1.0)
            return 1.0
        case _:
            return 1.0


def _sends(work: Work, flips: Sequence[_Flip], extra: float = 0.0) -> bool:
    """Whether the score would be above the threshold with these rules the other way round."""
    raw = sum(part.value for part in work.parts if part.part in ("base", "rule")) + extra
    needed = work.plan.threshold + sum(part.value for part in work.parts if part.part in _OF_BAR)
    for flip in flips:
        sign = 1.0 if flip.match else -1.0
        raw += sign * (flip.rule.score or 0.0)
        needed += sign * (flip.rule.threshold or 0.0)
    return exact(clamp(clamp(raw) * work.factor * work.scorer_factor)) > exact(clamp(needed))


def _value(work: Work, ref: Ref) -> Value:
    return getter(ref, work.plan.attributes)(work)
