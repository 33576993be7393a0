"""What a policy lets botopt learn, and gets nothing from."""

from __future__ import annotations

from collections.abc import Iterator

from botopt.model.codes import finding
from botopt.model.condition import Ref, Scope, references
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Category, Choose, EventType, Policy


def learners_can_learn(policy: Policy) -> Iterator[Diagnostic]:
    """Learners that change nothing (B132), experiments that nothing asks for (B417), budgets without a bar (B418)."""
    yield from _lonely_variants(policy)
    yield from _hurried_categories(policy)
    yield from _idle_experiments(policy)
    yield from _flat_bars(policy)


def _lonely_variants(policy: Policy) -> Iterator[Diagnostic]:
    for template in policy.templates.values():
        if template.choose is Choose.LEARN and len(template.variants) == 1:
            message = f'template "{template.name}": choose: learn has one variant, so there is nothing to choose'
            yield finding("B132", template.position, message, "add a second wording, or delete choose: learn")


def _hurried_categories(policy: Policy) -> Iterator[Diagnostic]:
    for category in policy.categories.values():
        types = [one for one in policy.events.values() if one.category == category.name]
        if category.send_time is not None and types and all(one.send_time is None for one in types):
            message = f"send_time does nothing here: no message of the category {category.name} can wait"
            hint = "they are sent always, expire within an hour or say send_time: off; delete send_time here"
            yield finding("B132", category.position, message, hint)


def _idle_experiments(policy: Policy) -> Iterator[Diagnostic]:
    asked = {ref.name for ref in _asked(policy) if ref.scope is Scope.EXPERIMENT}
    for experiment in policy.experiments.values():
        if experiment.name not in asked:
            message = f'no condition asks for the experiment "{experiment.name}", so its arms do not differ'
            hint = f"type when: experiment('{experiment.name}') == '{experiment.arms[-1][0]}' in a rule; or delete it"
            yield finding("B417", experiment.position, message, hint)


def _asked(policy: Policy) -> Iterator[Ref]:
    whens = [rule.when for event_type in policy.events.values() for rule in event_type.rules]
    whens += [when for suppression in policy.suppressions for when in suppression.conditions]
    for template in policy.templates.values():
        whens += [variant.when for variant in template.variants if variant.when is not None]
    for when in whens:
        yield from references(when.condition)


def _flat_bars(policy: Policy) -> Iterator[Diagnostic]:
    """Pacing multiplies the threshold: 0 stays 0."""
    for event_type in policy.events.values():
        category = policy.categories.get(event_type.category or "")
        if not event_type.decides or not _is_paced(policy, category):
            continue
        if _threshold(policy, event_type) == 0 and all((rule.threshold or 0) <= 0 for rule in event_type.rules):
            message = (
                f'the threshold of "{event_type.name}" is 0, and pacing moves it by a factor: the first messages go, '
                "good or bad, until the budget is used up"
            )
            yield finding("B418", event_type.position, message, "give it a threshold above 0, such as 0.3")


def _is_paced(policy: Policy, category: Category | None) -> bool:
    return policy.settings.pacing is not None or (category is not None and category.pacing is not None)


def _threshold(policy: Policy, event_type: EventType) -> float:
    return policy.settings.threshold if event_type.threshold is None else event_type.threshold
