"""What learning had to do with a decision: a sentence for each learner that had a say, in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from botopt.engine.experiments import PURPOSE
from botopt.engine.rounding import exact
from botopt.engine.scorer_words import Moved, moved_words
from botopt.engine.stages.send_time import NOW
from botopt.engine.values import prior_of, rate_of
from botopt.engine.work import Work
from botopt.learning.pacing import Budget
from botopt.learning.send_time import ENOUGH, acts, is_known, values
from botopt.model.condition import duration_text
from botopt.model.counting import percent
from botopt.model.decision import Choice, Reason
from botopt.model.durations import DAY_US
from botopt.model.instants import instant_text
from botopt.model.learned import Arm
from botopt.model.policy import Choose
from botopt.model.user_state import NEVER_US, Pace

_DRAWN = 0.5
"""An hour with a smaller chance was not the best one: exploring takes less than half of all messages."""


def sentences(work: Work, moved: Sequence[Moved] = ()) -> tuple[str, ...]:
    """Nothing where nothing is learned and nobody is split. `moved` are the inputs of the scorer."""
    return tuple(_sentences(work, moved))


def arm_words(exposed: Choice) -> str:
    """In which arm of an experiment a user is."""
    name = exposed.purpose.removeprefix(PURPOSE)
    return f"experiment {name}: this user is in {exposed.chosen}, as {percent(exposed.propensity)} of users are"


def explored_words(explored: Choice) -> str:
    """Whether a message was explored, and how many such are."""
    sent = explored.chosen == "yes"
    share = percent(exact(explored.propensity if sent else 1 - explored.propensity))
    this = "this one too" if sent else "this one does not"
    return f"explore: only this user's history keeps it back; {share} of such messages go out all the same, {this}"


def bar_words(lift: float, needed: float) -> str:
    """How a budget moved the bar."""
    moved = "as it is" if abs(lift - 1) < 0.005 else f"× {lift:.3g}, that is {needed:.3g}"
    return f"the bar is {moved}"


def hour_words(hour: Choice) -> str:
    """At which hour a message goes, and whether that was drawn."""
    goes = "it goes now" if hour.chosen == NOW else f"it waits for {hour.chosen}"
    if is_drawn(hour):
        return f"{goes}, drawn from the hours that are allowed, so that other hours are known, too"
    return f"{goes}, no later hour is better" if hour.chosen == NOW else goes


def is_drawn(hour: Choice) -> bool:
    """Whether an hour came from exploring."""
    return hour.propensity < _DRAWN


def saved_up(budget: Budget, pace: Pace, now_us: int) -> str:
    """What a user's budget holds, never rounded up: with 0.99 of a message none can be sent."""
    level = math.floor(budget.level(pace, now_us) * 100) / 100
    return f"{level:g} of {budget.full:g} messages are saved up"


def _sentences(work: Work, moved: Sequence[Moved]) -> Iterator[str]:
    yield from map(arm_words, work.exposed)
    if work.control:
        yield "control group: nothing that was learned has a say, and nothing is drawn for this user"
        return
    if work.plan.learns:
        yield _snapshot(work)
    if work.plan.engagement and work.plan.settings.engagement.learn:
        yield _engagement(work)
    if work.plan.scorer is not None:
        yield _scorer(work, moved)
    if work.explored is not None:
        yield explored_words(work.explored)
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


def _scorer(work: Work, moved: Sequence[Moved]) -> str:
    if work.chance is not None:
        chance = f"it gives a click a chance of {percent(work.chance)}, which makes × {work.scorer_factor:.3g}"
        return f"scorer: {chance}{moved_words(moved)}"
    if not work.learned.snapshot.scorer_ok:
        return "scorer: not asked, because its chances did not fit what users did lately; the history decides"
    if not work.plan.engagement:
        return "scorer: not asked, engagement is off for this type"
    return "scorer: not asked, something that it looks at is not known; the history decides"


def _pacing(work: Work) -> str:
    budget = work.plan.budget
    assert budget is not None
    assert work.lift is not None
    pace = work.state.paces.get(budget.key)
    aim = f"{budget.messages:g} in {duration_text(budget.per_us)}"
    if pace is None:
        return f"pacing ({aim}): nothing was sent yet, the bar is the usual one"
    return f"pacing ({aim}): {saved_up(budget, pace, work.now_us)}; {bar_words(work.lift, work.needed)}"


def _hour(work: Work) -> str:
    assert work.hour is not None
    done = acts(work.state.hours)
    by_hour = values(work.state.hours, work.learned.snapshot.hours)
    said = hour_words(work.hour)
    if not is_drawn(work.hour) and work.hour.chosen != NOW:
        hour = int(work.hour.chosen[:2])
        near = percent(sum(by_hour[(hour + step) % 24] for step in (-1, 0, 1)))
        who = "this user" if is_known(work.state.hours) else "users in general"
        said += f", because {near} of what {who} did was within an hour of that"
    if not is_known(work.state.hours) and not is_drawn(work.hour):
        said += f" (of this user {done:.0f} acts are known, {ENOUGH} are needed)"
    return f"send_time: {said}; it had a chance of {percent(work.hour.propensity)}"


def _variant(work: Work) -> str:
    assert work.worded is not None
    template = work.plan.template_plan(work.template).template
    names = work.worded.eligible
    if len(names) == 1:
        return f"variants of {template.name}: only {names[0]} may go to this user"
    arms = work.learned.snapshot.arms.get(template.name, {})
    had = work.plan.template_plan(template.name).had_lately(work.state, names, work.now_us) or {}
    told = []
    for name in names:
        arm = arms.get(name, Arm(0.0))
        text = f"{name} {arm.score:+.0%} ({arm.clicks:.0f} of {arm.sends:.0f})"
        if name in had:
            text += f", sent to this user {(work.now_us - had[name]) / DAY_US:.1f} days ago"
        told.append(text)
    return (
        f"variants of {template.name}, clicks against what was expected: {'; '.join(told)}. {chance_words(work.worded)}"
    )


def chance_words(choice: Choice) -> str:
    """What was chosen, and how likely that was."""
    return f"{choice.chosen} had a chance of {percent(choice.propensity)}"


def reason(work: Work, reason: Reason) -> str:
    """The numbers of the stages that learners have."""
    budget, now_us = work.plan.budget, work.now_us
    if reason is Reason.PACED and budget is not None and not work.control:
        pace = work.state.paces.get(budget.key)
        if pace is None:
            return "nothing was sent yet"
        ready_us = budget.ready_us(pace, now_us)
        until = "" if ready_us is None else f", one at {instant_text(ready_us)}"
        return f"{saved_up(budget, pace, now_us)}{until}"
    if reason is Reason.SEND_TIME and work.plan.offering is not None:
        if work.timed:
            return "it waited for its hour already"
        return "" if work.hour is None else f"{work.hour.chosen} of {', '.join(work.hour.eligible)}"
    return ""
