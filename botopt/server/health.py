"""`/healthz`, `/readyz`, `/metrics`: whether the process lives, whether it should get work, and its numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from botopt.model.errors import StateError
from botopt.model.instants import instant_text
from botopt.model.version import VERSION
from botopt.runtime.items import Overloaded, Stopping
from botopt.runtime.status import Status
from botopt.server.auth import Caller
from botopt.server.backend import ChannelState
from botopt.server.metrics import CONTENT_TYPE
from botopt.server.problems import Problem
from botopt.server.site import Site

_encode = msgspec.json.Encoder().encode
_FRESH = {"cache-control": "no-store"}


async def healthz(site: Site, request: Request, _: Caller | None) -> Response:
    """The process lives."""
    return Response(_encode({"alive": True, "version": VERSION}), 200, _FRESH, "application/json")


async def readyz(site: Site, request: Request, _: Caller | None) -> Response:
    """Whether the service should get work, and what runs."""
    reasons = site.backend.not_ready()
    try:
        told = plain(await asyncio.to_thread(site.backend.status), site.backend.channels())
    except (StateError, Overloaded, Stopping) as fault:
        reasons, told = (*reasons, str(fault)), {}
    if told and site.deaf:
        told["notices"] = (*told["notices"], site.deaf)
    if site.draining:
        reasons = ("it is ending", *reasons)
    if reasons:
        raise Problem(
            "not-ready",
            "; ".join(reasons),
            "look into the log of the service",
            headers={**_FRESH, "retry-after": "5"},
            more={"reasons": reasons, **told},
        )
    return Response(_encode({"ready": True, **told}), 200, _FRESH, "application/json")


def plain(status: Status, channels: Sequence[ChannelState]) -> dict[str, Any]:
    """What runs. Findings of a refused policy are its authors' words, and name their files."""
    refused = status.refused
    return {
        "version": VERSION,
        "revision": status.revision,
        "since": instant_text(status.revision_since_us),
        "notices": status.notices,
        "refused": None
        if refused is None
        else {
            "at": instant_text(refused.at_us),
            "revision": refused.revision,
            "errors": refused.errors,
            "findings": refused.findings,
        },
        "writable": status.failing is None,
        "newest_commit": None if status.newest_commit_us is None else instant_text(status.newest_commit_us),
        "queue": status.waiting,
        "queue_limit": status.most_waiting,
        "held": status.held,
        "silences": len(status.silences),
        "outbox": {f"{channel}/{state}": count for (channel, state), count in sorted(status.outbox.items())},
        "circuits": {channel.name: str(channel.breaker) for channel in channels},
        "uptime_seconds": status.uptime_us // 1_000_000,
    }


async def metrics(site: Site, request: Request, _: Caller | None) -> Response:
    """The numbers, for Prometheus."""
    page = await asyncio.to_thread(lambda: site.metrics.page(site.backend.status(), site.backend.channels()))
    return Response(page, 200, _FRESH, CONTENT_TYPE)
