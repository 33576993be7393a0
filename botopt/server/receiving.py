"""`POST /v1/events` and `POST /v1/feedback`: events in, an answer when they are safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from botopt.model.errors import StateError
from botopt.model.event import Event, Rejected, request_digest
from botopt.model.live import StoredAnswer
from botopt.model.policy import FEEDBACK_TYPES
from botopt.runtime.items import Answering, Overloaded, Received, Stopping
from botopt.server import webhook_signatures
from botopt.server.auth import Caller
from botopt.server.content import Content, Incoming, media_type, read_events
from botopt.server.endpoint import CALLER
from botopt.server.idempotency import Claim, claim_of
from botopt.server.parameters import flag
from botopt.server.problems import MEDIA_TYPE, unavailable
from botopt.server.results import answer
from botopt.server.site import Site
from botopt.server.trace_context import TRACE, trace_of

FEEDBACK = frozenset((*FEEDBACK_TYPES, "user.active"))
"""Event types that `/v1/feedback` takes."""


async def receive_events(site: Site, request: Request, caller: Caller | None) -> Response:
    """Decide events."""
    return await _receive(site, request, caller, only=None)


async def receive_feedback(site: Site, request: Request, caller: Caller | None) -> Response:
    """Take in what users did with messages."""
    return await _receive(site, request, caller, only=FEEDBACK)


async def _receive(site: Site, request: Request, caller: Caller | None, *, only: frozenset[str] | None) -> Response:
    headers = request.headers
    received_us = site.receipts.next_us()
    query = request.scope["query_string"]
    whole = bool(query) and flag(request.query_params, "wait")
    kind = media_type(headers.get("content-type"))
    body = await site.bodies.read(request)
    if caller is None:
        caller = site.door.by_signature(headers, body)
        request.scope[CALLER] = caller.id
        site.buckets.take(caller.id)
        signed_id = headers.get(webhook_signatures.ID)
    else:
        signed_id = None
    content = Content(kind, headers, body, received_us, signed=signed_id is not None)
    events = read_events(site.decoder, content, site.settings.limits.events)
    site.buckets.owe(caller.id, len(events) - 1)
    if only is not None:
        events = [_only(event, only, place, received_us) for place, event in enumerate(events, 1)]
    claim = claim_of(caller.id, request.scope["path"], headers, body, signed_id)
    trace = trace_of(headers, body)
    if site.tracing.on and ("traceparent" in headers or not trace):
        trace = request.scope[TRACE]  # our span's, below that of the request
    return await submit(site, events, received_us, claim, trace, whole=whole)


async def submit(
    site: Site, events: Incoming, received_us: int, claim: Claim | None, trace: Mapping[str, str], *, whole: bool
) -> Response:
    """Have events decided, and answer once they are on the disk.

    Raises:
        Problem: they were not taken.
    """
    if claim is None:
        status, body = answer(await _decided(site, events, received_us, None, trace), whole=whole)
        return _response(status, body)
    before = site.in_flight.begin(claim, site.reader)
    if before is not None:
        return before
    users = tuple(sorted({event.user for event in events if event.user is not None}))

    made: list[StoredAnswer] = []

    def answering(results: Sequence[Received]) -> StoredAnswer:
        status, body = answer(results, whole=whole)
        made.append(StoredAnswer(claim.key, claim.body_hash, status, body, received_us, users))
        return made[-1]

    try:
        results = await _decided(site, events, received_us, answering, trace)
    finally:
        site.in_flight.end(claim)
    stored = made[-1] if made else answering(results)  # there is nothing to keep where there was nothing to decide
    return _response(stored.status, stored.body)


async def _decided(
    site: Site,
    events: Incoming,
    received_us: int,
    answering: Answering | None,
    trace: Mapping[str, str],
) -> Sequence[Received]:
    if not events:
        return ()
    started = site.monotonic()
    named = {"botopt.events": len(events)}
    try:
        with site.tracing.span("decide and commit", trace, named, serving=False) as passed:
            future = site.backend.receive(
                events,
                received_us=received_us,
                answering=answering,
                trace=passed or None,
                read_by=site.revision,
            )
            results = await site.waiting.result(future)
    except (Overloaded, Stopping, StateError) as fault:
        raise unavailable(fault) from fault
    site.metrics.committed(site.monotonic() - started)
    return results


def _response(status: int, body: bytes) -> Response:
    return Response(body, status, None, MEDIA_TYPE if status >= 400 else "application/json")


def _only(event: Event | Rejected, only: frozenset[str], place: int, received_us: int) -> Event | Rejected:
    if isinstance(event, Rejected) or event.type in only:
        return event
    detail = f"not feedback: {event.type} belongs to /v1/events, and here are {', '.join(sorted(only))}"
    digest = request_digest(received_us, place, event.key.encode())
    return Rejected(place, detail, digest, "type", event.id, event.type, event.user, event.time_us)
