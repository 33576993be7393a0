"""A click model at work: from values to the chance of a click, without any library.

A model becomes one Python function, written from its numbers when the policy is compiled: a sum for a logistic model,
conditional expressions for trees. Nothing but names of our own and numbers stands in it, and a model file bounds how
much of it there can be.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import mul

from botopt.model.click_model import ClickModel, ModelKind, Tree
from botopt.model.learning_policy import Scorer, ScorerUse

Odds = Callable[[Sequence[float]], float]
"""Values in the order of the features -> log-odds; not finite where a value that the model looks at is not."""

MOST_ODDS = 30.0
"""Log-odds are not believed beyond this, either way."""

_SINGLE = struct.Struct("<f")
_BITS = struct.Struct("<I")
_TOGETHER = 20  # trees that are summed in one statement: a longer one nests too deep for the compiler


class BoundScorer:
    """A policy's scorer, compiled. It is given the values of `features`, by default those that the model looks at.

    `chance` says of them how likely a click is, above 0 and below 1; None where one that the model looks at is not
    finite.
    """

    __slots__ = ("chance", "model", "use")

    def __init__(self, scorer: Scorer, features: Sequence[str] | None = None) -> None:
        self.use: ScorerUse = scorer.use
        self.model = scorer.model
        self.chance = _chance(log_odds(scorer.model, features))


def _chance(log_odds: Odds) -> Callable[[Sequence[float]], float | None]:
    exp, low, high = math.exp, -MOST_ODDS, MOST_ODDS

    def chance(values: Sequence[float]) -> float | None:
        odds = log_odds(values)
        if low < odds < high:
            return 1.0 / (1.0 + exp(-odds))
        return None if odds - odds != 0.0 else chance_of(odds)

    return chance


def chance_of(odds: float) -> float:
    """The chance that belongs to log-odds."""
    return 1.0 / (1.0 + math.exp(-min(max(odds, -MOST_ODDS), MOST_ODDS)))


def log_odds(model: ClickModel, features: Sequence[str] | None = None) -> Odds:
    """The calibrated log-odds of a model, for values of these features; by default of the model's own."""
    given = model.features if features is None else tuple(features)
    names = [f"v{given.index(name)}" for name in model.features]
    unpacked = f"    [{', '.join(f'v{place}' for place in range(len(given)))}] = values"
    body = _logistic(model, names) if model.kind is ModelKind.LOGISTIC else _trees(model, names)
    slope, shift = model.calibration
    last = "odds" if (slope, shift) == (1.0, 0.0) else f"{slope!r} * odds + {shift!r}"
    lines = ["def log_odds(values):", unpacked, *(f"    {line}" for line in body), f"    return {last}"]
    made: dict[str, Odds] = {}
    known = {"__builtins__": {}, "inf": math.inf, "nan": math.nan}
    exec(compile("\n".join(lines), f"<model {model.digest}>", "exec"), known, made)  # noqa: S102
    plain = made["log_odds"]
    if not model.curve:
        return plain
    bent = curve(model.curve)
    return lambda values: bent(plain(values))


def _logistic(model: ClickModel, names: Sequence[str]) -> Iterator[str]:
    """A value that is not finite makes a sum that is not, whatever its weight."""
    terms = (f"{weight!r} * {name}" for weight, name in zip(model.weights, names, strict=True))
    yield f"odds = {' + '.join((repr(model.intercept), *terms))}"


def _trees(model: ClickModel, names: Sequence[str]) -> Iterator[str]:
    yield f"odds = {' + '.join(names)}"
    yield "if odds - odds != 0.0: return odds - odds"  # one is not finite: nor is the answer
    yield f"odds = {model.intercept!r}"
    for start in range(0, len(model.trees), _TOGETHER):
        yield f"odds += {' + '.join(_branch(tree, 0, names) for tree in model.trees[start : start + _TOGETHER])}"


def _branch(tree: Tree, node: int, names: Sequence[str]) -> str:
    feature = tree.features[node]
    if feature < 0:
        return repr(tree.values[node]) if tree.values[node] >= 0 else f"({tree.values[node]!r})"
    below, above = _branch(tree, tree.lefts[node], names), _branch(tree, tree.rights[node], names)
    return f"({below} if {names[feature]} < {edge(tree.thresholds[node])!r} else {above})"


def edge(threshold: float) -> float:
    """The 64-bit number below which exactly those values lie that are below `threshold` once rounded to 32 bits.

    XGBoost rounds values to 32 bits before it compares. A value rounds to the threshold or above from half-way between
    it and the 32-bit number before it; exactly half-way it goes to the one whose last bit is 0.

    Args:
        threshold: a finite 32-bit float.
    """
    (bits,) = _BITS.unpack(_SINGLE.pack(threshold))
    if bits == 0x80000000:  # -0.0
        bits = 0
    before_bits = 0x80000001 if not bits else bits + 1 if bits & 0x80000000 else bits - 1
    (before,) = _SINGLE.unpack(_BITS.pack(before_bits))
    middle: float = (before + threshold) / 2
    return math.nextafter(middle, math.inf) if bits & 1 else middle


def curve(points: Sequence[tuple[float, float]]) -> Callable[[float], float]:
    """Lines between points, flat outside; what is not finite stays so."""
    if not points:
        return lambda odds: odds
    places, heights = [x for x, _ in points], [y for _, y in points]

    def bent(odds: float) -> float:
        if odds - odds != 0.0:
            return odds
        place = bisect_right(places, odds)
        if not place:
            return heights[0]
        if place == len(places):
            return heights[-1]
        before, after = place - 1, place
        share = (odds - places[before]) / (places[after] - places[before])
        return heights[before] + share * (heights[after] - heights[before])

    return bent


def contributions(model: ClickModel, values: Sequence[float]) -> Mapping[str, float]:
    """By feature, what it adds to the log-odds before calibration; under an empty name where that starts.

    They sum to `log_odds` without the calibration. Logistic: weight times how far the value is from the middle of what
    the model learned from, from 0 where that is not known. Trees: along the path to the leaf, by
    how much the mean of the leaves below changes at each question (Saabas, "Interpreting random forests", 2014).
    """
    if model.kind is ModelKind.LOGISTIC:
        middles = model.middles or (0.0,) * len(values)
        terms = zip(model.features, model.weights, values, middles, strict=True)
        start = model.intercept + sum(map(mul, model.weights, middles))
        return {"": start, **{name: weight * (value - middle) for name, weight, value, middle in terms}}
    found = {"": model.intercept, **dict.fromkeys(model.features, 0.0)}
    for tree in model.trees:
        node = 0
        found[""] += tree.values[0]
        while (feature := tree.features[node]) >= 0:
            below = values[feature] < edge(tree.thresholds[node])
            after = tree.lefts[node] if below else tree.rights[node]
            found[model.features[feature]] += tree.values[after] - tree.values[node]
            node = after
    return found
