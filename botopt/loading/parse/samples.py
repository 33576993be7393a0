"""The samples of a template: example data, which must obey the fields of the event types that can send it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.plain import plain
from botopt.loading.parse.wording import shown
from botopt.loading.reader import Map, Node, Scalar
from botopt.model.condition import ValueType
from botopt.model.names import did_you_mean
from botopt.model.policy import EventType, Value
from botopt.model.values import Problem, check


def read_samples(block: Block, types: Sequence[EventType], *, unsure: bool) -> tuple[Mapping[str, Value], ...]:
    """Each sample with its values as events carry them; raw ones where no event type declares the field."""
    node = block.get("samples")
    if node is None:
        return ()
    found = []
    for entry in scalars.items(block.findings, node, "samples") or ():
        hint = "a sample has the fields of an event: {amount: 5}"
        inner = scalars.entries(block.findings, entry, "each entry of samples", hint)
        if inner is not None:
            found.append(_sample(block.findings, inner, types, unsure=unsure))
    return tuple(found)


def _sample(findings: Findings, node: Map, types: Sequence[EventType], *, unsure: bool) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for key, entry in node.entries:
        raw = plain(findings, entry)
        having = [type_ for type_ in types if key.text in type_.fields]
        if having:
            value = _value(findings, key.text, entry, raw, having)
        else:
            if types and not unsure:
                _unknown(findings, key, types)
            value = raw if isinstance(raw, (str, int, float, bool, list, dict)) else None
        if value is not None:
            values[key.text] = value
    return values


def _unknown(findings: Findings, key: Scalar, types: Sequence[EventType]) -> None:
    names = sorted({field for type_ in types for field in type_.fields})
    owner = f'"{types[0].name}" has' if len(types) == 1 else "no event type that sends this has"
    message = f"{owner} {'no' if len(types) == 1 else 'a'} field {shown(key)}"
    findings.report("B102", key.position, message, did_you_mean(key.text, names) or "delete it from the sample")


def _value(findings: Findings, name: str, node: Node, raw: object, types: Sequence[EventType]) -> Value:
    if raw is None or (isinstance(node, Scalar) and node.flawed):
        return None
    first: Value = None
    for type_ in types:
        spec = type_.fields[name]
        value = check(spec, raw)
        if isinstance(value, Problem):
            hint = ""
            if isinstance(node, Scalar) and spec.type in {ValueType.TEXT, ValueType.TIME} and not isinstance(raw, str):
                hint = f'put it in quotes: {name}: "{node.text}"'
            where = f' in "{type_.name}"' if len(types) > 1 else ""
            findings.report("B112", node.position, f"{name}{where} {value.sentence}", hint)
            return None
        first = value if first is None else first
    return first
