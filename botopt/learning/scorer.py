"""A click model at work: from values to the chance of a click, without any library."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence

from botopt.model.click_model import ClickModel, ModelKind, Tree
from botopt.model.policy import Scorer, ScorerUse

_SINGLE = struct.Struct("<f")


class BoundScorer:
    """A policy's scorer, compiled."""

    __slots__ = ("_odds", "features", "use")

    def __init__(self, scorer: Scorer) -> None:
        self.use: ScorerUse = scorer.use
        self.features = scorer.model.features
        self._odds = log_odds(scorer.model)

    def chance(self, values: Sequence[float]) -> float | None:
        """How likely a click is, above 0 and below 1; None where that cannot be said."""
        odds = self._odds(values)
        if not math.isfinite(odds):
            return None
        odds = min(max(odds, -30.0), 30.0)
        return 1.0 / (1.0 + math.exp(-odds))


def log_odds(model: ClickModel) -> Callable[[Sequence[float]], float]:
    """The calibrated log-odds of a model."""
    slope, shift = model.calibration
    inner = _logistic(model) if model.kind is ModelKind.LOGISTIC else _trees(model)
    return lambda values: slope * inner(values) + shift


def _logistic(model: ClickModel) -> Callable[[Sequence[float]], float]:
    intercept, weights = model.intercept, model.weights

    def odds(values: Sequence[float]) -> float:
        total = intercept
        for weight, value in zip(weights, values, strict=True):
            total += weight * value
        return total

    return odds


def _trees(model: ClickModel) -> Callable[[Sequence[float]], float]:
    intercept, trees = model.intercept, model.trees

    def odds(values: Sequence[float]) -> float:
        single = [_SINGLE.unpack(_SINGLE.pack(value))[0] for value in values]
        return intercept + sum(_leaf(tree, single) for tree in trees)

    return odds


def _leaf(tree: Tree, values: Sequence[float]) -> float:
    node = 0
    while (feature := tree.features[node]) >= 0:
        node = tree.lefts[node] if values[feature] < tree.thresholds[node] else tree.rights[node]
    return tree.values[node]
