"""HTTP for channels: one client for each channel, and one reading of what can go wrong.

Whether a message was delivered is the question that every fault must answer. A connection that was refused took
nothing. A request that was written and not answered may have been taken: such a `Failed` is `unsure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import msgspec

from botopt.model.channels import Surroundings
from botopt.model.delivery import Failed
from botopt.model.errors import UsageError

if TYPE_CHECKING:
    import httpx

_MOST_BYTES = 1 << 20
"""Of an answer; more is not read."""

_LONGEST_WAIT_US = 24 * 3_600 * 1_000_000
_SECOND_US = 1_000_000
_UNSURE_STATUS = frozenset({502, 504})
"""What a gateway says when it has passed the request on and heard nothing."""

_LATER_STATUS = frozenset({408, 425, 429})


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
    """A client that keeps connections open. Redirects are never followed, and nothing is tried twice."""

    def __init__(self, surroundings: Surroundings) -> None:
        try:
            import httpx
        except ImportError as fault:
            raise UsageError(
                f"the channel \"{surroundings.name}\" needs more packages: pip install 'botopt[server]'"
            ) from fault
        self._now_us = surroundings.now_us
        self._client = httpx.Client(
            timeout=httpx.Timeout(surroundings.timeout_s, connect=min(10.0, surroundings.timeout_s)),
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": "botopt"},
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
        """Ask once; any status is an answer.

        Raises:
            HttpFault: there was none.
        """
        import httpx

        sent = dict(headers or {})
        if json is not None:
            content = msgspec.json.encode(json)
            sent.setdefault("content-type", "application/json")
        try:
            with self._client.stream(method, url, headers=sent, content=content, data=form) as answer:
                body = b"".join(_first(answer))
                return Response(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as fault:
            raise HttpFault(Failed(f"no connection: {_words(fault)}", retryable=True)) from fault
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as fault:
            raise HttpFault(Failed("the address is not one that can be asked")) from fault
        except httpx.TransportError as fault:
            raise HttpFault(Failed(f"no answer: {_words(fault)}", retryable=True, unsure=True)) from fault

    def failure(self, response: Response, detail: str = "") -> Failed:
        """What a status that is not 2xx means. `detail` says more, in words without secrets."""
        status = response.status
        text = f"HTTP {status}{f': {detail}' if detail else ''}"
        if 300 <= status < 400:
            return Failed(f"{text}: redirects are not followed; name the final address")
        wait_us = retry_after_us(response.headers.get("retry-after"), self._now_us())
        if status in _LATER_STATUS or status >= 500:
            return Failed(text, retryable=True, retry_after_us=wait_us, unsure=status in _UNSURE_STATUS)
        return Failed(text)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


def retry_after_us(value: str | None, now_us: int) -> int | None:
    """A `Retry-After` header, in seconds or as a date (RFC 9110, 10.2.3): how long to wait, at most a day."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return min(int(value) * _SECOND_US, _LONGEST_WAIT_US)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return min(max(round(at.timestamp() * _SECOND_US) - now_us, 0), _LONGEST_WAIT_US)


def _first(answer: httpx.Response) -> list[bytes]:
    parts, size = [], 0
    for part in answer.iter_bytes():
        parts.append(part[: _MOST_BYTES - size])
        size += len(part)
        if size >= _MOST_BYTES:
            break
    return parts


def _words(fault: Exception) -> str:
    """The kind of fault, without what it quotes: addresses may carry secrets."""
    name = type(fault).__name__
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
