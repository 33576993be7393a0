"""Which of the numbers that a scorer looks at moved its chance most, in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from botopt.engine.work import Work
from botopt.learning.scorer import chance_of, contributions
from botopt.model.click_model import FEATURES, ModelKind
from botopt.model.counting import percent

_MOST_TOLD = 3
_LEAST_MOVE = 0.005
"""Log-odds; less than this moves a chance by less than it is rounded to."""


class Moved(msgspec.Struct, frozen=True):
    """One input of a scorer: its value, and by how much it moved the log-odds of a click, before calibration."""

    feature: str
    value: float
    by: float


def moved(work: Work) -> tuple[Moved, ...]:
    """The inputs of the scorer that had a say in this decision, the one that moved most first; nothing where none had.

    A logistic model whose middle values are not known cannot say what moved it.
    """
    plan = work.plan
    if work.chance is None or plan.scorer is None or plan.looking is None:
        return ()
    model = plan.scorer.model
    if model.kind is ModelKind.LOGISTIC and not model.middles:
        return ()
    looked = dict(zip(FEATURES, plan.looking(work.state, work.now_us, work.learned.snapshot, work.raw), strict=True))
    values = [looked[name] for name in model.features]
    by = contributions(model, values)
    found = [Moved(name, value, by[name]) for name, value in zip(model.features, values, strict=True)]
    return tuple(sorted(found, key=lambda each: -abs(each.by)))


def moved_words(inputs: Sequence[Moved]) -> str:
    """The first three, as the end of a sentence; nothing where nothing moved."""
    told = [each for each in inputs[:_MOST_TOLD] if abs(each.by) >= _LEAST_MOVE]
    parts = []
    for place, each in enumerate(told):
        way = "raised" if each.by > 0 else "lowered"
        how = " most" if not place and len(told) > 1 else ""
        name, shown = _SHOWN[each.feature]
        parts.append(f"{way}{how} by {name} ({shown(each.value)})")
    return f"; against a usual message it is {', then '.join(parts)}" if parts else ""


def _share(odds: float) -> str:
    return percent(chance_of(odds))


def _days(days: float) -> str:
    return f"{days:.1f} days"


def _times(logarithm: float) -> str:
    return f"{math.exp(logarithm):.2g} times as active as on average"


def _plain(value: float) -> str:
    return f"{value:g}"


_SHOWN: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "user_rate": ("what this user clicked and ignored", _share),
    "type_rate": ("what all users click of this type", _share),
    "hour": ("the hour of the day", _times),
    "sent_24h": ("messages sent in the last 24 hours", _plain),
    "unanswered_7d": ("messages of the last 7 days without a click", _plain),
    "days_since_click": ("the time since the last click", _days),
    "days_since_sent": ("the time since the last message", _days),
    "ignored_in_a_row": ("messages ignored in a row", _plain),
    "raw_score": ("the score of the rules", _plain),
}
"""What each feature is called, and how its value is shown."""
