"""A model that says how likely a click is: plain numbers, trained by `botopt train`, run without any library."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

FEATURES: Mapping[str, str] = {
    "user_rate": "log-odds of engagement.rate: how likely the user's own clicks and silence make a click",
    "type_rate": "log-odds of the share of this event type's messages that all users click",
    "hour": "natural logarithm of how much more active than in an average hour the user is at this hour of their day",
    "sent_24h": "messages sent to the user in the last 24 hours, failed ones left out, at most 20",
    "unanswered_7d": "messages of the last 7 days that the user has not clicked, failed ones left out, at most 20",
    "days_since_click": "days since the user last clicked a message, at most 30, also where 20 were ignored since then",
    "days_since_sent": "days since the user was last sent a message, at most 30; 30 where there was none",
    "ignored_in_a_row": "messages ignored in a row up to now, at most 20",
    "raw_score": "the score before engagement: the event type's weight and its rules, 0 to 1",
}
"""What a model may look at, and what each number means. `botopt.engine.features` works them out."""

MOST_TREES = 1_000
MOST_DEPTH = 8
MOST_NODES = 15_000
"""Of all trees together."""

MOST_POINTS = 100
"""Of a calibration curve."""


class ModelKind(StrEnum):
    """What a model computes with."""

    LOGISTIC = "logistic"
    TREES = "trees"


class Tree(msgspec.Struct, frozen=True, array_like=True):
    """One regression tree as five parallel arrays, node 0 at the top, every node after its parent.

    At a node with a feature (an index; -1 at a leaf) a value below `thresholds` goes to `lefts`, any other to `rights`
    (0 at a leaf). Thresholds are exact 32-bit floats, and values are rounded to 32 bits before they are compared.
    `values` are what leaves add to the log-odds; at other nodes the mean of the leaves below, which only explanations
    read.
    """

    features: tuple[int, ...]
    thresholds: tuple[float, ...]
    lefts: tuple[int, ...]
    rights: tuple[int, ...]
    values: tuple[float, ...]


class ClickModel(msgspec.Struct, frozen=True):
    """log-odds = intercept + weights . values (logistic) or + the sum of all trees; then the calibration.

    `features` are names of `FEATURES`, in the order of the values. `calibration` (a, b) makes a * log-odds + b of the
    log-odds. `curve`, where there is one, are points (log-odds before, log-odds after), both growing, between which
    lines are drawn; it is applied last, and is flat outside. `digest` is a hash of everything else in the model file;
    `passed` whether the gate let it pass; `middles` the middle values of what it learned from, in the order of the
    features, empty where they are not known: only explanations read them.
    """

    name: str
    kind: ModelKind
    features: tuple[str, ...]
    intercept: float = 0.0
    weights: tuple[float, ...] = ()
    trees: tuple[Tree, ...] = ()
    calibration: tuple[float, float] = (1.0, 0.0)
    curve: tuple[tuple[float, float], ...] = ()
    passed: bool = False
    digest: str = ""
    middles: tuple[float, ...] = ()
