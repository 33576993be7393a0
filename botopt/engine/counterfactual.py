"""The smallest change that would have sent a message, checked by working the score out again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from botopt.engine import numbers
from botopt.engine.scoring import PRECISION, clamp
from botopt.engine.stages.stage import decisive
from botopt.engine.values import getter
from botopt.engine.work import Work
from botopt.model.decision import Reason
from botopt.model.instants import instant_text
from botopt.model.policy import Rule
from botopt.network.tracing import failing, trace

_MOST_RULES = 3  # rules that a suggestion asks to match at once
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
            if stop.until_us is None or stop.until_us <= work.now_us:
                sentences.append(f"{stop.by} would have to not stop it")
            else:
                sentences.append(f"{stop.by} stops it until {instant_text(stop.until_us)}: at that time or later")
    return tuple(sentences)


def _worth(work: Work) -> str:
    unmatched = [rule for bit, rule in work.plan.rule_bits if not work.mask & bit and not rule.skip]
    helpful = [rule for rule in unmatched if (rule.score or 0) > 0 or (rule.threshold or 0) < 0]
    for size in range(1, min(_MOST_RULES, len(helpful)) + 1):
        enough = [rules for rules in combinations(helpful, size) if _sends(work, rules)]
        if enough:
            best = min(enough, key=lambda rules: sum(len(_missing(work, rule)) for rule in rules))
            return "; and ".join(
                f"rule {rule.id} would have to match: {' and '.join(_missing(work, rule))}" for rule in best
            )
    gap = numbers.number(round(work.needed - work.score, 6))
    weight = work.plan.event_type.weight
    while weight < 1.0:
        weight = round(weight + _STEP, 2)
        if _sends(work, (), weight - work.plan.event_type.weight):
            return f"the score is {gap} too low: a weight of {numbers.number(weight)} would be enough"
    return f"the score is {gap} too low, and no weight up to 1 would be enough: the threshold is out of reach"


def _sends(work: Work, rules: Sequence[Rule], extra: float = 0.0) -> bool:
    """Whether the score would be above the threshold if these rules matched too."""
    raw = sum(part.value for part in work.parts if part.part in ("base", "rule"))
    raw += sum(rule.score or 0.0 for rule in rules) + extra
    needed = work.plan.threshold + sum(part.value for part in work.parts if part.part in ("threshold", "fatigue"))
    needed += sum(rule.threshold or 0.0 for rule in rules)
    return round(clamp(clamp(raw) * work.factor), PRECISION) > round(clamp(needed), PRECISION)


def _missing(work: Work, rule: Rule) -> list[str]:
    """What does not hold in a rule's condition, with the present values."""
    traced = trace(rule.when.condition, lambda ref: getter(ref, work.plan.attributes)(work))
    return failing(traced)
