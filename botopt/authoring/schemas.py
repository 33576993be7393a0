"""JSON Schemas of one workspace: the published ones, with the names that it declares.

Where a name is used, the schema lists those there are, each with what it means, so that an editor completes them and
underlines others. Where a name is declared, any new one may stand. See ADR 10.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any

from botopt.authoring.channel_schemas import known_type, of_types, words_about
from botopt.authoring.editing.declared import Declarations, declarations
from botopt.authoring.editing.describing import (
    category_words,
    channel_words,
    event_words,
    field_words,
    kind_words,
    rule_words,
    short,
    template_words,
)
from botopt.delivery.registry import BUILT_IN, CHANNEL_TYPES
from botopt.model.condition import ValueType
from botopt.model.data_files import data_dir
from botopt.model.names import BUILT_IN_ATTRIBUTES
from botopt.model.policy import RESERVED_TYPES, FieldSpec, Policy
from botopt.verify.live import View

NAMES = ("rules", "templates", "tests")
"""The schemas that are made."""

Schema = dict[str, Any]
Described = Mapping[str, str]
_JSON_TYPES = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean"}


def workspace_schemas(view: View) -> dict[str, Schema]:
    """The schema of each kind of file, by name, each of which stands alone."""
    making = _Making(view.policy, declarations(view))
    return {"rules": making.rules(), "templates": making.templates(), "tests": making.tests()}


def _published(name: str) -> Schema:
    schema: Schema = json.loads((data_dir("schemas") / f"{name}.schema.json").read_text("utf-8"))
    schema["$id"] = f"urn:botopt:schema:workspace:{name}"
    schema["description"] += " Made from this workspace by `botopt schema --workspace`; make it anew when names change."
    return schema


def _one_of(title: str, names: Described) -> Schema:
    """One of these names; anything that could be one, where there is none yet."""
    if not names:
        return {"$ref": "#/$defs/name", "title": title}
    found = [{"const": name, "title": name, "description": words} for name, words in names.items()]
    return {"title": title, "description": f"{title}, as declared in this workspace.", "anyOf": found}


def _declaring(place: Schema, names: Described) -> None:
    """A map whose keys are declared there: those there are get a description, others may come."""
    inner = place["additionalProperties"]
    place["properties"] = {
        name: {**copy.deepcopy(inner), "title": name, "description": words or inner.get("description", "")}
        for name, words in names.items()
    }


def _closed(names: Described, value: Schema | None = None) -> Schema:
    """A map with no other keys than these."""
    return {
        "properties": {name: {**(value or {}), "title": name, "description": words} for name, words in names.items()},
        "additionalProperties": False,
    }


class _Making:
    """What all schemas of one workspace need."""

    def __init__(self, policy: Policy, declared: Declarations) -> None:
        self.policy = policy
        self.declared = declared
        events = policy.events
        self.events: Described = {
            name: event_words(events[name]) if name in events else "An event type." for name in declared.events
        }
        reserved = dict.fromkeys(RESERVED_TYPES, "Of botopt's own.")
        self.any_events: Described = {**self.events, **reserved}
        locale = policy.settings.locale
        self.templates_: Described = {
            name: template_words(policy.templates[name], locale) if name in policy.templates else "A template."
            for name in declared.templates
        }
        self.categories: Described = {
            name: category_words(policy.categories[name]) if name in policy.categories else "A category."
            for name in declared.categories
        }
        self.channels: Described = {
            name: channel_words(policy.channels[name]) if name in policy.channels else "A channel."
            for name in declared.channels
        }
        self.attributes: Described = {
            name: field_words(policy.attributes[name]) if name in policy.attributes else "An attribute."
            for name in declared.attributes
        }
        self.fields: Described = self._fields()

    def _fields(self) -> dict[str, str]:
        """Every field, with the event types that have it."""
        having: dict[str, list[str]] = {}
        for name, event in self.declared.events.items():
            for field in event.fields:
                having.setdefault(field, []).append(name)
        return {field: f"A field of {', '.join(names)}." for field, names in sorted(having.items())}

    def rules(self) -> Schema:
        schema = _published("rules")
        defs, sections = schema["$defs"], schema["properties"]
        _declaring(sections["categories"], self.categories)
        _declaring(sections["user"], self.attributes)
        _declaring(sections["channels"], self.channels)
        _declaring(sections["events"], self.events)
        self._channel(defs["channel"])
        event, rule, one = (defs[name]["properties"] for name in ("event", "rule", "suppression"))
        for part in (event, rule):
            part["message"] = self._named(part["message"], self.templates_)
            part["channel"] = self._named(part["channel"], self.channels)
        event["category"] = self._named(event["category"], self.categories)
        for key, names in (("events", self.events), ("categories", self.categories), ("channels", self.channels)):
            one[key]["items"] = _one_of("Name", names)
        for key, names in (("resolved_by", self.any_events), ("inhibited_by", self.events)):
            one[key]["anyOf"] = [_one_of("Name", names), {**one[key]["anyOf"][1], "items": _one_of("Name", names)}]
        slots = one["reserved"].pop("additionalProperties")
        one["reserved"] = {**one["reserved"], **_closed(self.categories, slots)}
        one["reserved"].pop("propertyNames")
        keys = {"user": "The same user; always so.", "event": "The same event type.", **self.fields}
        one["per"]["items"] = _one_of("Key", keys)
        if self.fields:
            one["same"]["items"] = _one_of("Field", self.fields)
        self._conditions(defs)
        return schema

    def _channel(self, channel: Schema) -> None:
        """The types that are installed, with the options of those that are used here; what channels name."""
        keys = channel["properties"]
        keys["type"] = {**keys["type"], **_one_of("Type", {name: words_about(name) for name in CHANNEL_TYPES})}
        keys["type"].pop("pattern")
        for key in ("fallback", "reply"):
            keys[key] = self._named(keys[key], self.channels)
        texts = {f"user.{name}": words for name, words in self.attributes.items() if self._is_text(name)}
        if texts:
            keys["to"] = {**self._named(keys["to"], texts)}
        used = {one.type for one in self.policy.channels.values()} - set(BUILT_IN)
        others = [one for name in sorted(used) if (one := known_type(name)) is not None]
        channel["allOf"] = [*channel["allOf"], *of_types(others, keys)]

    def _is_text(self, attribute: str) -> bool:
        spec = self.policy.attributes.get(attribute)
        return spec is None or spec.type is ValueType.TEXT

    def _named(self, place: Schema, names: Described) -> Schema:
        """A place for a name, with its own title and description."""
        found = _one_of(place["title"], names)
        return {**found, "title": place["title"], "description": place["description"]}

    def _conditions(self, defs: Schema) -> None:
        """Conditions are texts; a few of this workspace's own show what they look like."""
        examples = [
            f"user.{name} == '{spec.one_of[0]}'"
            for name, spec in self.policy.attributes.items()
            if spec.one_of and isinstance(spec.one_of[0], str)
        ][:3]
        examples += [rule.when.text for event in self.policy.events.values() for rule in event.rules][:3]
        if examples:
            defs["condition"]["anyOf"][0]["examples"] = examples

    def templates(self) -> Schema:
        schema = _published("templates")
        section = schema["properties"]["templates"]
        general = section["additionalProperties"]
        section["properties"] = {
            name: {
                "title": name,
                "description": words,
                "anyOf": [general["anyOf"][0], {"allOf": [general["anyOf"][1], self._samples(name)]}],
            }
            for name, words in self.templates_.items()
        }
        by_locale = schema["$defs"]["texts"]["anyOf"][1]
        by_locale["properties"] = {
            tag: {"$ref": "#/$defs/text", "title": tag, "description": "What the user reads in this language."}
            for tag in sorted({*self.declared.locales, self.policy.settings.locale})
        }
        self._conditions(schema["$defs"])
        return schema

    def _samples(self, template: str) -> Schema:
        """The fields that the samples of a template may have."""
        types = self.declared.reaching(template)
        specs = [self.policy.events[name].fields for name in types if name in self.policy.events]
        fields = {name: spec for found in reversed(specs) for name, spec in found.items()}
        if not types or len(specs) < len(types) or self.declared.fields_of(types) - fields.keys():
            return {}  # of what cannot be read, nothing is said
        sample = {"title": "Sample", "description": "Fields with their values.", "type": "object"}
        values = {name: self._value(spec) for name, spec in fields.items()}
        return {"properties": {"samples": {"items": {**sample, "properties": values, "additionalProperties": False}}}}

    @staticmethod
    def _value(spec: FieldSpec) -> Schema:
        found: Schema = {"title": spec.name, "description": field_words(spec)}
        if spec.one_of:
            found["enum"] = [*spec.one_of, None]
        elif str(spec.type) in _JSON_TYPES:
            found["type"] = [_JSON_TYPES[str(spec.type)], "null"]
        return found

    def tests(self) -> Schema:
        schema = _published("tests")
        defs = schema["$defs"]
        step, expect = defs["step"]["properties"], defs["expect"]["properties"]
        user = {**dict.fromkeys(BUILT_IN_ATTRIBUTES, "The user's own."), **self.attributes}
        defs["test"]["properties"]["user"] |= _closed(user)
        step["update"] |= _closed(user)
        step["send"] = self._named(step["send"], self.events)
        for about in ("click", "convert", "dismiss", "fail"):
            known = {"last": "The message that was sent last.", **self.events}
            one = [{"const": name, "title": name, "description": words} for name, words in known.items()]
            step[about] = {**step[about], "anyOf": [*one, {"title": "Id", "description": "The id of a send."}]}
        step["active"] = {
            **step["active"],
            "anyOf": [step["active"]["anyOf"][0], self._named(step["active"]["anyOf"][1], self.channels)],
        }
        consent = defs["consent"]["properties"]
        for part in (consent, expect):
            part["channel"] = self._named(part["channel"], self.channels)
        consent["category"] = self._named(consent["category"], self.categories)
        expect["template"] = self._named(expect["template"], self.templates_)
        variants = {name: f"A variant of {template}." for template, name in self.declared.variants}
        expect["variant"] = self._named(expect["variant"], variants)
        expect["by"] = {**expect["by"], "anyOf": [*self._deciding(), {"title": "Name", "description": "Any other."}]}
        defs["step"]["allOf"] += [self._with(name) for name in self.events]
        return schema

    def _deciding(self) -> Iterable[Schema]:
        """What a decision may name as its cause: suppressions and rules."""
        for one in self.policy.suppressions:
            yield {"const": one.id, "title": one.id, "description": kind_words(one)}
        ids: set[str] = {one.id for one in self.policy.suppressions}
        for event in self.policy.events.values():
            for rule in event.rules:
                if rule.id not in ids:
                    ids.add(rule.id)
                    yield {"const": rule.id, "title": rule.id, "description": f"{event.name}: {rule_words(rule)}"}

    def _with(self, event: str) -> Schema:
        """What an event of one type may carry. Wrong values are not refused: a test may be about just that."""
        specs = self.policy.events[event].fields if event in self.policy.events else {}
        names = self.declared.events[event].fields
        words = {name: field_words(specs[name]) if name in specs else short("A field.") for name in names}
        return {
            "if": {"properties": {"send": {"const": event}}, "required": ["send"]},
            "then": {"properties": {"with": _closed(words)}},
        }
