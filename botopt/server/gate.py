"""Around every request: how many at once, headers that are too long, faults, security headers, log, numbers, spans."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from botopt.model.errors import StateError
from botopt.runtime.items import Overloaded, Stopping
from botopt.server.endpoint import CALLER, NAME
from botopt.server.logs import places
from botopt.server.pages import CONTENT_POLICY
from botopt.server.problems import Problem, internal, unavailable, unreadable_state
from botopt.server.site import Site
from botopt.server.trace_context import TRACE, read_trace

REQUEST_ID = "x-request-id"
OUTSIDE = "(none)"
"""The name of no endpoint, for logs and metrics."""

_SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_QUIET = frozenset({"healthz", "readyz", "metrics"})
"""Asked every few seconds by machines: logged at debug level only."""

_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Answered however many requests there are: a busy service must not look dead, and be killed for it."""

Direct = Mapping[tuple[str, str], Callable[[Request], Awaitable[Response]]]


class Gate:
    """The ASGI application. Endpoints in `direct`, by method and path, are called without a router."""

    def __init__(self, site: Site, app: ASGIApp, direct: Direct) -> None:
        self._site = site
        self._app = app
        self._direct = direct
        self._running = 0
        # Without keys a page in somebody's browser could ask us, by a name of its own that leads here.
        self._hosts = own_names(site.settings.public_url) if site.door.is_open else None
        self._ids = map(f"{token_hex(4)}{{:08x}}".format, count())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        site = self._site
        started = site.monotonic()
        answered = _Answered(send, _given_id(scope) or next(self._ids).encode())
        self._running += 1
        try:
            if site.tracing.on:
                headers = Request(scope).headers
                named = {"http.request.method": scope["method"], "botopt.request_id": answered.id.decode()}
                with site.tracing.span("receive", read_trace(headers), named, serving=True) as trace:
                    scope[TRACE] = trace
                    await self._answer(scope, receive, answered)
            else:
                await self._answer(scope, receive, answered)
        finally:
            self._running -= 1
            self._told(scope, answered, site.monotonic() - started)

    async def _answer(self, scope: Scope, receive: Receive, answered: _Answered) -> None:
        try:
            self._admit(scope)
            endpoint = self._direct.get((scope["method"], scope["path"]))
            if endpoint is None:
                await self._app(scope, receive, answered.send)
            else:
                response = await endpoint(Request(scope, receive))
                await response(scope, receive, answered.send)
        except Problem as problem:
            await self._say(problem, scope, receive, answered)
        except (Overloaded, Stopping) as fault:
            await self._say(unavailable(fault), scope, receive, answered)
        except ClientDisconnect:
            answered.status = answered.status or 499
        except StateError as fault:
            self._site.log.error("state_error", request_id=answered.id.decode(), detail=str(fault))  # noqa: TRY400
            await self._say(unreadable_state(), scope, receive, answered)
        except Exception as fault:  # noqa: BLE001  # whatever it is, the caller gets an answer and the log a line
            self._site.log.error(  # noqa: TRY400  # a traceback quotes what came in
                "internal_error", request_id=answered.id.decode(), fault=type(fault).__name__, at=places(fault)
            )
            await self._say(internal(), scope, receive, answered)

    def _admit(self, scope: Scope) -> None:
        limits = self._site.settings.limits
        if self._running > limits.requests and scope["path"] not in _PROBES:
            raise Problem("busy", "too many requests at once", "try again", headers={"retry-after": "1"})
        if sum([len(name) + len(value) for name, value in scope["headers"]]) > limits.headers:
            raise Problem("headers", f"the headers have more than {limits.headers:,} bytes", "send fewer, or shorter")
        if self._hosts is not None and _host(scope) not in self._hosts:
            raise Problem(
                "forbidden",
                "without keys only programs of this machine are answered, by its own name",
                "ask 127.0.0.1 or localhost; give out keys for everything else",
            )

    async def _say(self, problem: Problem, scope: Scope, receive: Receive, answered: _Answered) -> None:
        if not answered.status:
            await problem.response()(scope, receive, answered.send)

    def _told(self, scope: Scope, answered: _Answered, seconds: float) -> None:
        site, name = self._site, scope.get(NAME, OUTSIDE)
        site.metrics.request(name, answered.status, seconds)
        site.metrics.in_progress(self._running)
        tell = site.log.debug if name in _QUIET and answered.status < 500 else site.log.info
        tell(
            "request",
            endpoint=name,
            method=scope["method"],
            status=answered.status,
            ms=round(seconds * 1_000, 2),
            caller=scope.get(CALLER),
            request_id=answered.id.decode(),
        )


class _Answered:
    """What was sent. Adds what every answer has."""

    __slots__ = ("_send", "id", "status")

    def __init__(self, send: Send, id: bytes) -> None:
        self._send = send
        self.id = id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *_SAFE, (b"x-request-id", self.id)]
        await self._send(message)


def _given_id(scope: Scope) -> bytes | None:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    for name, value in headers:
        if name == b"x-request-id" and _GIVEN_ID.fullmatch(value):
            return value
    return None


def own_names(public_url: str | None) -> frozenset[str]:
    """How this machine may be called where nobody needs a key."""
    public = None if public_url is None else urlsplit(public_url).hostname
    return frozenset({"127.0.0.1", "localhost", "[::1]", *(() if public is None else (public,))})


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            host: str = value.decode("latin-1").lower()
            return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    return ""


def not_found(_: Request, __: Exception) -> Response:
    """What is said of an address that we do not have."""
    return Problem("unknown", "there is nothing at this address", "see /openapi.json for what there is").response()


def wrong_method(_: Request, fault: Exception) -> Response:
    """What is said where the address is right and the method is not."""
    allowed: dict[str, Any] = dict(getattr(fault, "headers", None) or {})
    named = allowed.get("Allow", "another one")
    return Problem("method", "this method does nothing here", f"use {named}", headers=allowed).response()
