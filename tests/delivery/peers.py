"""The other side of a channel, on this machine: one that answers, and all the ways in which one does not."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import parse_qsl, urlsplit

import msgspec


class Request(msgspec.Struct, frozen=True):
    """What came in. Header names are lower case; the ones that came twice stand in `doubled`."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    doubled: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def json(self) -> object:
        return msgspec.json.decode(self.body)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Reply(msgspec.Struct, frozen=True):
    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = msgspec.field(default_factory=lambda: {"content-type": "application/json"})

    def encoded(self, *, close: bool = False) -> bytes:
        head = [f"HTTP/1.1 {self.status} Words", f"content-length: {len(self.body)}"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        head += ["connection: close"] if close else []
        return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + self.body


class Connection:
    """One connection to a peer, in a thread of its own."""

    def __init__(self, peer: Peer, sock: socket.socket) -> None:
        self.peer = peer
        self.sock = sock
        self._rest = b""

    def read(self) -> Request | None:
        """The next request, which the peer keeps; None where the other side is gone."""
        while b"\r\n\r\n" not in self._rest:
            if not self._more():
                return None
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, *_ = [*first.split(" "), "", ""]
        headers: dict[str, str] = {}
        doubled = []
        for line in lines:
            name, _, value = line.partition(":")
            if name.lower() in headers:
                doubled.append(name.lower())
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", "0") or 0)
        while len(self._rest) < size:
            if not self._more():
                return None
        body, self._rest = self._rest[:size], self._rest[size:]
        request = Request(method, target, headers, body, tuple(doubled))
        with self.peer.changed:
            self.peer.requests.append(request)
            self.peer.changed.notify_all()
        return request

    def begun(self) -> bool:
        """Wait until the other side has said something that was not read; False where it is gone."""
        return bool(self._rest) or self._more()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """Close it so that the other side's next word meets a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def wait(self) -> None:
        """Do nothing until the other side gives up, or the test ends."""
        while not self.peer.over.is_set():
            with suppress(TimeoutError):
                if not self.sock.recv(65_536):
                    return

    def _more(self) -> bool:
        while not self.peer.over.is_set():
            with suppress(TimeoutError):
                data = self.sock.recv(65_536)
                self._rest += data
                return bool(data)
        return False


Way = Callable[[Connection], None]
"""How a peer treats a connection."""


class Peer:
    """A server on 127.0.0.1 that treats each connection in its way, and keeps the requests that it read."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.requests: list[Request] = []
        self.connections = 0
        self.changed = threading.Condition()
        self.over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._socket.settimeout(0.05)
        self.port: int = self._socket.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.over.set()
        self._accepting.join(5)
        for thread in self._threads:
            thread.join(5)
        self._socket.close()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.connections += 1
            sock.settimeout(0.05)
            thread = threading.Thread(target=self._treat, args=(sock,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _treat(self, sock: socket.socket) -> None:
        with sock, suppress(OSError):
            self.way(Connection(self, sock))


@contextmanager
def peer(way: Way) -> Iterator[Peer]:
    """A peer that lives as long as the block."""
    found = Peer(way)
    try:
        yield found
    finally:
        found.close()


def answering(reply: Callable[[Request], Reply]) -> Way:
    """One that answers each request, and keeps the connection."""

    def way(connection: Connection) -> None:
        while (request := connection.read()) is not None:
            connection.send(reply(request).encoded())

    return way


def with_status(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"no") -> Way:
    return answering(lambda _: Reply(status, body, headers or {}))


def hanging(connection: Connection) -> None:
    """Reads, and never says a word."""
    connection.wait()


def resetting(connection: Connection) -> None:
    """Accepts the connection, and throws it away."""
    connection.reset()


def resetting_after_the_request(connection: Connection) -> None:
    connection.read()
    connection.reset()


def closing_after_the_request(connection: Connection) -> None:
    """Takes the request, and dies before it answers."""
    connection.read()


def resetting_in_the_head(connection: Connection) -> None:
    connection.read()
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-le")
    connection.reset()


def resetting_in_the_body(connection: Connection) -> None:
    connection.read()
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
    connection.reset()


def closing_in_the_body(connection: Connection) -> None:
    connection.read()
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")


def garbage(connection: Connection) -> None:
    """Something that is no protocol at all."""
    connection.send(random.Random(5).randbytes(2_000) + b"\r\n\r\n")
    connection.wait()


def garbage_in_the_body(connection: Connection) -> None:
    """HTTP, with a body that is none of what was promised."""
    connection.read()
    connection.send(Reply(200, b'{"ok": [1, {"a": \xff\x00', {"content-type": "application/json"}).encoded(close=True))


def other_json(connection: Connection) -> None:
    """JSON, and not at all as the platform's documents have it."""
    for body in (b"[]", b"null", b'"no"', b"7", b'{"ok": "perhaps", "data": 5, "queryResult": []}'):
        if connection.read() is None:
            return
        connection.send(Reply(200, body).encoded())


def dripping(connection: Connection) -> None:
    """A byte now and then, for ever: no single read ever takes long."""
    connection.read()
    connection.send(b"HTTP/1.1 200 OK\r\nx-a: ")
    while not connection.peer.over.wait(0.03):
        connection.send(b"a")


def dripping_body(connection: Connection) -> None:
    connection.read()
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while not connection.peer.over.wait(0.03):
        connection.send(b"a")


def endless_body(connection: Connection) -> None:
    """A gigabyte, as fast as it is taken."""
    connection.read()
    connection.sock.settimeout(5)
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
    piece = b"a" * 65_536
    for _ in range(15_258):
        if connection.peer.over.is_set():
            return
        connection.send(piece)


def endless_head(connection: Connection) -> None:
    connection.read()
    connection.sock.settimeout(5)
    connection.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(1_000_000):
        if connection.peer.over.is_set():
            return
        connection.send(f"x-{number}: {'a' * 200}\r\n".encode() * 10)


def redirecting(connection: Connection) -> None:
    """To the metadata of a cloud, which nobody but the machine itself may ask."""
    connection.read()
    connection.send(Reply(302, b"", {"location": "http://169.254.169.254/latest/meta-data/"}).encoded(close=True))


def echoing(connection: Connection) -> None:
    """Refuses, and repeats all that it was told: headers, secrets and all."""
    request = connection.read()
    if request is not None:
        said = "\n".join(f"{name}: {value}" for name, value in request.headers.items()).encode("latin-1")
        words = request.target.encode() + b"\n" + said + b"\n" + request.body
        text = words.decode("utf-8", "replace")
        body = msgspec.json.encode({"error": text, "message": text, "detail": text, "errors": [{"msg": text}]})
        connection.send(Reply(400, body).encoded(close=True))


@contextmanager
def dead() -> Iterator[str]:
    """The address of a port where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


WAYS: Mapping[str, Way] = {
    "hangs": hanging,
    "resets": resetting,
    "resets after the request": resetting_after_the_request,
    "closes after the request": closing_after_the_request,
    "resets in the head": resetting_in_the_head,
    "resets in the body": resetting_in_the_body,
    "closes in the body": closing_in_the_body,
    "garbage": garbage,
    "garbage in the body": garbage_in_the_body,
    "other JSON": other_json,
    "drips": dripping,
    "drips the body": dripping_body,
    "endless body": endless_body,
    "endless head": endless_head,
    "redirects": redirecting,
    "echoes": echoing,
    "400": with_status(400),
    "401": with_status(401),
    "403": with_status(403),
    "404": with_status(404),
    "410": with_status(410),
    "429": with_status(429, {"retry-after": "7"}),
    "500": with_status(500),
    "502": with_status(502),
    "503": with_status(503, {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}),
    "504": with_status(504),
}
"""Ways in which the other side does not do what a channel hopes for."""
