"""The wire below HTTP: connections to checked addresses, and a deadline over everything that one request does."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from botopt.delivery.addresses import Resolve, addresses

_PIECE = 1 << 16


class Attempt(threading.local):
    """One request of this thread: when it must be over (monotonic seconds), and how far it came.

    `wrote`: something was written. `broken`: not all was, so that nobody can have read the whole request.
    """

    ends: float = 0.0
    wrote: bool = False
    broken: bool = False

    def begin(self, ends: float) -> None:
        """A request begins."""
        self.ends, self.wrote, self.broken = ends, False, False

    def left(self) -> float:
        """The seconds that are left; not above 0 when time is up."""
        return self.ends - time.monotonic()


class Wire(httpcore.NetworkBackend):
    """Looks names up, refuses what is not public, and connects to the very address that was checked."""

    def __init__(self, attempt: Attempt, resolve: Resolve, *, private_networks: bool) -> None:
        self._attempt = attempt
        self._resolve = resolve
        self._private_networks = private_networks
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Try each address in turn; each gets its share of the time."""
        ends = time.monotonic() + min(self._attempt.left(), timeout or 0.0)
        found = addresses(
            host,
            port,
            private_networks=self._private_networks,
            timeout_s=ends - time.monotonic(),
            resolve=self._resolve,
        )
        fault: Exception = httpcore.ConnectTimeout()
        for number, address in enumerate(found):
            share = (ends - time.monotonic()) / (len(found) - number)
            if share <= 0:
                break
            try:
                # An address is no name: nothing is looked up again here.
                inner = self._plain.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as why:
                fault = why
            else:
                return _Timed(inner, self._attempt)
        raise fault

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Never: addresses lead to other machines."""
        raise httpcore.ConnectError("not over sockets of this machine")


class _Timed(httpcore.NetworkStream):
    """A stream that minds the deadline of its thread's request: a peer that sends a byte now and then is cut off."""

    def __init__(self, inner: httpcore.NetworkStream, attempt: Attempt) -> None:
        self._inner = inner
        self._attempt = attempt

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            for start in range(0, len(buffer), _PIECE):
                self._inner.write(buffer[start : start + _PIECE], self._left(httpcore.WriteTimeout))
                self._attempt.wrote = True
        except (httpcore.WriteError, httpcore.WriteTimeout):
            self._attempt.broken = True
            raise

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._left(httpcore.ConnectTimeout)
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, left), self._attempt)

    def _left(self, fault: type[Exception]) -> float:
        left = self._attempt.left()
        if left <= 0:
            self.close()
            raise fault
        return left

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # as httpcore declares it
        return self._inner.get_extra_info(info)
