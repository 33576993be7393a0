"""What JSON Schemas say about channels: the keys that every channel has, and the options of each type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botopt.delivery.registry import BUILT_IN, CHANNEL_TYPES
from botopt.model.channels import ChannelType, Honesty, Option, OptionType
from botopt.model.condition import duration_text
from botopt.model.errors import UsageError

Schema = dict[str, Any]

_REFERENCE = {
    "title": "From the environment",
    "description": "Read from the environment when the service starts.",
    "type": "string",
    "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}",
}
_SECRET = {
    "title": "Secret",
    "description": "`${NAME}`, read from the environment when the service starts.",
    "type": "string",
    "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$",
}
_WORDS = {"title": "Text", "description": "A text with something in it.", "type": "string", "pattern": r"\S"}

HONESTY: Mapping[Honesty, str] = {
    Honesty.LOCAL: "There is no platform: the tests run the real thing.",
    Honesty.OFFICIAL_CLIENT: "The platform's own client, or an implementation of the standard that others wrote, runs "
    "against what we built, or judges what we send.",
    Honesty.OFFICIAL_MODEL: "The platform's published model judges what we send.",
    Honesty.DOCUMENTATION: "The tests follow examples in the platform's documentation.",
}
"""What the tests of a channel type rest on, in a sentence."""

NEVER_LIVE = " Nothing here was run against a live platform."


def words_about(name: str) -> str:
    """What a channel type is, for an author; of one that another package brings, only that."""
    return CHANNEL_TYPES[name].summary if name in BUILT_IN else "Brought by another package."


def details(name: str) -> str:
    """A channel type for a hover: what it is, what it asks for, and what its tests rest on. Markdown."""
    found = known_type(name)
    if found is None:
        return ""
    lines = [found.summary]
    needed = [f"`{option.name}`" for option in found.options if option.required]
    if needed:
        lines.append(f"Needs {', '.join(needed)}.")
    if found.addressed:
        lines.append(f"`to` names the attribute with {found.addressed}.")
    if found.needs_transport:
        lines.append("It may only give texts back, which go out through the channel that `reply` names.")
    lines.append(HONESTY[found.honesty] + NEVER_LIVE)
    return "\n\n".join(lines)


def known_type(name: str) -> ChannelType | None:
    """A channel type; None where there is none, or it cannot be loaded."""
    try:
        return CHANNEL_TYPES.get(name)
    except UsageError:
        return None


def of_type(type_: ChannelType, common: Mapping[str, Schema]) -> Schema:
    """What a channel of one type may hold, and what it must. `common` are the keys that every channel has."""
    properties: Schema = {option.name: of_option(option) for option in type_.options}
    if type_.max_length is not None:
        properties["max_length"] = {"maximum": type_.max_length}
    keys = [key for key in common if key != "reply" or type_.needs_transport]
    found: Schema = {"properties": properties, "propertyNames": {"enum": [*keys, *sorted(properties.keys() - keys)]}}
    required = [option.name for option in type_.options if option.required]
    return {**found, "required": required} if required else found


def of_one(schema: Schema, name: str, type_: str) -> Schema:
    """A schema of rules in which the channel `name` has the options of its type, as far as that is known."""
    found = known_type(type_)
    if found is None:
        return schema
    channel = schema["$defs"]["channel"]
    theirs = of_type(found, channel["properties"])
    names = theirs["propertyNames"]["enum"]
    keys = {**{option.name: of_option(option) for option in found.options}, **channel["properties"]}
    one = {"properties": {key: keys[key] for key in names}}
    return {**schema, "properties": {**schema["properties"], "channels": {"properties": {name: one}}}}


def of_types(types: Iterable[ChannelType], common: Mapping[str, Schema]) -> list[Schema]:
    """The same for each type, where a channel is of that type."""
    return [
        {"if": {"properties": {"type": {"const": one.name}}, "required": ["type"]}, "then": of_type(one, common)}
        for one in types
    ]


def of_option(option: Option) -> Schema:
    """What an option may hold."""
    title = option.name.replace("_", " ").capitalize()
    usual = "" if option.default is None else f" Usually {_shown(option)}."
    return {"title": title, "description": f"{option.help}{usual}", **_holds(option)}


def _holds(option: Option) -> Schema:
    text = _SECRET if option.secret else _WORDS
    match option.type:
        case OptionType.TEXT if option.one_of:
            return {
                "anyOf": [{"title": "Word", "description": "One of these.", "enum": list(option.one_of)}, _REFERENCE]
            }
        case OptionType.TEXT:
            return {key: text[key] for key in ("type", "pattern")}
        case OptionType.INTEGER | OptionType.NUMBER:
            bounds = {"minimum": option.minimum, "maximum": option.maximum}
            number = {"title": "Number", "description": "The number itself.", "type": str(option.type)}
            return {"anyOf": [{**number, **{k: v for k, v in bounds.items() if v is not None}}, _REFERENCE]}
        case OptionType.BOOLEAN:
            return {"anyOf": [{"title": "Truth", "description": "Yes or no.", "type": "boolean"}, _REFERENCE]}
        case OptionType.DURATION:
            return {"anyOf": [{"$ref": "#/$defs/duration"}, _REFERENCE]}
        case OptionType.URL if option.secret:
            return {key: _SECRET[key] for key in ("type", "pattern")}
        case OptionType.URL:
            return {
                "type": "string",
                "pattern": rf"^[hH][tT][tT][pP][sS]?://[^\s/?#@]+([/?#]\S*)?$|{_REFERENCE['pattern']}",
            }
        case OptionType.TEXTS:
            several = {"title": "Several", "description": "One or more.", "type": "array", "items": text}
            return {"anyOf": [text, {**several, "minItems": 1, "uniqueItems": True}]}
        case OptionType.NAME_MAP:
            return {"type": "object", "additionalProperties": text}
        case OptionType.PLAIN:
            return {}


def _shown(option: Option) -> str:
    if option.type is OptionType.DURATION and isinstance(option.default, int):
        return f"`{duration_text(option.default)}`"
    if isinstance(option.default, bool):
        return f"`{str(option.default).lower()}`"
    return f"`{option.default}`"
