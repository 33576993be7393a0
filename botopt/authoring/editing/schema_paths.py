"""What a JSON Schema says about the place at the end of a path of keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from botopt.authoring.editing.spots import ITEM
from botopt.authoring.schemas import Schema

_JOINED = ("anyOf", "oneOf", "allOf")


class Choice(msgspec.Struct, frozen=True):
    """A key or a value that the schema names, and what it says about it."""

    name: str
    description: str
    deeper: bool = False


def at_path(schema: Schema, path: Sequence[str]) -> list[Schema]:
    """Every subschema that is about the place at the end of a path."""
    found = list(_alternatives(schema, schema))
    for step in path:
        found = [inner for one in found for below in _below(one, step) for inner in _alternatives(schema, below)]
    return found


def _alternatives(root: Schema, node: object) -> Iterator[Schema]:
    """A schema, and those that it is made of."""
    if not isinstance(node, Mapping):
        return
    yield dict(node)
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        target = root["$defs"][reference.removeprefix("#/$defs/")]
        # What stands beside a reference says more than what it leads to.
        yield from _alternatives(root, {**target, **{k: v for k, v in node.items() if k in ("title", "description")}})
    for key in _JOINED:
        for part in node.get(key, ()):
            yield from _alternatives(root, part)


def _below(node: Schema, step: str) -> Iterator[object]:
    if step == ITEM:
        if "items" in node:
            yield node["items"]
        return
    properties = node.get("properties", {})
    if step in properties:
        yield properties[step]
    elif isinstance(node.get("additionalProperties"), Mapping):
        yield node["additionalProperties"]


def keys(schema: Schema, path: Sequence[str]) -> list[Choice]:
    """The keys that may stand there."""
    found: dict[str, Choice] = {}
    for node in at_path(schema, path):
        for name, inner in node.get("properties", {}).items():
            words = description([*_alternatives(schema, inner)]) if isinstance(inner, Mapping) else ""
            if name not in found or words:
                found[name] = Choice(name, words, deeper=_is_deep(list(_alternatives(schema, inner))))
    return list(found.values())


def _is_deep(nodes: Sequence[Schema]) -> bool:
    """Whether a value has lines of its own below its key."""
    types = {node.get("type") for node in nodes if isinstance(node.get("type"), str)}
    return bool(types) and types <= {"object"}


def values(schema: Schema, path: Sequence[str]) -> list[Choice]:
    """The values that the schema names there."""
    found: dict[str, Choice] = {}
    for node in at_path(schema, path):
        words = node.get("description", "")
        if "const" in node:
            found.setdefault(_typed(node["const"]), Choice(_typed(node["const"]), words))
        for value in node.get("enum", ()):
            if value is not None:
                found.setdefault(_typed(value), Choice(_typed(value), words))
        if node.get("type") == "boolean":
            for word in ("true", "false"):
                found.setdefault(word, Choice(word, words))
    return list(found.values())


def _typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def description(nodes: Sequence[Schema]) -> str:
    """What is said about a place first."""
    return next((node["description"] for node in nodes if node.get("description")), "")
