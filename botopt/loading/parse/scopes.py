"""Several event types seen as one: what a suppression's scope covers, what can reach a template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from botopt.loading.parse.wording import listed
from botopt.model.names import Names
from botopt.model.policy import EventType, FieldSpec


class Surroundings(msgspec.Struct, frozen=True):
    """What conditions anywhere in the workspace may use, and what could not be read of it.

    `unsure_types` are event types some of whose fields are not known. `unsure`: some attribute, event type or
    experiment may be missing. `experiments` are the arms of each. `scopes_sure`: the messages, categories and
    channels of all event types are known.
    """

    events: Mapping[str, EventType]
    attributes: Mapping[str, FieldSpec]
    event_types: frozenset[str]
    elsewhere: Mapping[str, tuple[str, ...]]
    unsure_types: frozenset[str]
    unsure: bool
    scopes_sure: bool = True
    experiments: Mapping[str, tuple[str, ...]] = {}

    def names_of(self, fields: Mapping[str, FieldSpec], conflicts: Mapping[str, str] | None = None) -> Names:
        """The names in reach where these fields are."""
        return Names(fields, self.attributes, self.event_types, conflicts or {}, self.elsewhere, self.experiments)

    def unsure_of(self, types: Iterable[EventType]) -> bool:
        """Whether a name that these types seem to lack may exist all the same."""
        return self.unsure or any(type_.name in self.unsure_types for type_ in types)


class Merged(msgspec.Struct, frozen=True):
    """The fields of several event types, and for each that they declare differently the sentence that says so."""

    fields: dict[str, FieldSpec]
    conflicts: dict[str, str]


def merged(types: Sequence[EventType]) -> Merged:
    """One field for each name: optional where a type lacks it or may leave it absent."""
    having: dict[str, list[tuple[str, FieldSpec]]] = {}
    for type_ in types:
        for name, spec in type_.fields.items():
            having.setdefault(name, []).append((type_.name, spec))
    fields: dict[str, FieldSpec] = {}
    conflicts: dict[str, str] = {}
    for name, found in having.items():
        specs = [spec for _, spec in found]
        kinds = {spec.type: type_name for type_name, spec in reversed(found)}
        if len(kinds) > 1:
            said = [f'{kind} in "{type_name}"' for kind, type_name in sorted(kinds.items(), key=lambda kind: kind[1])]
            conflicts[name] = f"{name} is {listed(said, 'and')}, so no condition about all of them can use it"
        fields[name] = specs[0] if len(types) == 1 else _common(name, specs, whole=len(found) == len(types))
    return Merged(fields, conflicts)


def _common(name: str, specs: Sequence[FieldSpec], *, whole: bool) -> FieldSpec:
    """What is true of a field in every event type, as far as conditions care."""
    closed = all(spec.one_of for spec in specs)
    return FieldSpec(
        name,
        specs[0].type,
        one_of=tuple(dict.fromkeys(value for spec in specs for value in spec.one_of)) if closed else (),
        optional=not whole or any(spec.can_be_absent for spec in specs),
        position=specs[0].position,
    )


def in_scope(type_: EventType, events: Sequence[str], categories: Sequence[str], channels: Sequence[str]) -> bool:
    """Whether messages of this event type can be in a suppression's scope."""
    reached = (type_.channel, *(rule.channel for rule in type_.rules))
    return (
        type_.message is not None
        and (not events or type_.name in events)
        and (not categories or type_.category in categories)
        and (not channels or any(channel in channels for channel in reached))
    )
