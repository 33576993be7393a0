"""The whole policy: which suppressions can stop which event types, and which messages those can send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from botopt.authoring.handbook.markup import Html
from botopt.authoring.handbook.picture import Box, column, drawn, head, line, picture, tallest

_TOP, _WIDTH, _SPACE = 24.0, 250.0, 170.0
_HEADS = ("Suppressions that can stop", "event types, with their rules,", "and their messages")
_MANY = 8
"""A suppression of more event types draws fainter lines."""

_MOST_LINES = 1_500
"""More lines than that are a carpet."""


class Map(msgspec.Struct, frozen=True):
    """Three columns of boxes, and pairs of their labels: event type and suppression, event type and template.

    A suppression about every event type has no pairs; its note says so.
    """

    suppressions: Sequence[Box]
    events: Sequence[Box]
    templates: Sequence[Box]
    stopped: Sequence[tuple[str, str]]
    sent: Sequence[tuple[str, str]]


def overview_picture(seen: Map) -> tuple[Html, str]:
    """The picture, and the style that dims all other lines while a box is pointed at or has the focus."""
    rows = {box.label: row for row, box in enumerate(seen.events)}
    columns = (
        _near(seen.suppressions, seen.stopped, rows),
        list(seen.events),
        _near(seen.templates, seen.sent, rows),
    )
    height = max(tallest(*columns), 0.0)
    xs = [1 + place * (_WIDTH + _SPACE) for place in range(len(columns))]
    placed = [
        [
            msgspec.structs.replace(box, id=f"{letter}{row}")
            for row, box in enumerate(column(boxes, x, _WIDTH, _TOP + height / 2))
        ]
        for letter, boxes, x in zip("set", columns, xs, strict=True)
    ]
    lines = list(_lines(seen, placed)) if len(seen.stopped) + len(seen.sent) <= _MOST_LINES else []
    boxes = [box for some in placed for box in some]
    heads = [head(x, 12, words) for x, words in zip(xs, _HEADS, strict=True)]
    size = (xs[-1] + _WIDTH + 1, _TOP + height + 2)
    whole = picture(*size, "The whole policy", *heads, *lines, *map(drawn, boxes), class_="")
    return whole, "".join(_dimmed(box.id) for box in boxes) if lines else ""


def _lines(seen: Map, placed: Sequence[Sequence[Box]]) -> Iterator[Html]:
    suppressions, events, templates = ({box.label: box for box in some} for some in placed)
    about = Counter(suppression for _, suppression in seen.stopped)
    for event, suppression in seen.stopped:
        faint = " many" if about[suppression] > _MANY else ""
        yield _line(suppressions[suppression], events[event], faint)
    for event, template in seen.sent:
        yield _line(events[event], templates[template], "")


def _line(left: Box, right: Box, more: str) -> Html:
    marks = f"{left.id} {right.id}{more}"
    return line(left.right, left.middle, right.x, right.middle, tip=False, marks=marks)


def _dimmed(name: str) -> str:
    hovered = f".picture:has(#{name}:hover,#{name}:focus) path"
    return f"{hovered}{{opacity:.1}}{hovered}.{name}{{opacity:1}}\n"


def _near(boxes: Sequence[Box], pairs: Sequence[tuple[str, str]], rows: dict[str, int]) -> list[Box]:
    """Boxes in the order of the middle of what they are joined to, so that lines cross little."""
    met: dict[str, list[int]] = {box.label: [] for box in boxes}
    for event, name in pairs:
        met[name].append(rows[event])
    return sorted(boxes, key=lambda box: (_mean(met[box.label]), box.label))


def _mean(places: Sequence[int]) -> float:
    return sum(places) / len(places) if places else -1.0
