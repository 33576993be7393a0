"""`POST|GET /v1/channels/{channel}/callback`: what platforms tell us. The channel itself knows whom to believe."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from botopt.model.delivery import Inbound, Refused
from botopt.model.errors import StateError
from botopt.runtime.items import Overloaded, Stopping
from botopt.server.auth import Caller
from botopt.server.problems import TITLES, Problem, unavailable
from botopt.server.site import Site

_LATER_S = "10"
"""When to come again after a refusal for now, in seconds."""

_KINDS = {status: kind for kind, (status, _) in reversed(tuple(TITLES.items()))}


async def callback(site: Site, request: Request, _: Caller | None) -> Response:
    """Give a request to its channel, and what it says to the writer; then answer as the channel wants."""
    name = str(request.path_params["channel"])
    channel = site.backend.channel(name)
    if channel is None:
        raise Problem("unknown", "there is no such channel", "look into rules/ for the names of channels")
    received_us = site.receipts.next_us()
    headers = request.headers
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope.get("raw_path", request.scope["path"].encode()).decode("latin-1")
    inbound = Inbound(
        method=request.method,
        url=site.address(path, query, headers.get("host", "")),
        query=tuple(request.query_params.multi_items()),
        headers=dict(headers),
        body=await site.bodies.read(request),
        received_us=received_us,
    )
    try:
        answer = await site.asking_channels.run(lambda: channel.receive(inbound))
    except Refused as fault:
        raise _refusal(fault) from fault
    if answer.feedback:
        try:
            await site.waiting.result(site.backend.feedback(name, answer.feedback, received_us))
        except (Overloaded, Stopping, StateError) as fault:
            raise unavailable(fault) from fault
    return Response(answer.body, answer.status, {"cache-control": "no-store"}, answer.content_type)


def _refusal(fault: Refused) -> Problem:
    kind = _KINDS.get(fault.status, "unreadable")
    fix = "see the page of this channel's type for what it takes"
    if fault.status in {429, 503}:
        return Problem(kind, fault.detail, "try again later", headers={"retry-after": _LATER_S})
    return Problem(kind, fault.detail, fix)
