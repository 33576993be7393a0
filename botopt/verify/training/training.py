"""`botopt train`: candidates, the best of them by blocks of time, the author's signs, and the gate."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from botopt.model.click_model import ClickModel, ModelKind
from botopt.model.counting import number_of
from botopt.model.errors import UsageError
from botopt.model.policy import Policy
from botopt.model.trained_model import Gate, Training, TrainingLog
from botopt.model.version import VERSION
from botopt.verify.training.candidates import Candidate, Signs, candidate
from botopt.verify.training.judging import LEAST_HELD_OUT, compared_losses, judged, lacking
from botopt.verify.training.rows import ENGAGEMENT, Row, Rows, split


class Tried(msgspec.Struct, frozen=True):
    """A kind of model: its mean log loss on blocks of time that were not learned from, or why it was not tried."""

    kind: ModelKind
    loss: float | None
    why_not: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What training came to. `model` and `gate` are None where there was nothing to judge; `reasons` say why none may
    be used, and are empty where one may.
    """

    training: Training
    tried: tuple[Tried, ...]
    reasons: tuple[str, ...]
    model: ClickModel | None = None
    gate: Gate | None = None


def train(
    rows: Rows,
    policy: Policy,
    logs: Sequence[TrainingLog],
    *,
    name: str,
    kinds: Sequence[ModelKind],
    signs: Signs | None = None,
) -> Outcome:
    """Learn from the earlier days, judge on the later ones.

    Args:
        rows: what the logs say.
        policy: what is in use; its scorer, if it has one, is what must be beaten.
        logs: what was read, for the model file.
        name: of the model.
        kinds: which to try.
        signs: what the author demands; kept only where held-out log loss does not rise for it.

    Raises:
        UsageError: only trees were asked for, and XGBoost is not installed.
    """
    learned, held_out = split(rows.rows)
    training = _training(rows, held_out, policy, logs)
    if rows.missing:
        return Outcome(training, (), (rows.missing,))
    reasons = _too_little(rows.rows, held_out)
    tried: list[Tried] = []
    found: list[Candidate] = []
    for kind in kinds:
        why_not = lacking(kind, rows.rows)
        one = None
        if why_not is None and not reasons:
            try:
                one = candidate(kind, learned, {})
            except UsageError as fault:
                if len(kinds) == 1:
                    raise
                why_not = str(fault)
        if one is not None:
            found.append(one)
        tried.append(Tried(kind, None if one is None else one.loss, why_not))
    if not found:
        reasons += [each.why_not for each in tried if each.why_not is not None]
        return Outcome(training, tuple(tried), tuple(dict.fromkeys(reasons)))
    best = min(found, key=lambda each: each.loss)
    incumbent = ENGAGEMENT if policy.scorer is None else policy.scorer.model
    model, kept = _with_signs(best, signs or {}, learned, held_out)
    model = msgspec.structs.replace(model, name=name)
    gate = judged(model, incumbent, learned, held_out)
    written = [(each, "+" if sign > 0 else "-") for each, sign in (signs or {}).items()]
    training = msgspec.structs.replace(
        training,
        monotone=tuple(pair for pair in written if pair[0] in kept),
        dropped_monotone=tuple(pair for pair in written if pair[0] not in kept),
    )
    return Outcome(training, tuple(tried), gate.reasons, model, gate)


def _with_signs(
    best: Candidate, signs: Signs, learned: Sequence[Row], held_out: Sequence[Row]
) -> tuple[ClickModel, Signs]:
    """The model with as many of the author's signs as cost nothing, each tried after those before it."""
    kind = best.model.kind
    model = _calibrated(best, held_out)
    kept: Signs = {}
    for name, sign in signs.items():
        if kind is ModelKind.LOGISTIC and model.weights[model.features.index(name)] * sign >= 0:
            kept = {**kept, name: sign}  # it has that sign by itself
            continue
        other = _calibrated(candidate(kind, learned, {**kept, name: sign}), held_out)
        with_it, without = compared_losses(other, model, held_out)
        if with_it <= without:
            model, kept = other, {**kept, name: sign}
    return model, kept


def _calibrated(found: Candidate, held_out: Sequence[Row]) -> ClickModel:
    """With the curve, if there is one and held-out log loss falls for it."""
    if found.curved is None:
        return found.model
    curved, plain = compared_losses(found.curved, found.model, held_out)
    return found.curved if curved < plain else found.model


def _too_little(rows: Sequence[Row], held_out: Sequence[Row]) -> list[str]:
    if not rows:
        return ["the log has no message whose answer is known"]
    least_rows, least_clicks = LEAST_HELD_OUT
    clicks = round(sum(row.clicked for row in held_out))
    days = len({row.day for row in rows})
    if days == 1:
        return [f"all {number_of(len(rows), 'message')} are of one day, so that no later day can judge"]
    if len(held_out) < least_rows or clicks < least_clicks:
        found = f"{number_of(len(held_out), 'message')} and {number_of(clicks, 'click')}"
        return [f"the last days, which judge, have {found}; at least {least_rows} and {least_clicks} are needed"]
    return []


def _training(rows: Rows, held_out: Sequence[Row], policy: Policy, logs: Sequence[TrainingLog]) -> Training:
    everything = rows.rows
    return Training(
        tuple(sorted(logs, key=lambda log: (log.name, log.sha256))),
        everything[0].day if everything else "",
        everything[-1].day if everything else "",
        held_out[0].day if held_out else "",
        len(everything),
        round(sum(row.clicked for row in everything)),
        len(held_out),
        round(sum(row.clicked for row in held_out)),
        sum(row.count > 1 for row in everything),
        None if rows.rebuilt is None else round(rows.rebuilt, 4),
        policy.revision,
        VERSION,
    )
