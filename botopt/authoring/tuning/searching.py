"""A few small turns that reach a goal on the earlier days of a log: the cheapest first, and none that is not needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from botopt.authoring.tuning.cases import Cases, Totals
from botopt.authoring.tuning.goals import Goal
from botopt.authoring.tuning.knobs import Knob, Turned, steps
from botopt.verify.evaluating.measuring import MOST_UNSUPPORTED

MOST_TURNED = 5
"""Numbers that a proposal changes."""

LEAST_EFFECT = 0.01
"""What each step must change, as a share of all messages or clicks."""

_MOST_STEPS = 20
_WINDOW_STEPS = 3


class Found(msgspec.Struct, frozen=True):
    """Where the search ended. `reached` says whether that is the goal; `before` and `after` are of the earlier days."""

    turned: dict[Knob, float]
    before: Totals
    after: Totals
    reached: bool


def search(cases: Cases, base: Mapping[Knob, float], goal: Goal) -> Found:
    """Turn one number after another; then take back what turns out not to be needed.

    Too many messages: the step that loses the fewest clicks for each message saved. Too few clicks: the step that
    brings the most. Equal steps are taken in the order of their names, so that the same log gives the same answer.
    """
    before = cases.totals({})
    turned: dict[Knob, float] = {}
    for _ in range(_MOST_STEPS):
        now = cases.totals(turned)
        if _reached(now, before, goal):
            break
        best = _best(cases, base, turned, before, now, goal)
        if best is None:
            break
        turned = best
    turned = _needed(cases, turned, before, goal)
    after = cases.totals(turned)
    return Found(turned, before, after, bool(turned) and _reached(after, before, goal))


def _reached(now: Totals, before: Totals, goal: Goal) -> bool:
    return now.messages <= goal.messages * before.messages and _clicks_hold(now, before, goal)


def _clicks_hold(now: Totals, before: Totals, goal: Goal) -> bool:
    return now.clicks >= goal.clicks * before.clicks


def _supported(now: Totals) -> bool:
    return now.unsupported <= MOST_UNSUPPORTED * now.messages


def _best(
    cases: Cases, base: Mapping[Knob, float], turned: Turned, before: Totals, now: Totals, goal: Goal
) -> dict[Knob, float] | None:
    too_many = now.messages > goal.messages * before.messages
    ranked = []
    for place, candidate in enumerate(_candidates(base, turned)):
        then = cases.totals(candidate)
        saved, lost = now.messages - then.messages, now.clicks - then.clicks
        if not _supported(then):
            continue
        if too_many:
            if saved >= LEAST_EFFECT * before.messages and then.clicks >= min(goal.clicks, 1.0) * before.clicks:
                ranked.append((lost / saved, place, candidate))
        elif then.messages <= goal.messages * before.messages and -lost >= LEAST_EFFECT * before.clicks:
            ranked.append((lost, place, candidate))
    return min(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def _candidates(base: Mapping[Knob, float], turned: Turned) -> Iterator[dict[Knob, float]]:
    for knob in sorted(base):
        if len(turned) >= MOST_TURNED and knob not in turned:
            continue
        now = turned.get(knob, base[knob])
        ladder = [each for each in steps(knob, base[knob], most=_WINDOW_STEPS) if _beyond(each, now, base[knob])]
        for value in ladder if knob.is_window else steps(knob, now):
            candidate = {**turned, knob: value}
            if value == base[knob]:
                del candidate[knob]
            yield candidate


def _beyond(value: float, now: float, base: float) -> bool:
    """Whether a window is tighter still: cooldowns grow, and limits shrink."""
    return value > now if value > base else value < now


def _needed(cases: Cases, turned: dict[Knob, float], before: Totals, goal: Goal) -> dict[Knob, float]:
    """Without each number that the goal is reached without."""
    for knob in sorted(turned, reverse=True):
        without = {name: value for name, value in turned.items() if name != knob}
        if without and _reached(cases.totals(without), before, goal):
            turned = without
    return turned
