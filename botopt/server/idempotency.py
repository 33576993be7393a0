"""One answer for one `Idempotency-Key`: given again, or refused while it is being found."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import msgspec
from starlette.responses import Response

from botopt.model.live import LiveReader, StoredAnswer
from botopt.server.problems import MEDIA_TYPE, Problem

HEADER = "idempotency-key"
REPLAYED = "idempotency-replayed"

_LONGEST = 255


class Claim(msgspec.Struct, frozen=True):
    """A key, as it is stored, and what the request is. Hashes: neither says who asked for what."""

    key: str
    body_hash: str


class InFlight:
    """The claims of requests that are being worked on."""

    def __init__(self) -> None:
        self._bodies: dict[str, str] = {}

    def begin(self, claim: Claim, reader: LiveReader) -> Response | None:
        """Take a claim; or the answer that was given before. What is taken must be given back with `end`.

        Raises:
            Problem: it is in flight, or was used for something else.
        """
        body_hash = self._bodies.get(claim.key)
        if body_hash is not None:
            _same(claim, body_hash)
            raise Problem(
                "in-flight",
                "a request with this Idempotency-Key is still being worked on",
                "wait for its answer, or send the same request again a little later",
                headers={"retry-after": "1"},
            )
        stored = reader.answer(claim.key)
        if stored is not None:
            _same(claim, stored.body_hash)
            return replay(stored)
        self._bodies[claim.key] = claim.body_hash
        return None

    def end(self, claim: Claim) -> None:
        """The answer is on the disk, or there is none."""
        self._bodies.pop(claim.key, None)


def claim_of(caller: str, path: str, headers: Mapping[str, str], body: bytes, signed_id: str | None) -> Claim | None:
    """What an `Idempotency-Key` claims, or `signed_id`: a name of the request that stays the same over retries.

    The header says nothing where there is a signature, which does not cover it: else whoever saw the request could have
    it taken once more. What gives the body its meaning counts with it: its type, the attributes of a CloudEvent.

    Raises:
        Problem: the header is none.
    """
    key = headers.get(HEADER) if signed_id is None else signed_id
    if key is None:
        return None
    if not 0 < len(key) <= _LONGEST or not key.isascii() or not key.isprintable():
        raise Problem(
            "bad-parameter",
            f"Idempotency-Key has 1 to {_LONGEST} characters of visible ASCII",
            "send a new random key for each request, such as a UUID",
        )
    digest = sha256(headers.get("content-type", "").encode("latin-1", "replace"))
    for name in sorted(name for name in headers if name.startswith("ce-")):
        digest.update(f"\0{name}\0{headers[name]}".encode())
    digest.update(b"\0\0" + body)
    return Claim(sha256(f"{caller}\0{path}\0{key}".encode()).hexdigest(), digest.hexdigest())


def replay(stored: StoredAnswer) -> Response:
    """An answer that was given before, as it was given."""
    kind = MEDIA_TYPE if stored.status >= 400 else "application/json"
    return Response(stored.body, stored.status, {REPLAYED: "true"}, kind)


def _same(claim: Claim, body_hash: str) -> None:
    if body_hash != claim.body_hash:
        raise Problem(
            "reused-key",
            "this Idempotency-Key came before with another body",
            "send a new key with each new request, and the same key only with the same bytes",
        )
