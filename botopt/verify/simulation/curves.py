"""Learning curves: in letters for a terminal, and as a picture (SVG) that any browser shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

Curve = Sequence[float | None]

MARKS = "*o+x#%"
"""What stands for each curve in a terminal, so that it takes no colours to tell them apart."""

_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
)  # Okabe and Ito: safe for the colour-blind
_DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 4", "4 2")
_HEIGHT = 12


def letters(curves: Mapping[str, Curve], first_day: int, width: int = 60) -> list[str]:
    """Lines of text: shares in percent upwards, days to the right. `first_day` is the day of the first value."""
    low, high = _bounds(curves)
    longest = max(len(curve) for curve in curves.values())
    columns = min(width, longest)
    grid = [[" "] * columns for _ in range(_HEIGHT)]
    for mark, curve in reversed(list(zip(MARKS, curves.values(), strict=False))):  # the first one on top
        for column in range(columns):
            value = curve[min(round(column * (longest - 1) / max(columns - 1, 1)), len(curve) - 1)]
            if value is not None:
                row = round((high - value) / (high - low) * (_HEIGHT - 1))
                grid[row][column] = mark
    lines = []
    for number, cells in enumerate(grid):
        share = high - (high - low) * number / (_HEIGHT - 1)
        label = f"{share:6.1%}" if number % 3 == 0 or number == _HEIGHT - 1 else " " * 6
        lines.append(f"{label} |{''.join(cells)}".rstrip())
    last = f"day {first_day + longest - 1}"
    lines.append(" " * 7 + "+" + "-" * columns)
    begin = f"day {first_day}"
    lines.append(" " * 8 + begin + last.rjust(max(columns - len(begin), len(last) + 1)))
    lines.append(" " * 8 + "   ".join(f"{mark} {name}" for mark, name in zip(MARKS, curves, strict=False)))
    return lines


def svg(curves: Mapping[str, Curve], first_day: int, title: str) -> str:
    """A picture of 760 by 420, readable without colours: each curve has its own dashes, and its name at its end."""
    low, high = _bounds(curves)
    longest = max(len(curve) for curve in curves.values())
    left, right, top, bottom = 64, 640, 48, 360

    def x(place: int) -> float:
        return left + (right - left) * place / max(longest - 1, 1)

    def y(value: float) -> float:
        return top + (bottom - top) * (high - value) / (high - low)

    label = escape(title, {'"': "&quot;"})
    size = 'viewBox="0 0 760 420" width="760" height="420"'
    font = 'font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}" {font}>',
        f"<title>{escape(title)}</title>",
        '<rect width="760" height="420" fill="#ffffff"/>',
        f'<text x="{left}" y="26" font-size="15" fill="#111111">{escape(title)}</text>',
    ]
    for step in range(5):
        value = low + (high - low) * step / 4
        parts.append(
            f'<line x1="{left}" x2="{right}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#dddddd"/>'
            f'<text x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#333333">{value:.1%}</text>'
        )
    for place in sorted({0, (longest - 1) // 2, longest - 1}):
        where = f'x="{x(place):.1f}" y="{bottom + 20}" text-anchor="middle"'
        parts += [f'<text {where} fill="#333333">day {first_day + place}</text>']
    axis = "clicks per message to expect, mean of the week up to each day"
    parts.append(f'<text x="{left}" y="{bottom + 44}" fill="#333333">{axis}</text>')
    labels = _apart({name: y(_last(curve)) for name, curve in curves.items()})
    for number, (name, curve) in enumerate(curves.items()):
        colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
        points = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in enumerate(curve) if value is not None)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.2"{dashes}/>')
        parts.append(f'<text x="{right + 8}" y="{labels[name] + 4:.1f}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _bounds(curves: Mapping[str, Curve]) -> tuple[float, float]:
    values = [value for curve in curves.values() for value in curve if value is not None] or [0.0]
    low, high = min(values), max(values)
    room = max((high - low) * 0.05, 0.001)
    return max(low - room, 0.0), high + room


def _last(curve: Curve) -> float:
    return next((value for value in reversed(curve) if value is not None), 0.0)


def _apart(places: Mapping[str, float], least: float = 15.0) -> dict[str, float]:
    """Heights of labels, moved down where two would touch."""
    found: dict[str, float] = {}
    reached = float("-inf")
    for name, place in sorted(places.items(), key=lambda each: each[1]):
        reached = found[name] = max(place, reached + least)
    return found
