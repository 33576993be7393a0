"""Between which numbers a score can lie.

Where the conditions of all rules are simple enough, every combination of rules that events can bring about is tried, so
the bounds are met. Else all rules that raise (or lower) are added up: no score lies outside, but perhaps none
reaches the bounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

import msgspec

from botopt.engine.rounding import exact
from botopt.engine.scoring import clamp
from botopt.model.condition import (
    Comparison,
    Condition,
    Contains,
    Literal,
    Membership,
    Ref,
    Scope,
    ValueType,
    references,
)
from botopt.model.learning_policy import ScorerUse
from botopt.model.names import WEEKDAYS
from botopt.model.policy import EventType, FieldSpec, Policy, Rule
from botopt.model.values import Problem, check
from botopt.network.reference import ReferenceMatcher, inputs_of
from botopt.network.samples import around, leaves
from botopt.verify.analysis.outlook import budget_of

_MOST_FACTS = 20_000
_PAST = (Scope.COUNT, Scope.SEEN, Scope.SENT, Scope.ENGAGEMENT)


class Span(msgspec.Struct, frozen=True):
    """The lowest and the highest of a number."""

    low: float
    high: float


class Reach(msgspec.Struct, frozen=True):
    """What scores and thresholds of an event type can be, without the messages that a rule skips.

    `raw`: weight and rules. `score`: with engagement. `needed`: threshold, rules, and
    fatigue or pacing. `exact`: the bounds are
    met by some event; else nothing lies outside of them.
    """

    raw: Span
    score: Span
    needed: Span
    exact: bool

    @property
    def never(self) -> bool:
        """Whether no score is ever above what is needed."""
        return exact(self.score.high) <= exact(self.needed.low)

    @property
    def always(self) -> bool:
        """Whether every score is above what is needed."""
        return exact(self.score.low) > exact(self.needed.high)


def reach(policy: Policy, event_type: EventType) -> Reach:
    """The bounds for one event type."""
    settings = policy.settings
    found = _combinations(policy, event_type)
    if found:
        raws = [event_type.weight + sum(rule.score or 0.0 for rule in some) for some in found]
        bars = [sum(rule.threshold or 0.0 for rule in some) for some in found]
        raw, bar = Span(clamp(min(raws)), clamp(max(raws))), Span(min(bars), max(bars))
    else:
        ours = [rule for rule in event_type.rules if not rule.skip]
        scores = [rule.score or 0.0 for rule in ours]
        bars = [rule.threshold or 0.0 for rule in ours]
        raw = Span(*(clamp(event_type.weight + part) for part in _outer(scores)))
        bar = Span(*_outer(bars))
    effect = settings.engagement if event_type.engagement and settings.engagement.effect else None
    low, high = (1.0, 1.0) if effect is None else (effect.low, effect.high)
    if policy.scorer is not None and policy.scorer.use is ScorerUse.MULTIPLY:
        low, high = low * low, high * high
    threshold = settings.threshold if event_type.threshold is None else event_type.threshold
    fatigue = settings.fatigue.limit if settings.fatigue.per_message else 0.0
    needed = Span(clamp(threshold + bar.low), clamp(threshold + bar.high + fatigue))
    budget = budget_of(policy, event_type)
    if budget is not None:
        lowering, raising = budget.lifts()
        needed = Span(
            round(clamp((threshold + bar.low) * lowering), 3), max(needed.high, clamp((threshold + bar.high) * raising))
        )
    return Reach(
        raw,
        Span(clamp(raw.low * low), clamp(raw.high * high)),
        needed,
        bool(found),
    )


def _outer(parts: Sequence[float]) -> tuple[float, float]:
    return sum(part for part in parts if part < 0), sum(part for part in parts if part > 0)


def _combinations(policy: Policy, event_type: EventType) -> list[tuple[Rule, ...]]:
    """Every set of rules that can match together and skips nothing; nothing where this cannot be told."""
    rules = event_type.rules
    conditions = [rule.when.condition for rule in rules]
    if not rules:
        return [()]
    inputs = inputs_of(conditions)
    if not all(map(_simple, (leaf for condition in conditions for leaf in leaves(condition)))) or _entangled(inputs):
        return []
    values: list[list[object]] = []
    for ref, met in zip(inputs, around(conditions), strict=True):
        choices = list(dict.fromkeys([*met, *_declared(ref, policy, event_type)]))
        possible = [value for value in choices if _possible(ref, value, policy, event_type)]
        if ref.type is ValueType.TEXT and not ref.one_of and _refused(choices, possible):
            return []  # a pattern or a length decides which texts there are
        values.append(possible)
    if not all(values) or prod(map(len, values)) > _MOST_FACTS:
        return []
    matcher = ReferenceMatcher(conditions)
    masks = {matcher.match(fact) for fact in product(*values)}
    combined = [tuple(rule for bit, rule in enumerate(rules) if mask & 1 << bit) for mask in sorted(masks)]
    return [some for some in combined if not any(rule.skip for rule in some)]


def _simple(leaf: Condition) -> bool:
    """Whether a leaf only asks how one value stands to constants."""
    match leaf:
        case Comparison(_, left, right):
            return isinstance(left, Ref | Literal) and isinstance(right, Ref | Literal) and len(references(leaf)) == 1
        case Membership(item, options):
            return isinstance(item, Ref) and all(isinstance(option, Literal) for option in options)
        case Contains():
            return False
        case _:
            return True


def _entangled(inputs: Sequence[Ref]) -> bool:
    """Whether one value says something about another: counts of several windows, the day and the weekend."""
    past = Counter(ref.scope in _PAST for ref in inputs)[True]
    days = sum(ref.scope is Scope.TIME and ref.name in ("weekday", "weekend") for ref in inputs)
    return past > 1 or days > 1 or any(ref.scope is Scope.ENGAGEMENT for ref in inputs)


def _declared(ref: Ref, policy: Policy, event_type: EventType) -> list[object]:
    """Values that the declaration of a field names: they stand for what no condition asks for."""
    if ref.scope is Scope.TIME and ref.name == "weekday":
        return list(WEEKDAYS)
    if ref.scope is Scope.EXPERIMENT:
        return list(ref.one_of)
    specs = {Scope.EVENT: event_type.fields, Scope.USER: policy.attributes}.get(ref.scope, {})
    spec = specs.get(ref.name)
    if spec is None:
        return []
    bounds = [float(bound) for bound in (spec.minimum, spec.maximum) if bound is not None]
    return [*spec.one_of, *(int(bound) if spec.type is ValueType.INTEGER else bound for bound in bounds)]


def _refused(choices: Sequence[object], possible: Sequence[object]) -> bool:
    return any(isinstance(value, str) and value not in possible for value in choices)


def _possible(ref: Ref, value: object, policy: Policy, event_type: EventType) -> bool:
    """Whether an event can bring this value about."""
    match ref.scope:
        case Scope.EVENT:
            return _fits(event_type.fields, ref, value)
        case Scope.USER:
            return _fits(policy.attributes, ref, value) if ref.name in policy.attributes else value is not None
        case Scope.TIME if ref.name == "hour":
            return isinstance(value, int) and 0 <= value <= 23
        case Scope.TIME if ref.name == "weekday":
            return value in WEEKDAYS
        case Scope.EXPERIMENT:
            return value in ref.one_of
        case Scope.COUNT:
            return isinstance(value, int) and value >= (1 if ref.name == event_type.name else 0)
        case Scope.SENT:
            return isinstance(value, int) and value >= 0
        case _:
            return value is not None


def _fits(specs: Mapping[str, FieldSpec], ref: Ref, value: object) -> bool:
    spec = specs[ref.name]
    if value is None:
        return spec.can_be_absent
    return ref.type is ValueType.TIME or not isinstance(check(spec, value), Problem)
