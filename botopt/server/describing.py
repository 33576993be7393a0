"""`GET /openapi.json`: what there is, for machines."""

from __future__ import annotations

from functools import cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from botopt.server.auth import Caller
from botopt.server.site import Site


async def openapi(site: Site, request: Request, _: Caller | None) -> Response:
    """The OpenAPI document."""
    return Response(encoded(), 200, {"cache-control": "max-age=300"}, "application/json")


@cache
def encoded() -> bytes:
    """The document, as JSON."""
    from botopt.server.endpoints import ENDPOINTS
    from botopt.server.openapi.document import document

    return msgspec.json.encode(document(ENDPOINTS))
