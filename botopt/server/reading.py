"""`GET /v1/decisions`, `GET|DELETE /v1/users/{id}`, `POST /v1/explain`: what was decided, what is known, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from botopt.engine.explained import explanation_plain
from botopt.model.decision import Outcome, Reason
from botopt.model.errors import StateError
from botopt.model.event import Rejected
from botopt.model.instants import instant_text
from botopt.model.live import DecisionQuery, DecisionRow, LiveReader, OutboxQuery, OutboxRow
from botopt.model.user_state import UserState
from botopt.runtime.items import Overloaded, Stopping
from botopt.server import parameters
from botopt.server.auth import Caller
from botopt.server.content import Content, media_type, read_events
from botopt.server.problems import Problem, unavailable
from botopt.server.results import raw_record
from botopt.server.site import Site
from botopt.sources.texts import is_name
from botopt.state.user_rows import unpacked
from botopt.state.user_view import view

NDJSON = "application/x-ndjson"
FILTERS = ("user", "event", "event_type", "outcome", "reason", "since", "until", "before", "limit")

_USUAL, _MOST = 100, 1_000
_PRIVATE = {"cache-control": "no-store"}
_encode = msgspec.json.Encoder().encode


async def decisions(site: Site, request: Request, _: Caller | None) -> Response:
    """Decisions, newest first."""
    query = _query(request)
    rows = await site.read(lambda reader: reader.decisions(query))
    records = [row.record.strip() for row in rows]
    before = rows[-1].sequence if len(rows) == query.limit else None
    if NDJSON in request.headers.get("accept", ""):
        # Without scheme and host: what those are outside, a proxy knows, and what a caller says they are is no matter.
        following = request.url.include_query_params(before=before)
        links = {} if before is None else {"link": f'<{following.path}?{following.query}>; rel="next"'}
        return Response(b"".join(record + b"\n" for record in records), 200, {**_PRIVATE, **links}, NDJSON)
    page = {"decisions": [msgspec.Raw(record) for record in records], "before": before}
    return Response(_encode(page), 200, _PRIVATE, "application/json")


def _query(request: Request) -> DecisionQuery:
    given = request.query_params
    parameters.only(given, FILTERS)
    return DecisionQuery(
        user=parameters.name(given, "user"),
        event_id=parameters.name(given, "event"),
        event_type=parameters.name(given, "event_type"),
        outcome=parameters.choice(given, "outcome", Outcome),
        reason=parameters.choice(given, "reason", Reason),
        since_us=parameters.instant(given, "since"),
        until_us=parameters.instant(given, "until"),
        before=parameters.whole_number(given, "before", 0, 2**62),
        limit=parameters.whole_number(given, "limit", 1, _MOST) or _USUAL,
    )


async def user(site: Site, request: Request, _: Caller | None) -> Response:
    """Everything that is known about one user, and the latest that was decided and sent."""
    id = _user_id(request)

    def reading(reader: LiveReader) -> tuple[bytes | None, Sequence[DecisionRow], Sequence[OutboxRow]]:
        return (
            reader.load([id]).get(id),
            reader.decisions(DecisionQuery(user=id, limit=_USUAL)),
            reader.outbox(OutboxQuery(user=id, limit=_USUAL)),
        )

    blob, decided, messages = await site.read(reading)
    if blob is None and not decided:
        raise _unknown_user()
    state = UserState() if blob is None else unpacked(id, blob)
    plain = {
        "state": view(id, state),
        "decisions": [msgspec.Raw(row.record.strip()) for row in decided],
        "outbox": [_outbox(row) for row in messages],
    }
    return Response(_encode(plain), 200, _PRIVATE, "application/json")


async def erase(site: Site, request: Request, _: Caller | None) -> Response:
    """Forget a user. Later events of the id are refused, until `user.subscribed`."""
    id = _user_id(request)
    try:
        known = await site.waiting.result(site.backend.erase(id, site.clock()))
    except (Overloaded, Stopping, StateError) as fault:
        raise unavailable(fault) from fault
    if not known:
        raise Problem(
            "unknown",
            "nothing was known about this user; later events of the id are refused all the same",
            "check the id; it is case-sensitive",
        )
    return Response(b"", 204)


def _user_id(request: Request) -> str:
    id = str(request.path_params["id"])
    if not is_name(id):
        raise Problem(
            "bad-parameter", "a user's id has 1 to 256 characters, none of them a control character", "check the id"
        )
    return id


def _unknown_user() -> Problem:
    return Problem("unknown", "nothing is known about this user", "check the id; it is case-sensitive")


def _outbox(row: OutboxRow) -> Mapping[str, object]:
    return {
        "key": row.key,
        "message_id": row.message_id,
        "channel": row.channel,
        "status": row.status.value,
        "attempts": row.attempts,
        "created": instant_text(row.created_us),
        "next": instant_text(row.next_us),
        "changed": instant_text(row.changed_us),
        "expires": None if row.expires_us is None else instant_text(row.expires_us),
        "provider_id": row.provider_id,
        "detail": row.detail,
    }


async def explain(site: Site, request: Request, _: Caller | None) -> Response:
    """Explain what would be decided about one event now."""
    received_us = site.receipts.next_us()
    body = await site.bodies.read(request)
    content = Content(media_type(request.headers.get("content-type")), request.headers, body, received_us)
    event = next(iter(read_events(site.decoder, content, 1)), None)
    if event is None:
        raise Problem("unreadable", "there is no event in the request", "send one event")
    if isinstance(event, Rejected):
        raise Problem("refused", event.detail, "mend what the sentence names", more={"by": event.by})
    found = await asyncio.to_thread(site.backend.explain, event, received_us)
    told = {explanation.decision.id for explanation in found.explanations}
    plain = {
        "explanations": [explanation_plain(explanation) for explanation in found.explanations],
        "decisions": [raw_record(decision) for decision in found.decisions if decision.id not in told],
    }
    return Response(_encode(plain), 200, _PRIVATE, "application/json")
