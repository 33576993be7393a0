"""From a log to counts for each user: what they were sent and did since they were first exposed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain

import msgspec

from botopt.engine.experiments import PURPOSE
from botopt.model.decision import Choice, Outcome, Reason
from botopt.model.event import Event
from botopt.model.user_state import Response
from botopt.verify.log import Log, Logged


class Acts(msgspec.Struct, gc=False):
    """What one user was sent and did, as `botopt.verify.experiments.model.Arm` counts it."""

    arm: str
    since_us: int
    exposures: int = 0
    messages: int = 0
    recent: int = 0
    clicks: int = 0
    converted: int = 0
    dismissed: int = 0
    failed: int = 0
    unsubscribed: int = 0
    goals: int = 0
    active: int = 0
    changed: bool = False


class Exposed(msgspec.Struct):
    """The users of one experiment. `shares` are the arms as the records have them, `split` those of the newest."""

    users: dict[str, Acts] = {}
    shares: dict[str, float] = {}
    arms: tuple[str, ...] = ()


def exposed(log: Log, goals: Collection[str], ignored_after_us: int) -> Mapping[str, Exposed]:
    """The users of each experiment that the records name, counted from their first exposure on."""
    found: dict[str, Exposed] = {}
    of_user: dict[str, list[Acts]] = {}
    mature_us = _mature_us(log, ignored_after_us)
    for logged in log.decisions:
        decision = logged.decision
        if decision.user is None or decision.time_us is None:
            continue
        for choice in decision.choices:
            if choice.purpose.startswith(PURPOSE):
                experiment = found.setdefault(choice.purpose.removeprefix(PURPOSE), Exposed())
                _expose(experiment, decision.user, decision.time_us, choice, of_user)
        for acts in of_user.get(decision.user, ()):
            _decided(acts, logged, mature_us)
    _happened(log, goals, lambda event: of_user.get(event.user, ()))
    return found


def everybody(
    log: Log, goals: Collection[str], ignored_after_us: int, group: Callable[[str], str]
) -> Mapping[str, Acts]:
    """Every user whom the log names, from its beginning on, in the group that `group` gives."""
    found: dict[str, Acts] = {}
    mature_us = _mature_us(log, ignored_after_us)
    for user in chain(
        (one.decision.user for one in log.decisions if one.decision.user is not None),
        (event.user for event in log.events),
    ):
        if user not in found:
            found[user] = Acts(group(user), 0)
    for logged in log.decisions:
        if logged.decision.user is not None and logged.decision.time_us is not None:
            _decided(found[logged.decision.user], logged, mature_us)
    _happened(log, goals, lambda event: (found[event.user],))
    return found


def held_out(log: Log) -> frozenset[str]:
    """The users of whom a record says that they are in the holdout."""
    return frozenset(
        one.decision.user
        for one in log.decisions
        if one.decision.reason is Reason.HOLDOUT and one.decision.user is not None
    )


def _mature_us(log: Log, ignored_after_us: int) -> int:
    """Messages until then are old enough: whoever has not answered by now has ignored them.

    Later ones are left out with their clicks, which come before the silence of the others is known.
    """
    return (log.until_us or 0) - ignored_after_us


def _expose(experiment: Exposed, user: str, time_us: int, choice: Choice, of_user: dict[str, list[Acts]]) -> None:
    experiment.shares[choice.chosen] = choice.propensity
    experiment.arms = choice.eligible
    acts = experiment.users.get(user)
    if acts is None:
        acts = experiment.users[user] = Acts(choice.chosen, time_us)
        of_user.setdefault(user, []).append(acts)
    acts.exposures += 1
    acts.changed = acts.changed or acts.arm != choice.chosen


def _decided(acts: Acts, logged: Logged, mature_us: int) -> None:
    decision = logged.decision
    if decision.outcome is not Outcome.SENT:
        return
    if logged.response is Response.FAILED:
        acts.failed += 1
    elif decision.time_us is not None and decision.time_us > mature_us:
        acts.recent += 1
    elif logged.response is not None:
        acts.messages += 1
        acts.clicks += logged.response is Response.CLICKED
        acts.converted += logged.converted
        acts.dismissed += logged.response is Response.DISMISSED


def _happened(log: Log, goals: Collection[str], of_event: Callable[[Event], Iterable[Acts]]) -> None:
    counted = {"user.unsubscribed", "user.active", *goals}
    for event in log.events:
        if event.type not in counted:
            continue
        for acts in of_event(event):
            if event.time_us < acts.since_us:
                continue
            acts.goals += event.type in goals
            acts.active += event.type == "user.active"
            if event.type == "user.unsubscribed":
                acts.unsubscribed = 1
