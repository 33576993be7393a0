"""The small sections: `categories` and `channels`."""

from __future__ import annotations

from collections.abc import Mapping

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.plain import plain
from botopt.loading.reader import Map, Node, Scalar
from botopt.model.channels import ChannelType
from botopt.model.names import did_you_mean
from botopt.model.policy import Category, Channel, Consent, Value


def read_category(findings: Findings, name: Scalar, node: Node) -> Category | None:
    """One category."""
    word = node.text if isinstance(node, Scalar) else ""
    hint = f"type {name.text}: {{consent: {word}}}" if word in set(Consent) else ""
    if not scalars.is_name(findings, name, "the name of a category") and not isinstance(node, Map):
        return None
    inner = scalars.entries(findings, node, name.text, hint)
    if inner is None:
        return None
    block = Block(findings, inner, ("consent", "engagement"), f'the category "{name.text}"', name.position)
    consent = block.choice("consent", [consent.value for consent in Consent])
    engagement = block.switch("engagement")
    return Category(
        name.text,
        Consent.OPT_OUT if consent is None else Consent(consent),
        engagement=engagement is not False,
        position=name.position,
    )


def read_channel(
    findings: Findings, name: Scalar, node: Node, channel_types: Mapping[str, ChannelType]
) -> Channel | None:
    """One channel, with the options of its type. A text such as `${NAME}` is kept as it is."""
    word = node.text if isinstance(node, Scalar) else ""
    hint = f"type {name.text}: {{type: {word}}}" if word in channel_types else ""
    if not scalars.is_name(findings, name, "the name of a channel") and not isinstance(node, Map):
        return None
    inner = scalars.entries(findings, node, name.text, hint)
    if inner is None:
        return None
    what = f'the channel "{name.text}"'
    known = inner.get("type")
    type_ = known.text if isinstance(known, Scalar) else ""
    if type_ not in channel_types:
        keys = ["type", *(key.text for key, _ in inner.entries)]
        block = Block(findings, inner, keys, what, name.position)
        if block.needs("type", hint=f"add type: {min(channel_types, default='…')}") and block.text("type") is not None:
            assert known is not None
            there = f"there is {', '.join(sorted(channel_types))}"
            hint = did_you_mean(type_, channel_types) or there
            findings.report("B102", known.position, f'unknown channel type "{type_}"', hint)
        return None
    block = Block(
        findings,
        inner,
        ["type", "max_length", *sorted(option.name for option in channel_types[type_].options)],
        what,
        name.position,
    )
    max_length = block.integer("max_length", 1)
    options: list[tuple[str, Value]] = []
    for key in (option.name for option in channel_types[type_].options):
        option = block.get(key)
        value = None if option is None else plain(findings, option)
        if isinstance(value, (str, int, float, bool, list, dict)):
            options.append((key, value))
    return Channel(name.text, type_, tuple(sorted(options, key=lambda option: option[0])), max_length, name.position)
