"""The gate: whether a model foretells later days better than what is in use, by more than chance would."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from botopt.learning.scorer import chance_of
from botopt.model.click_model import ClickModel, ModelKind
from botopt.model.counting import number_of
from botopt.model.trained_model import Bin, Day, Effect, Gate
from botopt.verify.training.candidates import odds_of
from botopt.verify.training.losses import error_of_mean, loss, mean
from botopt.verify.training.rows import NAMES, Row

RATIO = (0.9, 1.1)
"""Clicks that came against those foretold: outside of it a model does not pass."""

LEAST = {ModelKind.LOGISTIC: (300, 50), ModelKind.TREES: (2_000, 400)}
"""Rows and clicks below which a kind is not tried: on less real data each lost to a shrunken rate."""

LEAST_HELD_OUT = (30, 5)
"""Rows and clicks of the held-out days below which nothing can be judged."""

_BINS = 10
_POINTS = 7
_LOOKED_AT = 500  # rows over which the chances of an effect are averaged


class Comparison(msgspec.Struct, frozen=True):
    """Two models on the same rows: mean log losses, their difference (positive: the first is better) and its standard
    error, and clicks that came against those that each foretold.
    """

    loss: float
    other_loss: float
    gain: float
    error: float
    ratio: float
    other_ratio: float


def compared(model: ClickModel, other: ClickModel, rows: Sequence[Row]) -> Comparison:
    """Both on these rows, of which there is at least one."""
    counts, clicked = [row.count for row in rows], [row.clicked for row in rows]
    odds, others = _odds(model, rows), _odds(other, rows)
    losses = [loss(value, hit) for value, hit in zip(odds, clicked, strict=True)]
    other_losses = [loss(value, hit) for value, hit in zip(others, clicked, strict=True)]
    differences = [worse - better for worse, better in zip(other_losses, losses, strict=True)]
    came = mean(clicked, counts)
    return Comparison(
        mean(losses, counts),
        mean(other_losses, counts),
        mean(differences, counts),
        error_of_mean(differences, counts, [row.user for row in rows]),
        came / mean([chance_of(value) for value in odds], counts),
        came / mean([chance_of(value) for value in others], counts),
    )


def judged(model: ClickModel, incumbent: ClickModel, learned: Sequence[Row], held_out: Sequence[Row]) -> Gate:
    """How a model does on held-out days against the one in use."""
    found = compared(model, incumbent, held_out)
    reasons = []
    if found.gain <= 0:
        reasons.append(
            f"it foretells the held-out days no better than {incumbent.name} does: "
            f"log loss {found.loss:.4f} against {found.other_loss:.4f}"
        )
    elif found.gain <= found.error:
        reasons.append(
            f"it foretells the held-out days better than {incumbent.name}, but not by more than chance may: log loss "
            f"lower by {found.gain:.4f}, and one standard error of that is {found.error:.4f}"
        )
    low, high = RATIO
    if not low <= found.ratio <= high:
        reasons.append(
            f"its chances did not come true on the held-out days: {found.ratio:.2f} times as many clicks came as it "
            f"foretold ({low} to {high} are let pass); people may have changed"
        )
    return Gate(
        not reasons,
        incumbent.name,
        _short(found.loss),
        _short(found.other_loss),
        _short(found.gain),
        _short(found.error),
        _short(found.ratio),
        tuple(reasons),
        bins(model, held_out),
        days(model, incumbent, held_out),
        effects(model, learned, held_out),
    )


def lacking(kind: ModelKind, rows: Sequence[Row]) -> str | None:
    """Why there is too little to learn such a model from, as a sentence."""
    least_rows, least_clicks = LEAST[kind]
    clicks = round(sum(row.clicked for row in rows))
    if len(rows) >= least_rows and clicks >= least_clicks:
        return None
    need = f"{_kind(kind)} at least {least_rows:,} messages with a known answer and {least_clicks:,} clicks among them"
    return f"{need}; the log has {number_of(len(rows), 'message')} and {number_of(clicks, 'click')}"


def _kind(kind: ModelKind) -> str:
    return "a logistic model needs" if kind is ModelKind.LOGISTIC else "trees need"


def bins(model: ClickModel, rows: Sequence[Row]) -> tuple[Bin, ...]:
    """Rows in the order of their chance, in ten parts: what was foretold of each, and what came."""
    pairs = sorted(
        ((chance_of(value), row) for value, row in zip(_odds(model, rows), rows, strict=True)),
        key=lambda pair: pair[0],
    )
    number = min(_BINS, len(pairs))
    found = []
    for place in range(number):
        part = pairs[len(pairs) * place // number : len(pairs) * (place + 1) // number]
        counts = [row.count for _, row in part]
        foretold = mean([chance for chance, _ in part], counts)
        clicked = mean([row.clicked for _, row in part], counts)
        found.append(Bin(_short(foretold), _short(clicked), len(part)))
    return tuple(found)


def days(model: ClickModel, incumbent: ClickModel, rows: Sequence[Row]) -> tuple[Day, ...]:
    """Day by day, how both did."""
    by_day: dict[str, list[Row]] = {}
    for row in rows:
        by_day.setdefault(row.day, []).append(row)
    found = []
    for day, some in sorted(by_day.items()):
        both = compared_losses(model, incumbent, some)
        found.append(Day(day, _short(both[0]), _short(both[1]), len(some)))
    return tuple(found)


def compared_losses(model: ClickModel, other: ClickModel, rows: Sequence[Row]) -> tuple[float, float]:
    """The mean log losses of both."""
    counts = [row.count for row in rows]
    first, second = (
        mean([loss(value, row.clicked) for value, row in zip(_odds(each, rows), rows, strict=True)], counts)
        for each in (model, other)
    )
    return first, second


def effects(model: ClickModel, learned: Sequence[Row], held_out: Sequence[Row]) -> tuple[Effect, ...]:
    """What each feature does to the chance, and what mixing up its values costs on held-out days."""
    odds = odds_of(model)
    looked_at = learned[:: max(len(learned) // _LOOKED_AT, 1)]
    before = _mean_loss(model, held_out, held_out)
    found = []
    for name in model.features:
        place = NAMES.index(name)
        values = _quantiles([row.values[place] for row in learned])
        chances = []
        for value in values:
            moved = ((*row.values[:place], value, *row.values[place + 1 :]) for row in looked_at)
            chances.append(_short(math.fsum(chance_of(odds(each)) for each in moved) / len(looked_at)))
        half = len(held_out) // 2
        mixed = [
            msgspec.structs.replace(row, values=(*row.values[:place], other.values[place], *row.values[place + 1 :]))
            for row, other in zip(held_out, (*held_out[half:], *held_out[:half]), strict=True)
        ]
        worth = _mean_loss(model, mixed, held_out) - before
        found.append(Effect(name, tuple(map(_short, values)), tuple(chances), _short(worth)))
    return tuple(found)


def _mean_loss(model: ClickModel, rows: Sequence[Row], answers: Sequence[Row]) -> float:
    losses = [loss(value, row.clicked) for value, row in zip(_odds(model, rows), answers, strict=True)]
    return mean(losses, [row.count for row in answers])


def _quantiles(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    last = len(ordered) - 1
    return sorted({ordered[round(last * (0.02 + 0.96 * point / (_POINTS - 1)))] for point in range(_POINTS)})


def _odds(model: ClickModel, rows: Sequence[Row]) -> list[float]:
    odds = odds_of(model)
    return [odds(row.values) for row in rows]


def _short(value: float) -> float:
    """Six significant digits: what a card shows need not be longer."""
    return float(f"{value:.6g}")
