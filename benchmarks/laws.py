"""The laws of learning: what must hold on fixed seeds (tests/laws) and on fresh ones (`make study`).

Settings were chosen on seeds 0 to 11 only. Each law gives its figures; who asks says what must hold of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from benchmarks.study_policies import PACED, choosing, confounded, learning, nudges, paced
from benchmarks.thompson import thompson
from botopt.verify.simulation.comparing import Interval, change, interval
from botopt.verify.simulation.figures import Figures
from botopt.verify.simulation.rivals import static
from botopt.verify.simulation.trials import HINDSIGHT, STATIC, Setup, Trial, trials
from botopt.verify.simulation.worlds import WORLDS

PACING_DAYS = {"days 5-30": (5, 30), "surge, days 30-33": (30, 33), "days 34-45": (34, 45), "days 49-60": (49, 60)}
"""Event counts triple on day 30; from day 45 on scores are half as large. From, and up to but without."""

NEAR = 0.2


class Beaten(msgspec.Struct, frozen=True):
    """Clicks per message against a rival, paired by seed, and in how many seeds it is more."""

    change: Interval
    better: int
    seeds: int


def null_world(seeds: Sequence[int], users: int, days: int, workers: int, events: float = 8.0) -> Beaten:
    """All learners against the static rule where there is nothing to learn."""
    world = replace(WORLDS["null"], events=events)
    setup = Setup(learning(nudges()), world, users, days, {STATIC: static(nudges())}, hindsight=False)
    return beaten(trials(setup, seeds, workers), STATIC)


def modest_world(seeds: Sequence[int], users: int, days: int, workers: int, world: str = "modest") -> list[Trial]:
    """All learners, the static rule, and the hindsight-best one."""
    setup = Setup(learning(nudges()), WORLDS[world], users, days, {STATIC: static(nudges())})
    return trials(setup, seeds, workers)


def beaten(found: Sequence[Trial], rival: str) -> Beaten:
    """By how much, and how often."""
    gain, better = change(found, lambda figures: figures.click_rate, rival)
    return Beaten(gain, better, len(found))


class Confounded(msgspec.Struct, frozen=True):
    """Gains over uniform choice in true clicks per message, and in how many seeds each is worse than it."""

    learned: Interval
    learned_worse: int
    raw: Interval | None
    raw_worse: int
    messages: int


def confounded_variants(
    seeds: Sequence[int], workers: int, *, users: int = 400, days: int = 50, raw: bool = True
) -> Confounded:
    """About 20,000 messages with four wordings, one of them for warm users only.

    One message a day: so rarely that who gets the same wording each time is bored more than who gets another.
    """
    world = replace(WORLDS["confounded"], events=1.0, acts=0.0)
    uniform = {"uniform": confounded()}
    setup = Setup(choosing(confounded()), world, users, days, uniform, hindsight=False)
    found = trials(setup, seeds, workers)
    gain, better = change(found, _true_rate, "uniform")
    loss, raw_better = None, 0
    if raw:
        with thompson():
            loss, raw_better = change(trials(setup, seeds, workers), _true_rate, "uniform")
    messages = round(sum(each.figures["policy"].messages for each in found) / len(found))
    return Confounded(gain, len(found) - better, loss, len(found) - raw_better, messages)


def _true_rate(figures: Figures) -> float:
    return figures.true_rate


class Paced(msgspec.Struct, frozen=True):
    """For each part of `PACING_DAYS`: the share of users within a fifth of the budget, and messages a day."""

    near: dict[str, float]
    messages: dict[str, float]


def pacing(seeds: Sequence[int], users: int, workers: int) -> Paced:
    """A budget of 1.5 messages a day through a threefold surge and through scores that are halved."""
    world = replace(WORLDS["surge"], hazard=0.0, acts=0.0)
    found = trials(Setup(paced(), world, users, 60, hindsight=False), seeds, workers)
    people = [days for each in found for days in each.figures["policy"].users]
    near, messages = {}, {}
    for name, (begin, end) in PACING_DAYS.items():
        rates = [sum(days[begin:end]) / (end - begin) for days in people]
        near[name] = sum(abs(rate / PACED - 1) <= NEAR + 1e-9 for rate in rates) / len(rates)
        messages[name] = sum(rates) / len(rates)
    return Paced(near, messages)


def send_time(seeds: Sequence[int], users: int, days: int, workers: int) -> Beaten:
    """Only the better hour, against the same policy without it: true clicks per message."""
    only = learning(nudges(), engagement=False, pacing=False, variants=False)
    setup = Setup(only, WORLDS["modest"], users, days, {STATIC: static(nudges())}, hindsight=False)
    found = trials(setup, seeds, workers)
    gain, better = change(found, _true_rate, STATIC)
    return Beaten(gain, better, len(found))


__all__ = [
    "HINDSIGHT",
    "PACED",
    "STATIC",
    "Beaten",
    "Confounded",
    "Interval",
    "Paced",
    "beaten",
    "confounded_variants",
    "interval",
    "modest_world",
    "null_world",
    "pacing",
    "send_time",
]
