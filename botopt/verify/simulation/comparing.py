"""What trials say: figures over all seeds, and changes between two policies, paired by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from botopt.verify.simulation.figures import Figures
from botopt.verify.simulation.trials import POLICY, STATIC, Trial

_T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""97.5 % quantiles of Student's t for 1 to 30 degrees of freedom; any table has them."""

WINDOW_DAYS = 7
"""Curves are means over so many days."""


class Interval(msgspec.Struct, frozen=True):
    """A mean over seeds and half the width of its 95 % interval (Student's t); None with fewer than two seeds."""

    mean: float
    half: float | None

    @property
    def has_zero(self) -> bool:
        """Whether no change is among what is likely."""
        return self.half is None or abs(self.mean) <= self.half


class Change(msgspec.Struct, frozen=True):
    """A figure of the policy against the same of a rival, as shares: 0.1 is a tenth more. `better` seeds of `seeds`
    have more.
    """

    figure: str
    change: Interval
    better: int
    seeds: int


class Comparison(msgspec.Struct, frozen=True):
    """The policy against one rival. `closed` is the share of the way from the rival to the oracle that the policy goes,
    in clicks per message; None where the rival is no worse than the oracle.
    """

    rival: str
    changes: tuple[Change, ...]
    closed: Interval | None


class Row(msgspec.Struct, frozen=True):
    """One policy over all seeds. Clicks are those to expect by the hidden truth; `drawn_` are those that happened, in
    which luck has a part, and from which learners learn. Rates are for each message.
    """

    name: str
    messages: int
    clicks: float
    drawn_clicks: int
    click_rate: Interval
    drawn_click_rate: Interval
    oracle_rate: Interval
    per_user_day: Interval
    clicks_per_user_day: Interval
    unsubscribed: Interval
    curve: tuple[float | None, ...]


class Report(msgspec.Struct, frozen=True):
    """Everything that a simulation says. Rates are clicks per message, 0 to 1; `curve`s have one value a day, from the
    end of the first window on; `regret` is how many clicks per message less than the oracle the policy gets. All of it
    but what is called drawn is of the clicks to expect by the hidden truth.
    """

    world: str
    description: str
    revision: str
    seeds: tuple[int, ...]
    users: int
    days: int
    events: int
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    regret: Interval


def t95(number: int) -> float:
    """Student's t for a two-sided 95 % interval of a mean of so many values."""
    freedom = number - 1
    return _T95[freedom - 1] if freedom <= len(_T95) else 1.96 + 2.4 / freedom


def interval(values: Sequence[float]) -> Interval:
    """Mean and 95 % interval of values that have nothing to do with each other."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return Interval(mean, None)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return Interval(mean, t95(len(values)) * spread / math.sqrt(len(values)))


def change(
    trials: Sequence[Trial], of: Callable[[Figures], float], rival: str, policy: str = POLICY
) -> tuple[Interval, int]:
    """How much more of something a policy has than a rival, as a share, paired by seed; and in how many seeds."""
    pairs = [(of(trial.figures[policy]), of(trial.figures[rival])) for trial in trials]
    shares = [(ours / theirs - 1) if theirs else 0.0 for ours, theirs in pairs]
    return interval(shares), sum(ours > theirs for ours, theirs in pairs)


def clicks_per_user_day(figures: Figures) -> float:
    """Clicks to expect for each user and day."""
    return figures.per_user_day * figures.true_rate


def unsubscribed(figures: Figures) -> float:
    """The share of users who left."""
    return figures.unsubscribed / len(figures.users) if figures.users else 0.0


CHANGES: Mapping[str, Callable[[Figures], float]] = {
    "clicks per message": lambda figures: figures.true_rate,
    "clicks": clicks_per_user_day,
    "messages": lambda figures: figures.per_user_day,
}


def report(world: str, description: str, revision: str, trials: Sequence[Trial]) -> Report:
    """The report of at least one trial."""
    first = trials[0].figures[POLICY]
    names = tuple(trials[0].figures)
    rows = tuple(_row(name, [trial.figures[name] for trial in trials]) for name in names)
    return Report(
        world,
        description,
        revision,
        tuple(trial.seed for trial in trials),
        len(first.users),
        first.days,
        sum(trial.figures[POLICY].events for trial in trials),
        rows,
        tuple(_compared(trials, name) for name in names if name != POLICY),
        interval([trial.figures[POLICY].oracle_rate - trial.figures[POLICY].true_rate for trial in trials]),
    )


def _row(name: str, all_figures: Sequence[Figures]) -> Row:
    def over_seeds(of: Callable[[Figures], float]) -> Interval:
        return interval([of(figures) for figures in all_figures])

    return Row(
        name,
        sum(figures.messages for figures in all_figures),
        math.fsum(figures.expected for figures in all_figures),
        sum(figures.clicks for figures in all_figures),
        over_seeds(lambda figures: figures.true_rate),
        over_seeds(lambda figures: figures.drawn_rate),
        over_seeds(lambda figures: figures.oracle_rate),
        over_seeds(lambda figures: figures.per_user_day),
        over_seeds(clicks_per_user_day),
        over_seeds(unsubscribed),
        curve(all_figures),
    )


def _compared(trials: Sequence[Trial], rival: str) -> Comparison:
    changes = tuple(Change(name, *change(trials, of, rival), len(trials)) for name, of in CHANGES.items())
    closed = []
    for trial in trials:
        ours, theirs = trial.figures[POLICY], trial.figures[rival]
        gap = ours.oracle_rate - theirs.true_rate
        if gap > 0.001:
            closed.append((ours.true_rate - theirs.true_rate) / gap)
    return Comparison(rival, changes, interval(closed) if len(closed) == len(trials) and rival == STATIC else None)


def curve(all_figures: Sequence[Figures], window: int = WINDOW_DAYS) -> tuple[float | None, ...]:
    """True clicks per message in the `window` days up to each day, over all seeds; None where nothing was sent."""
    days = all_figures[0].days
    values: list[float | None] = []
    for last in range(min(window, days) - 1, days):
        messages, expected = 0, 0.0
        for figures in all_figures:
            for sent, _, hoped in figures.by_day[max(last - window + 1, 0) : last + 1]:
                messages += sent
                expected += hoped
        values.append(expected / messages if messages else None)
    return tuple(values)
