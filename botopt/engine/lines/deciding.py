"""Deciding events of one type, straight to their record lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from botopt.engine import effects
from botopt.engine.choosing import word
from botopt.engine.feedback import settle
from botopt.engine.hashes import begin_decision
from botopt.engine.history import Retention
from botopt.engine.lines.texts import Scored, choices, decimal, instant, message, optional, quoted
from botopt.engine.pipeline import first_stop
from botopt.engine.plan import Plan
from botopt.engine.records import outcome_of
from botopt.engine.scoring import PRECISION, clamp
from botopt.engine.stages.muted import look
from botopt.engine.work import Work
from botopt.learning.engagement import factor_of
from botopt.model.decision import Outcome, Reason
from botopt.model.event import Event
from botopt.model.instants import instant_text
from botopt.model.policy import Consent, Value
from botopt.model.user_state import Response, UserState

Key = tuple[str, Outcome, Reason | None]
"""What decisions are counted by: event type, outcome, reason."""

Act = Callable[[UserState, Event, int, str], bool]
"""(state, event, now_us, `event.key`) -> whether it was taken; else nothing has changed."""


def deciding(plan: Plan, keep: Retention, revision: str, lines: list[str], counts: Counter[Key]) -> Act:
    """The function that decides events of this plan's type, appends their lines to `lines` and counts them.

    This is `scoring.score`, `Engine._decide` and `records.decided` in one, with everything that does not change
    looked up beforehand: half the time of a replay is spent here. tests/engine/test_lines.py holds them equal.
    """
    settings, name, engaged, mutes = plan.settings, plan.event_type.name, plan.engagement, plan.mutes
    ignored_after_us, fatigue_us = settings.ignored_after_us, settings.fatigue.within_us
    expires_us = plan.event_type.expires_after_us
    tires = settings.fatigue.per_message != 0.0
    opt_in = plan.category is not None and plan.category.consent is Consent.OPT_IN
    always, every_stage, after_worth = plan.event_type.always, plan.stages, plan.after_worth
    rules, pick = plan.rules, _picker(plan)
    match = None if rules is None else rules.match_values
    remembered = name in keep.times or name in keep.past
    engagement_factor = factor_of(settings.engagement)
    pending, clicked, failed = Response.PENDING, Response.CLICKED, Response.FAILED
    too_low = (name, Outcome.BELOW_THRESHOLD, Reason.BELOW_THRESHOLD)
    scored_by_mask: dict[int, Scored] = {}
    middle = f',"event_type":"{name}","user":'
    low = ',"line":null,"outcome":"below_threshold","reason":"below_threshold","by":null,"detail":null,"until":null'
    end = f',"revision":"{revision}"}}\n'
    low_end = f',"cause":null,"choices":[],"message":null{end}'
    append = lines.append

    def scored_for(mask: int) -> Scored:
        weighed = plan.weighed(mask)
        scored = scored_by_mask[mask] = Scored(weighed, round(clamp(weighed.raw), PRECISION), settings)
        return scored

    def act(state: UserState, event: Event, now_us: int, key: str) -> bool:
        state.clock_us = now_us
        sends = state.sends
        place = state.settled
        if place < len(sends):
            oldest = sends[place]
            if oldest.response is not pending or oldest.time_us + ignored_after_us <= now_us:
                settle(state, now_us, settings)
        work: Work | None = None
        mask = 0
        if pick is not None:
            mask = match(pick(event.data))  # type: ignore[misc]  # there are rules where there is a picker
        elif rules is not None:
            work = Work(plan, state, event, now_us, now_us, 0)
            mask = rules.match(work)
        scored = scored_by_mask.get(mask) or scored_for(mask)
        weighed = scored.weighed
        if engaged and state.total.outcome_count:
            factor = engagement_factor(state.total, state.by_type.get(name), now_us)
            score = weighed.raw * factor
            score = round(min(score, 1.0), PRECISION)
            score_text, factor_text = decimal(score), decimal(factor)
        else:
            score, score_text, factor_text = scored.score, scored.score_text, "1"
        unanswered = 0
        if sends and tires:
            since_us = now_us - fatigue_us
            for send in reversed(sends):
                if send.time_us <= since_us:
                    break
                response = send.response
                if response is not clicked and response is not failed:
                    unanswered += 1
        bar = scored.bars.get(unanswered) or scored.bar(unanswered)
        begun = begin_decision()
        begun.update(f"{key}\x000\x00{now_us}".encode())  # as `hashes.decision_id`
        decided_id = begun.digest()
        if mutes:
            work = work or Work(plan, state, event, now_us, now_us, 0)
            work.id, work.channel = decided_id, weighed.channel
            look(mutes, work)
        ordinary = (
            weighed.skipped_by is None
            and not (opt_in or state.consent)
            and (expires_us is None or now_us - event.time_us <= expires_us)
        )
        if ordinary and not always and score <= bar.needed:
            counts[too_low] += 1
            append(
                f'{{"id":"{decided_id.hex()}","event_id":{quoted(event.id)}{middle}{quoted(event.user)},'
                f'"time":"{instant_text(now_us)}"{low},"score":{score_text},"threshold":{bar.text}{scored.begin}'
                f"{factor_text}{bar.end}{low_end}"
            )
        else:
            work = work or Work(plan, state, event, now_us, now_us, 0)
            work.id, work.score, work.needed = decided_id, score, bar.needed
            work.template, work.channel, work.skipped_by = weighed.template, weighed.channel, weighed.skipped_by
            stop = work.stop = first_stop(after_worth if ordinary else every_stage, work)
            if stop is None:
                word(work)
                stop = work.stop
            outcome = outcome_of(work)
            decided_hex = decided_id.hex()
            head = (
                f'{{"id":"{decided_hex}","event_id":{quoted(event.id)}{middle}{quoted(event.user)},'
                f'"time":"{instant_text(now_us)}","line":null,"outcome":"{outcome}","reason":'
            )
            numbers = f'"score":{score_text},"threshold":{bar.text}{scored.begin}{factor_text}{bar.end}'
            if stop is None:
                counts[name, outcome, None] += 1
                append(
                    f'{head}null,"by":null,"detail":null,"until":null,{numbers},"cause":null,'
                    f'"choices":{choices(work)},"message":{message(work, decided_hex)}{end}'
                )
            else:
                counts[name, outcome, stop.reason] += 1
                cause = f'"{stop.cause.hex()}"' if stop.cause else "null"
                append(
                    f'{head}"{stop.reason}","by":{optional(stop.by)},"detail":null,"until":{instant(stop.until_us)},'
                    f'{numbers},"cause":{cause},"choices":{choices(work)},"message":null{end}'
                )
            effects.conclude(work, outcome)
        if remembered:
            effects.remember(state, event, now_us, keep)
        return True

    return act


def _picker(plan: Plan) -> Callable[[Mapping[str, Value]], tuple[Value, ...]] | None:
    """How the rules' values are taken from the data, where all are fields that every event has; else None."""
    rules, fields = plan.rules, plan.event_type.fields
    names = () if rules is None else rules.fields
    if not names or any(fields[name].can_be_absent for name in names):
        return None
    pick: Callable[[Mapping[str, Value]], Any] = itemgetter(*names)
    return pick if len(names) > 1 else lambda data: (pick(data),)
