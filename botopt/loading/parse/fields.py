"""Fields of event types and attributes of users: `amount: {type: number, min: 0}`."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import re2

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.plain import plain
from botopt.loading.parse.wording import shown
from botopt.loading.patterns import matcher
from botopt.loading.reader import Node, Scalar
from botopt.model.condition import NUMERIC, ValueType
from botopt.model.policy import FieldSpec, Pattern, Value
from botopt.model.values import LARGEST, Problem, check

_KEYS = ("type", "one_of", "min", "max", "max_length", "pattern", "default", "optional")
_HINTS = {
    "required": "a field is required unless it says optional: true or has a default",
    "values": "type one_of: [a, b, c]",
    "enum": "type one_of: [a, b, c]",
    "length": "type max_length: 40",
    "minimum": "type min: 0",
    "maximum": "type max: 100",
    "regex": "type pattern: '[0-9]+'",
}
_TYPES = tuple(type_.value for type_ in ValueType)
_OTHER_NAMES = {
    "string": "text",
    "str": "text",
    "int": "integer",
    "float": "number",
    "decimal": "number",
    "double": "number",
    "bool": "boolean",
    "date": "time",
    "datetime": "time",
    "timestamp": "time",
    "array": "list",
    "map": "object",
    "dict": "object",
}


class Fields(msgspec.Struct, frozen=True):
    """The fields of one event type, or the attributes of the user. `unsure`: there are some that could not be read."""

    specs: dict[str, FieldSpec] = {}
    unsure: bool = False


def read_field(findings: Findings, name: Scalar, node: Node, what: str) -> FieldSpec | None:
    """One field, or None if its type is not known. Keys with findings are left out."""
    hint = f"type {name.text}: {{type: {node.text}}}" if isinstance(node, Scalar) and node.text in _TYPES else ""
    inner = scalars.entries(findings, node, name.text, hint or f"type {name.text}: {{type: text}}")
    if inner is None:
        return None
    block = Block(findings, inner, _KEYS, f"the {what} {shown(name)}", name.position, _HINTS)
    if not block.needs("type", hint="add type: text (or integer, number, boolean, time, list, object)"):
        return None
    type_ = _type(block)
    if type_ is None:
        return None
    _refuse_misplaced(block, type_)
    spec = FieldSpec(
        name.text,
        type_,
        minimum=block.number("min", -LARGEST, LARGEST),
        maximum=block.number("max", -LARGEST, LARGEST),
        max_length=block.integer("max_length", 1),
        pattern=_pattern(block),
        optional=block.boolean("optional", default=False),
        position=name.position,
    )
    spec = _without_misplaced(spec)
    if spec.minimum is not None and spec.maximum is not None and spec.maximum < spec.minimum:
        message = f"max is {spec.maximum:g} and min is {spec.minimum:g}, so no value fits"
        findings.report("B106", block.place_of("max"), message, "max must be at least min")
        spec = msgspec.structs.replace(spec, maximum=None)
    spec = msgspec.structs.replace(spec, one_of=_one_of(block, spec))
    return msgspec.structs.replace(spec, default=_default(block, spec))


def _type(block: Block) -> ValueType | None:
    node = block.get("type")
    if isinstance(node, Scalar) and (other := _OTHER_NAMES.get(node.text.lower())) and not node.flawed:
        message = f"type must be text, integer, number, boolean, time, list or object, not {shown(node)}"
        block.findings.report("B105", node.position, message, f"type {other}")
        return None
    word = block.choice("type", _TYPES)
    return None if word is None else ValueType(word)


_WANTS: dict[str, tuple[frozenset[ValueType], str]] = {
    "one_of": (NUMERIC | {ValueType.TEXT}, "text, integer and number"),
    "min": (NUMERIC, "integer and number"),
    "max": (NUMERIC, "integer and number"),
    "max_length": (frozenset({ValueType.TEXT}), "text"),
    "pattern": (frozenset({ValueType.TEXT}), "text"),
}


def _refuse_misplaced(block: Block, type_: ValueType) -> None:
    for key, (types, words) in _WANTS.items():
        if key in block and type_ not in types:
            message = f"{key} does not go with type {type_}, only with {words}"
            block.findings.report("B113", block.key(key), message, f"delete {key}, or change the type")


def _without_misplaced(spec: FieldSpec) -> FieldSpec:
    if spec.type not in NUMERIC:
        spec = msgspec.structs.replace(spec, minimum=None, maximum=None)
    if spec.type is not ValueType.TEXT:
        spec = msgspec.structs.replace(spec, max_length=None, pattern=None)
    return spec


_LONGEST_PATTERN = 2_000


def _pattern(block: Block) -> Pattern | None:
    text = block.text("pattern")
    node = block.get("pattern")
    if text is None or not isinstance(node, Scalar):
        return None
    if len(text) > _LONGEST_PATTERN:  # reading a much longer one takes more memory than a program may have
        message = f"this pattern is longer than {_LONGEST_PATTERN:,} characters"
        block.findings.report("B116", node.position, message, "list the options: one_of: […]; or match less exactly")
        return None
    try:
        return Pattern(text, matcher(text))
    except re2.error as why:
        words = why.args[0]
        words = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        hint = "look-ahead, look-behind and back references do not exist here" if "(?" in text or "\\" in text else ""
        block.findings.report("B116", node.position, f"this pattern cannot be read: {words}", hint)
        return None


def _one_of(block: Block, spec: FieldSpec) -> tuple[str | int | float, ...]:
    node = block.get("one_of")
    if node is None or spec.type not in _WANTS["one_of"][0]:
        return ()
    found: dict[str | int | float, None] = {}
    before = block.findings.faults
    for entry in scalars.items(block.findings, node, "one_of") or ():
        if block.findings.is_flawed(entry):
            continue
        value = _obeying(block.findings, spec, entry, "each entry of one_of")
        if not isinstance(value, (str, int, float)):
            continue
        if value in found:
            block.findings.report("B108", entry.position, f"{shown(entry)} stands twice in one_of")
        found[value] = None
    return tuple(found) if block.findings.faults == before else ()


def _default(block: Block, spec: FieldSpec) -> Value:
    node = block.get("default")
    if node is None or block.findings.is_flawed(node) or (isinstance(node, Scalar) and node.value is None):
        return None
    return _obeying(block.findings, spec, node, "default")


def _obeying(findings: Findings, spec: FieldSpec, node: Node, key: str) -> Value:
    value = plain(findings, node)
    found = Problem("must not be null") if value is None else check(spec, value)
    if isinstance(found, Problem):
        hint = ""
        if isinstance(node, Scalar) and spec.type is ValueType.TEXT and not isinstance(node.value, str):
            hint = f'put it in quotes: "{node.text}"'
        findings.report("B112", node.position, f"{key} {found.sentence}", hint)
        return None
    return found


def read_fields(
    findings: Findings, entries: Iterable[tuple[Scalar, Node]], what: str, built_in: frozenset[str] = frozenset()
) -> Fields:
    """Every field of a map of fields; `what` is `field` or `attribute`."""
    specs: dict[str, FieldSpec] = {}
    unsure = False
    for name, value in entries:
        spec = read_field(findings, name, value, what)
        if name.text in built_in:
            message = f"user.{name.text} is always there and cannot be declared"
            findings.report("B107", name.position, message, "delete it here; it can be used all the same")
        elif not scalars.is_field_name(findings, name, f"the name of {_a(what)}") or spec is None:
            unsure = True
        else:
            specs[name.text] = spec
    return Fields(specs, unsure)


def _a(what: str) -> str:
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"
