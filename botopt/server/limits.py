"""What one caller may ask for: bytes, events, requests a second, requests at once. Memory stays bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import ceil

import msgspec
from starlette.requests import ClientDisconnect, Request

from botopt.server.problems import Problem

Monotonic = Callable[[], float]
"""Seconds that never run backwards."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is taken. `rate` is events a second for each caller, None for any number; bursts are ten seconds' worth.

    `bodies` is how many bytes of bodies are held at once, over all requests.
    """

    body: int = 1 << 20
    bodies: int = 64 << 20
    headers: int = 16 << 10
    events: int = 1_000
    requests: int = 1_000
    rate: float | None = None
    body_seconds: float = 30.0


_BURST_SECONDS = 10.0
_MOST_BUCKETS = 10_000


class Buckets:
    """A token bucket for each caller. What a request costs more than it could know before may make a debt."""

    def __init__(self, rate: float | None, clock: Monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, caller: str) -> None:
        """One token.

        Raises:
            Problem: there is none.
        """
        if self._rate is None:
            return
        level = self._level(caller)
        if level < 1.0:
            wait = max(1, ceil((1.0 - level) / self._rate))
            raise Problem(
                "rate",
                f"this caller may send {self._rate:g} events a second, and has sent more",
                f"wait {wait} s; whoever runs the service can raise --rate",
                headers={"retry-after": str(wait)},
            )
        self._levels[caller] = (level - 1.0, self._clock())

    def owe(self, caller: str, more: int) -> None:
        """So many more, whether they are there or not."""
        if self._rate is not None and more > 0:
            self._levels[caller] = (self._level(caller) - more, self._clock())

    def _level(self, caller: str) -> float:
        assert self._rate is not None
        full = max(1.0, self._rate * _BURST_SECONDS)
        level, at = self._levels.get(caller, (full, 0.0))
        if len(self._levels) >= _MOST_BUCKETS:
            self._levels.clear()
        return min(full, level + (self._clock() - at) * self._rate)


class Bodies:
    """Reads bodies, as long as all that are held fit."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0

    async def read(self, request: Request, most: int | None = None) -> bytes:
        """The body of a request.

        Raises:
            Problem: it is too long, comes too slowly, or there is no room for it now.
        """
        most = self._limits.body if most is None else most
        declared = request.headers.get("content-length")
        if declared is not None and declared.isascii() and declared.isdigit() and int(declared[:20]) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body, more = await _piece(request)
                # Most come in one piece, which the server holds anyway.
                return await self._rest(request, body, most) if more else _fitting(body, most)
        except TimeoutError as fault:
            raise _too_slow(self._limits.body_seconds) from fault

    async def _rest(self, request: Request, first: bytes, most: int) -> bytes:
        parts, size, more = [first], len(first), True
        self._held += size
        try:
            while more:
                if size > most:
                    raise _too_large(most)
                if self._held > self._limits.bodies:
                    raise Problem(
                        "busy", "too many long requests at once", "try again later", headers={"retry-after": "1"}
                    )
                part, more = await _piece(request)
                parts.append(part)
                size += len(part)
                self._held += len(part)
            return _fitting(b"".join(parts), most)
        finally:
            self._held -= size


async def _piece(request: Request) -> tuple[bytes, bool]:
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


def _fitting(body: bytes, most: int) -> bytes:
    if len(body) > most:
        raise _too_large(most)
    return body


def _too_large(most: int) -> Problem:
    return Problem(
        "too-large",
        f"the body is longer than {most:,} bytes",
        "send fewer events at once; whoever runs the service can raise --max-body",
    )


def _too_slow(seconds: float) -> Problem:
    return Problem(
        "timeout",
        f"the body did not arrive within {seconds:g} s",
        "send the request again, in one go",
        headers={"connection": "close"},
    )
