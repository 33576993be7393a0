"""A platform on 127.0.0.1: a small real HTTP server that remembers what it was asked, and can misbehave.

`deliveries` counts, by the message's mark (`botopt_id`), what a user would have seen. `faults` says how the next
requests go wrong, one each, in order:

    ("status", 503)                 that status, and nothing taken
    ("status", 429, {"retry-after": "7"})
    ("garbage",)                    200, and no JSON
    ("reset",)                      the connection is closed before anything is taken
    ("dies",)                       it is taken, and the connection closed before the answer
    ("hangs",)                      it is taken, and no answer comes until the platform is closed
"""

from __future__ import annotations

import json
import socket
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it came in. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Told:
    """An answer."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Platform:
    """The base of the fakes: `answer` says what each request gets."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.deliveries: Counter[str] = Counter()
        self.faults: deque[tuple] = deque()
        self._lock = Lock()
        self._closed = Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, asked: Asked) -> Told:
        raise NotImplementedError

    def deliver(self, mark: str) -> None:
        with self._lock:
            self.deliveries[mark] += 1

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, asked: Asked) -> Told | None:
        """The answer; None for none at all."""
        with self._lock:
            self.asked.append(asked)
            fault = self.faults.popleft() if self.faults else ("none",)
        match fault:
            case ("status", status):
                return Told({}, status)
            case ("status", status, headers):
                return Told({}, status, headers)
            case ("garbage",):
                return Told("<html>")
            case ("reset",):
                return None
            case ("dies",):
                self.answer(asked)
                return None
            case ("hangs",):
                self.answer(asked)
                self._closed.wait(60)
                return None
            case _:
                return self.answer(asked)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _handler(platform: Platform) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Header and body go out in two writes; without this the second waits for an acknowledgement.
        disable_nagle_algorithm = True

        def _take(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            asked = Asked(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            told = platform.take(asked)
            if told is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = told.body.encode() if isinstance(told.body, str) else json.dumps(told.body).encode()
            self.send_response(told.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _take  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
