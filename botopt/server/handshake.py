"""CloudEvents webhooks ask first, by OPTIONS (HTTP 1.1 Web Hooks for Event Delivery 1.0.2, 4)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from botopt.server.auth import Caller
from botopt.server.problems import Problem
from botopt.server.site import Site

_ALLOW = "OPTIONS, POST"
_ANYBODY = "*"
_LONGEST = 255


async def options(site: Site, request: Request, _: Caller | None) -> Response:
    """Whether an origin may send events here, and how many a minute."""
    headers = request.headers
    origin = headers.get("webhook-request-origin")
    if origin is None:
        return Response(b"", 204, {"allow": _ALLOW})
    origins = site.settings.origins
    known = next((one for one in origins if one.lower() == origin.lower()), None)
    if known is None and _ANYBODY not in origins:
        raise Problem(
            "forbidden",
            "events from this origin are not expected",
            "whoever runs the service can allow it with --webhook-origin",
        )
    if not origin or len(origin) > _LONGEST or not origin.isascii() or not origin.isprintable():
        raise Problem("bad-parameter", "WebHook-Request-Origin is no name", "send the name of a host")
    allowed = {"allow": _ALLOW, "webhook-allowed-origin": known or _ANYBODY}
    if "webhook-request-rate" in headers:
        rate = site.settings.limits.rate
        allowed["webhook-allowed-rate"] = _ANYBODY if rate is None else str(max(1, round(rate * 60)))
    return Response(b"", 200, allowed)
