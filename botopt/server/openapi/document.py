"""The OpenAPI document, put together from the endpoints and what is written about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botopt.model.decision import Reason
from botopt.model.version import VERSION
from botopt.server.endpoint import Endpoint
from botopt.server.openapi.operations import EVERYWHERE, KEYED, OPERATIONS, problems
from botopt.server.openapi.schemas import schemas
from botopt.server.receiving import FEEDBACK

_TEXT = {"schema": {"type": "string"}}

_HEADERS: Mapping[str, Any] = {
    "X-Request-Id": {"description": "The request's id, as in the log.", "required": True, **_TEXT},
    "Retry-After": {
        "description": "Seconds to wait before the next attempt.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "Idempotency-Replayed": {"description": "`true` where the answer was given before.", **_TEXT},
    "Location": {"description": "Where the button leads.", "required": True, **_TEXT},
    "Link": {"description": 'The next page, as `<…>; rel="next"`.', **_TEXT},
    "Allow": {"description": "Methods of this address.", **_TEXT},
    "WebHook-Allowed-Origin": {"description": "Who may send: the origin that asked, or `*`.", **_TEXT},
    "WebHook-Allowed-Rate": {"description": "How many events a minute; `*`: any number.", **_TEXT},
}

_SECURITY: Mapping[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key: `bk_…`."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
    "standardWebhooks": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "A signature of Standard Webhooks 1.0.0, with `webhook-id` and `webhook-timestamp`, by one of "
        "the secrets of the service. `webhook-id` is the Idempotency-Key. CloudEvents come in structured mode then: "
        "a signature covers no headers.",
    },
}

_TAGS = (
    ("events", "What happened to users."),
    ("feedback", "What users did with messages."),
    ("reading", "What was decided, and why. Needs the scope `read`."),
    ("administration", "Needs the scope `admin`."),
    ("operation", "For machines that watch."),
)


def document(endpoints: Iterable[Endpoint]) -> Mapping[str, Any]:
    """OpenAPI 3.1, as plain data."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = endpoint.path.replace(":path}", "}")
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "botopt",
            "version": VERSION,
            "summary": "Decides which chatbot messages are worth sending.",
            "description": "Errors are problem details (RFC 9457). An answer with 2xx means that everything it speaks "
            "of is on the disk.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS],
        "paths": paths,
        "components": {
            "schemas": dict(schemas(tuple(Reason), tuple(sorted(FEEDBACK)))),
            "headers": dict(_HEADERS),
            "securitySchemes": dict(_SECURITY),
        },
    }


def _operation(endpoint: Endpoint) -> Mapping[str, Any]:
    written = dict(OPERATIONS[endpoint.name])
    statuses = [*EVERYWHERE, *(KEYED if endpoint.scope is not None else ())]
    answers = dict(sorted({**problems(statuses), **written["responses"]}.items()))
    security: list[Mapping[str, Any]] = []
    if endpoint.scope is not None:
        security = [{"bearer": []}, {"apiKey": []}]
        written["x-scope"] = endpoint.scope.value
        if endpoint.signed:
            security.append({"standardWebhooks": []})
    return {"operationId": endpoint.name, **written, "security": security, "responses": answers}
