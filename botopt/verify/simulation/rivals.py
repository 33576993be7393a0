"""The policies that a policy is compared with."""

from __future__ import annotations

from msgspec.structs import replace

from botopt.model.policy import Choose, EventType, Policy, Template
from botopt.verify.simulation.truth import Truth


def static(policy: Policy) -> Policy:
    """The same policy with all learners off: what its control group gets (`settings.control`), for everybody.

    Users' own engagement counts nothing either, a template that learns takes its first variant that may go, and nothing
    waits for a better hour. Rules, caps, cooldowns, quiet hours and consent stay.
    """
    settings = policy.settings
    engagement = replace(settings.engagement, learn=False, explore=0.0)
    return replace(
        policy,
        settings=replace(settings, engagement=engagement, control=0.0, pacing=None),
        categories={
            name: replace(category, send_time=None, pacing=None) for name, category in policy.categories.items()
        },
        events={
            name: replace(event_type, send_time=None, engagement=False) for name, event_type in policy.events.items()
        },
        templates={name: _first(template) for name, template in policy.templates.items()},
        scorer=None,
    )


def _first(template: Template) -> Template:
    return replace(template, choose=Choose.FIRST) if template.choose is Choose.LEARN else template


def hindsight(policy: Policy, truth: Truth, best: int) -> Policy:
    """The static policy of an author who knows how much people like each event type: messages of the `best` most liked
    types only, all with the largest weight of any.

    It knows what no author does, but is one rule for everybody.
    """
    policy = static(policy)
    weighed = liked(policy, truth)
    most = max(each.weight for each in weighed)
    chosen = {each.name: replace(each, weight=most, enabled=place < best) for place, each in enumerate(weighed)}
    return replace(policy, events={**policy.events, **chosen})


def liked(policy: Policy, truth: Truth) -> list[EventType]:
    """The event types between which a rule can choose, the most liked first; not what is sent `always`."""
    types = [each for each in policy.events.values() if each.decides and not each.always]
    return sorted(types, key=lambda each: (-truth.mean_appeal(each.name), each.name))
