"""Bytes for a server, as strangers send them: a seeded generator over everything that is wrong with a request."""

from __future__ import annotations

import gzip
import json
import random
import socket
from collections.abc import Callable
from contextlib import suppress

from botopt.server.endpoints import ENDPOINTS
from tests.proof.world import now_text

ADDRESSES = tuple((one.method, one.path) for one in ENDPOINTS)
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "CONNECT", "BREW", "post", "")
TYPES = (
    "application/json",
    "application/x-ndjson",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16",
    "application/json;" + ";" * 500,
    "\xff\xfe",
    "",
)
NAMES = (
    "u1",
    "..",
    "../../etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5cwindows",
    "%00",
    "%ff%fe",
    "a%0d%0aset-cookie:%20x=y",
    "' OR 1=1 --",
    "{{7*7}}",
    "%F0%9F%92%A9",
    "x" * 3_000,
    "",
    "/",
    "//evil.example/",
    "%",
    "%zz",
)
MEGABYTE = 1 << 20


def value(chance: random.Random, depth: int = 0) -> str:
    """Something like JSON."""
    simple: tuple[Callable[[], str], ...] = (
        lambda: chance.choice(["null", "true", "NaN", "Infinity", "-Infinity", "-0", "1e400", "-1e-400", "0x10", "01"]),
        lambda: str(chance.choice([2**31, 2**63, 2**64, -(2**63) - 1, 10**30])),
        lambda: "9" * chance.choice([20, 400, 5_000]),
        lambda: json.dumps(chance.choice(["", "a", "\x00", "\ud800", "é" * 50, "{{7*7}}", "' OR 1=1 --", "\r\nx: y"])),
        lambda: '"' + chance.choice(["\\ud800", "\\u0000", "\\x41", "\n", "a" * 40_000]) + '"',
    )
    if depth > 3 or chance.random() < 0.6:
        return chance.choice(simple)()
    if chance.random() < 0.5:
        return "[" + ",".join(value(chance, depth + 1) for _ in range(chance.randrange(4))) + "]"
    names = ["id", "id", "type", "user", "time", "data", "n", "__proto__", "", "\\u0069d"]
    pairs = (f'"{chance.choice(names)}": {value(chance, depth + 1)}' for _ in range(chance.randrange(6)))
    return "{" + ", ".join(pairs) + "}"


def event_like(chance: random.Random) -> str:
    """An event of which nothing, one thing or two are not as they should be."""
    fields = {
        "id": json.dumps(f"f{chance.random()}"),
        "type": '"hooked"',
        "user": json.dumps(f"f{chance.randrange(20)}"),
        "time": json.dumps(now_text()),
        "data": json.dumps({"n": chance.randrange(100)}),
    }
    for name in chance.sample(sorted(fields), chance.randrange(3)):
        fields[name] = value(chance)
    said = ", ".join(f'"{name}": {given}' for name, given in fields.items())
    if chance.random() < 0.2:
        said += f', "id": {value(chance)}'
    return "{" + said + "}"


def body(chance: random.Random) -> bytes:
    shapes: tuple[Callable[[], bytes], ...] = (
        lambda: event_like(chance).encode("utf-8", "surrogatepass"),
        lambda: ("[" + ",".join(event_like(chance) for _ in range(5)) + "]").encode("utf-8", "surrogatepass"),
        lambda: "\n".join(event_like(chance) for _ in range(5)).encode("utf-8", "surrogatepass"),
        lambda: value(chance).encode("utf-8", "surrogatepass"),
        lambda: chance.randbytes(chance.choice([1, 50, 5_000])),
        lambda: b"[" * chance.choice([100, 100_000, MEGABYTE]),
        lambda: b'{"a":' * chance.choice([100, 100_000]),
        lambda: b'{"id": "\xff\xfe", "type": "hooked"}',
        lambda: b"\xef\xbb\xbf" + event_like(chance).encode("utf-8", "surrogatepass"),
        lambda: gzip.compress(b" " * MEGABYTE * 4),
        lambda: b" " * (MEGABYTE + 1),
        lambda: b"[" + b",".join([b"{}"] * 1_001) + b"]",
        lambda: b"\n" * 200_000,
        lambda: b"",
    )
    weights = [8, 4, 4, 6, 3, 1, 1, 2, 2, 1, 1, 1, 1, 2]
    return chance.choices(shapes, weights)[0]()


def path(chance: random.Random) -> str:
    _, found = chance.choice(ADDRESSES)
    for name in ("{channel}", "{token}", "{id:path}"):
        found = found.replace(name, chance.choice(NAMES))
    if chance.random() < 0.1:
        found = chance.choice(["*", "//", "/v1", "/../etc/passwd", "http://evil.example/", "/" + "a" * 9_000, "/%"])
    if chance.random() < 0.4:
        keys = ["wait", "user", "before", "limit", "since", "outcome", "a", "%00", "event"]
        found += "?" + "&".join(
            f"{chance.choice(keys)}={chance.choice([*NAMES, '-1', '1e9', '9' * 30, 'true', '2026-13-99'])}"
            for _ in range(chance.randrange(1, 4))
        )
    return found.replace(" ", "%20") if chance.random() < 0.9 else found


def headers(chance: random.Random, length: int | None) -> bytes:
    lines = [b"host: " + chance.choice([b"127.0.0.1"] * 12 + [b"localhost", b"evil.example", b"[::1", b""])]
    if chance.random() < 0.8:
        lines.append(b"content-type: " + chance.choice(TYPES).encode("latin-1"))
    if length is not None:
        wrong = [str(length - 1), str(length + 7), "-1", "1e3", "0x5", "9" * 30, "5, 5", "", "+3", "1_0"]
        said = str(length) if chance.random() < 0.85 else chance.choice(wrong)
        lines.append(b"content-length: " + said.encode())
        if chance.random() < 0.02:
            lines.append(b"content-length: 3")
    strange = (
        b"content-encoding: gzip",
        b"expect: 100-continue",
        b"upgrade: websocket",
        b"upgrade: h2c",
        b"idempotency-key: " + chance.choice([b"", b"x" * 300, b"\xff", b"a b", b"k1"]),
        b"ce-id: %ff%fe",
        b"ce-specversion: " + chance.choice([b"1.0", b"0.3", b"\xe4"]),
        b"ce-time: " + b"9" * 40,
        b"ce-type: hooked",
        b"traceparent: " + b"0" * 100,
        b"authorization: Bearer " + b"x" * chance.choice([0, 10, 5_000]),
        b"authorization: Basic \xff\xff",
        b"webhook-signature: v1,////",
        b"accept: " + b"*/*," * 500,
        b"cookie: " + b"a=b;" * 1_000,
        b"x-amz-sns-message-type: Notification",
        b"range: bytes=0-1,1-2,2-3",
        b"x-forwarded-for: " + b"1.1.1.1," * 100,
        b"if-none-match: *",
        b"x: a\x00b",
        b" folded: yes",
        b"no colon here",
        b": no name",
        b"x-large: " + b"a" * chance.choice([17_000, 70_000, 300_000]),
    )
    lines += chance.sample(strange, chance.choices([0, 1, 3], [5, 4, 2])[0])
    if chance.random() < 0.03:
        lines += [b"x-%d: y" % n for n in range(3_000)]
    return b"\r\n".join(lines)


def chunked(chance: random.Random, content: bytes) -> bytes:
    size = chance.choice(
        [b"%x" % len(content), b"%x;ext=1" % len(content), b"-5", b"ffffffffffffffffff", b"zz", b"0x5", b""]
    )
    end = chance.choice([b"0\r\n\r\n", b"0\r\nx-trailer: a\r\n\r\n", b"", b"0\n\n"])
    return size + b"\r\n" + content + b"\r\n" + end


def nearly(chance: random.Random) -> bytes:
    """A request in order, but for its body."""
    shape = chance.choice(["one", "list", "lines"])
    events = [event_like(chance) for _ in range(1 if shape == "one" else 4)]
    said = "[" + ",".join(events) + "]" if shape == "list" else "\n".join(events)
    content = said.encode("utf-8", "surrogatepass")
    kind = "application/x-ndjson" if shape == "lines" else "application/json"
    where = chance.choice(["/v1/events", "/v1/events?wait=true", "/v1/feedback", "/v1/explain"])
    head = f"POST {where} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {kind}\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


def request(chance: random.Random) -> bytes:
    """One request, or what somebody takes for one."""
    if chance.random() < 0.3:
        return nearly(chance)
    method, where = chance.choice(ADDRESSES)[0] if chance.random() < 0.8 else chance.choice(METHODS), path(chance)
    version = "HTTP/1.1" if chance.random() < 0.95 else chance.choice(["HTTP/1.0", "HTTP/9.9", "HTTP/2.0", "", "ICY"])
    first = f"{method} {where} {version}\r\n".encode("latin-1", "replace")
    content = body(chance)
    if chance.random() < 0.12:
        return first + headers(chance, None) + b"\r\ntransfer-encoding: chunked\r\n\r\n" + chunked(chance, content)
    return first + headers(chance, len(content)) + b"\r\n\r\n" + content


def conversation(chance: random.Random) -> list[bytes]:
    """What somebody says on one connection, in pieces."""
    match chance.choices(["one", "pipelined", "in pieces", "cut off", "noise", "smuggled"], [10, 3, 2, 2, 1, 1])[0]:
        case "one":
            return [request(chance)]
        case "pipelined":
            return [b"".join(request(chance) for _ in range(chance.randrange(2, 6)))]
        case "in pieces":
            whole = request(chance)[:20_000]
            cuts = sorted(chance.randrange(len(whole) + 1) for _ in range(6))
            return [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
        case "cut off":
            whole = request(chance)
            return [whole[: chance.randrange(len(whole) + 1)]]
        case "smuggled":
            inner = b"DELETE /v1/users/u1 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
            head = b"POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            both = b"content-length: %d\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" % (len(inner) + 5)
            return [head + both + inner]
        case _:
            return [chance.randbytes(chance.choice([1, 100, 10_000]))]


def talk(port: int, pieces: list[bytes], patience_s: float = 0.25) -> bytes:
    """Say it; what is heard until nothing has come for a while, or the door is closed."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        with suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
        connection.settimeout(patience_s)
        with suppress(TimeoutError, ConnectionError):
            while piece := connection.recv(65_536):
                heard += piece
    return heard
