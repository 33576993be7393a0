"""Asks addresses of SNS: short answers, no redirects, no proxies, little patience."""

from __future__ import annotations

from botopt.model.errors import UsageError
from botopt.server.sns_messages import FetchFault

_MOST_BYTES = 1 << 16
_SECONDS = 10.0


def fetch(url: str) -> bytes:
    """The body of what the address answers.

    Raises:
        FetchFault: it does not answer with 2xx, or too long.
    """
    try:
        import httpx
    except ImportError as fault:
        raise UsageError("SNS needs more packages: pip install 'botopt[server]'") from fault
    try:
        with (
            httpx.Client(timeout=_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url, headers={"user-agent": "botopt"}) as answer,
        ):
            if not answer.is_success:
                raise FetchFault(f"SNS answered with HTTP {answer.status_code}")
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    raise FetchFault("SNS answered with more than it should")
            return body
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise FetchFault(f"SNS did not answer: {type(fault).__name__}") from fault
