"""Runs the application in this thread until a signal comes: not ready, no new connections, finish what has begun."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import FrameType
from typing import Self

import uvicorn

from botopt.model.errors import StateError, UsageError
from botopt.server.app import make_app
from botopt.server.connections import Connection
from botopt.server.site import Site

_LOOK_SECONDS = 0.5
_KEEP_ALIVE_SECONDS = 65
"""Longer than the load balancers before us keep a connection: who closes first loses requests."""

_BACKLOG = 2_048
_AT_ONCE = 130
"""The exit code of who does not wait for the end."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        UsageError: there is no such address, or somebody else has it.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as fault:
        raise UsageError(f"--host {host}: there is no such address on this machine") from fault
    family, _, _, _, address = found[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as fault:
        listener.close()
        raise UsageError(f"{host}:{port} cannot be listened on: {fault.strerror}; choose another --port") from fault
    listener.setblocking(False)
    return listener


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it, whatever it resolves to."""
    import ipaddress

    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ipaddress.ip_address(str(one).partition("%")[0]).is_loopback for one in found)


class Stop:
    """While entered, the first SIGINT or SIGTERM asks for an end, and a second one ends the process where it stands.

    That does no harm: what is on the disk is whole at any moment.
    """

    def __init__(self) -> None:
        self.asked = False
        self._asked_at = 0.0
        self._then: Callable[[], None] = lambda: None
        self._before: list[tuple[signal.Signals, object]] = []

    def then(self, end: Callable[[], None]) -> None:
        """What an end begins with."""
        self._then = end
        if self.asked:
            end()

    def ask(self) -> None:
        """Ask for an end."""
        if not self.asked:
            self.asked, self._asked_at = True, time.monotonic()
        self._then()

    def left_s(self, drain_s: float) -> float:
        """The seconds that are left of those that an end may take; all of them where nobody has asked for it."""
        return max(drain_s - (time.monotonic() - self._asked_at), 0.0) if self.asked else drain_s

    def __enter__(self) -> Self:
        """Take over the signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before.append((number, signal.signal(number, self._signalled)))
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        for number, handler in self._before:
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() returned is what it takes

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            os._exit(_AT_ONCE)
        self.ask()


def serve(site: Site, listener: socket.socket, drain_s: float, ready: Callable[[], None], stop: Stop) -> None:
    """Answer requests until `stop` is asked; those that have begun are answered. `ready`: the door is open."""
    config = uvicorn.Config(
        make_app(site),
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here depends on who asks by address
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(drain_s)),
        backlog=_BACKLOG,
    )
    server = uvicorn.Server(config)

    def end() -> None:
        site.draining = True
        server.should_exit = True

    stop.then(end)
    _run(_live(site, server, listener, ready))


async def _live(site: Site, server: uvicorn.Server, listener: socket.socket, ready: Callable[[], None]) -> None:
    # Not `serve`, which would take the signals, and raise them again at the end.
    serving = asyncio.ensure_future(server._serve([listener]))  # noqa: SLF001
    looking = asyncio.ensure_future(_look(site))
    while not server.started and not serving.done():
        await asyncio.sleep(0.001)
    if server.started:
        ready()
    try:
        await serving
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _look(site: Site) -> None:
    """Look after keys that change."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        with suppress(StateError):  # the keys that are known go on; /readyz says what is wrong with the state
            site.door.refresh()


def _run(main: Coroutine[object, object, None]) -> None:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
