"""The answer of `why-not`: sentences for people, a JSON object for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from botopt.cli.console import marked, out
from botopt.cli.decisions import clock
from botopt.cli.formats.documents import document
from botopt.engine.numbers import number
from botopt.model.condition import duration_text
from botopt.model.decision import Reason
from botopt.model.instants import instant_text
from botopt.model.record import plain_parts
from botopt.verify.whynot.model import Answer, ByCount, Cause, Closing, HeldCount, Miss, ReasonCount
from botopt.verify.whynot.places import Place

_MOST_SHOWN = 8
_SECOND_US = 1_000_000
_WORDS = {
    Reason.REJECTED: "the line was no event, or the user's state refused it",
    Reason.DUPLICATE: "the same event came before",
    Reason.EXPIRED: "it came too late, or waited too long",
    Reason.NO_CONSENT: "the user did not consent",
    Reason.SKIPPED: "a rule says skip",
    Reason.BELOW_THRESHOLD: "not worth a message",
    Reason.HOLDOUT: "the user is in the holdout",
    Reason.SILENCED: "an operator silenced it",
    Reason.MUTED: "a mute was on",
    Reason.RESOLVED: "the matter was closed",
    Reason.INHIBITED: "a more important message went first",
    Reason.IN_CONVERSATION: "in the middle of a conversation",
    Reason.COOLDOWN: "too soon after another",
    Reason.CAPPED: "enough messages already",
    Reason.PACED: "the budget of messages was used up",
    Reason.QUIET_HOURS: "at a time when the user wants quiet",
    Reason.SEND_TIME: "waiting for a better hour",
    Reason.RENDER_FAILED: "the message could not be rendered",
}

_UNNAMED = {Reason.PACED: "the budget", Reason.SEND_TIME: "the better hour"}
"""Who would have let it pass, where records name nobody."""

Places = Mapping[str, Place]


def print_answer(answer: Answer, places: Places, user: str | None, *, bounded: bool) -> None:
    """All of it: how many, then reason by reason, then what was held.

    `user` is the one that was asked for; `bounded`: only some time was.
    """
    console = out()
    for line in _lines(answer, places, user, bounded=bounded):
        console.print(line)


def _lines(answer: Answer, places: Places, user: str | None, *, bounded: bool) -> Iterator[str]:
    name, whose = marked(answer.event_type), "" if user is None else f" of {marked(user)}"
    if not answer.events:
        when = " in that time" if bounded else ""
        yield f"The log has no {name} event{whose}{when}."
        return
    events = f"[bold]{answer.events:,} {name}[/] event{'' if answer.events == 1 else 's'}{whose}"
    sent = f"[bold]{answer.sent:,}[/] {'was' if answer.sent == 1 else 'were'}" if answer.sent else "none was"
    yield f"Of {events} {sent} sent ({_share(answer.sent, answer)})."
    if answer.explored:
        yield f"{answer.explored:,} of them only because exploring drew {'it' if answer.explored == 1 else 'them'}."
    yield f"[dim]Decided from {clock(answer.first_us)} to {clock(answer.last_us)} UTC.[/]"
    if answer.reasons:
        yield "\nWhy the others were not:" if answer.sent else "\nWhy not:"
    for reason in answer.reasons:
        yield ""
        yield from _reason(reason, answer, places)
    if answer.held is not None:
        yield ""
        yield from _held(answer.held, places)


def _share(count: int, answer: Answer) -> str:
    return f"{100 * count / answer.events:.1f}%"


def _reason(one: ReasonCount, answer: Answer, places: Places) -> Iterator[str]:
    share = _share(one.count, answer)
    yield f"[bold]{one.count:>7,}[/] {share:>6}  [yellow]{one.reason.value}[/]: {_WORDS[one.reason]}"
    if one.count > 1 and one.first_us is not None:
        yield f"                 [dim]from {clock(one.first_us)} to {clock(one.last_us)}[/]"
    yield from _by(one.by, places)
    if one.unexplored:
        kept = f"{one.unexplored:,} kept back only by the user's own history; exploring did not draw"
        yield f"                 {kept} {'it' if one.unexplored == 1 else 'them'}"
    yield from _nearest(one.reason, one.nearest, places)


def _by(counts: tuple[ByCount, ...], places: Places, *, held: bool = False) -> Iterator[str]:
    """Under a reason, what has no name is not told again; of what was held, the reason stands nowhere else."""
    told = [one for one in counts if held or one.by is not None or one.detail is not None]
    for one in told[:_MOST_SHOWN]:
        words = " ".join(filter(None, (one.by, f"({one.detail})" if one.by and one.detail else one.detail)))
        words = words or f"{one.reason.value}: {_WORDS[one.reason]}"
        place = places.get(one.by or "")
        where = "" if place is None else f"  [dim]{marked(str(place.position))} {marked(place.words)}[/]"
        yield f"{one.count:>16,} {marked(words)}{where}"
    if len(told) > _MOST_SHOWN:
        rest = told[_MOST_SHOWN:]
        yield f"{sum(one.count for one in rest):>16,} [dim]by {len(rest)} others[/]"


def _nearest(reason: Reason, miss: Miss, places: Places) -> Iterator[str]:
    label = "nearest miss" if miss.measured else "the newest" if miss.time_us is not None else "the last"
    at = f"line {miss.line}" if miss.line is not None else f"at {clock(miss.time_us)}"
    whose = f" of {marked(miss.user)}" if miss.user is not None else ""
    yield f"                 {label}: [bold]{marked(miss.event_id or 'an event')}[/]{whose} {at}"
    for line in _why(reason, miss, places):
        yield f"                   {line}"


def _why(reason: Reason, miss: Miss, places: Places) -> Iterator[str]:
    if miss.gap is not None and miss.score is not None and miss.threshold is not None:
        more = f"{number(miss.gap)} too low" if miss.gap else "and it has to be more than that"
        yield f"score {number(miss.score)}, needed more than {number(miss.threshold)}: {more}"
        yield marked(_closing(miss.closing, places))
    elif miss.left_us is not None:
        named = marked(miss.by or _UNNAMED.get(reason, "it"))
        yield f"{named} would have let it pass {_span(miss.left_us)} later, at {clock(miss.until_us)}"
    elif miss.waited_us is not None:
        yield f"it was held for {_span(miss.waited_us)} before"
    elif reason is Reason.EXPIRED:
        yield marked(f"how old it was, the record does not say: botopt explain EVENTS --event {miss.event_id}")
    elif reason is Reason.REJECTED and miss.detail:
        yield marked(miss.detail)
    if miss.cause is not None:
        yield marked(f"caused by {_cause(miss.cause)}")


def _closing(closing: Closing | None, places: Places) -> str:
    match closing:
        case None:
            return "no single part of the score would have closed the gap"
        case Closing("fatigue"):
            return f"without fatigue ({number(closing.threshold)} on the threshold) it would have been worth a message"
        case Closing("pacing"):
            return f"without pacing ({number(closing.threshold)} on the threshold) it would have been worth a message"
        case Closing("scorer"):
            return f"with a scorer's factor of 1 instead of {number(closing.score)} it would have been worth a message"
        case Closing("engagement"):
            return (
                f"with an engagement factor of 1 instead of {number(closing.score)} it would have been worth a message"
            )
        case _:
            what = "matched" if not closing.matched else "not matched"
            place = places.get(closing.id or "")
            where = f" ({place.words}, {place.position})" if place is not None else ""
            return f"had rule {closing.id} ({_effect(closing)}) {what}, it would have been worth a message{where}"


def _effect(closing: Closing) -> str:
    both = (("score", closing.score), ("threshold", closing.threshold))
    return ", ".join(f"{word} {'+' if value > 0 else '-'}{number(abs(value))}" for word, value in both if value)


def _cause(cause: Cause) -> str:
    if cause.event_type is None:
        return f"an event that has no record here ({cause.id})"
    return f"{cause.event_type} {cause.event_id or ''} at {clock(cause.time_us)}"


def _span(us: int) -> str:
    """A duration, to the second; less than a second counts as one."""
    return duration_text(max(_SECOND_US, us // _SECOND_US * _SECOND_US))


def _held(held: HeldCount, places: Places) -> Iterator[str]:
    times = f"{held.count:,} {'was' if held.count == 1 else 'were'}"
    waited = "" if held.shortest.left_us is None else f", the shortest for {_span(held.shortest.left_us)}"
    yield f"[bold]{times} held[/] at first{waited}"
    yield from _by(held.by, places, held=True)
    later = [f"{count:,} {name}" for name, count in held.later.items()]
    if later:
        yield f"                 later: {', '.join(later)}"
    if held.waiting:
        yield f"                 still waiting when the log ends: {held.waiting:,}"


def answer_json(answer: Answer, places: Places, *, user: str | None, since_us: int | None, until_us: int | None) -> str:
    """The answer as a JSON object (schemas/why-not.schema.json)."""
    held = answer.held
    plain = {
        "event_type": answer.event_type,
        "user": user,
        "since": _time(since_us),
        "until": _time(until_us),
        "records": answer.records,
        "events": answer.events,
        "sent": answer.sent,
        "explored": answer.explored,
        "first": _time(answer.first_us),
        "last": _time(answer.last_us),
        "reasons": [
            {
                "reason": one.reason.value,
                "count": one.count,
                "share": round(one.count / answer.events, 6),
                "first": _time(one.first_us),
                "last": _time(one.last_us),
                "by": [_plain_by(each, places) for each in one.by],
                "nearest": _plain_miss(one.nearest),
                "unexplored": one.unexplored,
            }
            for one in answer.reasons
        ],
        "held": None
        if held is None
        else {
            "count": held.count,
            "by": [_plain_by(each, places) for each in held.by],
            "shortest": _plain_miss(held.shortest),
            "later": dict(held.later),
            "waiting": held.waiting,
        },
        "revisions": list(answer.revisions),
    }
    return document(plain)


def _time(us: int | None) -> str | None:
    return None if us is None else instant_text(us)


def _plain_by(one: ByCount, places: Places) -> dict[str, object]:
    place = places.get(one.by or "")
    return {
        "reason": one.reason.value,
        "by": one.by,
        "detail": one.detail,
        "count": one.count,
        "file": None if place is None else place.position.file,
        "line": None if place is None else place.position.line,
    }


def _plain_miss(miss: Miss) -> dict[str, object]:
    closing, cause = miss.closing, miss.cause
    return {
        "id": miss.id,
        "event_id": miss.event_id,
        "user": miss.user,
        "time": _time(miss.time_us),
        "line": miss.line,
        "by": miss.by,
        "detail": miss.detail,
        "until": _time(miss.until_us),
        "score": miss.score,
        "threshold": miss.threshold,
        "gap": miss.gap,
        "left_seconds": None if miss.left_us is None else miss.left_us / _SECOND_US,
        "waited_seconds": None if miss.waited_us is None else miss.waited_us / _SECOND_US,
        "parts": plain_parts(miss.parts),
        "closing": None
        if closing is None
        else {
            "part": closing.part,
            "id": closing.id,
            "matched": closing.matched,
            "score": closing.score,
            "threshold": closing.threshold,
        },
        "cause": None
        if cause is None
        else {
            "id": cause.id,
            "event_type": cause.event_type,
            "event_id": cause.event_id,
            "time": _time(cause.time_us),
        },
    }
