"""Fields and attributes as a table."""

from __future__ import annotations

from collections.abc import Mapping

from botopt.authoring.handbook.markup import Html, Part, table, tag
from botopt.authoring.handbook.said import place
from botopt.model.condition import ValueType
from botopt.model.instants import instant_text
from botopt.model.policy import FieldSpec
from botopt.network.tracing import value_text

_TYPES = {
    ValueType.TEXT: "text",
    ValueType.INTEGER: "whole number",
    ValueType.NUMBER: "number",
    ValueType.BOOLEAN: "true or false",
    ValueType.TIME: "time",
    ValueType.LIST: "list",
    ValueType.OBJECT: "object",
}


def field_table(fields: Mapping[str, FieldSpec], caption: str) -> Html:
    """What each holds, between which bounds, and what stands in where it is missing."""
    if not fields:
        return tag("p", "There are none.")
    rows: list[tuple[Part, ...]] = [
        (tag("code", name), _TYPES[spec.type], _bounds(spec), _missing(spec), place(spec.position))
        for name, spec in fields.items()
    ]
    return table(("Name", "Holds", "Which values", "If it is missing", "Where"), rows, caption)


def _bounds(spec: FieldSpec) -> str:
    said = []
    if spec.one_of:
        said.append(f"one of {', '.join(_value(spec, value) for value in spec.one_of)}")
    if spec.minimum is not None:
        said.append(f"at least {value_text(spec.minimum)}")
    if spec.maximum is not None:
        said.append(f"at most {value_text(spec.maximum)}")
    if spec.max_length is not None:
        said.append(f"at most {spec.max_length} characters")
    if spec.pattern is not None:
        said.append(f"like {spec.pattern.text}")
    return "; ".join(said) or "any"


def _missing(spec: FieldSpec) -> str:
    if spec.default is not None:
        return f"it is {_value(spec, spec.default)}"
    return "it is absent" if spec.optional else "the event is rejected"


def _value(spec: FieldSpec, value: object) -> str:
    if spec.type is ValueType.TIME and isinstance(value, int):
        return instant_text(value)
    return value if isinstance(value, str) else value_text(value)
