"""What an endpoint is, and the order of the questions before it: who calls, may they, not too often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from botopt.model.api_keys import KeyScope
from botopt.server.auth import Caller, nobody, require
from botopt.server.site import Site
from botopt.server.webhook_signatures import is_signed

Answering = Callable[[Site, Request, Caller | None], Awaitable[Response]]
"""`Caller` is None where nobody is asked for, or where a signature is to be checked against the body."""

NAME = "botopt.endpoint"
"""Where the name of the endpoint stands in the scope, for logs and metrics."""

CALLER = "botopt.caller"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One address and method.

    `scope` None: nobody is asked for. `signed`: a Standard Webhooks signature will do instead of a key.
    """

    method: str
    path: str
    name: str
    answering: Answering
    scope: KeyScope | None = None
    signed: bool = False


def bound(site: Site, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint as the router calls it."""
    scope, answering, name, signed = endpoint.scope, endpoint.answering, endpoint.name, endpoint.signed
    open_metrics = name == "metrics" and site.settings.open_metrics

    async def answer(request: Request) -> Response:
        request.scope[NAME] = name
        if scope is None or open_metrics:
            return await answering(site, request, None)
        headers = request.headers
        caller = site.door.by_key(headers)
        if caller is None:
            if signed and is_signed(headers):
                return await answering(site, request, None)
            raise nobody()
        require(caller, scope)
        request.scope[CALLER] = caller.id
        site.buckets.take(caller.id)
        return await answering(site, request, caller)

    return answer
