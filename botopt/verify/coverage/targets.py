"""What the tests of a policy should reach: one list, made from the policy alone."""

from __future__ import annotations

from collections.abc import Iterator

from botopt.engine.stages.scope import concerns
from botopt.model.condition import All, AnyOf, Condition, Constant, Not, Scope, references
from botopt.model.policy import (
    Consent,
    EventType,
    Limit,
    Mute,
    Policy,
    QuietHours,
    Resolution,
    Suppression,
    When,
)
from botopt.network.tracing import condition_text
from botopt.verify.analysis.outlook import budget_of
from botopt.verify.coverage.report import Target

SENT, BELOW, EXPIRED, SKIPPED = "sent", "below the threshold", "expired", "skipped"
WAIVED = "sent although something would have stopped it"
REMEMBERED = "remembered when a later message was decided"
MATCHED, NOT_MATCHED = "matched", "did not match"
STOPPED, LET_PASS = "stopped a message", "let a message pass"
HELD, RELEASED, BEGAN = "held a message", "released a message", "the mute began"
REFUSED = "a user without consent got no message"
CHOSEN, RENDERED = "chosen", "rendered"


def reserved(category: str) -> str:
    """The target of slots that a cap keeps for a category."""
    return f"kept a slot for {category}"


def part(role: str, text: str, holds: bool) -> str:
    """The target of one part of a condition; `role` is empty for a rule, else `when` or `unless`."""
    return f"{role + ' ' if role else ''}`{text}` {'true' if holds else 'false'}"


def targets_of(policy: Policy) -> tuple[Target, ...]:
    """Every target of a policy, each once, sorted by place."""
    found: dict[tuple[str, str, str], Target] = {}
    deciding = [event_type for event_type in policy.events.values() if event_type.decides]
    for event_type in deciding:
        for target in (*_event_type(policy, event_type), *_rules(event_type)):
            found.setdefault(target.key, target)
    for target in (*_remembered(policy), *_categories(policy, deciding), *_templates(policy, deciding)):
        found.setdefault(target.key, target)
    for suppression in policy.suppressions:
        if any(not event.always and concerns(suppression, event, policy) for event in deciding):
            for target in _suppression(suppression):
                found.setdefault(target.key, target)
    return tuple(sorted(found.values(), key=lambda target: (target.position.file, target.position.line, target.key)))


def _event_type(policy: Policy, event_type: EventType) -> Iterator[Target]:
    whats = [SENT]
    if event_type.always:
        bound = any(concerns(suppression, event_type, policy) for suppression in policy.suppressions)
        whats += [WAIVED] if bound or policy.settings.holdout or can_be_below(policy, event_type) else []
    elif can_be_below(policy, event_type):
        whats.append(BELOW)
    if event_type.expires_after_us is not None:
        whats.append(EXPIRED)
    if any(rule.skip for rule in event_type.rules):
        whats.append(SKIPPED)
    for what in whats:
        yield Target("event type", event_type.name, what, event_type.position)


def can_be_below(policy: Policy, event_type: EventType) -> bool:
    """Whether the lowest score and the highest bar that the numbers allow keep a message back."""
    settings = policy.settings
    threshold = settings.threshold if event_type.threshold is None else event_type.threshold
    paced = budget_of(policy, event_type) is not None and not settings.control
    fatigue = settings.fatigue.limit if settings.fatigue.per_message and not paced else 0.0
    raw = event_type.weight + sum(min(0.0, rule.score or 0.0) for rule in event_type.rules)
    factor = settings.engagement.low if event_type.engagement and settings.engagement.effect else 1.0
    needed = threshold + fatigue + sum(max(0.0, rule.threshold or 0.0) for rule in event_type.rules)
    return round(_clamp(_clamp(raw) * factor), 9) <= round(_clamp(needed), 9)


def _clamp(value: float) -> float:
    return min(1.0, max(0.0, value))


def _rules(event_type: EventType) -> Iterator[Target]:
    for rule in event_type.rules:
        name = f"{event_type.name}/{rule.id}"
        constant = isinstance(rule.when.condition, Constant) or rule.when.condition == All(())
        for what in (MATCHED,) if constant else (MATCHED, NOT_MATCHED):
            yield Target("rule", name, what, rule.position)
        texts = tuple(leaves(rule.when.condition))
        for text in texts if len(texts) > 1 else ():  # of one part alone, matched or not says it all
            for holds in (True, False):
                yield Target("rule", name, part("", text, holds), rule.position)


def leaves(condition: Condition) -> Iterator[str]:
    """The parts of a condition that hold or not by themselves, as an author types them."""
    match condition:
        case All(parts) | AnyOf(parts):
            for inner in parts:
                yield from leaves(inner)
        case Not(inner):
            yield from leaves(inner)
        case Constant():
            pass
        case _:
            yield condition_text(condition)


def _suppression(suppression: Suppression) -> Iterator[Target]:
    kind = suppression.kind
    whats = [STOPPED, LET_PASS]
    if isinstance(kind, QuietHours) and kind.hold:
        whats = [HELD, RELEASED, LET_PASS]
    if isinstance(kind, Mute) and kind.window_us is not None:
        whats.append(BEGAN)
    if isinstance(kind, Limit):
        whats += [reserved(category) for category, slots in kind.reserved if slots]
    for what in whats:
        yield Target("suppression", suppression.id, what, suppression.position)
    for role, when in conditions_of(suppression):
        for text in leaves(when.condition):
            for holds in (True, False):
                yield Target("suppression", suppression.id, part(role, text, holds), suppression.position)


def conditions_of(suppression: Suppression) -> tuple[tuple[str, When], ...]:
    """Its conditions with the word that they follow."""
    both = (("when", suppression.when), ("unless", suppression.unless))
    return tuple((role, when) for role, when in both if when is not None)


def _remembered(policy: Policy) -> Iterator[Target]:
    asked: set[str] = set()
    for condition in _conditions(policy):
        asked |= {ref.name for ref in references(condition) if ref.scope in (Scope.COUNT, Scope.SEEN)}
    for suppression in policy.suppressions:
        if isinstance(suppression.kind, Resolution):
            asked |= set(suppression.kind.by)
    for event_type in policy.events.values():
        if not event_type.decides and event_type.name in asked:
            yield Target("event type", event_type.name, REMEMBERED, event_type.position)


def _conditions(policy: Policy) -> Iterator[Condition]:
    for event_type in policy.events.values():
        yield from (rule.when.condition for rule in event_type.rules if event_type.decides)
    for suppression in policy.suppressions:
        yield from (when.condition for when in suppression.conditions)


def _categories(policy: Policy, deciding: list[EventType]) -> Iterator[Target]:
    used = {event_type.category for event_type in deciding}
    for category in policy.categories.values():
        if category.name in used and category.consent is not Consent.NOT_NEEDED:
            yield Target("category", category.name, REFUSED, category.position)


def _templates(policy: Policy, deciding: list[EventType]) -> Iterator[Target]:
    for name in dict.fromkeys(name for event_type in deciding for name in policy.templates_of(event_type)):
        for variant in policy.templates[name].variants:
            place = f"{name}/{variant.name}"
            yield Target("variant", place, CHOSEN, variant.position)
            for locale in variant.text:  # at the variant: a policy from the cache does not know places of texts
                yield Target("locale", f"{place}/{locale}", RENDERED, variant.position)
