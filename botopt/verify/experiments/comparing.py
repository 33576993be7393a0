"""Groups of users compared: values, differences with intervals, and what can be concluded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botopt.verify.experiments.counting import Acts
from botopt.verify.experiments.intervals import ALPHA, RARE, TUNED, Sums, between, chi_square, needed
from botopt.verify.experiments.model import (
    GUARDRAILS,
    Arm,
    Conclusion,
    Difference,
    Metric,
    Need,
    Results,
    Split,
    Verdict,
)

FEWEST_USERS = 50
FEWEST_ACTS = 20
"""Users in each of two arms, and acts in both together, below which nothing is concluded: intervals hold for many."""

UNLIKELY = 0.001
"""A split with a smaller chance is an error and no bad luck."""

RELATIVE = (0.20, 0.10, 0.05)
"""The relative differences of the sample-size table."""


def compare(
    name: str,
    description: str,
    groups: Mapping[str, Sequence[Acts]],
    shares: Mapping[str, float],
    apart: Mapping[str, int],
    primary: Metric,
    metrics: Sequence[Metric],
    warnings: Sequence[str],
) -> Results:
    """All of it for one set of groups; the first is what the others are compared with.

    With several others each comparison has its share of the error (Bonferroni), so that all of them hold together.
    """
    base, *others = groups
    alpha = ALPHA / max(1, len(others))
    sums = {arm: {metric: _sums(metric, users) for metric in metrics} for arm, users in groups.items()}
    split = _split(groups, shares, apart)
    differences = tuple(_difference(metric, sums, arm, base, alpha) for arm in others for metric in metrics)
    return Results(
        name,
        description,
        min((acts.since_us for users in groups.values() for acts in users if acts.since_us), default=None),
        tuple(
            _arm(arm, users, shares.get(arm), apart.get(arm, 0), {each: sums[arm][each].mean for each in metrics})
            for arm, users in groups.items()
        ),
        differences,
        tuple(_conclusion(primary, arm, base, differences, split) for arm in others),
        split,
        _needs(sums[base], primary),
        1 - alpha,
        tuple(warnings),
    )


def _sums(metric: Metric, users: Sequence[Acts]) -> Sums:
    sums = Sums()
    for acts in users:
        match metric:
            case Metric.CLICKS:
                sums.add(acts.clicks)
            case Metric.CLICK_RATE:
                sums.add(acts.clicks, acts.messages)
            case Metric.GOALS:
                sums.add(acts.goals)
            case Metric.MESSAGES:
                sums.add(acts.messages)
            case Metric.UNSUBSCRIBED:
                sums.add(acts.unsubscribed)
            case Metric.DISMISSED:
                sums.add(acts.dismissed)
            case Metric.FAILED:
                sums.add(acts.failed)
            case Metric.ACTIVE:
                sums.add(acts.active)
    return sums


def _arm(name: str, users: Sequence[Acts], share: float | None, apart: int, values: Mapping[Metric, float]) -> Arm:
    return Arm(
        name,
        share,
        len(users),
        apart,
        sum(acts.exposures for acts in users),
        sum(acts.messages for acts in users),
        sum(acts.recent for acts in users),
        sum(acts.clicks for acts in users),
        sum(acts.converted for acts in users),
        sum(acts.dismissed for acts in users),
        sum(acts.failed for acts in users),
        sum(acts.unsubscribed for acts in users),
        sum(acts.goals for acts in users),
        values,
    )


def _difference(
    metric: Metric, sums: Mapping[str, Mapping[Metric, Sums]], arm: str, base: str, alpha: float
) -> Difference:
    one, other = sums[arm][metric], sums[base][metric]
    found = between(one, other, alpha, RARE if metric in GUARDRAILS else TUNED)
    return Difference(
        metric,
        arm,
        base,
        found.difference,
        found.low,
        found.high,
        found.difference / other.mean if other.mean else None,
        min(one.n, other.n) >= FEWEST_USERS and one.x + other.x >= FEWEST_ACTS,
    )


def _conclusion(
    primary: Metric, arm: str, base: str, differences: Sequence[Difference], split: Split | None
) -> Conclusion:
    of_arm = {each.metric: each for each in differences if each.arm == arm}
    found = of_arm[primary]
    if split is not None and not split.ok:
        verdict = Verdict.BROKEN
    elif not found.enough:
        verdict = Verdict.TOO_EARLY
    elif not found.sure:
        verdict = Verdict.NO_DIFFERENCE
    else:
        verdict = Verdict.MORE if found.value > 0 else Verdict.FEWER
    worse = tuple(each for each in GUARDRAILS if each in of_arm and of_arm[each].sure and of_arm[each].value > 0)
    return Conclusion(arm, base, primary, verdict, worse)


def _split(groups: Mapping[str, Sequence[Acts]], shares: Mapping[str, float], apart: Mapping[str, int]) -> Split | None:
    counts = [len(users) + apart.get(arm, 0) for arm, users in groups.items()]
    wanted = [shares.get(arm, 0.0) for arm in groups]
    if not sum(counts) or not all(wanted) or abs(sum(wanted) - 1) > 1e-6:
        return None
    value, p = chi_square(counts, wanted)
    return Split(value, p, p >= UNLIKELY)


def _needs(base: Mapping[Metric, Sums], primary: Metric) -> tuple[Need, ...]:
    """What the sizes of arms must be: 16 p (1 - p) / d^2 messages, as if each had a user of its own, and 16 s^2 / d^2
    users.

    Where all users did the same there is no s^2 yet, and where all messages or none were clicked no p.
    """
    users, rate = base[primary], base.get(Metric.CLICK_RATE)
    if not users.mean:
        return ()
    spread = users.variance * users.n
    p = 0.0 if rate is None or primary is not Metric.CLICKS else rate.mean
    if not spread and not 0 < p < 1:
        return ()
    return tuple(
        Need(
            relative,
            needed(p * (1 - p), relative * p) if 0 < p < 1 else None,
            needed(spread, relative * users.mean) if spread else None,
        )
        for relative in RELATIVE
    )
