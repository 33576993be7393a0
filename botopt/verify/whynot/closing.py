"""Which part of a score alone would have made a message worth sending, worked out from its record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from botopt.engine.scoring import clamp
from botopt.model.decision import Part
from botopt.model.policy import EventType
from botopt.verify.whynot.model import Closing, Miss

_ROUNDED = 6  # records have so many decimals


class _Sum(msgspec.Struct, frozen=True):
    """A score and its threshold before they are cut to 0 and 1."""

    raw: float
    factor: float
    needed: float

    @property
    def margin(self) -> float:
        """How much the score is above the threshold."""
        return round(clamp(clamp(self.raw) * self.factor) - clamp(self.needed), _ROUNDED)


def closing(miss: Miss, event_type: EventType | None) -> Closing | None:
    """The smallest single change that would have made it worth sending; None where no single one would.

    With the event type of the same policy, rules that did not match are thought of, too.
    """
    if miss.threshold is None:
        return None
    total = _sum(miss.parts, miss.threshold)
    enough = [
        (after.margin, order, change)
        for order, (change, after) in enumerate(_changes(miss.parts, total, event_type))
        if after.margin > 0
    ]
    return min(enough)[2] if enough else None


def _sum(parts: Iterable[Part], threshold: float) -> _Sum:
    raw, factor = 0.0, 1.0
    for part in parts:
        if part.part in ("base", "rule"):
            raw += part.value
        elif part.part in ("engagement", "scorer"):
            factor *= part.value
    return _Sum(raw, factor, threshold)


def _changes(parts: tuple[Part, ...], total: _Sum, event_type: EventType | None) -> Iterator[tuple[Closing, _Sum]]:
    for change in _present(parts):
        if change.part in ("engagement", "scorer"):
            yield change, msgspec.structs.replace(total, factor=total.factor / change.score)
        else:
            yield change, _moved(total, -change.score, -change.threshold)
    matched = {part.id for part in parts if part.part == "rule"}
    for rule in () if event_type is None else event_type.rules:
        if rule.id not in matched and not rule.skip and (rule.score or rule.threshold):
            score, threshold = rule.score or 0.0, rule.threshold or 0.0
            yield Closing("rule", rule.id, False, score, threshold), _moved(total, score, threshold)


def _moved(total: _Sum, score: float, threshold: float) -> _Sum:
    return _Sum(total.raw + score, total.factor, total.needed + threshold)


def _present(parts: tuple[Part, ...]) -> Iterator[Closing]:
    lowered = {part.id: part.value for part in parts if part.part == "threshold"}
    for part in parts:
        match part.part:
            case "rule":
                yield Closing("rule", part.id, True, part.value, lowered.get(part.id, 0.0))
            case "engagement" | "scorer" if 0 < part.value < 1:
                yield Closing(part.part, score=part.value)
            case "fatigue" | "pacing" if part.value > 0:
                yield Closing(part.part, threshold=part.value)
            case _:
                pass
