"""The section `events`: event types with their fields and rules."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.conditions import InReach
from botopt.loading.parse.fields import Fields, read_fields
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.known import Known
from botopt.loading.parse.learning import is_off, note_outlasting_wait, read_send_time
from botopt.loading.parse.rules import read_rule
from botopt.loading.parse.wording import listed, shown
from botopt.loading.reader import Map, Node, Scalar, Sequence
from botopt.model.durations import HOUR_US, parse_duration
from botopt.model.learning_policy import SendTime
from botopt.model.policy import RESERVED_TYPES, Category, EventType, Rule

KEYS = (
    "description category fields weight threshold message channel expires_after send_time accepts enabled engagement"
    " always rules"
).split()
_ONLY_WITH_MESSAGE = "weight threshold channel category expires_after send_time always rules".split()
_LONGEST_TYPE = 256
_HINTS = {
    "template": "type message: and the name of a template",
    "messages": "type message: and the name of a template",
    "base_weight": "type weight: …",
    "score": "type weight: … here; rules have a score",
    "cooldown": "cooldowns stand in the section suppression",
    "suppression": "suppression is a section of its own, at the left edge of a file",
    "when": "conditions stand in rules",
    "name": "the name is the key above; type description: … for a text",
    "type": "the type is the key above; types of fields stand in fields",
    "expires": "type expires_after: 2h",
    "disabled": "type enabled: false",
}


class Declared(msgspec.Struct, frozen=True):
    """An event type whose name and fields are known: its key, its node, its fields."""

    key: Scalar
    node: Node
    fields: Fields


class Names(msgspec.Struct, frozen=True):
    """What an event type may refer to."""

    templates: Known
    categories: Known
    channels: Known
    category_values: Mapping[str, Category]


def declare(findings: Findings, key: Scalar, node: Node) -> Declared:
    """The first look at an event type: its name and its fields."""
    if not isinstance(node, Map):
        if scalars.is_name(findings, key, "the name of an event type"):
            scalars.entries(findings, node, key.text, "an event type without keys is written {}")
        return Declared(key, node, Fields(unsure=True))
    if scalars.is_name(findings, key, "the name of an event type") and key.text in RESERVED_TYPES:
        message = f'"{key.text}" is a name of botopt\'s own, and cannot be declared'
        findings.report("B107", key.position, message, "it can be used in conditions without being declared")
    fields = node.get("fields")
    if fields is None:
        elsewhere = any(name.text not in KEYS for name, _ in node.entries)
        return Declared(key, node, Fields(unsure=elsewhere or findings.is_damaged(node)))
    inner = scalars.entries(findings, fields, "fields", "type fields: {name: {type: text}}")
    if inner is None:
        return Declared(key, node, Fields(unsure=True))
    found = read_fields(findings, inner.entries, "field")
    return Declared(key, node, Fields(found.specs, found.unsure or findings.is_damaged(node)))


def reached(node: Node) -> frozenset[str]:
    """The templates that an event type names, whatever else is wrong with it."""
    rules = node.get("rules") if isinstance(node, Map) else None
    maps = [node, *(rules.items if isinstance(rules, Sequence) else ())]
    named = [part.get("message") for part in maps if isinstance(part, Map)]
    return frozenset(name.text for name in named if isinstance(name, Scalar))


def read_event(findings: Findings, declared: Declared, reach: InReach, names: Names) -> EventType | None:
    """The whole event type, without findings about its fields; None if it has no keys at all."""
    key, node = declared.key, declared.node
    if not isinstance(node, Map):
        return None
    block = Block(findings, node, KEYS, f"the event type {shown(key)}", key.position, _HINTS)
    message = _known(block, "message", names.templates)
    category = _known(block, "category", names.categories)
    if "message" not in block:
        _refuse_without_message(block)
    else:
        block.needs("weight", " but a message", "add weight: 0.70 (0 to 1: how much it matters)")
    engagement = block.switch("engagement")
    if engagement is None:
        engagement = (
            category is None or category not in names.category_values or (names.category_values[category].engagement)
        )
    always = block.boolean("always", default=False)
    return EventType(
        key.text,
        description=block.text("description") or "",
        category=category,
        fields=declared.fields.specs,
        weight=block.number("weight", 0, 1) or 0.0,
        threshold=block.number("threshold", 0, 1),
        message=message,
        channel=_channel(block, names.channels),
        expires_after_us=block.duration("expires_after"),
        accepts=_accepts(block),
        enabled=block.boolean("enabled", default=True),
        engagement=engagement,
        always=always,
        rules=_rules(block, reach, names),
        position=key.position,
        send_time=_send_time(block, names.category_values.get(category or "")),
    )


def can_wait(node: Map) -> bool:
    """Whether messages of this event type may wait for a better hour: not those that always go at once."""
    always, expires = node.get("always"), node.get("expires_after")
    short = isinstance(expires, Scalar) and 0 < (parse_duration(expires.text) or 0) < HOUR_US
    return node.get("message") is not None and not short and not (isinstance(always, Scalar) and always.value is True)


def _send_time(block: Block, category: Category | None) -> SendTime | None:
    """Its own; else its category's, where its messages can wait at all."""
    own = read_send_time(block)
    if "send_time" not in block:
        return category.send_time if category is not None and can_wait(block.node) else None
    if is_off(block.get("send_time")) or can_wait(block.node) or "message" not in block:
        if own is not None and "message" in block:
            note_outlasting_wait(block, own)
        return own
    always = isinstance(node := block.get("always"), Scalar) and node.value is True
    if always:
        message = f"{block.what} says always: true, so its messages go at once, and send_time has nothing to choose"
        hint = "delete one of the two"
    else:
        message = f"messages of {block.what} expire before an hour is over, so none can wait for a better one"
        hint = "delete send_time, or let messages live longer: expires_after: 12h"
    block.findings.report("B113", block.key("send_time"), message, hint)
    return None


def _refuse_without_message(block: Block) -> None:
    if block.may_have("message"):
        block.findings.fault()
        return
    found = [key for key in _ONLY_WITH_MESSAGE if key in block]
    if not found:
        return
    first = min(found, key=block.key)
    rules = block.get("rules")
    replacing = isinstance(rules, Sequence) and any(
        isinstance(rule, Map) and rule.get("message") is not None for rule in rules.items
    )
    verb = "needs" if len(found) == 1 else "need"
    message = f"{listed(found, 'and')} {verb} a message, and {block.what} has none"
    if replacing:
        message += "; rules may replace a message, but not give the only one"
    hint = f"add message: and the name of a template, or delete {listed(found, 'and')}"
    block.findings.report("B113", block.key(first), message, hint)


def _known(block: Block, key: str, known: Known) -> str | None:
    word, node = block.text(key), block.get(key)
    if word is not None and isinstance(node, Scalar):
        known.knows(block.findings, node)
    return word


def _channel(block: Block, channels: Known) -> str | None:
    """The channel; where exactly one is declared, it may be left out."""
    if "channel" in block:
        return _known(block, "channel", channels)
    if "message" not in block:
        return None
    if not channels.complete or block.may_have("channel"):
        block.findings.fault()
        return None
    if len(channels.names) == 1:
        return next(iter(channels.names))
    if channels.names:
        there = listed(sorted(channels.names), "and")
        hint = f"add channel: {min(channels.names)}, say"
        block.findings.report(
            "B103", block.place, f"{block.what} has a message but no channel; there are {there}", hint
        )
    elif block.findings.first("no channels"):
        message = f"{block.what} has a message, and no channel is declared to send it to"
        block.findings.report("B103", block.place, message, "add a section channels: {chat: {type: console}}")
    else:
        block.findings.fault()
    return None


def _accepts(block: Block) -> tuple[str, ...]:
    found = block.names("accepts") or ()
    for node in found:
        if not node.text.isprintable() or len(node.text) > _LONGEST_TYPE:
            message = f"a type has at most {_LONGEST_TYPE} characters, and only those that are visible"
            block.findings.report("B107", node.position, message)
    return tuple(node.text for node in found)


def _rules(block: Block, reach: InReach, names: Names) -> tuple[Rule, ...]:
    node = block.get("rules")
    if node is None:
        return ()
    seen: dict[str, Scalar] = {}
    found = (
        read_rule(block.findings, entry, reach, names.templates, names.channels, seen)
        for entry in scalars.items(block.findings, node, "rules", empty=True) or ()
    )
    return tuple(rule for rule in found if rule is not None)
