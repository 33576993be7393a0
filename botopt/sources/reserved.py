"""The data of the reserved event types: what users say about themselves, and what they do with messages."""

from __future__ import annotations

from collections.abc import Mapping

from botopt.model.condition import ValueType
from botopt.model.names import BUILT_IN_ATTRIBUTES, did_you_mean
from botopt.model.policy import FieldSpec, Policy, Value
from botopt.model.values import shown
from botopt.model.zones import is_zone
from botopt.sources.faults import Fault
from botopt.sources.fields import JsonObject, Reader, Undeclared, checked, fields_reader
from botopt.sources.locales import canonical_locale


def _texts(*names: str) -> Mapping[str, FieldSpec]:
    return {name: FieldSpec(name, ValueType.TEXT, optional=True) for name in names}


_FEEDBACK = _texts("message_id", "event_type")
_CONSENT = _texts("category", "channel")
_ACTIVE = _texts("channel")

FAILURE: Mapping[str, FieldSpec] = {
    "reason": FieldSpec("reason", ValueType.TEXT, max_length=200, optional=True),
    "capped_until": FieldSpec("capped_until", ValueType.TIME, optional=True),
    "channel": FieldSpec("channel", ValueType.TEXT, max_length=200, optional=True),
    "handed_over": FieldSpec("handed_over", ValueType.BOOLEAN, optional=True),
}
"""What `message.failed` may say besides: why, until when the provider takes nothing more for this user, on which
channel it failed if not on the message's own, and whether another one has taken it over, so that it counts as before.

The channel may be one that the policy has no more: what became of a message is heard all the same.
"""


def reserved_readers(policy: Policy, event_types: Mapping[str, str], undeclared: Undeclared) -> dict[str, Reader]:
    """A reader for each reserved type; `event_types` leads from every name of a declared type to that type."""
    return {
        "user.updated": _updated(policy, undeclared),
        "user.subscribed": _consent("user.subscribed", policy, undeclared),
        "user.unsubscribed": _consent("user.unsubscribed", policy, undeclared),
        "user.deleted": fields_reader("user.deleted", {}, undeclared),
        "user.active": _active(policy, undeclared),
        "message.clicked": _feedback("message.clicked", event_types, undeclared),
        "message.converted": _feedback("message.converted", event_types, undeclared),
        "message.dismissed": _feedback("message.dismissed", event_types, undeclared),
        "message.failed": _feedback("message.failed", event_types, undeclared),
    }


def _updated(policy: Policy, undeclared: Undeclared) -> Reader:
    specs = {**BUILT_IN_ATTRIBUTES, **policy.attributes}
    del specs["id"]  # nobody changes who they are

    def read(data: JsonObject, _: JsonObject) -> dict[str, Value]:
        if not data.keys() <= specs.keys():
            undeclared.count("user.updated", data, specs)
        return {name: _attribute(specs[name], value) for name, value in data.items() if name in specs}

    return read


def _attribute(spec: FieldSpec, value: object) -> Value:
    if value is None:
        return None  # back to its default, or to absent
    known = checked(spec, value)
    if isinstance(known, str) and spec.name == "timezone" and not is_zone(known):
        raise Fault(f"an unknown time zone: {shown(known)} is no IANA name such as Europe/Berlin", spec.name)
    if isinstance(known, str) and spec.name == "locale":
        canonical = canonical_locale(known)
        if canonical is None:
            raise Fault(f"an unknown locale: {shown(known)} is no tag such as de or de-AT", spec.name)
        return canonical
    return known


def _consent(event_type: str, policy: Policy, undeclared: Undeclared) -> Reader:
    fields = fields_reader(event_type, _CONSENT, undeclared)

    def read(data: JsonObject, envelope: JsonObject) -> dict[str, Value]:
        values = fields(data, envelope)
        _declared("category", values, policy.categories)
        _declared("channel", values, policy.channels)
        return values

    return read


def _active(policy: Policy, undeclared: Undeclared) -> Reader:
    fields = fields_reader("user.active", _ACTIVE, undeclared)

    def read(data: JsonObject, envelope: JsonObject) -> dict[str, Value]:
        values = fields(data, envelope)
        _declared("channel", values, policy.channels)
        return values

    return read


def _feedback(event_type: str, event_types: Mapping[str, str], undeclared: Undeclared) -> Reader:
    specs = {**_FEEDBACK, **FAILURE} if event_type == "message.failed" else _FEEDBACK
    fields = fields_reader(event_type, specs, undeclared)

    def read(data: JsonObject, envelope: JsonObject) -> dict[str, Value]:
        values = fields(data, envelope)
        _declared("event_type", values, event_types)
        if "event_type" in values:
            values["event_type"] = event_types[str(values["event_type"])]
        return values

    return read


def _declared(name: str, values: Mapping[str, Value], declared: Mapping[str, object]) -> None:
    value = values.get(name)
    if isinstance(value, str) and value not in declared:
        hint = did_you_mean(value[:100], declared)
        words = name.replace("_", " ")
        article = "an" if words[0] in "aeiou" else "a"
        raise Fault(f"{article} {words} that is not declared: {shown(value)}{f' - {hint}' if hint else ''}", name)
