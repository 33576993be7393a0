"""What the handbook is written from: the policy, example messages, and rule tests with their results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from botopt.engine.engine import Engine
from botopt.engine.stages.scope import concerns
from botopt.model.condition import ValueType
from botopt.model.policy import (
    Conversation,
    Cooldown,
    EventType,
    Inhibition,
    Limit,
    Mute,
    Policy,
    QuietHours,
    Resolution,
    Suppression,
)
from botopt.model.values import Problem, check
from botopt.verify.previewing import Preview, Sheet, previews, sheet
from botopt.verify.ruletest.model import Result

_EXAMPLES: Mapping[ValueType, object] = {
    ValueType.TEXT: "Ada",
    ValueType.INTEGER: 1,
    ValueType.NUMBER: 1,
    ValueType.BOOLEAN: True,
    ValueType.TIME: "2026-01-15T09:00:00Z",
}
_ORDER: tuple[type, ...] = (Mute, Resolution, Inhibition, Conversation, Cooldown, Limit, QuietHours)
"""The kinds in the order of the pipeline; a test compares them."""


class Contents(msgspec.Struct, frozen=True):
    """All that pages need. `sheets` are by template, with one preview of each variant and locale for each event type.

    `needs_user`: template, event type and variant of those that only have words for the `example_user`.
    """

    title: str
    policy: Policy
    sheets: Mapping[str, Sheet]
    results: tuple[Result, ...]
    example_user: Mapping[str, object] = {}
    needs_user: frozenset[tuple[str, str, str]] = frozenset()

    @property
    def deciding(self) -> Sequence[EventType]:
        """The event types that lead to messages: by category, then by name."""
        order = {name: place for place, name in enumerate(self.policy.categories)}
        found = [event_type for event_type in self.policy.events.values() if event_type.decides]
        return sorted(found, key=lambda one: (order.get(one.category or "", len(order)), one.name))

    @property
    def remembered(self) -> Sequence[EventType]:
        """The event types that lead to none."""
        return sorted((one for one in self.policy.events.values() if not one.decides), key=lambda one: one.name)

    def suppressions_of(self, event_type: EventType) -> tuple[Suppression, ...]:
        """Those that can stop its messages, in the order in which they are asked; none where `always` waives them."""
        if event_type.always:
            return ()
        ours = [one for one in self.policy.suppressions if concerns(one, event_type, self.policy)]
        return tuple(sorted(ours, key=lambda one: _ORDER.index(type(one.kind))))

    def event_types_of(self, suppression: Suppression) -> list[EventType]:
        """The event types whose messages it can stop."""
        return [one for one in self.deciding if not one.always and concerns(suppression, one, self.policy)]

    def tests_of(self, event_type: str) -> list[Result]:
        """The tests in which such an event comes."""
        return [one for one in self.results if any(step.event_type == event_type for step in one.test.steps)]

    def tests_by(self, name: str) -> list[Result]:
        """The tests that expect this rule or suppression to decide."""
        return [
            one
            for one in self.results
            if any(step.expect is not None and step.expect.wanted.get("by") == name for step in one.test.steps)
        ]


def contents(engine: Engine, title: str, results: Sequence[Result], now_us: int) -> Contents:
    """Everything, with messages rendered as of `now_us`: for a user of whom nothing is known, if that is enough."""
    policy = engine.policy
    attributes = example_user(policy)
    sheets, known = {}, set()
    for name in sorted(policy.templates):
        template = policy.templates[name]
        shown = _telling(previews(engine, template, data=None, attributes={}, now_us=now_us))
        better = _telling(previews(engine, template, data=None, attributes=attributes, now_us=now_us))
        for key, preview in better.items():
            if shown[key].rendered is None and preview.rendered is not None:
                shown[key] = msgspec.structs.replace(preview, eligible=True)
                known.add((name, preview.event_type, preview.variant))
        sheets[name] = sheet(policy, template, shown.values())
    return Contents(title, policy, sheets, tuple(results), attributes, frozenset(known))


def example_user(policy: Policy) -> Mapping[str, object]:
    """A user of whom everything is known that may be unknown, as JSON would have it."""
    found = {}
    for name, spec in policy.attributes.items():
        value = spec.one_of[0] if spec.one_of else _EXAMPLES.get(spec.type)
        if isinstance(value, int) and not isinstance(value, bool):
            value = math.ceil(max(value, spec.minimum if spec.minimum is not None else value))
        if spec.can_be_absent and value is not None and not isinstance(check(spec, value), Problem):
            found[name] = value
    return found


def _telling(shown: Iterable[Preview]) -> dict[tuple[str, str, str], Preview]:
    """Of each event type, variant and locale the first sample that it has words for; better one that chooses it."""
    best: dict[tuple[str, str, str], Preview] = {}
    for preview in shown:
        key = (preview.event_type, preview.variant, preview.locale)
        if key not in best or _worth(preview) > _worth(best[key]):
            best[key] = preview
    return best


def _worth(preview: Preview) -> tuple[bool, bool]:
    return preview.rendered is not None, preview.chosen
