"""HTTP for channels: one client for each channel, and one reading of what can go wrong.

Whether a message was delivered is the question that every fault must answer. A connection that was refused took
nothing. A request that was written and not answered may have been taken: such a `Failed` is `unsure`.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from email.utils import parsedate_to_datetime
from os import strerror
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from botopt.delivery.addresses import Forbidden, Resolve, Unknown, look_up
from botopt.delivery.certificates import certificates
from botopt.delivery.words import plain
from botopt.model.channels import Surroundings
from botopt.model.delivery import Failed
from botopt.model.durations import SECOND_US
from botopt.model.errors import UsageError

if TYPE_CHECKING:
    import httpcore

_MOST_BYTES = 1 << 20
"""Of an answer; more is not read."""

_LONGEST_WAIT_US = 24 * 3_600 * 1_000_000
_CONNECT_S = 10.0
_IDLE_S = 4.0
"""How long a connection is kept for the next message. Many servers close theirs after 5 s, and a request that meets
the closing one would have an unknown fate."""

_UNSURE_STATUS = frozenset({502, 504})
"""What a gateway says when it has passed the request on and heard nothing."""

_LATER_STATUS = frozenset({408, 425, 429})
_CREDENTIALS_STATUS = frozenset({401})
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?", re.ASCII)
_HOST = re.compile(rb"[0-9A-Za-z._-]+|[0-9A-Fa-f:.]+(?:%[0-9A-Za-z]+)?")


class Response(msgspec.Struct, frozen=True):
    """An answer: its status, its headers by lower-case name, and the first MiB of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:  # noqa: ANN401  # whatever they send
        """The body as JSON; None where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None


class HttpFault(Exception):
    """There was no answer that could be read."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.detail)
        self.failed = failed


class Http:
    """A client that keeps connections open. Redirects are never followed, and nothing is tried twice.

    Many threads may use it at once. It asks public addresses only, unless `surroundings.private_networks`. Nothing of
    the environment changes where requests go; `SSL_CERT_FILE` may name other certificates to trust. `secrets` are
    texts that no `failure` repeats, also where the other side does.
    """

    def __init__(self, surroundings: Surroundings, *, secrets: Iterable[str] = (), resolve: Resolve = look_up) -> None:
        try:
            import httpcore

            from botopt.delivery.wire import Attempt, Wire
        except ImportError as fault:
            raise UsageError(
                f"the channel \"{surroundings.name}\" needs more packages: pip install 'botopt[server]'"
            ) from fault
        self._now_us = surroundings.now_us
        self._timeout_s = surroundings.timeout_s
        self._secrets = tuple(sorted((secret for secret in secrets if secret), key=len, reverse=True))
        self._attempt = Attempt()
        self._lock = threading.Lock()
        self._open = 0
        self._closed = False
        self._pool = httpcore.ConnectionPool(
            ssl_context=certificates(),
            max_connections=100,
            keepalive_expiry=_IDLE_S,
            network_backend=Wire(self._attempt, resolve, private_networks=surroundings.private_networks),
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
    ) -> Response:
        """Ask once; any status is an answer. All of it together takes at most the channel's time for an attempt.

        Raises:
            HttpFault: there was none.
        """
        import httpcore

        target, host = _target(url)
        body, kind = _body(content, json, form)
        if body is None and method not in {"GET", "HEAD", "DELETE"}:
            body = b""  # some servers ask for a length
        sent: dict[bytes | str, bytes | str] = {"host": host, "user-agent": "botopt", "accept-encoding": "identity"}
        if kind:
            sent["content-type"] = kind
        sent.update(_checked(headers or {}))
        outer, attempt = self._attempt.ends, self._attempt
        now = time.monotonic()
        attempt.begin(min(now + self._timeout_s, outer) if outer else now + self._timeout_s)
        left = max(attempt.left(), 0.0)
        waits = {"connect": min(_CONNECT_S, left), "read": left, "write": left, "pool": left}
        try:
            with self._busy(), self._pool.stream(
                method, target, headers=sent, content=body, extensions={"timeout": waits}
            ) as answer:  # fmt: skip
                return Response(answer.status, _headers(answer.headers), _first(answer))
        except (Unknown, httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as fault:
            raise HttpFault(Failed(f"no connection: {_words(fault)}", retryable=True)) from fault
        except Forbidden as fault:
            raise HttpFault(Failed(str(fault))) from fault
        except httpcore.LocalProtocolError as fault:
            raise HttpFault(Failed("the request is not one that HTTP can carry")) from fault
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as fault:
            unsure = attempt.wrote and not attempt.broken
            raise HttpFault(Failed(f"no answer: {_words(fault)}", retryable=True, unsure=unsure)) from fault
        finally:
            attempt.ends = outer

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """All requests of this thread inside take no longer together than one may take."""
        outer = self._attempt.ends
        self._attempt.ends = outer or time.monotonic() + self._timeout_s
        try:
            yield
        finally:
            self._attempt.ends = outer

    def left_s(self) -> float:
        """The seconds that are left inside `attempt`."""
        return max(self._attempt.left(), 0.0)

    def failure(
        self,
        response: Response,
        detail: str = "",
        *,
        credentials: Collection[int] = _CREDENTIALS_STATUS,
        look_at: str = "the credentials",
    ) -> Failed:
        """What a status that is not 2xx means.

        A credential that is refused says nothing about the message: it waits for a person to mend that.

        Args:
            response: the answer.
            detail: says more: the other side's own words will do.
            credentials: the statuses by which this platform refuses a credential.
            look_at: the options that a person is to look at then.
        """
        status = response.status
        detail = self.plain(detail)
        text = f"HTTP {status}{f': {detail}' if detail else ''}"
        if 300 <= status < 400:
            return Failed(f"{text}: redirects are not followed; name the final address")
        wait_us = retry_after_us(response.headers.get("retry-after"), self._now_us())
        if status in credentials:
            return Failed(f"{text.rstrip('.')}; look at {look_at}", retryable=True, retry_after_us=wait_us)
        if status in _LATER_STATUS or status >= 500:
            return Failed(text, retryable=True, retry_after_us=wait_us, unsure=status in _UNSURE_STATUS)
        return Failed(text)

    def plain(self, words: str) -> str:
        """Words of the other side as one short line, without the secrets that this client knows."""
        return plain(words, self._secrets)

    def close(self) -> None:
        """Let go of the connections, as soon as no request uses them any more."""
        with self._lock:
            self._closed = True
            if self._open == 0:
                self._pool.close()

    @contextmanager
    def _busy(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise HttpFault(Failed("the channel is closed", retryable=True))
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1
                if self._closed and self._open == 0:
                    self._pool.close()


def retry_after_us(value: str | None, now_us: int) -> int | None:
    """A `Retry-After` header, in seconds or as a date (RFC 9110, 10.2.3): how long to wait, at most a day."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:10]) * SECOND_US, _LONGEST_WAIT_US)
    try:
        at = parsedate_to_datetime(value)
        at_us = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * SECOND_US)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(at_us - now_us, 0), _LONGEST_WAIT_US)


def url_fault(url: str) -> str:
    """What is wrong with the address of a request, as the end of a sentence; empty for nothing."""
    try:
        _target(url)
    except HttpFault as fault:
        return fault.failed.detail
    return ""


def _target(url: str) -> tuple[httpcore.URL, str]:
    """Where a request goes, and its `Host`. Any port may be asked: what is sent there is HTTP, and cannot be more."""
    import httpcore
    import httpx

    try:
        parsed = httpx.URL(url)
        parts = (parsed.raw_scheme, parsed.raw_host, parsed.port, parsed.raw_path)
        host = parsed.netloc.decode("ascii")
    except (httpx.InvalidURL, ValueError, TypeError) as fault:
        raise HttpFault(Failed("the address is not one that can be asked")) from fault
    if parsed.scheme not in {"http", "https"} or not _HOST.fullmatch(parsed.raw_host):
        raise HttpFault(Failed("the address must begin with https:// or http:// and name a host"))
    if parsed.port is not None and not 0 < parsed.port < 65_536:
        raise HttpFault(Failed("the address names a port that there is not"))
    if parsed.userinfo:
        raise HttpFault(Failed("the address must not hold a user or a password"))
    scheme, name, port, path = parts
    return httpcore.URL(scheme=scheme, host=name, port=port, target=path), host


def _body(content: bytes | None, json: object, form: Mapping[str, str] | None) -> tuple[bytes | None, str]:
    try:
        if json is not None:
            return msgspec.json.encode(json), "application/json"
        if form is not None:
            return urlencode(form).encode(), "application/x-www-form-urlencoded"
    except (UnicodeError, msgspec.MsgspecError, TypeError, ValueError) as fault:
        raise HttpFault(Failed("the message holds something that cannot be sent")) from fault
    return content, ""


def _checked(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The headers, by lower-case name, if none can be taken for more than one."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise HttpFault(Failed("a header would hold a character that headers cannot carry"))
        yield name.lower(), value


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _first(answer: httpcore.Response) -> bytes:
    """The beginning of the body. Where it breaks off, a refusal is a refusal all the same; a yes is not sure."""
    import httpcore

    parts, size = [], 0
    try:
        for part in answer.iter_stream():
            parts.append(part[: _MOST_BYTES - size])
            size += len(part)
            if size >= _MOST_BYTES:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        if answer.status < 300:
            raise
    return b"".join(parts)


def _words(fault: Exception) -> str:
    """What happened, without what the fault quotes: addresses may carry secrets."""
    cause = fault.args[0] if fault.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate is not to be trusted ({cause.verify_message.partition(',')[0].lower()})"
    if isinstance(cause, ssl.SSLError):
        return "no encryption could be agreed on"
    if isinstance(cause, OSError) and cause.errno:
        return strerror(cause.errno).lower()
    if isinstance(fault, Unknown):
        return str(fault)
    name = type(fault).__name__
    return _PLAIN_WORDS.get(name, "the connection broke off")


_PLAIN_WORDS = {
    "ConnectTimeout": "it took too long",
    "ConnectError": "it could not be made",
    "PoolTimeout": "too many requests are open",
    "ReadTimeout": "it took too long",
    "WriteTimeout": "the request could not be sent in time",
    "RemoteProtocolError": "what came back is not HTTP, or was cut off",
}
