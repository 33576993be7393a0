"""The section `suppression`."""

from __future__ import annotations

import msgspec

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.conditions import InReach, read_when
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.kinds import KINDS, Around, kind_of
from botopt.loading.parse.known import Known
from botopt.loading.parse.scopes import Surroundings, in_scope, merged
from botopt.loading.parse.wording import shown
from botopt.loading.reader import Node, Scalar
from botopt.model.decision import PROVIDER
from botopt.model.policy import EventType, Suppression, When

_SCOPES = ("events", "categories", "channels")
_KEYS = ("id", *KINDS, "per", "within", "reserved", "same", "action", *_SCOPES, "when", "unless")
_HINTS = {
    "event": "type events: [NAME]",
    "category": "type categories: [NAME]",
    "channel": "type channels: [NAME]",
    "days": "days stand inside quiet_hours: {from: …, to: …, days: [sat, sun]}",
    "from": 'type quiet_hours: {from: "22:00", to: "08:00"}',
    "to": 'type quiet_hours: {from: "22:00", to: "08:00"}',
    "except": "type unless: …",
    "if": "type when: …",
    "name": "type id: …",
    "cap": "type limit: 3 and within: 24h",
    "max": "type limit: 3 and within: 24h",
}


class Names(msgspec.Struct, frozen=True):
    """What a suppression may refer to; `resolving` are event types, reserved ones too."""

    events: Known
    resolving: Known
    categories: Known
    channels: Known


def read_suppression(
    findings: Findings, node: Node, names: Names, surroundings: Surroundings, seen: dict[str, Scalar]
) -> Suppression | None:
    """One suppression, or None if there are findings about it. `seen` gathers the ids."""
    before = findings.faults
    hint = "a suppression has keys: {id: …, cooldown: 6h}"
    inner = scalars.entries(findings, node, "each entry of suppression", hint)
    if inner is None:
        return None
    findings.fault_if_damaged(inner)
    id_node = inner.get("id")
    called = f"the suppression {shown(id_node)}" if isinstance(id_node, Scalar) else "this suppression"
    place = id_node.position if id_node is not None else inner.position
    block = Block(findings, inner, _KEYS, called, place, _HINTS)
    own_id = _id(block, seen)
    kind_key = kind_of(block)
    scope = {key: _scope(block, key, known) for key, known in _known(names)}
    sure = all(found is not None for found in scope.values())
    events, categories, channels = (scope[key] or () for key in _SCOPES)
    has_scope = any(key in block for key in _SCOPES)
    types = [type_ for type_ in surroundings.events.values() if in_scope(type_, events, categories, channels)]
    if not types and sure and has_scope and surroundings.scopes_sure:
        first = block.key(next(key for key in _SCOPES if key in block))
        message = f"{called} stops nothing: no event type with a message is in its scope"
        findings.report("B122", first, message, "check events, categories and channels")
    types = types or [type_ for type_ in surroundings.events.values() if not events or type_.name in events]
    when, unless = _conditions(block, types if sure else [], surroundings, sure=sure)
    if kind_key is None:
        return None
    around = Around(
        types if sure else (),
        sure,
        names.categories,
        names.events,
        names.resolving,
        surroundings,
        has_condition="when" in block or "unless" in block,
        has_scope=has_scope,
    )
    kind = KINDS[kind_key][0](block, around)
    if kind is None or findings.faults > before:
        return None
    return Suppression(own_id, kind, events, categories, channels, when, unless, place)


def _known(names: Names) -> tuple[tuple[str, Known], ...]:
    return ("events", names.events), ("categories", names.categories), ("channels", names.channels)


def _id(block: Block, seen: dict[str, Scalar]) -> str:
    node = block.get("id")
    if not block.needs("id", hint="add an id: that is how decisions name what stopped them") or node is None:
        return ""
    found = scalars.name(block.findings, node, "id")
    if found is None or not isinstance(node, Scalar):
        return ""
    if found == PROVIDER:
        message = f"decisions name {found} where a channel's provider takes nothing more"
        block.findings.report("B107", node.position, message, "give the suppression another id")
    first = seen.setdefault(found, node)
    if first is not node:
        message = f'two suppressions have the id "{found}"; the first is at {first.position}'
        block.findings.report("B108", node.position, message, "give one of them another id")
    return found


def _scope(block: Block, key: str, known: Known) -> tuple[str, ...] | None:
    """The names of one part of the scope; None if there are findings about it."""
    if key not in block:
        return ()
    nodes = block.names(key)
    if nodes is None:
        return None
    right = [known.knows(block.findings, node) for node in nodes]
    return tuple(node.text for node in nodes) if all(right) else None


def _conditions(
    block: Block, types: list[EventType], surroundings: Surroundings, *, sure: bool
) -> tuple[When | None, When | None]:
    when, unless = block.get("when"), block.get("unless")
    if when is None and unless is None:
        return None, None
    found = merged(types)
    unsure = not sure or surroundings.unsure_of(types)
    reach = InReach(surroundings.names_of(found.fields, found.conflicts), unsure)
    return (
        None if when is None else read_when(block.findings, when, "when", reach),
        None if unless is None else read_when(block.findings, unless, "unless", reach),
    )
