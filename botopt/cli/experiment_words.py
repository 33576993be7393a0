"""What experiments have shown, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from botopt.verify.experiments import Conclusion, Difference, Metric, Results, Verdict
from botopt.verify.experiments.comparing import FEWEST_ACTS, FEWEST_USERS
from botopt.verify.experiments.model import GUARDRAILS

_PERCENT = (Metric.CLICK_RATE, Metric.UNSUBSCRIBED)
_TOLD = (Verdict.MORE, Verdict.FEWER, Verdict.NO_DIFFERENCE)
_SHORT = {
    Metric.CLICKS: "clicks per user",
    Metric.CLICK_RATE: "click rate",
    Metric.MESSAGES: "messages per user",
    Metric.ACTIVE: "activities per user",
}
_LONG = {
    **_SHORT,
    Metric.UNSUBSCRIBED: "users who unsubscribe",
    Metric.DISMISSED: "dismissals per user",
    Metric.FAILED: "failures per user",
}


class Words:
    """Words for metrics and conclusions; `goal` is the event type that is counted as the goal."""

    SHOWN: ClassVar = (Metric.GOALS, Metric.CLICKS, Metric.CLICK_RATE, Metric.MESSAGES, Metric.ACTIVE)
    """The metrics that stand beside an arm; guardrails have a table of their own."""

    def __init__(self, goal: str | None) -> None:
        self._goal = goal

    def short(self, metric: Metric) -> str:
        """The head of a column."""
        return f"{self._goal} per user" if metric is Metric.GOALS else _SHORT[metric]

    def long(self, metric: Metric) -> str:
        """What it is called in a sentence."""
        return f"{self._goal} per user" if metric is Metric.GOALS else _LONG[metric]

    def value(self, metric: Metric, value: float, *, sign: bool = False) -> str:
        """A value or, with a sign, a difference."""
        if metric in _PERCENT:
            return f"{100 * value:{'+' if sign else ''}.2f}%"
        return f"{value:{'+' if sign else ''}.4f}"

    def interval(self, metric: Metric, low: float, high: float) -> str:
        """Both ends of an interval."""
        return f"{self.value(metric, low, sign=True)} to {self.value(metric, high, sign=True)}"

    def split(self, results: Results) -> Iterator[str]:
        """A warning where users are not split as written."""
        split = results.split
        if split is None or split.ok:
            return
        counts = ", ".join(
            f"{arm.name} {arm.users + arm.control:,} ({100 * (arm.share or 0):.4g}% wanted)" for arm in results.arms
        )
        chance = f"1 in {1 / split.p:,.0f}" if split.p > 1e-12 else "less than 1 in a trillion"
        yield (
            f"Users are not split as written: {counts}; by chance that happens with {chance} (chi-square "
            f"{split.chi_square:.1f}). Something loses or adds users of one arm: find it before you believe anything "
            "here."
        )

    def conclusions(self, results: Results) -> Iterator[str]:
        """For each arm what can be concluded, and what cannot."""
        for one in results.conclusions:
            of_arm = {each.metric: each for each in results.differences if each.arm == one.arm}
            yield from self._conclusion(one, of_arm, results.confidence)
            if one.verdict in _TOLD:
                yield from self._guardrails(one, of_arm)
        if any(one.verdict in (Verdict.MORE, Verdict.FEWER) for one in results.conclusions):
            yield (
                "Not shown: that it lasts, that it holds for users or events that the log does not have, or that it is "
                "so for each single user."
            )

    def _conclusion(self, one: Conclusion, of_arm: dict[Metric, Difference], confidence: float) -> Iterator[str]:
        found, what = of_arm[one.metric], self.long(one.metric)
        match one.verdict:
            case Verdict.BROKEN:
                yield f"{one.arm} against {one.against}: nothing can be concluded while users are not split as written."
            case Verdict.TOO_EARLY:
                yield (
                    f"{one.arm} against {one.against}: too early to conclude anything. It takes at least "
                    f"{FEWEST_USERS} users in each, and {FEWEST_ACTS} counted acts in both together."
                )
            case Verdict.NO_DIFFERENCE:
                yield (
                    f"{one.arm} against {one.against}: no winner. The difference in {what} may be anything from "
                    f"{self._with_relative(found, found.low)} to {self._with_relative(found, found.high)}, 0 included. "
                    "That is no proof that the two are equal."
                )
            case _:
                more = "more" if one.verdict is Verdict.MORE else "fewer"
                yield (
                    f"{one.arm} brings {more} {what} than {one.against}: {self._with_relative(found, found.value)}, "
                    f"{100 * confidence:.4g}% interval {self._with_relative(found, found.low)} to "
                    f"{self._with_relative(found, found.high)}."
                )
        if one.verdict in _TOLD:
            for metric in (Metric.MESSAGES, Metric.CLICKS, Metric.CLICK_RATE):
                other = of_arm.get(metric)
                if other is not None and other.sure and metric is not one.metric:
                    yield f"Surely different: {self.long(metric)}, {self._with_relative(other, other.value)}."

    def _guardrails(self, one: Conclusion, of_arm: dict[Metric, Difference]) -> Iterator[str]:
        unknown = []
        for metric in GUARDRAILS:
            found = of_arm.get(metric)
            if found is None:
                continue
            if metric in one.worse:
                yield f"But it has more {self.long(metric)}: {self._with_relative(found, found.value)}."
            elif not found.enough:
                unknown.append(self.long(metric))
            elif not found.sure:
                yield (
                    f"No rise in {self.long(metric)} is shown; up to {self.value(metric, found.high, sign=True)} "
                    "cannot be ruled out."
                )
        if unknown:
            yield f"Too few to say anything of: {', '.join(unknown)}."

    def _with_relative(self, one: Difference, value: float) -> str:
        text = self.value(one.metric, value, sign=True)
        if one.relative is None or not one.value:
            return text
        return f"{text} ({100 * value * one.relative / one.value:+.1f}%)"
