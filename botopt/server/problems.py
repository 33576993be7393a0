"""Errors as answers: RFC 9457, with a sentence for what to do."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from botopt.model.errors import BotoptError
from botopt.runtime.items import Overloaded

MEDIA_TYPE = "application/problem+json"
URN = "urn:botopt:problem:"

_encode = msgspec.json.Encoder().encode

TITLES: Mapping[str, tuple[int, str]] = {
    "unreadable": (400, "The request cannot be read"),
    "bad-parameter": (400, "A parameter has a wrong value"),
    "unauthorized": (401, "The caller is not known"),
    "forbidden": (403, "The key does not allow this"),
    "unknown": (404, "There is no such thing here"),
    "method": (405, "This method is not for this address"),
    "timeout": (408, "The request did not arrive in time"),
    "in-flight": (409, "The same request is still being worked on"),
    "too-large": (413, "The request is too large"),
    "media-type": (415, "The content type is not one that is read here"),
    "refused": (422, "No event was taken"),
    "reused-key": (422, "The Idempotency-Key belongs to another request"),
    "rate": (429, "Too many requests"),
    "overloaded": (429, "Too many events are waiting"),
    "headers": (431, "The headers are too large"),
    "internal": (500, "A fault in botopt itself"),
    "not-ready": (503, "The service is not ready"),
    "stopping": (503, "The service is ending, or cannot write"),
    "busy": (503, "Too many requests at once"),
}
"""Every kind of problem: its status and its title."""


class Problem(BotoptError):
    """An answer that says what is wrong. `detail` and `fix` are sentences for whoever called, without secrets.

    `kind` is one of `TITLES`. `more` are further members of the object.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        fix: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status, self.title = TITLES[kind]
        self.detail = detail
        self.fix = fix
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def body(self) -> bytes:
        """The JSON object."""
        return _encode(
            {
                "type": URN + self.kind,
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "fix": self.fix,
                **self.more,
            }
        )

    def response(self) -> Response:
        """The answer."""
        return Response(self.body(), self.status, self.headers, MEDIA_TYPE)


def unavailable(fault: BotoptError) -> Problem:
    """What the writer's refusals are to a caller."""
    if isinstance(fault, Overloaded):
        return Problem(
            "overloaded",
            str(fault),
            f"wait {fault.retry_after_s} s and send the request again",
            headers={"retry-after": str(fault.retry_after_s)},
        )
    return Problem(
        "stopping",
        "the service is ending, or its state cannot be written; nothing was taken",
        "send the request again later, with the same Idempotency-Key",
        headers={"retry-after": "5"},
    )


def unreadable_state() -> Problem:
    """What is said where the state cannot be read, or not all of it."""
    return Problem(
        "not-ready",
        "the state of the service cannot be read",
        "try again; the log of the service has the fault under this request's id",
        headers={"retry-after": "5"},
    )


def internal() -> Problem:
    """What is said of a fault of ours: nothing that a stranger could use."""
    return Problem(
        "internal",
        "something went wrong inside the service; nothing can be said about this request",
        "try again with the same Idempotency-Key; the log of the service has the fault under this request's id",
    )
