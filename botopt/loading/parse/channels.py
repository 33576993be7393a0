"""The section `channels`: where messages go, with the options of each type and how it delivers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from botopt.loading.parse import scalars
from botopt.loading.parse.block import Block
from botopt.loading.parse.delivering import HINTS, Around, read_delivery
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.options import read_option, suggested
from botopt.loading.parse.wording import listed
from botopt.loading.reader import Map, Node, Scalar
from botopt.model.channels import ChannelType, Option
from botopt.model.errors import UsageError
from botopt.model.names import did_you_mean
from botopt.model.options import OF_EVERY_CHANNEL
from botopt.model.policy import Channel, Value
from botopt.model.position import Position

ChannelTypes = Mapping[str, ChannelType]


def read_channel(
    findings: Findings, name: Scalar, node: Node, channel_types: ChannelTypes, around: Around
) -> Channel | None:
    """One channel. A text such as `${NAME}` is kept as it is."""
    hint = ""
    if isinstance(node, Scalar) and node.text and node.text in channel_types:
        hint = f"type {name.text}: {{type: {node.text}}}"
    if not scalars.is_name(findings, name, "the name of a channel") and not isinstance(node, Map):
        return None
    inner = scalars.entries(findings, node, name.text, hint)
    if inner is None:
        return None
    what = f'the channel "{name.text}"'
    type_ = _type(findings, inner, what, name.position, channel_types)
    if type_ is None:
        return None
    names = [option.name for option in type_.options]
    keys = [key for key in OF_EVERY_CHANNEL if key != "reply" or type_.needs_transport or key in _keys(inner)]
    block = Block(findings, inner, [*keys, *sorted(names)], what, name.position, _hints(names))
    most = type_.max_length
    max_length = block.integer("max_length", 1, *(() if most is None else (most,)))
    before = findings.faults
    options = _options(block, name.text, type_)
    if findings.faults == before:
        _refuse_unfitting(block, type_, options)
    return Channel(
        name.text,
        type_.name,
        tuple(sorted(options.items())),
        most if max_length is None else max_length,
        name.position,
        read_delivery(block, name, type_, options, around),
    )


def _keys(node: Map) -> list[str]:
    return [key.text for key, _ in node.entries]


def _hints(names: list[str]) -> Mapping[str, str]:
    return {key: hint for key, hint in HINTS.items() if key not in names}


def _type(
    findings: Findings, inner: Map, what: str, place: Position, channel_types: ChannelTypes
) -> ChannelType | None:
    known = inner.get("type")
    type_ = known.text if isinstance(known, Scalar) else ""
    if type_:
        try:
            return channel_types[type_]
        except KeyError:
            pass
        except UsageError as fault:
            assert known is not None
            findings.report("B102", known.position, str(fault), "install its package anew, or ask who wrote it")
            return None
    block = Block(findings, inner, ["type", *_keys(inner)], what, place)
    if block.needs("type", hint=_any_type(channel_types)) and block.text("type") is not None:
        assert known is not None
        there = f"there is {', '.join(sorted(channel_types))}; is the package that brings another one installed?"
        hint = did_you_mean(type_, channel_types) or there
        findings.report("B102", known.position, f'unknown channel type "{type_}"', hint)
    return None


def _any_type(channel_types: Mapping[str, ChannelType]) -> str:
    """For who has named none: the one that needs no options comes first, if it is there."""
    first = "console" if "console" in channel_types else min(channel_types, default="…")
    others = sorted(channel_types.keys() - {first})
    return f"add type: {first}{f', or another one: {listed(others)}' if others else ''}"


def _options(block: Block, channel: str, type_: ChannelType) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for option in type_.options:
        node = block.get(option.name)
        if node is None:
            if option.required:
                block.needs(option.name, hint=_example(option, channel))
            continue
        value = read_option(block.findings, node, option, channel)
        if value is not None:
            found[option.name] = value
    return found


def _example(option: Option, channel: str) -> str:
    what = re.sub(r"\s*[.;:].*", "", option.help).replace("`", "")
    value = f"${{{suggested(channel, option.name)}}}" if option.secret else "…"
    return f"add {option.name}: {value} ({what[:1].lower()}{what[1:]})"


def _refuse_unfitting(block: Block, type_: ChannelType, options: Mapping[str, Value]) -> None:
    """What the type itself says about options that are each right."""
    whole = {option.name: options.get(option.name, option.default) for option in type_.options}
    for sentence in type_.check(whole):
        words = re.findall(r"\w+", sentence)
        name = next((word for word in words if word in options), None)
        place = block.place if name is None else block.place_of(name)
        block.findings.report("B126", place, f"{block.what}: {sentence}")


def refuse_circles(
    findings: Findings, entries: Iterable[tuple[Scalar, Node]], channels: Mapping[str, Channel], types: ChannelTypes
) -> None:
    """What one channel hands to another must come to an end, and the texts of a platform must reach a user."""
    places = {
        (key.text, other.text): other.position
        for key, node in entries
        if isinstance(node, Map)
        for other in (node.get("reply"), node.get("fallback"))
        if isinstance(other, Scalar)
    }
    leads = {
        name: [
            other
            for other in (channel.delivery.fallback, channel.delivery.reply)
            if other is not None and other in channels
        ]
        for name, channel in channels.items()
    }
    said: set[frozenset[str]] = set()
    for name, channel in channels.items():
        circle = _circle(name, leads)
        if circle and frozenset(circle) not in said:
            said.add(frozenset(circle))
            way = f": {' → '.join(circle)}" if len(circle) > 2 else ""
            message = f'the channel "{name}" leads back to itself{way}'
            hint = "a message that nobody takes must end somewhere: delete one of these"
            findings.report("B129", places[name, circle[1]], message, hint)
        reply = channels.get(channel.delivery.reply or "")
        if not circle and reply is not None and types[reply.type].gives_texts(dict(reply.options)):
            message = f'the channel "{reply.name}" may only give texts back, so it cannot carry those of "{name}"'
            findings.report("B113", places[name, reply.name], message, "name a channel that brings texts to users")


def _circle(start: str, leads: Mapping[str, list[str]]) -> list[str]:
    """The shortest way from a channel back to it; empty if there is none."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop(0)
        for other in leads[way[-1]]:
            if other == start:
                return [*way, start]
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return []
