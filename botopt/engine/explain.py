"""Why a decision came out as it did: every rule with its values, every suppression with its numbers.

Built only when somebody asks, from the working record at the moment of the decision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from botopt.engine import numbers
from botopt.engine.counterfactual import smallest_change
from botopt.engine.learned_words import sentences
from botopt.engine.pipeline import ORDER, WAIVED_BY_ALWAYS
from botopt.engine.scorer_words import Moved, moved
from botopt.engine.stages.scope import Bound
from botopt.engine.values import getter
from botopt.engine.work import Work
from botopt.model.condition import Condition, Ref, references
from botopt.model.decision import Decision, Reason
from botopt.model.event import Event
from botopt.model.policy import Mute, Rule, Value, When
from botopt.model.position import Position
from botopt.model.user_state import Send
from botopt.network.tracing import Trace, trace


class RuleTrace(msgspec.Struct, frozen=True):
    """One rule: whether it matched, what it does, and each part of its condition with value and wanted value."""

    id: str
    matched: bool
    effects: tuple[str, ...]
    when: str
    position: Position
    trace: Trace


class SuppressionTrace(msgspec.Struct, frozen=True):
    """One suppression that concerns the event type. `numbers` say how it stands, also where it does not apply.

    `stops` means its window, hours or condition would stop this message; `waived` that `always` ignores it.
    """

    id: str
    reason: Reason
    stops: bool
    waived: bool
    numbers: str
    until_us: int | None
    cause: str | None
    position: Position
    in_scope: bool
    when: Trace | None = None
    unless: Trace | None = None


class StageTrace(msgspec.Struct, frozen=True):
    """One reason of the order: whether it applies, is waived by `always`, and its numbers."""

    reason: Reason
    applies: bool
    waived: bool
    numbers: str


class Explanation(msgspec.Struct, frozen=True):
    """Everything about one decision.

    `stages` are in the order in which they are asked; `learned` are sentences; `moved` are the inputs of the scorer,
    the one that moved its chance most first.
    """

    decision: Decision
    event: Event
    position: Position
    values: tuple[tuple[str, Value], ...]
    rules: tuple[RuleTrace, ...]
    arithmetic: tuple[str, ...]
    stages: tuple[StageTrace, ...]
    suppressions: tuple[SuppressionTrace, ...]
    variants: tuple[tuple[str, bool], ...]
    change: tuple[str, ...]
    learned: tuple[str, ...] = ()
    moved: tuple[Moved, ...] = ()


class Explainer:
    """An observer that explains the decisions it is asked about."""

    def __init__(self, wanted: Callable[[Decision], bool]) -> None:
        self._wanted = wanted
        self.found: list[Explanation] = []

    def decided(self, work: Work, decision: Decision) -> None:
        """Explain it now: the state changes right after."""
        if self._wanted(decision):
            self.found.append(explain(work, decision))

    def responded(self, event: Event, send: Send) -> None:
        """Responses need no explanation."""


def explain(work: Work, decision: Decision) -> Explanation:
    """The explanation of a decision, from its working record."""
    event_type = work.plan.event_type
    inputs = moved(work)
    learned = sentences(work, inputs)  # before the stages are asked again
    suppressions = tuple(_suppression(work, bound) for bound in work.plan.bounds)
    stages = _stages(work, suppressions)
    conditions = [rule.when.condition for rule in event_type.rules]
    conditions += [when.condition for bound in work.plan.bounds for when in bound.suppression.conditions]
    template = work.plan.template_plan(work.template)
    eligible = {variant.name for variant in template.eligible(work)}
    return Explanation(
        decision,
        work.event,
        event_type.position,
        _values(work, conditions),
        tuple(_rule(work, rule, bit) for bit, rule in work.plan.rule_bits),
        numbers.arithmetic(work),
        stages,
        suppressions,
        tuple((variant.name, variant.name in eligible) for variant in template.template.variants),
        smallest_change(work, [stage.reason for stage in stages if stage.applies and not stage.waived]),
        learned,
        inputs,
    )


def _values(work: Work, conditions: list[Condition]) -> tuple[tuple[str, Value], ...]:
    found: dict[str, Value] = dict(sorted(work.event.data.items()))
    for condition in conditions:
        for ref in references(condition):
            found.setdefault(str(ref), look_up(work, ref))
    return tuple(found.items())


def look_up(work: Work, ref: Ref) -> Value:
    """The value of a reference in this piece of work."""
    return getter(ref, work.plan.attributes)(work)


def traced(work: Work, when: When) -> Trace:
    """A condition with its values."""
    return trace(when.condition, lambda ref: look_up(work, ref))


def _rule(work: Work, rule: Rule, bit: int) -> RuleTrace:
    effects = []
    if rule.score is not None:
        effects.append(f"score {rule.score:+g}")
    if rule.threshold is not None:
        effects.append(f"threshold {rule.threshold:+g}")
    if rule.message is not None:
        effects.append(f"message {rule.message}")
    if rule.channel is not None:
        effects.append(f"channel {rule.channel}")
    if rule.skip:
        effects.append("skip")
    return RuleTrace(
        rule.id, bool(work.mask & bit), tuple(effects), rule.when.text, rule.position, traced(work, rule.when)
    )


def _stages(work: Work, suppressions: Sequence[SuppressionTrace]) -> tuple[StageTrace, ...]:
    by_reason = dict(work.plan.all_stages)
    traces = []
    for reason in ORDER:
        if reason in (Reason.REJECTED, Reason.DUPLICATE):
            continue
        waived = work.plan.event_type.always and reason in WAIVED_BY_ALWAYS
        if reason is Reason.RENDER_FAILED:
            applies = work.stop is not None and work.stop.reason is reason
        else:
            stage = by_reason.get(reason)
            applies = bool(stage is not None and stage(work))
        told = [f"{one.id}: {one.numbers}" for one in suppressions if one.reason is reason and one.stops]
        text = "; ".join(filter(None, (*told, numbers.stage(work, reason))))
        traces.append(StageTrace(reason, applies, waived, text))
    return tuple(traces)


def _suppression(work: Work, bound: Bound) -> SuppressionTrace:
    suppression = bound.suppression
    reading = numbers.suppression(work, bound)
    stops = reading.full and (
        not bound.exempt(work)
        if isinstance(suppression.kind, Mute) and suppression.kind.window_us is not None
        else bound.chosen(work)
    )
    return SuppressionTrace(
        suppression.id,
        reading.reason,
        stops,
        work.plan.event_type.always,
        reading.text,
        reading.until_us,
        None if not reading.cause else reading.cause.hex(),
        suppression.position,
        bound.covers(work),
        None if suppression.when is None else traced(work, suppression.when),
        None if suppression.unless is None else traced(work, suppression.unless),
    )
