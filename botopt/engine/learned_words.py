"""What learning had to do with a decision: a sentence for each learner that had a say, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from botopt.engine.choosing import had_lately
from botopt.engine.experiments import PURPOSE
from botopt.engine.stages.send_time import NOW
from botopt.engine.values import prior_of, rate_of
from botopt.engine.work import Work
from botopt.learning.send_time import ENOUGH, acts, is_known, values
from botopt.model.condition import duration_text
from botopt.model.decision import Reason
from botopt.model.durations import DAY_US
from botopt.model.instants import instant_text
from botopt.model.learned import Arm
from botopt.model.policy import Choose
from botopt.model.user_state import NEVER_US

_DRAWN = 0.5
"""An hour with a smaller chance was not the best one: exploring takes less than half of all messages."""


def sentences(work: Work) -> tuple[str, ...]:
    """Nothing where nothing is learned and nobody is split."""
    return tuple(_sentences(work))


def percent(share: float) -> str:
    """A share as people say it: `21%`, `0.4%`."""
    value = share * 100
    return f"{value:.0f}%" if value >= 9.5 or not value else f"{value:.2g}%"


def _sentences(work: Work) -> Iterator[str]:
    for exposed in work.exposed:
        name = exposed.purpose.removeprefix(PURPOSE)
        yield f"experiment {name}: this user is in {exposed.chosen}, as {percent(exposed.propensity)} of users are"
    if work.control:
        yield "control group: nothing that was learned has a say, and nothing is drawn for this user"
        return
    if work.plan.learns:
        yield _snapshot(work)
    if work.plan.engagement and work.plan.settings.engagement.learn:
        yield _engagement(work)
    if work.plan.scorer is not None:
        yield _scorer(work)
    if work.explored is not None:
        yield _explored(work)
    if work.lift is not None:
        yield _pacing(work)
    if work.hour is not None:
        yield _hour(work)
    if work.worded is not None and work.plan.template_plan(work.template).template.choose is Choose.LEARN:
        yield _variant(work)


def _snapshot(work: Work) -> str:
    snapshot = work.learned.snapshot
    if snapshot.at_us == NEVER_US:
        return "all users: nothing is known of them yet"
    return f"all users: known as of {instant_text(snapshot.at_us)} (snapshot {snapshot.id})"


def _engagement(work: Work) -> str:
    of_type = work.state.by_type.get(work.event.type)
    prior = prior_of(work)
    clicked = "nothing is known of this user"
    if of_type is not None and of_type.outcome_count:
        clicked = f"this user clicked {of_type.click_count} of {of_type.outcome_count} of them"
    elif work.state.total.outcome_count:
        total = work.state.total
        clicked = f"this user clicked {total.click_count} of {total.outcome_count} messages, none of them of this type"
    return (
        f"engagement: {clicked}; all users click {percent(prior.rate * prior.ratio)} of these and "
        f"{percent(prior.rate)} of all messages; so a click is {percent(rate_of(work))} likely"
    )


def _scorer(work: Work) -> str:
    if work.chance is not None:
        return f"scorer: it gives a click a chance of {percent(work.chance)}, which makes × {work.scorer_factor:.3g}"
    if not work.learned.snapshot.scorer_ok:
        return "scorer: not asked, because its chances did not fit what users did lately; the history decides"
    if not work.plan.engagement:
        return "scorer: not asked, engagement is off for this type"
    return "scorer: not asked, something that it looks at is not known; the history decides"


def _explored(work: Work) -> str:
    assert work.explored is not None
    share = percent(work.plan.settings.engagement.explore)
    this = "this one too" if work.explored.chosen == "yes" else "this one does not"
    return f"explore: only this user's history keeps it back; {share} of such messages go out all the same, {this}"


def _pacing(work: Work) -> str:
    budget = work.plan.budget
    assert budget is not None
    assert work.lift is not None
    pace = work.state.paces.get(budget.key)
    aim = f"{budget.messages:g} in {duration_text(budget.per_us)}"
    if pace is None:
        return f"pacing ({aim}): nothing was sent yet, the bar is the usual one"
    level = budget.level(pace, work.now_us)
    saved = f"{level:.2g} of {budget.full:g} messages are saved up"
    moved = "as it is" if abs(work.lift - 1) < 0.005 else f"× {work.lift:.3g}, that is {work.needed:.3g}"
    return f"pacing ({aim}): {saved}; the bar is {moved}"


def _hour(work: Work) -> str:
    assert work.hour is not None
    done = acts(work.state.hours)
    by_hour = values(work.state.hours, work.learned.snapshot.hours)
    if work.hour.propensity < _DRAWN:
        goes = "it goes now" if work.hour.chosen == NOW else f"it waits for {work.hour.chosen}"
        said = f"{goes}, drawn from the hours that are allowed, so that other hours are known, too"
    elif work.hour.chosen == NOW:
        said = "it goes now, no later hour is better"
    else:
        said = f"it waits for {work.hour.chosen}"
        hour = int(work.hour.chosen[:2])
        near = percent(sum(by_hour[(hour + step) % 24] for step in (-1, 0, 1)))
        who = "this user" if is_known(work.state.hours) else "users in general"
        said += f", because {near} of what {who} did was within an hour of that"
    if not is_known(work.state.hours) and work.hour.propensity >= _DRAWN:
        said += f" (of this user {done:.0f} acts are known, {ENOUGH} are needed)"
    chance = f"; it had a chance of {percent(work.hour.propensity)}"
    return f"send_time: {said}{chance}"


def _variant(work: Work) -> str:
    assert work.worded is not None
    template = work.plan.template_plan(work.template).template
    names = work.worded.eligible
    if len(names) == 1:
        return f"variants of {template.name}: only {names[0]} may go to this user"
    arms = work.learned.snapshot.arms.get(template.name, {})
    had = had_lately(work.state, template.name, names, work.now_us, template.recency)
    told = []
    for name in names:
        arm = arms.get(name, Arm(0.0))
        text = f"{name} {arm.score:+.0%} ({arm.clicks:.0f} of {arm.sends:.0f})"
        if name in had:
            text += f", sent to this user {(work.now_us - had[name]) / DAY_US:.1f} days ago"
        told.append(text)
    return (
        f"variants of {template.name}, clicks against what was expected: {'; '.join(told)}. "
        f"{work.worded.chosen} had a chance of {percent(work.worded.propensity)}"
    )


def reason(work: Work, reason: Reason) -> str:
    """The numbers of the stages that learners have."""
    budget, now_us = work.plan.budget, work.now_us
    if reason is Reason.PACED and budget is not None and not work.control:
        pace = work.state.paces.get(budget.key)
        if pace is None:
            return "nothing was sent yet"
        level, ready_us = budget.level(pace, now_us), budget.ready_us(pace, now_us)
        until = "" if ready_us is None else f", one at {instant_text(ready_us)}"
        return f"{level:.2g} messages saved up{until}"
    if reason is Reason.SEND_TIME and work.plan.offering is not None:
        if work.timed:
            return "it waited for its hour already"
        return "" if work.hour is None else f"{work.hour.chosen} of {', '.join(work.hour.eligible)}"
    return ""
