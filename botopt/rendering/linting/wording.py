"""How findings about templates name types, and what they suggest for an unknown name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from botopt.model.condition import NUMERIC, Scope, ValueType
from botopt.model.names import BUILT_IN_ATTRIBUTES, ENGAGEMENT_NAMES, TIME_NAMES, did_you_mean
from botopt.model.policy import Policy
from botopt.rendering.filters import FILTERS, Types
from botopt.rendering.naming import Reach
from botopt.rendering.reading.uses import Use

_WORDS = {
    ValueType.TEXT: "text",
    ValueType.INTEGER: "a number",
    ValueType.NUMBER: "a number",
    ValueType.BOOLEAN: "true or false",
    ValueType.TIME: "a time",
    ValueType.LIST: "a list",
    ValueType.OBJECT: "an object",
}


def words(types: Types) -> str:
    """Types in the author's words: `text or a number`."""
    if types == NUMERIC - {ValueType.NUMBER}:
        return "a whole number"
    return " or ".join(dict.fromkeys(_WORDS[type_] for type_ in ValueType if type_ in types))


def unknown(policy: Policy, way: Reach, use: Use, own: Iterable[str]) -> tuple[str, str]:
    """The message and the hint for a name that an event type does not know."""
    attributes = {**way.names.attributes, **BUILT_IN_ATTRIBUTES}
    match use.scope:
        case Scope.USER:
            hint = did_you_mean(use.name, attributes).replace('"', '"user.', 1)
            if use.name in way.names.fields:
                hint = f'it is a field of the event: type "{use.name}"'
            return f'the user has no attribute "{use.name}"', hint or f"the attributes are {_listed(attributes)}"
        case Scope.ENGAGEMENT | Scope.TIME:
            names = ENGAGEMENT_NAMES if use.scope is Scope.ENGAGEMENT else TIME_NAMES
            near = did_you_mean(use.name, names).replace('"', f'"{use.scope}.', 1)
            return (
                f'"{use.scope}" has no "{use.name}"',
                near or f"there is {_listed(f'{use.scope}.{n}' for n in names)}",
            )
        case Scope.COUNT | Scope.SEEN:
            hint = did_you_mean(use.name, way.names.event_types) or "declare it under events"
            return f'unknown event type "{use.name}"', hint
        case _:
            return f'unknown name "{use.name}"', _for_name(policy, way, use.name, own)


def _for_name(policy: Policy, way: Reach, name: str, own: Iterable[str]) -> str:
    groups: Mapping[str, Collection[str]] = {
        "user": {**way.names.attributes, **BUILT_IN_ATTRIBUTES},
        "engagement": ENGAGEMENT_NAMES,
        "time": TIME_NAMES,
    }
    for group, parts in groups.items():
        if name in parts:
            return f'did you mean "{group}.{name}"?'
    if name in FILTERS:
        return f'"{name}" is a filter: {FILTERS[name].example}'
    near = did_you_mean(name, (*way.names.fields, *own))
    if near:
        return near
    elsewhere = sorted(event.name for event in policy.events.values() if name in event.fields)
    if elsewhere:
        return f"it is a field of {_listed(elsewhere)}, which cannot send this template"
    near = did_you_mean(name, way.names.attributes)
    if near:
        return near.replace('"', '"user.', 1)
    return f"the fields are {_listed(way.names.fields)}" if way.names.fields else "the event has no fields"


def _listed(names: Iterable[str]) -> str:
    known = sorted(names)
    return ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
