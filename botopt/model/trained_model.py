"""A model file: a click model, what it was trained on, and how its gate went."""

from __future__ import annotations

import msgspec

from botopt.model.click_model import ClickModel

FORMAT = 1
"""The version of the file format."""


class TrainingLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was read: its name without folders, and the SHA-256 of its bytes."""

    name: str
    sha256: str


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model was trained on.

    Days are `YYYY-MM-DD` in UTC. Rows are sent messages with a known answer; those before `held_out_from` were learned
    from, those of that day and later only judged. `weighted` rows counted more because they rarely got out. `rebuilt`
    is the share of rows whose decision had read exactly the learned values that the log leads to; None where records
    do not say.
    """

    logs: tuple[TrainingLog, ...]
    first_day: str
    last_day: str
    held_out_from: str
    rows: int
    clicks: int
    held_out_rows: int
    held_out_clicks: int
    weighted: int = 0
    rebuilt: float | None = None
    revision: str = ""
    botopt: str = ""
    monotone: tuple[tuple[str, str], ...] = ()
    dropped_monotone: tuple[tuple[str, str], ...] = ()


class Bin(msgspec.Struct, frozen=True, array_like=True):
    """Held-out messages with about the same chance: the mean chance, the share that was clicked, how many."""

    foretold: float
    clicked: float
    rows: int


class Day(msgspec.Struct, frozen=True, array_like=True):
    """One held-out day: the mean log loss of the model and of what it was measured against, and how many rows."""

    day: str
    loss: float
    incumbent_loss: float
    rows: int


class Effect(msgspec.Struct, frozen=True, array_like=True):
    """What a feature does: its values (quantiles of the training rows), the mean chance at each, and how much shuffling
    it costs in held-out log loss.
    """

    feature: str
    values: tuple[float, ...]
    chances: tuple[float, ...]
    worth: float


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the gate went, on held-out days only.

    Losses are mean log losses; `gain` is the incumbent's less the model's, `error` one standard error of the paired row
    difference; `ratio` is clicks observed against those foretold. `reasons` are sentences, empty where it passed.
    """

    passed: bool
    incumbent: str
    loss: float
    incumbent_loss: float
    gain: float
    error: float
    ratio: float
    reasons: tuple[str, ...] = ()
    bins: tuple[Bin, ...] = ()
    days: tuple[Day, ...] = ()
    effects: tuple[Effect, ...] = ()


class TrainedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in a model file. `digest` is a hash of all the rest."""

    format: int
    digest: str
    model: ClickModel
    training: Training
    gate: Gate
