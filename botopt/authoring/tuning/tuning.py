"""`botopt tune` from its beginning to its end: chosen on the earlier days of a log, reported on the later ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from botopt.authoring.tuning.cases import Cases, Totals
from botopt.authoring.tuning.goals import Goal
from botopt.authoring.tuning.knobs import values
from botopt.authoring.tuning.patching import Change, patch
from botopt.authoring.tuning.saving import Saving, replayed, saving
from botopt.authoring.tuning.searching import Found, search
from botopt.engine.plan import budgets_of
from botopt.learning.evaluation import Estimate
from botopt.loading.snapshot import Snapshot, take
from botopt.model.durations import DAY_US
from botopt.model.errors import PolicyError
from botopt.model.policy import Policy
from botopt.verify.evaluating.evaluating import rounds_of, unusable
from botopt.verify.evaluating.matching import Reading, read
from botopt.verify.evaluating.measuring import Evaluation, change, measure
from botopt.verify.evaluating.rounds import Round

LATER = 0.3
"""The share of a log's days that nothing is chosen on."""

SLACK = 0.02
"""How many more messages than the goal says there may be on the later days, as a share, where it asks for no fewer."""

LEAST_DAYS = 4
"""Days that a log must span."""


class Turn(msgspec.Struct, frozen=True):
    """One change, and what would be missing without it, on the earlier days."""

    change: Change
    messages: float
    clicks: float


class Proposal(msgspec.Struct, frozen=True):
    """What is proposed, or why nothing is.

    `refusals` are sentences; where there are any, there is no patch. `before` and `after` are totals of the earlier
    days, `now` and `then` the policy as it is, and as it would be, on the later ones, `clicks` the change of clicks per
    decision there, `saving` that of messages. `warnings` are sentences about a proposal that is made.
    """

    goal: Goal
    from_us: int
    split_us: int
    until_us: int
    refusals: tuple[str, ...] = ()
    before: Totals | None = None
    after: Totals | None = None
    turns: tuple[Turn, ...] = ()
    patch: str = ""
    now: Evaluation | None = None
    then: Evaluation | None = None
    clicks: Estimate | None = None
    saving: Saving | None = None
    warnings: tuple[str, ...] = ()


def tune(folder: Path, names: Sequence[str | Path], policy: Policy, goal: Goal) -> Proposal:
    """Look for turns of this workspace's numbers that reach the goal. Changes nothing.

    Raises:
        UsageError: standard input is named as a log, or a number stands in no file as a plain value.
        InputError: a file cannot be read.
    """
    reading = read(names, policy)
    until_us = reading.until_us - policy.settings.ignored_after_us
    span_us = until_us - reading.from_us
    split_us = reading.from_us + round(span_us * (1 - LATER))
    none = Proposal(goal, reading.from_us, split_us, until_us, unusable(reading))
    if none.refusals:
        return none
    if span_us < LEAST_DAYS * DAY_US:
        return _refused(none, f"the log spans less than {LEAST_DAYS} days: too few to choose on some and report others")
    rounds, _ = rounds_of(reading, policy, split_us + 1, until_us)
    now = measure(rounds)
    if now.refusals:
        return msgspec.structs.replace(none, refusals=tuple(f"later days: {why}" for why in now.refusals))
    cases = Cases(policy, reading, reading.from_us, split_us)
    found = search(cases, values(policy), goal)
    none = msgspec.structs.replace(none, before=found.before, after=found.after, now=now)
    if not found.reached:
        return _refused(none, _out_of_reach(found))
    return _proposed(none, folder, reading, policy, found, cases, rounds)


def _proposed(
    none: Proposal,
    folder: Path,
    reading: Reading,
    policy: Policy,
    found: Found,
    cases: Cases,
    rounds: Sequence[Round],
) -> Proposal:
    patched = patch(take(folder), found.turned, reading.until_us)
    turns = tuple(_turn(each, cases, found) for each in patched.changes)
    other = _loaded(patched.after)
    after, _ = rounds_of(reading, other, none.split_us + 1, none.until_us)
    then = measure(after)
    tried = msgspec.structs.replace(none, turns=turns, then=then)
    if then.refusals:
        return msgspec.structs.replace(tried, refusals=tuple(f"later days: {why}" for why in then.refusals))
    clicks = change(rounds, after)
    before, then_sent = (replayed(each, reading, none.split_us, none.until_us) for each in (policy, other))
    saved = saving(rounds, after, before, then_sent)
    tried = msgspec.structs.replace(tried, clicks=clicks, saving=saved, warnings=_doubts(saved, other))
    missed = _missed(none.now, then, clicks, none.goal)
    if missed:
        return msgspec.structs.replace(tried, refusals=missed)
    return msgspec.structs.replace(tried, patch=patched.text)


def _refused(none: Proposal, why: str) -> Proposal:
    return msgspec.structs.replace(none, refusals=(why,))


def _turn(change: Change, cases: Cases, found: Found) -> Turn:
    without = cases.totals({knob: value for knob, value in found.turned.items() if knob != change.knob})
    return Turn(change, found.after.messages - without.messages, found.after.clicks - without.clicks)


def _loaded(snapshot: Snapshot) -> Policy:
    from botopt.delivery.registry import CHANNEL_TYPES
    from botopt.loading.policy import read_policy

    loaded = read_policy(snapshot, channel_types=CHANNEL_TYPES)
    if loaded.policy is None:
        raise PolicyError(loaded.diagnostics)
    return loaded.policy


def _out_of_reach(found: Found) -> str:
    messages = found.after.messages / found.before.messages - 1 if found.before.messages else 0.0
    clicks = found.after.clicks / found.before.clicks - 1 if found.before.clicks else 0.0
    return (
        f"no few small steps reach the goal on the earlier days; the nearest comes to {messages:+.0%} messages and "
        f"{clicks:+.0%} clicks. Ask for less, or let more be tried (settings.engagement.explore, more variants)"
    )


def _doubts(saved: Saving, policy: Policy) -> tuple[str, ...]:
    """Whether the number of messages that the estimate foretells comes about when a policy makes its own history."""
    if saved.agree:
        return ()
    apart = saved.apart
    why = "what was not sent earlier leaves more room later"
    if budgets_of(policy):
        why = "with a budget (pacing) the bar falls where less is sent, until as much is sent as the budget says"
    return (
        (
            f"the estimate says {saved.estimated.value:+.1%} messages, the replay {saved.replayed.value:+.1%}. They "
            f"differ by {100 * abs(apart.value):.1f} points, and by no less than "
            f"{100 * min(abs(apart.low), abs(apart.high)):.1f} if that is chance: {why}. Count on the replay's"
        ),
    )


def _missed(now: Evaluation | None, then: Evaluation, clicks: Estimate, goal: Goal) -> tuple[str, ...]:
    """Why what looked well on the earlier days is not proposed: later days need not be as good, but about half."""
    assert now is not None
    assert now.new is not None
    said = []
    share = then.new_messages / now.new_messages
    most = (1 + goal.messages) / 2 if goal.messages < 1 else goal.messages + SLACK
    if share > most:
        said.append(
            f"on the later days it would send {share - 1:+.0%} messages: what was chosen on the earlier days does not "
            "hold there"
        )
    before = now.new.per_decision.value
    if clicks.high < (goal.clicks - 1.0) * before:
        said.append(
            f"on the later days it would get {clicks.value / before:+.0%} clicks, at best {clicks.high / before:+.0%}: "
            "less than the goal allows"
        )
    return tuple(said)
