"""What became of the events of a request, as JSON."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from botopt.model.decision import Decision, Reason
from botopt.model.record import encode_line
from botopt.runtime.items import Received
from botopt.server.problems import Problem

_encode = msgspec.json.Encoder().encode
_UNSAID = "what it is about is not known here"
_FIX = "mend what each sentence names, and send them with a new Idempotency-Key"


class EventResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event: `accepted`, `duplicate` or `refused`, and the ids of its decisions; or all of them."""

    event_id: str | None
    status: str
    decision_ids: tuple[str, ...]
    detail: str | None = None
    by: str | None = None
    decisions: tuple[msgspec.Raw, ...] | None = None


class Accepted(msgspec.Struct, frozen=True):
    """The answer to a request of which something was taken."""

    accepted: int
    refused: int
    events: tuple[EventResult, ...]


def answer(results: Sequence[Received], *, whole: bool) -> tuple[int, bytes]:
    """Status and body. All refused: a problem. `whole`: with the decisions, not only their ids."""
    accepted = sum(1 for result in results if result.accepted)
    events = tuple([_event(result, whole) for result in results])
    if results and not accepted:
        refused = Problem("refused", _first(events), _FIX, more={"events": events})
        return refused.status, refused.body()
    return 202, _encode(Accepted(accepted, len(results) - accepted, events))


def _event(result: Received, whole: bool) -> EventResult:
    decisions = result.decisions
    status, detail, by = "accepted", None, None
    if not result.accepted:
        status, detail = "refused", _UNSAID
        if decisions:
            detail, by = decisions[-1].detail or _UNSAID, decisions[-1].by
    elif decisions and decisions[-1].reason is Reason.DUPLICATE:
        status = "duplicate"
    return EventResult(
        result.event_id,
        status,
        tuple([decision.id for decision in decisions]),
        detail,
        by,
        tuple([raw_record(decision) for decision in decisions]) if whole else None,
    )


def raw_record(decision: Decision) -> msgspec.Raw:
    """A decision record, to stand inside other JSON."""
    return msgspec.Raw(encode_line(decision)[:-1])


def _first(events: Sequence[EventResult]) -> str:
    detail = events[0].detail or _UNSAID
    return detail if len(events) == 1 else f"{detail} (the first of {len(events)} events)"
