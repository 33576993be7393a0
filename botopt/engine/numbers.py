"""The numbers behind a decision, in words: what explanations print."""

from __future__ import annotations

from typing import assert_never

import msgspec

from botopt.engine import learned_words
from botopt.engine.calendar import quiet_until
from botopt.engine.scoring import clamp
from botopt.engine.stages import capped, cooldown, in_conversation, inhibited, muted, resolved, silenced
from botopt.engine.stages.holdout import is_held_out
from botopt.engine.stages.no_consent import refusal
from botopt.engine.stages.scope import Bound
from botopt.engine.values import prior_of, rate_of, unanswered_since
from botopt.engine.work import Work
from botopt.model.condition import duration_text
from botopt.model.decision import PROVIDER, Reason
from botopt.model.instants import instant_text
from botopt.model.learning_policy import ScorerUse
from botopt.model.policy import Conversation, Cooldown, Inhibition, Limit, Mute, QuietHours, Resolution
from botopt.model.silence import Silence
from botopt.model.user_state import Activity, PastEvent, Send
from botopt.model.zones import local


class Reading(msgspec.Struct, frozen=True):
    """How a suppression stands: whether its window is full or its hours are on, until when, and why."""

    reason: Reason
    full: bool
    text: str
    until_us: int | None = None
    cause: bytes = b""


def number(value: float) -> str:
    """Up to six decimals, without trailing zeros."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def arithmetic(work: Work) -> tuple[str, ...]:
    """The score and the threshold, term by term."""
    score, threshold = [], [f"threshold {number(work.plan.threshold)}"]
    raw = 0.0
    moved = explored = None
    for part in work.parts:
        if part.part == "base":
            score.append(f"weight {number(part.value)}")
            raw += part.value
        elif part.part == "rule":
            score.append(f"{'+' if part.value >= 0 else '-'} {number(abs(part.value))} ({part.id})")
            raw += part.value
        elif part.part == "threshold":
            threshold.append(f"{'+' if part.value >= 0 else '-'} {number(abs(part.value))} ({part.id})")
        elif part.part == "pacing":
            moved = part.value
        elif part.part == "explore":
            explored = part.value
    limited = "" if raw == clamp(raw) else f", limited to {number(work.raw)}"
    if moved is None:
        threshold.append(f"+ {number(work.fatigue)} (fatigue: {_fatigue(work)})")
    else:
        threshold.append(f"{'+' if moved >= 0 else '-'} {number(abs(moved))} (pacing: {_pacing(work)})")
    product = work.raw * work.factor * work.scorer_factor
    cut = ", limited to 1" if product > 1 else ""
    factors = f"{number(work.raw)} × {number(work.factor)} ({_engagement(work)})"
    if work.chance is not None:
        factors += f" × {number(work.scorer_factor)} (scorer: a chance of {number(work.chance)} of a click)"
    lines = [
        f"raw score  {' '.join(score)} = {number(raw)}{limited}",
        f"score      {factors} = {number(product)}{cut}",
    ]
    if explored is not None:
        lines.append(
            f"explore    + {number(explored)}: sent although the history speaks against it, to see whether that changed"
        )
    lines.append(f"needed     {' '.join(threshold)} = {number(work.needed)}")
    return tuple(lines)


def _pacing(work: Work) -> str:
    budget = work.plan.budget
    pace = None if budget is None else work.state.paces.get(budget.key)
    if budget is None or pace is None:
        return "no message yet"
    return learned_words.saved_up(budget, pace, work.now_us)


def _engagement(work: Work) -> str:
    if not work.plan.engagement:
        return "engagement is off for this type"
    if work.control:
        return "control group: the history has no say"
    scorer = work.plan.scorer
    if work.chance is not None and scorer is not None and scorer.use is ScorerUse.REPLACE:
        return "engagement: the scorer says it instead"
    total = work.state.total
    prior = prior_of(work).rate
    if not total.outcome_count and work.factor == 1.0:
        return "engagement: no message has an outcome yet"
    return (
        f"engagement: {total.click_count} of {total.outcome_count} clicked, "
        f"rate {number(rate_of(work))} against {number(prior)}"
    )


def _fatigue(work: Work) -> str:
    fatigue = work.plan.settings.fatigue
    unanswered = unanswered_since(work, work.now_us - fatigue.within_us)
    return f"{unanswered} without a click in {duration_text(fatigue.within_us)}"


def stage(work: Work, reason: Reason) -> str:
    """The numbers of a stage that is not made of suppressions."""
    event_type = work.plan.event_type
    match reason:
        case Reason.EXPIRED:
            if event_type.expires_after_us is None:
                return "never expires"
            age = _span(work.now_us - work.event.time_us)
            return f"{age} old, may be {duration_text(event_type.expires_after_us)}"
        case Reason.NO_CONSENT:
            refused = refusal(work.state.consent, work.plan.category, work.channel)
            asked = "no category" if work.plan.category is None else f"{work.plan.category.name}"
            consent = "opt_out" if work.plan.category is None else work.plan.category.consent.value
            return f"{asked} ({consent}): " + ("may be sent" if refused is None else f"refused by its {refused}")
        case Reason.SKIPPED:
            return "no rule says skip" if work.skipped_by is None else f"rule {work.skipped_by}"
        case Reason.BELOW_THRESHOLD:
            return f"score {number(work.score)}, needs more than {number(work.needed)}"
        case Reason.HOLDOUT:
            if not work.plan.settings.holdout:
                return "there is none"
            held_out = is_held_out(work.plan.settings, work.event.user)
            share = number(work.plan.settings.holdout * 100)
            return f"{share}% of users are held out; this user is {'one' if held_out else 'none'} of them"
        case Reason.SILENCED:
            active = silenced.active(work.silences, event_type.name, work.now_us)
            return "; ".join(_silence(one) for one in active) or "no operator silenced it"
        case Reason.CAPPED:
            cap = capped.by_provider(work)
            if cap is None:
                return ""
            return f"{PROVIDER}: {work.channel} takes nothing more until {instant_text(cap.until_us)}"
        case Reason.RENDER_FAILED:
            return f"template {work.template}"
        case _:
            return learned_words.reason(work, reason)


def _silence(silence: Silence) -> str:
    told = f" by {silence.who}" if silence.who else ""
    why = f": {silence.why}" if silence.why else ""
    return f"{silence.id}{told} until {instant_text(silence.until_us)}{why}"


def suppression(work: Work, bound: Bound) -> Reading:
    """How one suppression stands at this moment, whether or not it may stop this message."""
    kind = bound.suppression.kind
    match kind:
        case Cooldown(window_us, per):
            send = cooldown.latest(bound, work)
            keys = "user" if not per else "user, " + ", ".join(per)
            return _after(Reason.COOLDOWN, send, window_us, f"nothing sent for the same {keys}", "last sent")
        case Limit():
            return _limit(work, bound, kind)
        case Inhibition(by, window_us):
            send = inhibited.inhibiting(kind, work)
            return _after(Reason.INHIBITED, send, window_us, f"no {' or '.join(by)} sent", "sent")
        case Resolution(by, window_us, same):
            past = resolved.resolving(kind, work)
            also = f" with the same {', '.join(same)}" if same else ""
            return _after(Reason.RESOLVED, past, window_us, f"no {' or '.join(by)}{also}", "closed")
        case Conversation(window_us):
            activity = in_conversation.latest(bound, work)
            return _after(Reason.IN_CONVERSATION, activity, window_us, "the user did nothing", "the user was active")
        case Mute(window_us):
            return _mute(work, bound, window_us)
        case QuietHours(start, end):
            until_us = quiet_until(kind, work.now_us, work.timezone)
            wall = local(work.now_us, work.timezone)
            text = f"{wall:%a %H:%M} in {work.timezone}; quiet {_clock(start)} to {_clock(end)}"
            return Reading(Reason.QUIET_HOURS, until_us is not None, text, until_us)
        case _:
            assert_never(kind)


def _after(
    reason: Reason, cause: Send | PastEvent | Activity | None, window_us: int, nothing: str, verb: str
) -> Reading:
    if cause is None:
        return Reading(reason, False, f"{nothing} in {duration_text(window_us)}")
    text = f"{verb} at {instant_text(cause.time_us)}, for {duration_text(window_us)}"
    return Reading(reason, True, text, cause.time_us + window_us, cause.id)


def _limit(work: Work, bound: Bound, kind: Limit) -> Reading:
    cap = capped.slots(bound, work)
    window = duration_text(kind.window_us) if kind.calendar is None else f"this {kind.calendar}"
    text = f"{len(cap.sends)} of {kind.count} sent in {window}"
    if cap.kept:
        text += f", {cap.kept} kept for others"
    cause = cap.sends[-1].id if cap.sends and not cap.free else b""
    return Reading(Reason.CAPPED, not cap.free, text, cap.end_us, cause)


def _mute(work: Work, bound: Bound, window_us: int | None) -> Reading:
    if window_us is None:
        return Reading(Reason.MUTED, True, "always, for what it chooses")
    end_us = muted.end_of(bound, work)
    state = work.state.mutes.get(bound.suppression.id)
    if end_us is None or state is None:
        again = (
            "" if state is None or state.armed else "; not again before its condition was false or a message was sent"
        )
        return Reading(Reason.MUTED, False, f"not running{again}")
    text = f"since {instant_text(state.start_us)}, for {duration_text(window_us)}"
    return Reading(Reason.MUTED, True, text, end_us, b"" if state.cause == work.id else state.cause)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _span(us: int) -> str:
    return duration_text(us) if us >= 1_000_000 else "less than 1s"
