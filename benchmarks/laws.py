"""The laws of learning: what must hold on fixed seeds (tests/laws) and on fresh ones (`make study`).

Settings were chosen on seeds 0 to 11 only. Each law gives its figures; who asks says what must hold of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from benchmarks.study_policies import PACED, choosing, confounded, learning, nudges, paced
from benchmarks.study_training import FOUR, SHARED, Scored, scored_trials
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


def null_world(
    seeds: Sequence[int], users: int, days: int, workers: int, *, events: float = 8.0, people: int
) -> list[Scored]:
    """All learners against the static rule where there is nothing to learn.

    `people` is how many a scorer learns from.
    """
    world = replace(WORLDS["null"], events=events)
    setup = Setup(learning(nudges()), world, users, days, {STATIC: static(nudges())}, hindsight=False)
    return scored_trials(setup, seeds, people, workers)


def modest_world(
    seeds: Sequence[int], users: int, days: int, workers: int, *, people: int, world: str = "modest"
) -> list[Scored]:
    """All learners, the same without a scorer, the static rule, and the hindsight-best one.

    `people` is how many a scorer learns from.
    """
    setup = Setup(learning(nudges()), WORLDS[world], users, days, {STATIC: static(nudges())})
    return scored_trials(setup, seeds, people, workers)


def _true_rate(figures: Figures) -> float:
    return figures.true_rate


def drawn_rate(figures: Figures) -> float:
    """Clicks per message as they were drawn: for the null world, where all true chances are alike.

    There those to expect would hide a policy that takes luck for something to learn.
    """
    return figures.drawn_rate


def beaten(
    found: Sequence[Scored] | Sequence[Trial], rival: str, of: Callable[[Figures], float] = _true_rate
) -> Beaten:
    """By how much, and how often: clicks per message to expect, or `of` something else."""
    tried = [each.trial if isinstance(each, Scored) else each for each in found]
    gain, better = change(tried, of, rival)
    return Beaten(gain, better, len(found))


def scored(found: Sequence[Scored]) -> int:
    """In how many of them a scorer passed its gate."""
    return sum(not each.refused for each in found)


class Confounded(msgspec.Struct, frozen=True):
    """Gains over uniform choice in clicks per message to expect; `raw` is Thompson sampling on raw rates."""

    learned: Beaten
    raw: Beaten | None
    messages: int


def confounded_variants(
    seeds: Sequence[int], workers: int, *, users: int = 400, days: int = 50, spread: float = 0.12, raw: bool = True
) -> Confounded:
    """About 20,000 messages with four wordings, one of them for warm users only.

    One message a day: so rarely that who gets the same wording each time is bored more than who gets another. `spread`
    is how much wordings differ (standard deviation of log-odds).
    """
    world = replace(WORLDS["confounded"], events=1.0, acts=0.0, variant=spread)
    uniform = {"uniform": confounded()}
    setup = Setup(choosing(confounded()), world, users, days, uniform, hindsight=False)
    found = trials(setup, seeds, workers)
    learned = beaten(found, "uniform")
    loss = None
    if raw:
        with thompson():
            loss = beaten(trials(setup, seeds, workers), "uniform")
    messages = round(sum(each.figures["policy"].messages for each in found) / len(found))
    return Confounded(learned, loss, messages)


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
    return beaten(found, STATIC)


__all__ = [
    "FOUR",
    "HINDSIGHT",
    "PACED",
    "SHARED",
    "STATIC",
    "Beaten",
    "Confounded",
    "Interval",
    "Paced",
    "Scored",
    "beaten",
    "confounded_variants",
    "drawn_rate",
    "interval",
    "modest_world",
    "null_world",
    "pacing",
    "scored",
    "send_time",
]
