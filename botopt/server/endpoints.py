"""Every address of the service, in one table."""

from __future__ import annotations

from botopt.model.api_keys import KeyScope
from botopt.server import callbacks, clicking, describing, handshake, health, reading, receiving, sns
from botopt.server.endpoint import Endpoint

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/events",
        name="receive_events",
        answering=receiving.receive_events,
        scope=KeyScope.INGEST,
        signed=True,
    ),
    Endpoint(method="OPTIONS", path="/v1/events", name="event_options", answering=handshake.options),
    Endpoint(
        method="POST",
        path="/v1/feedback",
        name="receive_feedback",
        answering=receiving.receive_feedback,
        scope=KeyScope.INGEST,
        signed=True,
    ),
    Endpoint(method="POST", path="/v1/sns", name="sns", answering=sns.receive),
    Endpoint(method="POST", path="/v1/channels/{channel}/callback", name="callback", answering=callbacks.callback),
    Endpoint(method="GET", path="/v1/channels/{channel}/callback", name="callback_get", answering=callbacks.callback),
    Endpoint(method="GET", path="/c/{token}", name="click", answering=clicking.click),
    Endpoint(method="HEAD", path="/c/{token}", name="click_head", answering=clicking.click),
    Endpoint(method="GET", path="/v1/decisions", name="decisions", answering=reading.decisions, scope=KeyScope.READ),
    Endpoint(method="GET", path="/v1/users/{id:path}", name="user", answering=reading.user, scope=KeyScope.READ),
    Endpoint(method="DELETE", path="/v1/users/{id:path}", name="erase", answering=reading.erase, scope=KeyScope.ADMIN),
    Endpoint(method="POST", path="/v1/explain", name="explain", answering=reading.explain, scope=KeyScope.READ),
    Endpoint(method="GET", path="/healthz", name="healthz", answering=health.healthz),
    Endpoint(method="GET", path="/readyz", name="readyz", answering=health.readyz),
    Endpoint(method="GET", path="/metrics", name="metrics", answering=health.metrics, scope=KeyScope.READ),
    Endpoint(method="GET", path="/openapi.json", name="openapi", answering=describing.openapi),
)

DIRECT = frozenset({"receive_events", "receive_feedback"})
"""Called without a router: they are asked thousands of times a second."""
