"""Small boosted trees by XGBoost, turned into trees of our own that give the same numbers without it."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from botopt.model.click_model import Tree
from botopt.model.errors import UsageError

ROUNDS = 60
PARAMETERS: Mapping[str, object] = {
    "objective": "binary:logistic",
    "eta": 0.1,
    "max_depth": 3,
    "min_child_weight": 20,
    "nthread": 1,  # sums in one order: the same rows give the same trees
    "seed": 0,
    "tree_method": "hist",
}
"""On 4,267 real mailings trees like these beat logistic regression, and XGBoost's defaults lost to one static rule."""

_SINGLE = struct.Struct("<f")


class Boosted(msgspec.Struct, frozen=True):
    """log-odds = intercept + the sum of all trees."""

    intercept: float
    trees: tuple[Tree, ...]


def train(
    rows: Sequence[Sequence[float]],
    clicked: Sequence[float],
    counts: Sequence[float],
    *,
    signs: Sequence[int] | None = None,
    rounds: int = ROUNDS,
    parameters: Mapping[str, object] = PARAMETERS,
) -> Boosted:
    """Trees that fit these rows.

    Args:
        rows: the values of the features of each.
        clicked: 1.0 or 0.0, one a row.
        counts: how much each row counts.
        signs: by feature 1 where more must not mean less likely, -1 the other way round, 0 elsewhere.
        rounds: how many trees.
        parameters: XGBoost's.

    Raises:
        UsageError: XGBoost is not installed.
    """
    try:
        import numpy as np
        import xgboost
    except ImportError as fault:
        raise UsageError(
            f"trees need XGBoost ({fault}): pip install 'botopt[ml]', or train with --kind logistic"
        ) from None
    asked = dict(parameters)
    if signs is not None and any(signs):
        asked["monotone_constraints"] = f"({','.join(map(str, signs))})"
    data = xgboost.DMatrix(
        np.asarray(rows, dtype=np.float32), np.asarray(clicked, dtype=np.float32), weight=list(counts)
    )
    booster = xgboost.train(asked, data, num_boost_round=rounds, verbose_eval=False)
    return exported(bytes(booster.save_raw("json")))


def exported(data: bytes) -> Boosted:
    """The trees of a model that XGBoost saved as JSON (`objective: binary:logistic`, numbers only)."""
    learner = json.loads(data)["learner"]
    share = float(learner["learner_model_param"]["base_score"].strip("[]"))  # "[2.94E-1]", before 3.1 "2.94E-1"
    share = _single(share)
    trees = tuple(_tree(tree) for tree in learner["gradient_booster"]["model"]["trees"])
    return Boosted(math.log(share / (1 - share)), trees)


def _single(value: float) -> float:
    """The 32-bit float that a text in XGBoost's JSON stands for."""
    found: float = _SINGLE.unpack(_SINGLE.pack(value))[0]
    return found


def _tree(tree: Mapping[str, Any]) -> Tree:
    lefts, rights = tree["left_children"], tree["right_children"]
    order, place_of = [0], {0: 0}
    for node in order:  # grows while it is walked: every node after its parent
        if lefts[node] != -1:
            for child in (lefts[node], rights[node]):
                place_of[child] = len(order)
                order.append(child)
    values, covers = [0.0] * len(order), [float(tree["sum_hessian"][node]) for node in order]
    for node in reversed(order):
        place = place_of[node]
        if lefts[node] == -1:
            values[place] = _single(tree["split_conditions"][node])  # at a leaf, what it adds
            continue
        left, right = place_of[lefts[node]], place_of[rights[node]]
        both = covers[left] + covers[right]
        share = covers[left] / both if both > 0 else 0.5
        values[place] = share * values[left] + (1 - share) * values[right]
    inner = [lefts[node] != -1 for node in order]
    return Tree(
        tuple(tree["split_indices"][node] if is_inner else -1 for node, is_inner in zip(order, inner, strict=True)),
        tuple(
            _single(tree["split_conditions"][node]) if is_inner else 0.0
            for node, is_inner in zip(order, inner, strict=True)
        ),
        tuple(place_of[lefts[node]] if is_inner else 0 for node, is_inner in zip(order, inner, strict=True)),
        tuple(place_of[rights[node]] if is_inner else 0 for node, is_inner in zip(order, inner, strict=True)),
        tuple(values),
    )
