"""Deciding events of one type, straight to their record lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol

from botopt.engine import effects
from botopt.engine.choosing import word
from botopt.engine.experiments import arm_of, is_in_control
from botopt.engine.feedback import settle
from botopt.engine.hashes import begin_decision
from botopt.engine.history import Retention
from botopt.engine.lines.texts import Ending, Scored, choices, decimal, instant, message, quoted, signed
from botopt.engine.lines.views import View
from botopt.engine.pipeline import first_stop
from botopt.engine.plan import Plan
from botopt.engine.records import outcome_of
from botopt.engine.rounding import exact
from botopt.engine.scoring import Weighed, clamp, explore
from botopt.engine.stages.muted import look
from botopt.engine.stages.stage import decisive
from botopt.engine.work import Stop, Work
from botopt.learning.learner import Learned
from botopt.model.decision import Choice, Outcome, Reason, Rendered
from botopt.model.errors import RenderError
from botopt.model.event import Event
from botopt.model.instants import instant_text
from botopt.model.learned import Snapshot
from botopt.model.learning_policy import ScorerUse
from botopt.model.policy import Choose, Consent, Value
from botopt.model.ports import BoundVariant
from botopt.model.user_state import Held, Lesson, Response, UserState


class Act(Protocol):
    """What is done with an event of one type."""

    def __call__(self, state: UserState, event: Event, now_us: int, key: str, held: Held | None = None) -> bool:
        """Whether it was taken; else nothing has changed. `key` is `event.key`; `held` where it is decided again."""


_Pick = Callable[[Mapping[str, Value]], Sequence[Value]]
"""Some values of an event's data; None is absent."""


def deciding(
    plan: Plan,
    keep: Retention,
    revision: str,
    lines: list[str],
    endings: list[Ending],
    learned: Learned,
    in_control: dict[str, bool],
) -> Act:
    """The function that decides events of this plan's type, appends their lines to `lines` and counts in `endings`.

    This is `scoring.score`, `Engine._decide` and `records.decided` in one, with everything that does not change
    looked up beforehand: half the time of a replay is spent here. tests/verify/test_run.py holds them equal.
    `in_control` remembers which users are in the control group.
    """
    settings, name, engaged, mutes = plan.settings, plan.event_type.name, plan.engagement, plan.mutes
    ignored_after_us, fatigue_us = settings.ignored_after_us, settings.fatigue.within_us
    expires_us = plan.event_type.expires_after_us
    tires = settings.fatigue.per_message != 0.0
    opt_in = plan.category is not None and plan.category.consent is Consent.OPT_IN
    always, after_worth, after_worth_in_control = plan.event_type.always, plan.after_worth, plan.after_worth_in_control
    rules = plan.rules
    pick = None if rules is None or not rules.fields else _picker(plan, rules.fields)
    match = None if rules is None else rules.match_values
    remembered = name in keep.times or name in keep.past
    known_snapshot: Snapshot | None = None
    engagement_factor = scorer_factor = None
    unknown_factor = unknown_rate = 1.0
    unknown_text = end = no_message = low_end = ""
    learns, budget, experiments = plan.learns, plan.budget, tuple(plan.experiments.values())
    scorer, looking = plan.scorer, plan.looking
    scored_chance = None if scorer is None else scorer.chance
    replaces = scorer is not None and scorer.use is ScorerUse.REPLACE
    controls, explores = settings.control > 0, plan.explores
    pending, clicked, failed = Response.PENDING, Response.CLICKED, Response.FAILED
    scored_by_mask: dict[int, Scored] = {}
    views: dict[str, View] = {}
    writers: dict[str, _Writer] = {}
    known: dict[tuple[Outcome, Reason | None, str | None], Ending] = {}
    middle = f',"event_type":"{name}","user":'
    append = lines.append

    def scored_for(mask: int) -> Scored:
        weighed = plan.weighed(mask)
        if len(scored_by_mask) >= _MOST_MASKS:
            scored_by_mask.clear()
        scored = scored_by_mask[mask] = Scored(weighed, exact(clamp(weighed.raw)), settings)
        return scored

    def is_controlled(user: str) -> bool:
        if len(in_control) >= _MOST_USERS:
            in_control.clear()
        found = in_control[user] = is_in_control(settings, user)
        return found

    def turn(snapshot: Snapshot) -> None:
        nonlocal known_snapshot, engagement_factor, scorer_factor, unknown_factor, unknown_rate, unknown_text
        nonlocal end, no_message, low_end
        view = views.get(snapshot.id)
        if view is None:
            if len(views) >= _MOST_VIEWS:  # messages that were held see older ones
                views.clear()
            view = views[snapshot.id] = View(snapshot, plan, revision)
        known_snapshot = snapshot
        engagement_factor, scorer_factor = view.factor, view.scorer_factor
        unknown_factor, unknown_rate, unknown_text = view.unknown_factor, view.unknown_rate, view.unknown_text
        end, no_message, low_end = view.end, view.no_message, view.low_end

    def ending(outcome: Outcome, reason: Reason | None, by: str | None) -> Ending:
        made = known[outcome, reason, by] = Ending(name, outcome, reason, by)
        endings.append(made)
        return made

    def begun_work(state: UserState, event: Event, now_us: int, held: Held | None) -> Work:
        if held is None:
            return Work(plan, state, event, now_us, now_us, 0, learned)
        work = Work(plan, state, event, now_us, held.seen_us, held.attempt, learned.at(now_us))
        work.timed = held.timed
        return work

    def full(
        work: Work | None,
        state: UserState,
        event: Event,
        now_us: int,
        id: bytes,
        weighed: Weighed,
        control: bool,
        held: Held | None,
    ) -> Work:
        work = work or begun_work(state, event, now_us, held)
        work.id = id
        work.control = control
        work.template, work.channel, work.skipped_by = weighed.template, weighed.channel, weighed.skipped_by
        return work

    low = ending(Outcome.BELOW_THRESHOLD, Reason.BELOW_THRESHOLD, None)
    sent = ending(Outcome.SENT, None, None)
    low_text = f"{low.text}null"
    sent_text = f"{sent.text}null"

    def act(state: UserState, event: Event, now_us: int, key: str, held: Held | None = None) -> bool:
        state.clock_us = now_us
        sends = state.sends
        place = state.settled
        if place < len(sends):
            oldest = sends[place]
            if oldest.response is not pending or oldest.time_us + ignored_after_us <= now_us:
                settle(state, now_us, settings)
        snapshot = learned.snapshot if held is None else learned.at(now_us).snapshot
        if snapshot is not known_snapshot:
            turn(snapshot)
        rate = unknown_rate  # of clicks, as the user's history leads to expect it
        control = False
        if controls:
            user = event.user
            control = in_control[user] if user in in_control else is_controlled(user)
        work: Work | None = None
        mask = 0
        if pick is not None:
            mask = match(pick(event.data))  # type: ignore[misc]  # there are rules where there is a picker
        elif rules is not None:
            work = begun_work(state, event, now_us, held)
            work.control = control
            mask = rules.match(work)
        scored = scored_by_mask.get(mask) or scored_for(mask)
        weighed = scored.weighed
        score, score_text, factor_text = scored.score, scored.score_text, "1"
        chance: float | None = None
        if engaged and not control:
            raw = weighed.raw
            if state.total.outcome_count:
                factor, rate = engagement_factor(state.total, state.by_type.get(name), now_us)  # type: ignore[misc]
                factor_text = decimal(factor)
            else:
                factor, rate, factor_text = unknown_factor, unknown_rate, unknown_text
            if looking is not None and snapshot.scorer_ok:
                chance = scored_chance(looking(state, now_us, snapshot, raw, rate))  # type: ignore[misc]
            more = 1.0
            if chance is not None:
                if replaces:
                    factor, factor_text = 1.0, "1"
                more = scorer_factor(chance)  # type: ignore[misc]
                factor_text = f'{factor_text}}},{{"part":"scorer","id":null,"value":{decimal(more)}'
            if factor != 1.0 or more != 1.0:
                score = raw * factor * more
                score = int((score if score < 1.0 else 1.0) * 1e9 + 0.5) / 1e9  # `exact`
                score_text = decimal(score)
        if budget is not None and not control:
            pace = state.paces.get(budget.key)
            threshold = weighed.threshold
            added = 0.0 if pace is None else threshold * (budget.lift(pace, now_us) - 1.0)  # `scoring.lifted`
            needed = threshold + added
            needed = 0.0 if needed < 0.0 else int((needed if needed < 1.0 else 1.0) * 1e9 + 0.5) / 1e9
            needed_text, bar_end = decimal(needed), f"{scored.paced}{signed(added)}}}]"
        else:
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
            needed, needed_text, bar_end = bar.needed, bar.text, bar.end
        drawn: tuple[Choice, ...] = ()
        if experiments:
            drawn = tuple(arm_of(each, settings.seed, event.user) for each in experiments)
        if explores and score <= needed < scored.score and not control:
            choice = explore(settings, event)
            drawn = (*drawn, choice)
            if choice.chosen == "yes":
                factor_text += f'}},{{"part":"explore","id":null,"value":{decimal(scored.score - score)}'
                score, score_text = scored.score, scored.score_text
        begun = begin_decision()
        attempt = 0 if held is None else held.attempt
        begun.update(f"{key}\x00{attempt}\x00{now_us}".encode())  # as `hashes.decision_id`
        decided_id = begun.digest()
        if mutes:
            work = full(work, state, event, now_us, decided_id, weighed, control, held)
            look(mutes, work)
        ordinary = (
            weighed.skipped_by is None
            and not (opt_in or state.consent)
            and (expires_us is None or now_us - event.time_us <= expires_us)
        )
        decided_hex = decided_id.hex()
        head = (
            f'{{"id":"{decided_hex}","event_id":{quoted(event.id)}{middle}{quoted(event.user)},'
            f'"time":"{instant_text(now_us)}'
        )
        terms = f',"score":{score_text},"threshold":{needed_text}{scored.begin}{factor_text}{bar_end}'
        if ordinary and not always and score <= needed:
            low.count += 1
            if drawn:
                append(f'{head}{low_text}{terms},"cause":null,"choices":{choices(drawn)},"message":null{end}')
            else:
                append(f"{head}{low_text}{terms}{low_end}")
            if remembered and held is None:
                effects.remember(state, event, now_us, keep)
            return True

        stop: Stop | None = None
        if ordinary:
            for glance, stage in after_worth_in_control if control else after_worth:
                if glance is not None:
                    stop = glance(state, now_us)
                else:
                    work = full(work, state, event, now_us, decided_id, weighed, control, held)
                    stops = stage(work)
                    stop = decisive(stops) if stops else None
                if stop is not None:
                    break
        else:
            work = full(work, state, event, now_us, decided_id, weighed, control, held)
            work.score, work.needed = score, needed
            stop = first_stop(plan.ordinary, work)
        if work is not None and work.hour is not None:
            drawn = (*drawn, work.hour)
        lesson: Lesson | None = None
        if stop is None:
            writer = writers.get(weighed.template)
            if writer is None:
                writer = writers[weighed.template] = _Writer(plan, weighed.template)
            if writer.writes:
                place = 0
                if writer.learns:
                    if control:
                        worded = Choice("variant", writer.names, writer.names[0], None, 1.0)
                    else:
                        if not engaged and state.total.outcome_count:
                            _, rate = engagement_factor(state.total, state.by_type.get(name), now_us)  # type: ignore[misc]
                        chosen = writer.plan.learned(writer.names, snapshot, state, key, now_us, rate)
                        place, worded, lesson = chosen
                    drawn = (*drawn, worded)
                variant = writer.names[place]
                words = writer.writes[place](state, event, now_us)
            else:
                work = full(work, state, event, now_us, decided_id, weighed, control, held)
                word(work)
                variant, words = work.variant, work.rendered
                lesson = work.lesson
                if work.worded is not None:
                    drawn = (*drawn, work.worded)
            if words is not None:
                sent.count += 1
                shown = message(decided_hex, weighed.template, variant, weighed.channel, words)
                append(f'{head}{sent_text}{terms},"cause":null,"choices":{choices(drawn)},"message":{shown}{end}')
                if looking is not None and chance is None and not control:
                    chance = effects.foretold(plan, state, now_us, snapshot, weighed.raw)
                effects.record_send(plan, state, event, now_us, decided_id, weighed.channel, control)
                if learns:
                    effects.teach(state, name, now_us, lesson, chance, learned)
            else:
                stop = Stop(Reason.RENDER_FAILED, weighed.template)
        if stop is not None:
            outcome = outcome_of(stop)
            if outcome is Outcome.HELD:
                work = full(work, state, event, now_us, decided_id, weighed, control, held)
                work.stop = stop
                effects.conclude(work, outcome)
            found = known.get((outcome, stop.reason, stop.by)) or ending(outcome, stop.reason, stop.by)
            found.count += 1
            cause = f'"{stop.cause.hex()}"' if stop.cause else "null"
            after = f',"choices":{choices(drawn)},"message":null{end}' if drawn else no_message
            append(f'{head}{found.text}{instant(stop.until_us)}{terms},"cause":{cause}{after}')
        if remembered and held is None:
            effects.remember(state, event, now_us, keep)
        return True

    return act


_MOST_VIEWS = 64
_MOST_USERS = 100_000
_MOST_MASKS = 4_096


class _Writer:
    """How messages of one template are written.

    `writes` are by variant, and give None where the words cannot be written; empty where that takes a `Work`. With more
    than one, `choose` learns which.
    """

    __slots__ = ("learns", "names", "plan", "writes")

    def __init__(self, plan: Plan, template: str) -> None:
        self.plan = plan.template_plan(template)
        plain = self.plan.plain()
        self.names = tuple(variant.name for variant, _ in plain)
        self.learns = self.plan.template.choose is Choose.LEARN
        self.writes = [_writing(plan, bound) for _, bound in plain]


def _writing(plan: Plan, bound: BoundVariant) -> Callable[[UserState, Event, int], Rendered | None]:
    render, pick = bound.render, _picker(plan, [ref.name for ref in bound.inputs])
    usual_locale, usual_timezone = plan.settings.locale, plan.settings.timezone

    def write(state: UserState, event: Event, now_us: int) -> Rendered | None:
        locale, timezone = usual_locale, usual_timezone
        if state.attributes:
            own, zone = state.attributes.get("locale"), state.attributes.get("timezone")
            locale = own if isinstance(own, str) else usual_locale
            timezone = zone if isinstance(zone, str) else usual_timezone
        try:
            return render(pick(event.data), locale=locale, timezone=timezone, now_us=now_us)
        except RenderError:
            return None

    return write


def _picker(plan: Plan, names: Sequence[str]) -> _Pick:
    fields = plan.event_type.fields
    if not names or any(name not in fields or fields[name].can_be_absent for name in names):
        return lambda data: [data.get(name) for name in names]
    pick: Callable[[Mapping[str, Value]], Any] = itemgetter(*names)
    return pick if len(names) > 1 else lambda data: (pick(data),)
