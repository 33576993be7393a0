"""What the names in a template mean for one event type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from botopt.model.condition import Ref, Scope, ValueType
from botopt.model.instants import instant_us
from botopt.model.names import ENGAGEMENT_NAMES, TIME_NAMES, Names, names_for
from botopt.model.policy import EventType, FieldSpec, Policy
from botopt.rendering.filters import ANY, Types
from botopt.rendering.reading.uses import Use


class Reach(msgspec.Struct, frozen=True):
    """A template's way to one event type.

    `others` are fields that this type lacks and other types that can reach the template have: always absent here, and
    the template may ask so. `untyped` are fields of which only the name is known, `anything`: not even that.
    """

    event_type: str
    names: Names
    others: Mapping[str, tuple[str, ...]] = {}
    untyped: frozenset[str] = frozenset()
    anything: bool = False

    def reference(self, use: Use) -> Ref | None:
        """What a use stands for; None for a name that this event type does not know."""
        match use.scope:
            case Scope.EVENT:
                field = self.names.field(use.name)
                return (
                    Ref(Scope.EVENT, use.name, ValueType.TEXT) if field is None and self._untyped(use.name) else field
                )
            case Scope.USER:
                return self.names.attribute(use.name)
            case Scope.ENGAGEMENT:
                type_ = ENGAGEMENT_NAMES.get(use.name)
                return None if type_ is None else Ref(Scope.ENGAGEMENT, use.name, type_)
            case Scope.TIME:
                return TIME_NAMES.get(use.name)
            case Scope.SENT:
                return Ref(Scope.SENT, "", ValueType.INTEGER, use.window_us)
            case Scope.EXPERIMENT:
                return None  # who is in which arm is for conditions, not for the user to read
            case Scope.COUNT | Scope.SEEN:
                type_ = ValueType.INTEGER if use.scope is Scope.COUNT else ValueType.BOOLEAN
                known = use.name in self.names.event_types
                return Ref(use.scope, use.name, type_, use.window_us) if known else None

    def knows(self, use: Use) -> bool:
        """Whether the template may use this here: the event type has it, or another that reaches the template."""
        return self.reference(use) is not None or (use.scope is Scope.EVENT and use.name in self.others)

    def types(self, use: Use) -> Types:
        """The types that a use can have; every type for a name that nobody knows, which is a finding of its own."""
        ref = self.reference(use)
        if ref is None or (use.scope is Scope.EVENT and use.name not in self.names.fields):
            return ANY
        return frozenset({ref.type})

    def _untyped(self, name: str) -> bool:
        return self.anything or name in self.untyped


class _Index:
    """Which event types reach which template. The last policy's is kept: a check asks for every template in turn."""

    latest: tuple[Policy, Mapping[str, tuple[EventType, ...]]] | None = None


def reaching(policy: Policy, template: str) -> tuple[EventType, ...]:
    """The event types that can send a template, by name."""
    latest = _Index.latest
    if latest is None or latest[0] is not policy:
        found: dict[str, list[EventType]] = {}
        for _, event in sorted(policy.events.items()):
            for name in policy.templates_of(event):
                found.setdefault(name, []).append(event)
        latest = _Index.latest = (policy, {name: tuple(events) for name, events in found.items()})
    return latest[1].get(template, ())


def reaches(policy: Policy, template: str) -> tuple[Reach, ...]:
    """Every way to a template that an event type reaches."""
    events = reaching(policy, template)
    return tuple(Reach(event.name, names_for(policy, event), _others(event, events)) for event in events)


def reach(policy: Policy, template: str, event_type: EventType) -> Reach:
    """The way from one event type to a template, whether or not it is one that the policy takes."""
    events = {event.name: event for event in (*reaching(policy, template), event_type)}
    return Reach(event_type.name, names_for(policy, event_type), _others(event_type, events.values()))


def _others(event_type: EventType, events: Iterable[EventType]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for event in events:
        for field in event.fields:
            if field not in event_type.fields:
                found[field] = (*found.get(field, ()), event.name)
    return found


def from_samples(policy: Policy, samples: Iterable[Mapping[str, object]]) -> Reach:
    """What a template that no event type reaches may use: what its samples have. Types are guessed from them."""
    listed = list(samples)
    fields: dict[str, FieldSpec] = {}
    for name in dict.fromkeys(name for sample in listed for name in sample):
        values = [sample[name] for sample in listed if sample.get(name) is not None]
        types = {_guessed(value) for value in values}
        if types == {ValueType.INTEGER, ValueType.NUMBER}:
            types = {ValueType.NUMBER}
        if len(types) == 1:
            fields[name] = FieldSpec(name, types.pop(), optional=len(values) < len(listed))
    untyped = frozenset(name for sample in listed for name in sample if name not in fields)
    event_types = names_for(policy, EventType("")).event_types
    return Reach("", Names(fields, policy.attributes, event_types), untyped=untyped, anything=not listed)


def _guessed(value: object) -> ValueType:
    match value:
        case bool():
            return ValueType.BOOLEAN
        case int():
            return ValueType.INTEGER
        case float():
            return ValueType.NUMBER
        case str():
            return ValueType.TIME if is_instant(value) else ValueType.TEXT
        case list():
            return ValueType.LIST
        case _:
            return ValueType.OBJECT


def is_instant(text: str) -> bool:
    """Whether a text is a time as events write it."""
    try:
        instant_us(text)
    except (ValueError, OverflowError):
        return False
    return True
