"""The way of one event type: side by side, and for narrow windows in one column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from botopt.authoring.handbook.markup import Html, joined
from botopt.authoring.handbook.picture import GAP, HEIGHT, Box, column, drawn, head, line, picture, straight, tallest

_TOP = 24.0  # room for the headings
_WIDTHS = {"event": 170.0, "rules": 200.0, "gate": 160.0, "suppressions": 215.0, "messages": 195.0}
_SPACE = 42.0


class Way(msgspec.Struct, frozen=True):
    """What an event passes. Rules of the class `off` end it."""

    name: str
    event: Box
    rules: Sequence[Box]
    gate: Box
    suppressions: Sequence[Box]
    messages: Sequence[Box]


def event_pictures(way: Way) -> Html:
    """The same picture twice, for wide and for narrow windows; the style shows one of them."""
    return joined(_broad(way), _narrow(way), between="\n")


def _broad(way: Way) -> Html:
    groups = (list(way.rules), list(way.suppressions), list(way.messages))
    height = max(tallest(*groups), HEIGHT)
    middle = _TOP + height / 2
    x, placed, heads = 1.0, {}, []
    named = (
        ("event", [way.event], "Event"),
        ("rules", way.rules, "Rules"),
        ("gate", [way.gate], "Worth it?"),
        ("suppressions", way.suppressions, "Suppressions"),
        ("messages", way.messages, "Message"),
    )
    for key, boxes, words in named:
        placed[key] = column(boxes, x, _WIDTHS[key], middle)
        if boxes:
            heads.append(head(x, 12, words))
            x += _WIDTHS[key] + _SPACE
    width = x - _SPACE + 1
    gate = placed["gate"][0]
    lines = [*_through(placed["event"][0], placed["rules"], gate), *_to_messages(gate, placed)]
    drawings = [drawn(box) for group in placed.values() for box in group]
    return picture(width, _TOP + height + 2, f"The way of {way.name}", *heads, *lines, *drawings)


def _through(start: Box, between: Sequence[Box], end: Box) -> Iterable[Html]:
    if not between:
        yield line(start.right, start.middle, end.x, end.middle)
    for box in between:
        yield line(start.right, start.middle, box.x, box.middle)
        if "off" not in box.kind:
            yield line(box.right, box.middle, end.x, end.middle, tip=False)


def _to_messages(gate: Box, placed: dict[str, list[Box]]) -> Iterable[Html]:
    """All suppressions are asked, whatever the message: their lines meet before they part again."""
    suppressions, messages = placed["suppressions"], placed["messages"]
    if not suppressions:
        for message in messages:
            yield line(gate.right, gate.middle, message.x, message.middle)
        return
    meet = suppressions[0].right + _SPACE / 2
    for box in suppressions:
        yield line(gate.right, gate.middle, box.x, box.middle)
        yield line(box.right, box.middle, meet, gate.middle, tip=False)
    for message in messages:
        yield line(meet, gate.middle, message.x, message.middle)


def _narrow(way: Way) -> Html:
    spine, left, width = 12.0, 30.0, 288.0
    y, parts, boxes = 0.0, [], []
    groups = (
        ("Event", [way.event]),
        ("Rules", way.rules),
        ("Worth it?", [way.gate]),
        ("Suppressions", way.suppressions),
        ("Message", way.messages),
    )
    for words, group in groups:
        if not group:
            continue
        parts.append(head(left, y + 12, words))
        boxes += column(group, left, width, None, y + 20)
        y += 20 + len(group) * (HEIGHT + GAP) + GAP
    first, last = boxes[0].middle, boxes[-1].middle
    lines = [straight(spine, first, spine, last), *(straight(spine, box.middle, left, box.middle) for box in boxes)]
    drawings = [drawn(msgspec.structs.replace(box, id="")) for box in boxes]
    return picture(left + width + 2, y, f"The way of {way.name}", *parts, *lines, *drawings, class_="narrow")
