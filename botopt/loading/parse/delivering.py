"""How a channel delivers: what any channel may say, whatever its type."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.fields import Fields
from botopt.loading.parse.known import Known
from botopt.loading.parse.wording import shown
from botopt.loading.reader import Scalar
from botopt.model.channels import ChannelType
from botopt.model.condition import ValueType
from botopt.model.durations import DAY_US, MINUTE_US, SECOND_US
from botopt.model.names import BUILT_IN_ATTRIBUTES
from botopt.model.policy import DeliverySettings, Value, WhenUnsure

HINTS = {
    "address": "type to: user.ATTRIBUTE, with the attribute that holds the user's address",
    "retries": "what fails is tried again for a time: type retry_for: 6h",
    "retry": "what fails is tried again for a time: type retry_for: 6h",
    "rate_limit": "type rate: {messages: 10, per: 1s}",
    "limit": "type rate: {messages: 10, per: 1s}",
}
_USER = re.compile(r"user\.([A-Za-z][A-Za-z0-9_]*)", re.ASCII)
_MOST_AT_ONCE = 64
_SHORTEST_TIMEOUT_US, _LONGEST_TIMEOUT_US = SECOND_US, 10 * MINUTE_US
_LONGEST_RETRY_US = 30 * DAY_US


class Around(msgspec.Struct, frozen=True):
    """What channels name: attributes of the user, and each other."""

    attributes: Fields
    channels: Known


def read_delivery(
    block: Block, name: Scalar, type_: ChannelType, options: Mapping[str, Value], around: Around
) -> DeliverySettings:
    """The settings; those of the type stand for what is absent or has a finding."""
    usual = type_.settings
    messages, per_us = _rate(block, usual)
    when_unsure = block.choice("when_unsure", [word.value for word in WhenUnsure])
    concurrency = block.integer("concurrency", 1, _MOST_AT_ONCE)
    return DeliverySettings(
        to=_to(block, name, type_, around),
        fallback=_channel(block, "fallback", around),
        reply=_reply(block, name, type_, options, around),
        messages=messages,
        per_us=per_us,
        concurrency=usual.concurrency if concurrency is None else concurrency,
        timeout_us=_within(block, "timeout", _SHORTEST_TIMEOUT_US, _LONGEST_TIMEOUT_US, "1s to 10m")
        or usual.timeout_us,
        retry_for_us=_within(block, "retry_for", SECOND_US, _LONGEST_RETRY_US, "1s to 30d") or usual.retry_for_us,
        when_unsure=usual.when_unsure if when_unsure is None else WhenUnsure(when_unsure),
    )


def _within(block: Block, key: str, low: int, high: int, words: str) -> int | None:
    found = block.duration(key)
    if found is None or low <= found <= high:
        return found
    node = block.get(key)
    assert node is not None
    block.findings.report("B106", node.position, f"{key} must be from {words}, not {shown(node)}")
    return None


def _rate(block: Block, usual: DeliverySettings) -> tuple[int, int]:
    node = block.get("rate")
    if node is None:
        return usual.messages, usual.per_us
    hint = f"type rate: {{messages: {node.text}, per: 1s}}" if isinstance(node, Scalar) and node.text.isdigit() else ""
    inner = scalars.entries(block.findings, node, "rate", hint or "type rate: {messages: 10, per: 1s}")
    if inner is None:
        return usual.messages, usual.per_us
    rate = Block(block.findings, inner, ("messages", "per"), f"rate of {block.what}", node.position)
    rate.needs("messages", hint="type rate: {messages: 10, per: 1s}")
    messages, per_us = rate.integer("messages", 1, 1_000_000), rate.duration("per")
    return messages or usual.messages, per_us or SECOND_US


def _to(block: Block, name: Scalar, type_: ChannelType, around: Around) -> str | None:
    """The attribute with a user's address; it must be declared, and hold texts."""
    node = block.get("to")
    if node is None:
        if type_.addressed and not block.may_have("to"):
            message = f"{block.what} does not say where users are reached, so their ids are taken for addresses"
            hint = f"add to: user.ATTRIBUTE, with the attribute that holds {type_.addressed}"
            block.findings.report("B127", name.position, message, hint)
        return None
    text = block.text("to")
    if text is None:
        return None
    attributes = around.attributes.specs
    found = _USER.fullmatch(text)
    if found is None:
        hint = f"type to: user.{text}" if text in attributes else "type to: user.ATTRIBUTE, such as user.phone"
        block.findings.report("B104", node.position, f"to must be an attribute of the user, not {shown(node)}", hint)
        return None
    attribute = found[1]
    if attribute == "id":
        block.findings.report("B113", node.position, "to: user.id is what is done anyway", "delete to")
        return None
    if attribute in attributes:
        if attributes[attribute].type is not ValueType.TEXT:
            message = f"{text} is of type {attributes[attribute].type}, and an address is a text"
            block.findings.report("B104", node.position, message, "declare it with type: text")
            return None
        return attribute
    known = Known("attribute", attributes, complete=not around.attributes.unsure, where=_declare(attribute))
    if not known.complete:
        block.findings.fault()
        return None
    built_in = " and user.timezone and user.locale are no addresses" if attribute in BUILT_IN_ATTRIBUTES else ""
    hint = known.hint(attribute) if not built_in else _declare("phone")
    block.findings.report("B102", node.position, f"unknown attribute {shown(node)}{built_in}", hint)
    return None


def _declare(attribute: str) -> str:
    return f"declare it: user: {{{attribute}: {{type: text}}}}"


def _channel(block: Block, key: str, around: Around) -> str | None:
    """The name of another channel."""
    text, node = block.text(key), block.get(key)
    if text is None or not isinstance(node, Scalar) or not around.channels.knows(block.findings, node):
        return None
    return text


def _reply(block: Block, name: Scalar, type_: ChannelType, options: Mapping[str, Value], around: Around) -> str | None:
    if not type_.gives_texts(options):
        if "reply" in block:
            message = f"{type_.name} brings messages to users itself, so there is nothing to reply"
            block.findings.report("B113", block.key("reply"), message, "delete reply")
        return None
    if "reply" not in block:
        if not block.may_have("reply"):
            message = f"{block.what} may only give texts back, which then count as not delivered"
            block.findings.report(
                "B128", name.position, message, "add reply: CHANNEL, with the channel that carries them"
            )
        return None
    return _channel(block, "reply", around)
