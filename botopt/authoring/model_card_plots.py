"""The pictures of a model card, as SVG that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from botopt.authoring.handbook.markup import Html, joined, tag
from botopt.model.trained_model import Bin, Day, Effect

WIDTH, HEIGHT = 420.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 22.0, 12.0, 40.0

STYLE = """
.plot { max-width: 34rem; margin: .8rem 0 } .plot svg { display: block; width: 100%; height: auto }
.plot text { font: 11px system-ui, "Noto Sans", sans-serif; fill: var(--ink) } .plot .axis { stroke: var(--wire) }
.plot .grid { stroke: var(--line) } .plot .even { stroke: var(--faint); stroke-dasharray: 5 4; fill: none }
.plot .one { stroke: var(--accent); fill: none; stroke-width: 2 } .plot circle.one { fill: var(--accent) }
.plot .other { stroke: var(--stop); fill: none; stroke-width: 2; stroke-dasharray: 7 3 }
.plot rect.other { fill: var(--paper); stroke-dasharray: none }
.effects { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); gap: 1rem }
.effects figure { margin: 0 } .effects figcaption { font-weight: 600 }
"""


class _Frame:
    """Numbers to places."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        self.left, self.right = _range(xs)
        self.low, self.high = _range(ys)

    def x(self, value: float) -> float:
        return _LEFT + (value - self.left) / (self.right - self.left) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - _TOP - _BOTTOM)

    def axes(self, across: str, up: str, named: Sequence[tuple[float, str]] | None = None) -> Html:
        """Axes with a few numbers, or names below, and what they are of."""
        parts = []
        for value in _ticks(self.low, self.high):
            y = self.y(value)
            parts.append(tag("line", x1=_n(_LEFT), x2=_n(WIDTH - _RIGHT), y1=_n(y), y2=_n(y), class_="grid"))
            parts.append(tag("text", f"{value:.3g}", x=_n(_LEFT - 5), y=_n(y + 4), text_anchor="end"))
        below = [(value, f"{value:.3g}") for value in _ticks(self.left, self.right)] if named is None else named
        for value, words in below:
            parts.append(tag("text", words, x=_n(self.x(value)), y=_n(HEIGHT - _BOTTOM + 15), text_anchor="middle"))
        floor = HEIGHT - _BOTTOM
        parts.append(tag("line", x1=_n(_LEFT), x2=_n(WIDTH - _RIGHT), y1=_n(floor), y2=_n(floor), class_="axis"))
        parts.append(tag("text", across, x=_n((_LEFT + WIDTH) / 2), y=_n(HEIGHT - 8), text_anchor="middle"))
        middle = _n((HEIGHT - _BOTTOM) / 2)
        parts.append(tag("text", up, x="12", y=middle, text_anchor="middle", transform=f"rotate(-90 12 {middle})"))
        return joined(*parts)

    def line(self, points: Sequence[tuple[float, float]], class_: str) -> Html:
        return joined(
            tag("polyline", points=" ".join(f"{_n(self.x(x))},{_n(self.y(y))}" for x, y in points), class_=class_),
            *(self.mark(x, y, class_) for x, y in points),
        )

    def mark(self, x: float, y: float, class_: str) -> Html:
        """Round for the one, square for the other: told apart without colours."""
        if class_ == "one":
            return tag("circle", cx=_n(self.x(x)), cy=_n(self.y(y)), r="3.2", class_=class_)
        return tag("rect", x=_n(self.x(x) - 3), y=_n(self.y(y) - 3), width="6", height="6", class_=class_)


def calibration(bins: Sequence[Bin]) -> Html:
    """What was foretold across, what came up; a model that is right lies on the dashed line."""
    most = max((max(each.foretold, each.clicked) for each in bins), default=1.0)
    frame = _Frame((0.0, most), (0.0, most))
    even = tag(
        "line",
        x1=_n(frame.x(0)),
        y1=_n(frame.y(0)),
        x2=_n(frame.x(most)),
        y2=_n(frame.y(most)),
        class_="even",
    )
    dots = (
        tag(
            "circle",
            tag("title", f"foretold {each.foretold:.3f}, clicked {each.clicked:.3f}, {each.rows} messages"),
            cx=_n(frame.x(each.foretold)),
            cy=_n(frame.y(each.clicked)),
            r="4",
            class_="one",
        )
        for each in bins
    )
    words = "; ".join(f"{each.foretold:.2f} foretold, {each.clicked:.2f} clicked" for each in bins)
    return _svg(f"Calibration: {words}", frame.axes("chance foretold", "share clicked"), even, *dots)


def losses(days: Sequence[Day]) -> Html:
    """Held-out log loss by day, of the model and of what it was measured against."""
    places = [float(place) for place in range(len(days))]
    frame = _Frame(places, [value for day in days for value in (day.loss, day.incumbent_loss)])
    step = max(len(days) // 5, 1)
    named = [(float(place), days[place].day[5:]) for place in range(0, len(days), step)]
    better = sum(day.loss < day.incumbent_loss for day in days)
    return _svg(
        f"Log loss by day: the model is better on {better} of {len(days)} days",
        frame.axes("day", "log loss (lower is better)", named),
        frame.line([(place, day.incumbent_loss) for place, day in zip(places, days, strict=True)], "other"),
        frame.line([(place, day.loss) for place, day in zip(places, days, strict=True)], "one"),
    )


def effect(found: Effect, most: float) -> Html:
    """What a feature does to the chance, over its usual values; `most` is the top of all such pictures."""
    points = list(zip(found.values, found.chances, strict=True))
    if len(points) == 1:
        points.append((points[0][0] + 1, points[0][1]))
    frame = _Frame([x for x, _ in points], (0.0, most))
    rises = sum(after[1] > before[1] for before, after in pairwise(points))
    words = "rises" if rises == len(points) - 1 else "falls" if not rises else "turns"
    return _svg(f"{found.feature}: the chance {words}", frame.axes(found.feature, "chance"), frame.line(points, "one"))


def _svg(words: str, *parts: Html) -> Html:
    box = f"0 0 {_n(WIDTH)} {_n(HEIGHT)}"
    return tag("div", tag("svg", tag("title", words), *parts, viewBox=box, role="img", aria_label=words), class_="plot")


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if high - low < 1e-9:
        return low - 0.5, high + 0.5
    return low, high


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers, three to seven of them."""
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * size for size in (1, 2, 2.5, 5, 10) if power * size >= raw * 0.8)
    first = math.ceil(low / step - 1e-9)
    return [step * place for place in range(first, math.floor(high / step + 1e-9) + 1)]


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
