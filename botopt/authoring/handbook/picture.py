"""Boxes and lines as inline SVG. Laid out here, so they are the same on every machine."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from botopt.authoring.handbook.markup import Html, Part, joined, tag

HEIGHT, GAP = 40.0, 10.0
_LETTER = 7.2  # a wide guess of an average letter, so that texts stay inside their boxes
_SMALL_LETTER = 6.1


class Box(msgspec.Struct, frozen=True):
    """One thing of the policy: a name, a note below it, and the place in the handbook that tells more.

    `kind` is its class in the style, and `id` what lines that touch it are marked with.
    """

    kind: str
    label: str
    note: str
    target: str
    x: float = 0.0
    y: float = 0.0
    width: float = 200.0
    id: str = ""

    @property
    def middle(self) -> float:
        """Where lines meet it, from above."""
        return self.y + HEIGHT / 2

    @property
    def right(self) -> float:
        """Where lines leave it, from the left."""
        return self.x + self.width


def column(boxes: Iterable[Box], x: float, width: float, middle: float | None, top: float = 0.0) -> list[Box]:
    """Boxes one below another, around a middle or from a top."""
    there = list(boxes)
    height = len(there) * (HEIGHT + GAP) - GAP
    y = top if middle is None else middle - height / 2
    return [
        msgspec.structs.replace(box, x=x, y=y + place * (HEIGHT + GAP), width=width) for place, box in enumerate(there)
    ]


def tallest(*groups: list[Box]) -> float:
    """How high the highest column will be."""
    return max(len(group) for group in groups) * (HEIGHT + GAP) - GAP


def line(x1: float, y1: float, x2: float, y2: float, *, tip: bool = True, marks: str | None = None) -> Html:
    """A curve from left to right, with an arrow's tip at its end."""
    bend = (x2 - x1) / 2
    end = x2 - 6 if tip else x2
    curve = f"M{_n(x1)} {_n(y1)}C{_n(x1 + bend)} {_n(y1)} {_n(x2 - bend)} {_n(y2)} {_n(end)} {_n(y2)}"
    head = f"M{_n(x2)} {_n(y2)}l-7-4v8z"
    return joined(tag("path", d=curve, class_=marks), tag("path", d=head, class_="tip") if tip else None)


def straight(x1: float, y1: float, x2: float, y2: float) -> Html:
    """A straight line."""
    return tag("path", d=f"M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}")


def head(x: float, y: float, words: str) -> Html:
    """A small heading of a column."""
    return tag("text", words, x=_n(x), y=_n(y), class_="small head")


def drawn(box: Box) -> Html:
    """A box that is a link, with the whole of its words for whom it cuts them."""
    inner = joined(
        tag("title", f"{box.label}: {box.note}" if box.note else box.label),
        tag("rect", x=_n(box.x), y=_n(box.y), width=_n(box.width), height=_n(HEIGHT), rx="7"),
        tag("text", _cut(box.label, box.width, _LETTER), x=_n(box.x + 10), y=_n(box.y + (17 if box.note else 25))),
        tag("text", _cut(box.note, box.width, _SMALL_LETTER), x=_n(box.x + 10), y=_n(box.y + 32), class_="small")
        if box.note
        else None,
    )
    if not box.target:
        return tag("g", inner, class_=box.kind)
    return tag("a", inner, href=box.target, class_=box.kind, id=box.id or None)


def picture(width: float, height: float, label: str, *parts: Part, class_: str = "broad") -> Html:
    """The whole: lines first, boxes over them. It scrolls sideways by itself where it has to."""
    size = f"0 0 {_n(width)} {_n(height)}"
    shape = tag(
        "svg",
        *parts,
        viewBox=size,
        width=_n(width),
        role="group",
        aria_label=label,
        style=f"min-width:{_n(min(width, max(width * 0.75, 320)))}px;max-width:100%",
    )
    return tag("div", shape, class_=f"picture {class_}", tabindex="0", role="region", aria_label=label)


def _cut(words: str, width: float, letter: float) -> str:
    most = int((width - 18) / letter)
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _n(number: float) -> str:
    """A coordinate, short and the same everywhere."""
    return f"{number:.1f}".removesuffix(".0")
