"""A model that says how likely a click is: plain numbers, trained elsewhere, run without any library."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class ModelKind(StrEnum):
    """What a model computes with."""

    LOGISTIC = "logistic"
    TREES = "trees"


class Tree(msgspec.Struct, frozen=True, array_like=True):
    """One regression tree as five parallel arrays, node 0 at the top.

    At a node with a feature (an index; -1 at a leaf) a value below `thresholds` goes to `lefts`, any other to `rights`.
    Thresholds are exact 32-bit floats, and values are rounded to 32 bits before they are compared. `values` are what
    leaves add to the log-odds.
    """

    features: tuple[int, ...]
    thresholds: tuple[float, ...]
    lefts: tuple[int, ...]
    rights: tuple[int, ...]
    values: tuple[float, ...]


class ClickModel(msgspec.Struct, frozen=True):
    """log-odds = intercept + weights . values (logistic) or + the sum of all trees; then the calibration.

    `features` are names of `botopt.learning.features`, in the order of the values. `calibration` (a, b) makes
    a * log-odds + b of the log-odds. `digest` is a hash of everything else in the model file; `passed` whether the gate
    let it pass.
    """

    name: str
    kind: ModelKind
    features: tuple[str, ...]
    intercept: float = 0.0
    weights: tuple[float, ...] = ()
    trees: tuple[Tree, ...] = ()
    calibration: tuple[float, float] = (1.0, 0.0)
    passed: bool = False
    digest: str = ""
