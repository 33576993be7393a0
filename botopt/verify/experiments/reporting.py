"""The report: arms, differences and conclusions of each experiment, of the holdout, and of the control group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from botopt.engine.experiments import arm_of, is_in_control
from botopt.engine.stages.holdout import is_held_out
from botopt.model.counting import number_of
from botopt.model.durations import DAY_US
from botopt.model.learning_policy import Experiment
from botopt.model.policy import Policy
from botopt.verify.experiments.comparing import compare
from botopt.verify.experiments.counting import Acts, Exposed, everybody, exposed, held_out
from botopt.verify.experiments.model import GUARDRAILS, Metric, Report, Results
from botopt.verify.log import Log

_MOST_REVISIONS = 3
REST = "everybody else"
HOLDOUT = "holdout"
CONTROL = "control"
LEARNED = "learned"


def report(log: Log, policy: Policy | None = None, *, name: str | None = None, goal: str | None = None) -> Report:
    """What the log shows.

    Args:
        log: decisions, and for everything but clicks events.
        policy: the one that decided; without it the holdout and the control group cannot be told from other users who
            never came so far, and are not reported.
        name: only this experiment.
        goal: an event type; how often it happens to a user is what is compared, instead of clicks.
    """
    ignored_after_us = DAY_US if policy is None else policy.settings.ignored_after_us
    goals = _goals(goal, policy)
    found = exposed(log, goals, ignored_after_us)
    settings = None if policy is None else policy.settings
    out = held_out(log)
    users = {one.decision.user for one in log.decisions if one.decision.user is not None}
    if settings is not None and settings.holdout > 0:
        users |= {event.user for event in log.events}
        out |= {user for user in users if is_held_out(settings, user)}
    control = frozenset(user for user in users if settings is not None and is_in_control(settings, user))
    known = {} if policy is None else policy.experiments
    names = [each for each in (*known, *sorted(found.keys() - known.keys())) if name in (None, each)]
    return Report(
        log.until_us,
        goal,
        len(log.decisions),
        len(users),
        len(out),
        tuple(
            _experiment(each, found.get(each, Exposed()), known.get(each), policy, out, control, goal) for each in names
        ),
        None if policy is None or name is not None else _holdout(log, policy, goals, ignored_after_us),
        None if policy is None or name is not None else _control(log, policy, goals, ignored_after_us),
        tuple(_notes(log, policy, goals)),
    )


def _goals(goal: str | None, policy: Policy | None) -> frozenset[str]:
    """Every name under which events of the goal's type may stand in the log."""
    if goal is None:
        return frozenset()
    names = {goal}
    for name, event_type in ({} if policy is None else policy.events).items():
        if goal == name or goal in event_type.accepts:
            names |= {name, *event_type.accepts}
    return frozenset(names)


def _notes(log: Log, policy: Policy | None, goals: Collection[str]) -> Sequence[str]:
    notes = []
    if policy is None:
        notes.append("Name the policy with -w: only then are the holdout and the control group reported.")
    notes += [] if policy is None else _of_other_policies(log, policy)
    if goals and not any(event.type in goals for event in log.events):
        notes.append(f"The log has no event {' or '.join(sorted(goals))}: give the files of events, too.")
    if not log.events:
        notes.append(
            "The log has no events: who unsubscribed is not known, and clicks only where a state file has them."
        )
    return notes


def _of_other_policies(log: Log, policy: Policy) -> Sequence[str]:
    """Shares, holdout and control group are told as the policy that was named has them."""
    counts = Counter(one.decision.revision for one in log.decisions if one.decision.revision)
    others = [name for name, _ in counts.most_common() if name != policy.revision]
    if not others:
        return []
    some = sum(counts[name] for name in others)
    which = ", ".join(others[:_MOST_REVISIONS]) + (", …" if len(others) > _MOST_REVISIONS else "")
    are = f"{some:,} of {number_of(sum(counts.values()), 'decision')} {'is' if some == 1 else 'are'}"
    groups = "Who is in which arm, in the holdout and in the control group is told as this one has it"
    hint = "if seed, shares or groups were others, name the policy that decided"
    return [
        f"{are} of another revision ({which}) than the policy that was named ({policy.revision}). {groups}: {hint}."
    ]


def _experiment(
    name: str,
    found: Exposed,
    written: Experiment | None,
    policy: Policy | None,
    out: frozenset[str],
    control: frozenset[str],
    goal: str | None,
) -> Results:
    shares = _shares(found, written)
    taken: dict[str, list[Acts]] = {arm: [] for arm in shares}
    apart: dict[str, int] = dict.fromkeys(shares, 0)
    changed = elsewhere = 0
    for user, acts in found.users.items():
        if user in out:
            continue
        if acts.changed:
            changed += 1
            continue
        if (
            policy is not None
            and written is not None
            and arm_of(written, policy.settings.seed, user).chosen != acts.arm
        ):
            elsewhere += 1
        if user in control:
            apart[acts.arm] += 1
        else:
            taken[acts.arm].append(acts)
    warnings = []
    if changed:
        warnings.append(
            f"{number_of(changed, 'user')} changed arms, and {'is' if changed == 1 else 'are'} left out: the seed or "
            "the shares were changed in between. Give an experiment that is changed a new name."
        )
    if elsewhere:
        warnings.append(
            f"{number_of(elsewhere, 'user')} would be in another arm by this policy: the log was decided with another "
            "seed or other shares."
        )
    primary = Metric.CLICKS if goal is None else Metric.GOALS
    metrics = (Metric.CLICKS, Metric.CLICK_RATE, Metric.MESSAGES, *GUARDRAILS)
    return compare(
        name,
        "" if written is None else written.description,
        taken,
        shares,
        apart,
        primary,
        metrics if goal is None else (Metric.GOALS, *metrics),
        warnings,
    )


def _shares(found: Exposed, written: Experiment | None) -> Mapping[str, float]:
    """The arms with their shares, as written; without a policy, as the records have them."""
    if written is not None:
        shares = dict(written.arms)
        return shares | {arm: 0.0 for arm in (*found.arms, *found.shares) if arm not in shares}
    rest = 1.0 - sum(found.shares.values())
    unseen = [arm for arm in found.arms if arm not in found.shares]
    shares = {arm: found.shares.get(arm, rest / max(1, len(unseen))) for arm in found.arms}
    return shares | {arm: 0.0 for arm in found.shares if arm not in shares}


def _holdout(log: Log, policy: Policy, goals: Collection[str], ignored_after_us: int) -> Results | None:
    settings = policy.settings
    if settings.holdout <= 0:
        return None
    users = everybody(log, goals, ignored_after_us, lambda user: HOLDOUT if is_held_out(settings, user) else REST)
    metric = Metric.ACTIVE if not goals else Metric.GOALS
    warnings = []
    if not goals:
        warnings.append(
            "Counted is user.active. Who clicks a message is active because of it: "
            "a --goal such as a purchase says more."
        )
    always = [name for name, each in policy.events.items() if each.always and each.decides]
    if always:
        warnings.append(f"Messages with always: true reach the holdout, too: {', '.join(sorted(always))}.")
    return compare(
        HOLDOUT,
        "Users who are never messaged, against all others: what all messages together bring.",
        _grouped(users, (HOLDOUT, REST)),
        {HOLDOUT: settings.holdout, REST: 1 - settings.holdout},
        {},
        metric,
        (metric,),
        warnings,
    )


def _control(log: Log, policy: Policy, goals: Collection[str], ignored_after_us: int) -> Results | None:
    settings = policy.settings
    if settings.control <= 0:
        return None

    def group(user: str) -> str:
        if settings.holdout > 0 and is_held_out(settings, user):
            return HOLDOUT
        return CONTROL if is_in_control(settings, user) else LEARNED

    users = everybody(log, goals, ignored_after_us, group)
    primary = Metric.CLICKS if not goals else Metric.GOALS
    metrics = (Metric.CLICKS, Metric.CLICK_RATE, Metric.MESSAGES, *GUARDRAILS)
    return compare(
        CONTROL,
        "Users for whom the static rule decides, against those for whom something is learned.",
        _grouped(users, (CONTROL, LEARNED)),
        {CONTROL: settings.control, LEARNED: 1 - settings.control},
        {},
        primary,
        metrics if not goals else (Metric.GOALS, *metrics),
        (),
    )


def _grouped(users: Mapping[str, Acts], names: Sequence[str]) -> dict[str, list[Acts]]:
    groups: dict[str, list[Acts]] = {name: [] for name in names}
    for acts in users.values():
        if acts.arm in groups:
            groups[acts.arm].append(acts)
    return groups
