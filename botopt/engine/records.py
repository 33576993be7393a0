"""Decision records: what was decided, in the words of docs/reference/records.md."""

from __future__ import annotations

from collections.abc import Iterable

from botopt.engine.hashes import decision_id
from botopt.engine.rounding import exact, rounded
from botopt.engine.work import Stop, Work
from botopt.model.decision import Choice, Decision, Message, Outcome, Part, Reason
from botopt.model.event import Event, Line, Rejected
from botopt.model.user_state import Held

_ID_BYTES = 12
_OUTCOMES = {Reason.SKIPPED: Outcome.SKIPPED, Reason.BELOW_THRESHOLD: Outcome.BELOW_THRESHOLD}


def decided(work: Work, revision: str) -> Decision:
    """The record of a decision that ran through the pipeline."""
    event, stop = work.event, work.stop
    message = None
    if stop is None and work.rendered is not None:
        words = work.rendered
        message = Message(
            work.id.hex(),
            work.template,
            work.variant,
            words.locale,
            work.channel,
            words.text,
            words.title,
            words.buttons,
        )
    return Decision(
        id=work.id.hex(),
        event_id=event.id,
        event_type=event.type,
        user=event.user,
        time_us=work.now_us,
        outcome=outcome_of(stop),
        reason=None if stop is None else stop.reason,
        by=None if stop is None else stop.by,
        until_us=None if stop is None else stop.until_us,
        score=rounded(work.score),
        threshold=rounded(work.needed),
        parts=tuple(Part(part.part, part.id, rounded(part.value)) for part in work.parts),
        cause=None if stop is None or not stop.cause else stop.cause.hex(),
        choices=rounded_choices(work.choices),
        message=message,
        snapshot=work.learned.snapshot.id if work.plan.learns else None,
        revision=revision,
    )


def rounded_choices(choices: Iterable[Choice]) -> tuple[Choice, ...]:
    """Draws as records report them."""
    return tuple(
        Choice(
            each.purpose,
            each.eligible,
            each.chosen,
            None if each.draw is None else exact(each.draw),
            exact(each.propensity),
        )
        for each in choices
    )


def outcome_of(stop: Stop | None) -> Outcome:
    """The outcome that belongs to what stopped the message."""
    if stop is None:
        return Outcome.SENT
    if stop.hold and stop.until_us is not None:
        return Outcome.HELD
    return _OUTCOMES.get(stop.reason, Outcome.SUPPRESSED)


def rejected(line: Rejected, revision: str) -> Decision:
    """The record of a line that is no event."""
    return Decision(
        id=line.digest[:_ID_BYTES].hex(),
        event_id=line.event_id,
        event_type=line.event_type,
        user=line.user,
        time_us=line.time_us,
        line=line.line or None,  # what a service refuses may stand in no line
        outcome=Outcome.REJECTED,
        reason=Reason.REJECTED,
        by=line.by,
        detail=line.detail,
        revision=revision,
    )


def refused(event: Event, line: Line, detail: str, by: str | None, revision: str) -> Decision:
    """The record of an event that was read well but that its user's state refuses."""
    return rejected(
        Rejected(line.number, detail, line.digest, by, event.id, event.type, event.user, event.time_us), revision
    )


def duplicate(event: Event, number: int, now_us: int, revision: str) -> Decision:
    """The record of an event that came before; `number` counts its repetitions."""
    return Decision(
        id=decision_id(event.key, f"duplicate {number}", now_us).hex(),
        event_id=event.id,
        event_type=event.type,
        user=event.user,
        time_us=now_us,
        outcome=Outcome.SUPPRESSED,
        reason=Reason.DUPLICATE,
        revision=revision,
    )


def orphaned(held: Held, revision: str) -> Decision:
    """The record of a held message whose event type no longer leads to messages."""
    event = held.event
    return Decision(
        id=decision_id(event.key, held.attempt, held.until_us).hex(),
        event_id=event.id,
        event_type=event.type,
        user=event.user,
        time_us=held.until_us,
        outcome=Outcome.REJECTED,
        reason=Reason.REJECTED,
        detail="the event type leads to no message any more: the policy changed while the message was held",
        revision=revision,
    )
