"""The policies that a policy is compared with."""

from __future__ import annotations

from msgspec.structs import replace

from botopt.model.errors import UsageError
from botopt.model.policy import Choose, EventType, Policy, Template
from botopt.verify.simulation.truth import Truth

_LISTED = 8
"""So many event types are named in a sentence."""


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


def in_common(policy: Policy, rival: Policy, name: str) -> str | None:
    """What of a policy's event types a rival called `name` does not decide about, as a sentence; None: nothing.

    People meet the events of the policy: of the others a rival sends nothing, and is compared all the same.

    Raises:
        UsageError: they have no event type in common that leads to a message.
    """
    mine, theirs = _deciding(policy), _deciding(rival)
    both, alone = [each for each in mine if each in theirs], [each for each in mine if each not in theirs]
    words = f"this policy has {_listed(mine)}; {name} has {_listed(theirs)}"
    if not both:
        raise UsageError(
            f"--against {name}: the two policies have no event type in common that leads to a message, so there is "
            f"nothing to compare: {words}. Name a policy for the same events"
        )
    if not alone:
        return None
    return f"{name} sends nothing about {_listed(alone)}, which people here meet: {words}"


def _deciding(policy: Policy) -> list[str]:
    return sorted(name for name, event_type in policy.events.items() if event_type.decides)


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "") if names else "none"
