"""Models to choose from, each with its calibration, learned from the earlier days only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from botopt.learning.fitting import boosting, logistic
from botopt.learning.fitting.calibrating import growing_curve, line
from botopt.learning.scorer import Odds, curve, log_odds
from botopt.model.click_model import ClickModel, ModelKind
from botopt.verify.training.losses import loss_of_odds
from botopt.verify.training.rows import NAMES, Row

RIDGE = 10.0
"""How many rows the engagement rate is worth against a logistic model's own findings, for each feature."""

FOLDS, BLOCKS = 5, 2
"""The earlier days in five blocks; each of the last two is foretold by a model of the blocks before it."""

LEAST_FOR_CURVE = 2_000
"""Rows below which a calibration has only two numbers."""

Signs = Mapping[str, int]
"""By feature: 1 where more must not mean a click less likely, -1 the other way round."""


class Candidate(msgspec.Struct, frozen=True):
    """A model, and the mean log loss of its kind on blocks of time that were not learned from.

    `curved` is the same model with a curve as its calibration, where one did better on the last of the blocks.
    """

    model: ClickModel
    loss: float
    curved: ClickModel | None = None


def candidate(kind: ModelKind, rows: Sequence[Row], signs: Signs) -> Candidate:
    """The model of this kind that fits these rows, which are in the order of time.

    Raises:
        UsageError: XGBoost is needed and not installed.
    """
    blocks = [_foretold(kind, rows, signs, block) for block in range(FOLDS - BLOCKS, FOLDS)]
    every = _together(blocks)
    a, b = line(every.odds, every.clicked, every.counts)
    plain = msgspec.structs.replace(fitted(kind, rows, signs), calibration=(a, b))
    found = Candidate(plain, loss_of_odds([a * value + b for value in every.odds], every.clicked, every.counts))
    if len(rows) < LEAST_FOR_CURVE or not _is_better_curved(_together(blocks[:-1]), blocks[-1]):
        return found
    points = growing_curve([a * value + b for value in every.odds], every.clicked, every.counts)
    if not points:
        return found
    return msgspec.structs.replace(found, curved=msgspec.structs.replace(plain, curve=points))


def fitted(kind: ModelKind, rows: Sequence[Row], signs: Signs) -> ClickModel:
    """A model of this kind without calibration."""
    clicked, counts = [row.clicked for row in rows], [row.count for row in rows]
    held = [signs.get(name, 0) for name in NAMES]
    if kind is ModelKind.LOGISTIC:
        columns = list(zip(*(row.values for row in rows), strict=True))
        start = [1.0 if name == "user_rate" else 0.0 for name in NAMES]
        found = logistic.fit(columns, clicked, counts, start=start, ridge=RIDGE, signs=held)
        return ClickModel("", kind, NAMES, found.intercept, found.weights)
    boosted = boosting.train([row.values for row in rows], clicked, counts, signs=held)
    return ClickModel("", kind, NAMES, boosted.intercept, trees=boosted.trees)


def odds_of(model: ClickModel) -> Odds:
    """Log-odds from the values of a row."""
    odds, places = log_odds(model), [NAMES.index(name) for name in model.features]
    return lambda values: odds([values[place] for place in places])


class _Foretold(msgspec.Struct, frozen=True):
    """What was foretold of some rows by a model of the rows before them, and what came."""

    odds: tuple[float, ...]
    clicked: tuple[float, ...]
    counts: tuple[float, ...]


def _foretold(kind: ModelKind, rows: Sequence[Row], signs: Signs, block: int) -> _Foretold:
    begin, end = (len(rows) * place // FOLDS for place in (block, block + 1))
    model, part = odds_of(fitted(kind, rows[:begin], signs)), rows[begin:end]
    return _Foretold(
        tuple(model(row.values) for row in part), tuple(row.clicked for row in part), tuple(row.count for row in part)
    )


def _together(parts: Sequence[_Foretold]) -> _Foretold:
    return _Foretold(
        tuple(value for part in parts for value in part.odds),
        tuple(value for part in parts for value in part.clicked),
        tuple(value for part in parts for value in part.counts),
    )


def _is_better_curved(earlier: _Foretold, last: _Foretold) -> bool:
    """Whether a curve made of some blocks beats a line made of them on the next."""
    points = growing_curve(earlier.odds, earlier.clicked, earlier.counts)
    if not points:
        return False
    bent = curve(points)
    a, b = line(earlier.odds, earlier.clicked, earlier.counts)
    curved, straight = ([bent(value) for value in last.odds], [a * value + b for value in last.odds])
    return loss_of_odds(curved, last.clicked, last.counts) < loss_of_odds(straight, last.clicked, last.counts)
