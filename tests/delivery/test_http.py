"""HTTP for channels: where it goes, how long it takes, and what each fault says about the message."""

from __future__ import annotations

import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from botopt.delivery.addresses import look_up
from botopt.delivery.certificates import certificates
from botopt.delivery.http import Http, HttpFault, Response, retry_after_us
from botopt.model.delivery import Failed
from tests.delivery.messages import NOW_US, surroundings
from tests.delivery.peers import WAYS, Connection, Reply, answering, dead, peer, with_status

SECRET = "s3cr3t-in-the-path"


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http(surroundings(timeout_s=0.5), secrets=("hush-hush",))
    yield made
    made.close()


def fault(http: Http, url: str, **more: object) -> Failed:
    with pytest.raises(HttpFault) as raised:
        http.request("POST", url, json={"a": 1}, **more)  # type: ignore[arg-type]
    assert SECRET not in str(raised.value)
    assert SECRET not in raised.value.failed.detail
    return raised.value.failed


def test_a_request_says_what_it_must_and_nothing_of_the_environment(http: Http, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with peer(answering(lambda _: Reply(201, b'{"id":7}', {"X-One": "1"}))) as there:
        answer = http.request("POST", f"{there.url}/a b/ü?q=1#part", headers={"X-Two": "2"}, json={"a": [1, "ü"]})
    assert answer == Response(201, {"content-length": "8", "x-one": "1"}, b'{"id":7}')
    assert (answer.ok, answer.json()) == (True, {"id": 7})
    (request,) = there.requests
    assert (request.method, request.target) == ("POST", "/a%20b/%C3%BC?q=1")
    assert request.json() == {"a": [1, "ü"]}
    assert request.headers == {
        "host": f"127.0.0.1:{there.port}",
        "user-agent": "botopt",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "x-two": "2",
        "content-length": "14",
    }


def test_a_form_and_plain_bytes_are_sent_as_such(http: Http):
    with peer(answering(lambda _: Reply())) as there:
        http.request("POST", there.url, form={"To": "+49 1", "Body": "a&b=ü\r\n"})
        http.request("POST", there.url, content=b"raw", headers={"content-type": "text/plain"})
        http.request("POST", there.url)
        http.request("GET", there.url)
    form, raw, empty, get = there.requests
    assert form.form() == {"To": "+49 1", "Body": "a&b=ü\r\n"}
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (raw.body, raw.headers["content-type"]) == (b"raw", "text/plain")
    assert empty.headers["content-length"] == "0"
    assert "content-length" not in get.headers


def test_cookies_are_never_kept(http: Http):
    with peer(answering(lambda _: Reply(200, b"", {"set-cookie": "a=b"}))) as there:
        for _ in range(2):
            http.request("POST", there.url, json={})
    assert all("cookie" not in request.headers for request in there.requests)


def test_connections_are_kept_for_the_next_message(http: Http):
    with peer(answering(lambda _: Reply())) as there:
        for _ in range(5):
            http.request("POST", there.url, json={})
    assert (len(there.requests), there.connections) == (5, 1)


UNSURE = {
    "hangs",
    "resets after the request",
    "closes after the request",
    "resets in the head",
    "resets in the body",
    "closes in the body",
    "garbage",
    "drips",
    "drips the body",
    "endless head",
}


@pytest.mark.parametrize("way", sorted(UNSURE))
def test_a_request_that_was_written_and_not_answered_may_have_been_taken(http: Http, way: str):
    with peer(WAYS[way]) as there:
        began = time.monotonic()
        failed = fault(http, f"{there.url}/{SECRET}")
        took = time.monotonic() - began
    assert (failed.retryable, failed.unsure) == (True, True)
    assert failed.detail.startswith("no answer: ")
    assert took < 2


def test_nobody_listens_so_nobody_took_anything(http: Http):
    with dead() as url:
        assert fault(http, f"{url}/{SECRET}") == Failed("no connection: connection refused", retryable=True)


def test_a_request_that_was_not_written_to_its_end_cannot_have_been_taken(http: Http):
    def way(connection: Connection) -> None:
        connection.sock.recv(1)
        connection.reset()

    with peer(way) as there, pytest.raises(HttpFault) as raised:
        http.request("POST", there.url, content=b"x" * 20_000_000)
    assert (raised.value.failed.retryable, raised.value.failed.unsure) == (True, False)


def test_a_receiver_that_reads_too_slowly_is_given_up_in_time(http: Http):
    def way(connection: Connection) -> None:
        while not connection.peer.over.wait(0.02):
            with suppress(TimeoutError):
                connection.sock.recv(1)

    with peer(way) as there:
        began = time.monotonic()
        with pytest.raises(HttpFault) as raised:
            http.request("POST", there.url, content=b"x" * 50_000_000)
        took = time.monotonic() - began
    assert (raised.value.failed.retryable, raised.value.failed.unsure) == (True, False)
    assert took < 2


def test_a_body_without_end_is_read_to_its_first_mib(http: Http):
    with peer(WAYS["endless body"]) as there:
        answer = http.request("POST", there.url, json={})
    assert (answer.status, len(answer.body)) == (200, 1 << 20)


def test_a_body_that_is_packed_is_not_unpacked(http: Http):
    import gzip

    bomb = gzip.compress(b"0" * 50_000_000)
    with peer(answering(lambda _: Reply(200, bomb, {"content-encoding": "gzip"}))) as there:
        answer = http.request("POST", there.url, json={})
    assert answer.body == bomb[: 1 << 20]
    assert answer.json() is None


@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_refusal_whose_words_break_off_is_a_refusal_all_the_same(http: Http, status: int):
    def way(connection: Connection) -> None:
        connection.read()
        connection.send(f"HTTP/1.1 {status} No\r\ncontent-length: 1000\r\nretry-after: 3\r\n\r\nbecause".encode())

    with peer(way) as there:
        answer = http.request("POST", there.url, json={})
    assert (answer.status, answer.body) == (status, b"because")


@pytest.mark.parametrize(
    ("status", "headers", "failed"),
    [
        (301, {}, Failed("HTTP 301: redirects are not followed; name the final address")),
        (400, {}, Failed("HTTP 400")),
        (401, {}, Failed("HTTP 401; look at the credentials", retryable=True)),
        (403, {}, Failed("HTTP 403")),
        (404, {"retry-after": "5"}, Failed("HTTP 404")),
        (408, {}, Failed("HTTP 408", retryable=True)),
        (410, {}, Failed("HTTP 410")),
        (425, {}, Failed("HTTP 425", retryable=True)),
        (429, {}, Failed("HTTP 429", retryable=True)),
        (429, {"retry-after": "5"}, Failed("HTTP 429", retryable=True, retry_after_us=5_000_000)),
        (
            429,
            {"retry-after": "Wed, 01 Jul 2026 12:00:30 GMT"},
            Failed("HTTP 429", retryable=True, retry_after_us=30_000_000),
        ),
        (500, {}, Failed("HTTP 500", retryable=True)),
        (502, {}, Failed("HTTP 502", retryable=True, unsure=True)),
        (503, {"retry-after": "1"}, Failed("HTTP 503", retryable=True, retry_after_us=1_000_000)),
        (504, {}, Failed("HTTP 504", retryable=True, unsure=True)),
    ],
)
def test_what_a_status_means(http: Http, status: int, headers: Mapping[str, str], failed: Failed):
    with peer(with_status(status, headers)) as there:
        assert http.failure(http.request("POST", there.url, json={})) == failed


def test_a_channel_says_which_statuses_speak_of_its_credentials(http: Http):
    with peer(with_status(403)) as there:
        answer = http.request("POST", there.url, json={})
    failed = http.failure(answer, "no", credentials={401, 403}, look_at="the token")
    assert failed == Failed("HTTP 403: no; look at the token", retryable=True)


def test_a_redirect_to_a_forbidden_place_is_not_followed(http: Http):
    with peer(WAYS["redirects"]) as there:
        answer = http.request("POST", there.url, json={})
    assert answer.status == 302
    assert http.failure(answer).retryable is False
    assert len(there.requests) == 1


@pytest.mark.parametrize(
    ("value", "us"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120_000_000),
        (" 7 ", 7_000_000),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 400, 86_400_000_000),
        ("Wed, 01 Jul 2026 12:01:00 GMT", 60_000_000),
        ("Wed, 01 Jul 2026 12:01:00 -0000", 60_000_000),
        ("Wed, 01 Jul 2026 14:01:00 +0200", 60_000_000),
        ("Wednesday, 01-Jul-26 12:01:00 GMT", 60_000_000),
        ("Wed Jul  1 12:01:00 2026", 60_000_000),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400_000_000),
        ("Mon, 01 Jan 0001 00:00:00 +2359", None),
        ("soon", None),
        ("\x00", None),
        ("Wed, 99 Jul 2026 12:01:00 GMT", None),
    ],
)
def test_both_forms_of_retry_after(value: str | None, us: int | None):
    got = retry_after_us(value, NOW_US)
    assert got == us or (us is None and got == 0)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "/path",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/_x",
        "javascript:alert(1)",
        "http://",
        "http:///x",
        "http://user:pass@example.com/",
        "http://user@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://exa mple.com/",
        "http://example.com:99999/",
        "http://example.com:x/",
        "http://[::1/",
        "http://example.com/\r\nx-evil: 1",
        "http://example.com/\x00",
        "http://\u2024\u2025/",
        f"http://example.com/{'a' * 70_000}",
    ],
)
def test_what_is_no_address_is_never_asked(url: str):
    def resolve(host: str, port: int) -> tuple[str, ...]:
        raise AssertionError("it was looked up")

    http = Http(surroundings(), resolve=resolve)
    failed = fault(http, url)
    assert (failed.retryable, failed.unsure) == (False, False)


@pytest.mark.parametrize(
    "header",
    [
        {"x-a": "1\r\nx-evil: 1"},
        {"x-a": "1\nx-evil: 1"},
        {"x-a": "1\x00"},
        {"x-a": "ü"},
        {"x-a": " 1"},
        {"x-a\r\nx-evil": "1"},
        {"x a": "1"},
        {"": "1"},
        {"x-a:": "1"},
    ],
)
def test_no_header_can_become_two(http: Http, header: Mapping[str, str]):
    with peer(answering(lambda _: Reply())) as there:
        failed = fault(http, there.url, headers=header)
    assert (failed.retryable, failed.unsure, there.connections) == (False, False, 0)


def test_what_cannot_be_encoded_is_not_sent(http: Http):
    with pytest.raises(HttpFault) as raised:
        http.request("POST", "http://127.0.0.1:9/", json={"a": "\ud800"})
    assert raised.value.failed == Failed("the message holds something that cannot be sent")


# Where it goes.


class Names:
    """A resolver that answers from a list, one entry for each question."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked.append((host, port))
        return self.answers.pop(0)


@pytest.mark.parametrize("host", ["metadata.example", "127.0.0.1", "[::1]", "localhost", "0x7f.1", "2130706433"])
def test_a_private_address_is_not_asked(host: str):
    resolve = (lambda name, port: ("169.254.169.254",)) if host == "metadata.example" else look_up
    with (
        peer(answering(lambda _: Reply())) as there,
        Closing(Http(surroundings(private_networks=False), resolve=resolve)) as http,
    ):
        failed = fault(http, f"http://{host}:{there.port}/{SECRET}")
    assert (failed.retryable, failed.unsure) == (False, False)
    assert "an operator can allow private networks" in failed.detail
    assert there.connections == 0


class Closing:
    def __init__(self, http: Http) -> None:
        self.http = http

    def __enter__(self) -> Http:
        return self.http

    def __exit__(self, *_: object) -> None:
        self.http.close()


def test_the_address_that_was_checked_is_the_one_that_is_asked():
    """A name that stands for another address a moment later (rebinding) is looked up once for each connection."""
    names = Names(("127.0.0.1",), ("10.9.9.9",))
    with peer(answering(lambda _: Reply())) as there, Closing(Http(surroundings(), resolve=names)) as http:
        http.request("POST", f"http://receiver.example:{there.port}/x", json={})
        http.request("POST", f"http://receiver.example:{there.port}/x", json={})
    assert names.asked == [("receiver.example", there.port)]
    assert [request.headers["host"] for request in there.requests] == [f"receiver.example:{there.port}"] * 2


def test_each_address_of_a_name_is_tried_in_turn():
    names = Names(("127.0.0.2", "127.0.0.1"))  # nobody listens at the first
    with peer(answering(lambda _: Reply())) as there, Closing(Http(surroundings(), resolve=names)) as http:
        assert http.request("POST", f"http://receiver.example:{there.port}/", json={}).ok


def test_an_international_name_is_asked_for_in_its_ascii_form():
    names = Names(("127.0.0.1",))
    with peer(answering(lambda _: Reply())) as there, Closing(Http(surroundings(), resolve=names)) as http:
        http.request("POST", f"http://bücher.example:{there.port}/", json={})
    assert names.asked == [("xn--bcher-kva.example", there.port)]


def encrypted(certificate: Path, names: list[str | None]):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda sock, name, _: names.append(name)

    def way(connection: Connection) -> None:
        connection.sock.settimeout(5)
        with suppress(ssl.SSLError), context.wrap_socket(connection.sock, server_side=True) as inner:
            connection.sock = inner
            while connection.read() is not None:
                connection.send(Reply().encoded())

    return way


def trusting(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    certificates.cache_clear()


@pytest.fixture(autouse=True)
def usual_certificates() -> Iterator[None]:
    yield
    certificates.cache_clear()


def test_the_name_and_not_the_address_is_what_a_certificate_must_show(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    trusting(monkeypatch, certificate)
    names: list[str | None] = []
    found = Names(("127.0.0.1",), ("127.0.0.1",))
    with (
        peer(encrypted(certificate, names)) as there,
        Closing(Http(surroundings(timeout_s=5), resolve=found)) as http,
    ):
        assert http.request("POST", f"https://receiver.example:{there.port}/", json={}).ok
        failed = fault(http, f"https://other.example:{there.port}/{SECRET}")
    assert names == ["receiver.example", "other.example"]
    assert failed == Failed("no connection: the certificate is not to be trusted (hostname mismatch)", retryable=True)


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path):
    with (
        peer(encrypted(certificate, [])) as there,
        Closing(Http(surroundings(timeout_s=5), resolve=Names(("127.0.0.1",)))) as http,
    ):
        failed = fault(http, f"https://receiver.example:{there.port}/")
    assert failed == Failed(
        "no connection: the certificate is not to be trusted (self-signed certificate)", retryable=True
    )
    assert there.requests == []


def test_a_handshake_that_hangs_ends_in_time_and_took_nothing(http: Http):
    with peer(WAYS["hangs"]) as there:
        began = time.monotonic()
        failed = fault(http, f"https://127.0.0.1:{there.port}/")
    assert failed == Failed("no connection: it took too long", retryable=True)
    assert time.monotonic() - began < 2


def test_a_server_that_does_not_encrypt_is_said_so(http: Http):
    with peer(with_status(200)) as there:
        failed = fault(http, f"https://127.0.0.1:{there.port}/")
    assert (failed.retryable, failed.unsure) == (True, False)


# How long it takes.


def test_all_requests_of_one_attempt_share_its_time(http: Http):
    with peer(WAYS["hangs"]) as there:
        began = time.monotonic()
        with http.attempt():
            for _ in range(3):
                fault(http, there.url)
            assert http.left_s() == 0
        took = time.monotonic() - began
    assert 0.4 < took < 1.2


def test_threads_have_deadlines_of_their_own():
    def way(connection: Connection) -> None:
        while (request := connection.read()) is not None:
            if request.path == "/slow":
                connection.wait()
                return
            connection.send(Reply().encoded())

    with peer(way) as there, Closing(Http(surroundings(timeout_s=0.5))) as http:

        def ask(number: int) -> bool:
            try:
                return http.request("POST", f"{there.url}/{'slow' if number % 5 == 0 else 'fast'}", json={}).ok
            except HttpFault:
                return False

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(ask, range(100)))
    assert answers == [number % 5 != 0 for number in range(100)]


def test_closing_waits_for_those_who_send_and_lets_nobody_in(http: Http):
    def way(connection: Connection) -> None:
        connection.read()
        closing.wait(10)
        connection.send(Reply().encoded())

    closing = threading.Event()
    with peer(way) as there, ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(http.request, "POST", there.url, json={}) for _ in range(4)]
        with there.changed:
            assert there.changed.wait_for(lambda: len(there.requests) == 4, 10)
        http.close()
        closing.set()
        assert all(one.result().ok for one in asked)
        assert fault(http, there.url) == Failed("the channel is closed", retryable=True)


def test_words_of_the_other_side_become_one_short_line_without_secrets(http: Http):
    assert http.plain("a\r\nb\x1b[31m\u202ec hush-hush d") == "a b [31m c … d"
    assert len(http.plain("x" * 10_000)) == 301
    answer = Response(400, {}, b"")
    assert http.failure(answer, "bad token hush-hush") == Failed("HTTP 400: bad token …")


def test_the_package_that_is_missing_is_named():
    code = (
        "import sys; sys.modules['httpcore'] = None\n"
        "from botopt.delivery.http import Http\n"
        "from botopt.model.channels import Surroundings\n"
        "from botopt.model.errors import UsageError\n"
        "try:\n    Http(Surroundings('chat', 1.0, lambda: 0))\n"
        "except UsageError as fault:\n    print(fault)\n"
    )
    import sys

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "the channel \"chat\" needs more packages: pip install 'botopt[server]'\n"
