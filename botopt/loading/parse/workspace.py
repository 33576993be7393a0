"""All sections -> the policy, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_

import msgspec

from botopt.loading.parse.block import without_misplaced
from botopt.loading.parse.channels import read_channel, refuse_circles
from botopt.loading.parse.conditions import InReach
from botopt.loading.parse.declared import read_category
from botopt.loading.parse.delivering import Around as ChannelsAround
from botopt.loading.parse.events import KEYS as EVENT_KEYS
from botopt.loading.parse.events import Declared, can_wait, declare, reached, read_event
from botopt.loading.parse.events import Names as EventNames
from botopt.loading.parse.experiments import read_experiment
from botopt.loading.parse.fields import Fields, read_fields
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.known import Known
from botopt.loading.parse.learning import Models, read_scorer, refuse_much_remembered
from botopt.loading.parse.memory import Around, Memory, around
from botopt.loading.parse.quiet import refuse_endless_quiet
from botopt.loading.parse.scalars import NAME
from botopt.loading.parse.scopes import Surroundings
from botopt.loading.parse.sections import Section, Sections
from botopt.loading.parse.settings import read_settings
from botopt.loading.parse.suppressions import Names as SuppressionNames
from botopt.loading.parse.suppressions import read_suppression
from botopt.loading.parse.templates import read_template
from botopt.loading.parse.wording import shown
from botopt.loading.reader import Map, Node, Scalar
from botopt.loading.reader import Sequence as ListNode
from botopt.model.channels import ChannelType
from botopt.model.learning_policy import Experiment
from botopt.model.names import BUILT_IN_ATTRIBUTES, arms_of
from botopt.model.policy import RESERVED_TYPES, Channel, EventType, FieldSpec, Policy, Settings, Suppression, Template

_BLOCKS = ("variants", "samples")
"""Keys of a template that cannot be the name of one in the short form."""

ChannelTypes = Mapping[str, ChannelType]


def read_workspace(
    findings: Findings,
    sections: Sections,
    channel_types: ChannelTypes,
    models: Models,
    memory: Memory | None = None,
) -> Policy:
    """Everything that is sound. Without errors that is the whole policy, but for its revision.

    `models` reads model files. `memory` is for those who read a workspace again and again.
    """
    return _Workspace(findings, sections, channel_types, Memory() if memory is None else memory).read(models)


class _KeptEvent(msgspec.Struct, frozen=True):
    """An event type, and what it depends on besides its own lines."""

    event: EventType | None
    fields: Mapping[str, FieldSpec]
    around: Around


class _KeptTemplate(msgspec.Struct, frozen=True):
    """A template, and what it depends on besides its own lines."""

    template: Template | None
    types: list[EventType]
    locale: str
    around: Around


class _Workspace:
    """One reading of a workspace."""

    def __init__(self, findings: Findings, sections: Sections, channel_types: ChannelTypes, memory: Memory) -> None:
        self.memory = memory
        self.findings = findings
        self.sections = sections
        self.channel_types = channel_types

    def read(self, models: Models) -> Policy:
        sections, findings = self.sections, self.findings
        settings, settings_sound = self._settings()
        named = sections.settings
        scorer = None if named is None else read_scorer(findings, named[0], models)
        experiments = self._experiments()
        categories = {
            key.text: category
            for key, node in sections.categories.entries
            if (category := read_category(findings, key, node)) is not None
        }
        attributes = self._attributes()
        channels = self._channels(attributes)
        declared = self._declared()
        surroundings = self._surroundings(declared, attributes, experiments)
        known = EventNames(
            _known("template", sections.templates, "templates stand in templates/"),
            _known("category", sections.categories, "add it to the section categories"),
            _known("channel", sections.channels, "add it to the section channels"),
            categories,
        )
        before = findings.faults
        events = self._events(declared, surroundings, known)
        scopes_sure = findings.faults == before and not surroundings.unsure and not surroundings.unsure_types
        surroundings = msgspec.structs.replace(surroundings, events=events, scopes_sure=scopes_sure)
        self._refuse_clashing_aliases(declared)
        suppressions = self._suppressions(surroundings, known)
        templates = self._templates(declared, surroundings, settings.locale, sure=settings_sound)
        sound = {name: event for name, event in events.items() if name not in surroundings.unsure_types}
        refuse_endless_quiet(findings, tuple(sound.values()), suppressions)
        policy = Policy(
            settings,
            categories,
            attributes.specs,
            channels,
            sound,
            suppressions,
            templates,
            experiments=experiments,
            scorer=scorer,
        )
        if named is not None and settings_sound:
            refuse_much_remembered(findings, named[0], policy)
        return policy

    def _experiments(self) -> dict[str, Experiment]:
        read = ((key.text, read_experiment(self.findings, key, node)) for key, node in self.sections.experiment.entries)
        return {name: experiment for name, experiment in read if experiment is not None}

    def _settings(self) -> tuple[Settings, bool]:
        before = self.findings.faults
        found = self.sections.settings
        settings = Settings() if found is None else read_settings(self.findings, *found)
        return settings, self.findings.faults == before and self.sections.settings_complete

    def _attributes(self) -> Fields:
        section = self.sections.user
        found = read_fields(self.findings, section.entries, "attribute", frozenset(BUILT_IN_ATTRIBUTES))
        return Fields(found.specs, found.unsure or not section.complete)

    def _channels(self, attributes: Fields) -> dict[str, Channel]:
        section, findings, types = self.sections.channels, self.findings, self.channel_types
        around = ChannelsAround(attributes, _known("channel", section, "add it to the section channels"))
        channels = {
            key.text: channel
            for key, node in section.entries
            if (channel := read_channel(findings, key, node, types, around)) is not None
        }
        refuse_circles(findings, section.entries, channels, types)
        return channels

    def _declared(self) -> list[Declared]:
        entries = without_misplaced(self.findings, self.sections.events.entries, EVENT_KEYS, "an event type")

        def first_look(key: Scalar, node: Node) -> Declared:
            return self.memory.part("fields", key, self.findings, lambda: declare(self.findings, key, node))

        return [first_look(key, node) for key, node in entries]

    def _surroundings(
        self, declared: Sequence[Declared], attributes: Fields, experiments: Mapping[str, Experiment]
    ) -> Surroundings:
        elsewhere: dict[str, list[str]] = {}
        for one in declared:
            for name in one.fields.specs:
                elsewhere.setdefault(name, []).append(one.key.text)
        all_experiments = _complete(self.sections.experiment) and set(self.sections.experiment.names()) == set(
            experiments
        )
        return Surroundings(
            {},
            attributes.specs,
            frozenset(one.key.text for one in declared) | frozenset(RESERVED_TYPES),
            {name: tuple(types) for name, types in elsewhere.items()},
            frozenset(one.key.text for one in declared if one.fields.unsure),
            attributes.unsure or not _complete(self.sections.events) or not all_experiments,
            experiments=arms_of(experiments),
        )

    def _events(
        self, declared: Sequence[Declared], surroundings: Surroundings, known: EventNames
    ) -> dict[str, EventType]:
        found: dict[str, EventType] = {}
        for one in declared:
            unsure = one.fields.unsure or surroundings.unsure
            reach = InReach(surroundings.names_of(one.fields.specs), unsure)
            event = self._event(one, reach, known)
            if event is not None:
                found[one.key.text] = event
        return found

    def _event(self, declared: Declared, reach: InReach, known: EventNames) -> EventType | None:
        names, fields = reach.names, declared.fields.specs

        def read() -> _KeptEvent:
            event = read_event(self.findings, declared, reach, known)
            return _KeptEvent(event, fields, Around() if event is None else around(event, names))

        def holds(kept: _KeptEvent) -> bool:
            same = kept.fields is fields and kept.around.holds(names)
            return same and (kept.event is None or _still_named(kept.event, declared.node, known))

        return self.memory.part("event", declared.key, self.findings, read, holds).event

    def _refuse_clashing_aliases(self, declared: Sequence[Declared]) -> None:
        taken = {one.key.text: one.key.position for one in declared}
        for one in declared:
            accepts = one.node.get("accepts") if isinstance(one.node, Map) else None
            aliases = accepts.items if isinstance(accepts, ListNode) else ()
            for alias in {alias.text: alias for alias in reversed(aliases) if isinstance(alias, Scalar)}.values():
                if alias.text in RESERVED_TYPES:
                    message = f'"{alias.text}" is a name of botopt\'s own'
                    self.findings.report("B107", alias.position, message, "delete it here")
                elif alias.text == one.key.text:
                    message = f"{shown(alias)} is the name of this event type anyway"
                    self.findings.report("B108", alias.position, message, "delete it here")
                elif alias.text in taken:
                    message = f"{shown(alias)} already stands for another event type, at {taken[alias.text]}"
                    self.findings.report("B108", alias.position, message, "an event can be of one type only")
                else:
                    taken[alias.text] = alias.position

    def _suppressions(self, surroundings: Surroundings, known: EventNames) -> tuple[Suppression, ...]:
        events = self.sections.events
        names = SuppressionNames(
            _known("event type", events, "add it to the section events"),
            Known("event type", (*events.names(), *RESERVED_TYPES), complete=_complete(events)),
            known.categories,
            known.channels,
        )
        seen: dict[str, Scalar] = {}
        read = (
            read_suppression(self.findings, node, names, surroundings, seen) for node in self.sections.suppression.items
        )
        found = [suppression for suppression in read if suppression is not None]
        self._refuse_shared_ids(surroundings.events, seen)
        return tuple(sorted(found, key=lambda suppression: suppression.id))

    def _refuse_shared_ids(self, events: Mapping[str, EventType], seen: Mapping[str, Scalar]) -> None:
        for event in events.values():
            for rule in event.rules:
                if rule.id in seen:
                    message = f'a suppression has the id "{rule.id}", too, at {seen[rule.id].position}'
                    hint = "decisions name rules and suppressions by their id: give one of them another"
                    self.findings.report("B108", rule.position, message, hint)

    def _templates(
        self, declared: Sequence[Declared], surroundings: Surroundings, locale: str, *, sure: bool
    ) -> dict[str, Template]:
        named: dict[str, list[EventType]] = {}
        for one in declared:
            for name in reached(one.node):
                if one.key.text in surroundings.events:
                    named.setdefault(name, []).append(surroundings.events[one.key.text])
        # A message that names no template may mean one of those that seem unused.
        unused_is_sure = _complete(self.sections.events) and set(named) <= set(self.sections.templates.names())
        found = {}
        for key, node in without_misplaced(self.findings, self.sections.templates.entries, _BLOCKS, "a template"):
            types = named.get(key.text, [])
            template = self._template(key, node, types, surroundings, locale)
            if not types and unused_is_sure:
                message = f"no event type and no rule sends the template {shown(key)}"
                self.findings.report("B123", key.position, message, f"name it: message: {key.text}; or delete it")
            parsed = [type_ for type_ in types if key.text in _templates_of(type_)]
            if template is not None and sure and parsed == types and not surroundings.unsure_of(types):
                found[key.text] = template
        return found

    def _template(
        self, key: Scalar, node: Node, types: list[EventType], surroundings: Surroundings, locale: str
    ) -> Template | None:
        names = surroundings.names_of({})

        def read() -> _KeptTemplate:
            template = read_template(self.findings, key, node, types, surroundings, locale)
            return _KeptTemplate(template, types, locale, Around() if template is None else around(template, names))

        def holds(kept: _KeptTemplate) -> bool:
            same = len(kept.types) == len(types) and all(map(is_, kept.types, types))
            same = same and kept.locale == locale and bool(types)  # without types it may use the fields of all
            return same and kept.around.holds(names)

        return self.memory.part("template", key, self.findings, read, holds).template


def _still_named(event: EventType, node: Node, known: EventNames) -> bool:
    """Whether all names that an event type uses, and what follows from them, are as they were."""
    category = known.category_values.get(event.category or "")
    own_engagement = isinstance(node, Map) and node.get("engagement") is not None
    own_send_time = isinstance(node, Map) and node.get("send_time") is not None
    inherited = None
    if isinstance(node, Map) and category is not None and can_wait(node):
        inherited = category.send_time
    templates = {name for name in _templates_of(event) if name is not None}
    channels = {channel for channel in (event.channel, *(rule.channel for rule in event.rules)) if channel is not None}
    implied = isinstance(node, Map) and event.message is not None and node.get("channel") is None
    return (
        templates <= known.templates.names
        and channels <= known.channels.names
        and (event.category is None or event.category in known.categories)
        and (own_engagement or event.engagement == (category is None or category.engagement))
        and (event.send_time == inherited or own_send_time)
        and not (implied and (len(known.channels.names) != 1 or not known.channels.complete))
    )


def _templates_of(event: EventType) -> tuple[str | None, ...]:
    return (event.message, *(rule.message for rule in event.rules))


def _known(kind: str, section: Section, where: str) -> Known:
    return Known(kind, section.names(), complete=_complete(section), where=where)


def _complete(section: Section) -> bool:
    """Whether the section's names are all there are. One that is no name may be meant by another spelling."""
    return section.complete and all(NAME.fullmatch(name) for name in section.names())
