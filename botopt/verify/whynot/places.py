"""Where the rules and suppressions stand that records name, and what they say."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.model.condition import duration_text
from botopt.model.learning_policy import Pacing
from botopt.model.policy import (
    Conversation,
    Cooldown,
    Inhibition,
    Kind,
    Limit,
    Mute,
    Policy,
    QuietHours,
    Resolution,
)
from botopt.model.position import Position


class Place(msgspec.Struct, frozen=True):
    """Where something is declared, and what it says in a few words."""

    position: Position
    words: str


def places(policy: Policy, event_type: str) -> Mapping[str, Place]:
    """For every name that `by` may have for this event type."""
    found = {one.id: Place(one.position, _words(one.kind)) for one in policy.suppressions}
    declared = policy.events.get(event_type)
    for rule in () if declared is None else declared.rules:
        found[rule.id] = Place(rule.position, f"when {rule.when.text}")
    for name, template in policy.templates.items():
        found.setdefault(name, Place(template.position, template.description))
    for category in policy.categories.values():
        if category.pacing is not None:
            found.setdefault(category.name, Place(category.position, _budget(category.pacing)))
    return found


def _budget(pacing: Pacing) -> str:
    return f"pacing {pacing.messages:g} in {duration_text(pacing.per_us)}"


def _words(kind: Kind) -> str:
    match kind:
        case Cooldown(window_us):
            return f"cooldown {duration_text(window_us)}"
        case Limit():
            return f"limit {kind.count}"
        case Inhibition():
            return f"inhibited_by {', '.join(kind.by)}"
        case Resolution():
            return f"resolved_by {', '.join(kind.by)}"
        case Conversation(window_us):
            return f"in_conversation {duration_text(window_us)}"
        case Mute(window_us):
            return "mute always" if window_us is None else f"mute {duration_text(window_us)}"
        case QuietHours():
            return "quiet_hours"
