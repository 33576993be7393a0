"""Standard Webhooks signatures on what comes in (specification 1.0.0), as an alternative to an API key."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256

from botopt.model.errors import UsageError

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_US = 5 * 60 * 1_000_000
VARIABLE = "BOTOPT_WEBHOOK_SECRETS"

_PREFIX = "whsec_"
_FEWEST_BYTES, _MOST_BYTES = 24, 64
_MOST_SIGNATURES = 10
_LONGEST_ID = 256


def read_secrets(text: str) -> tuple[bytes, ...]:
    """The keys of `BOTOPT_WEBHOOK_SECRETS`: secrets with commas or spaces between them, in use together.

    Raises:
        UsageError: one is none; it says which by its place, and never quotes it.
    """
    keys = []
    for place, word in enumerate(text.replace(",", " ").split(), 1):
        try:
            key = base64.b64decode(word.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not word.startswith(_PREFIX) or not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
            raise UsageError(
                f"{VARIABLE}: secret {place} is none of Standard Webhooks: whsec_ and then {_FEWEST_BYTES} to "
                f"{_MOST_BYTES} bytes as base64"
            )
        keys.append(key)
    return tuple(keys)


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a request claims to be signed."""
    return SIGNATURE in headers


def verify(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_us: int) -> str | None:
    """What is wrong with a signed request, in words that help an honest sender only; None: it is genuine."""
    message_id, timestamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not message_id or len(message_id) > _LONGEST_ID:
        return f"{ID} is missing or too long"
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return f"{TIMESTAMP} is not a number of seconds since 1970"
    if abs(now_us - int(timestamp) * 1_000_000) > TOLERANCE_US:
        return f"{TIMESTAMP} is more than 5 minutes off; sign each attempt anew, with a clock that is right"
    content = f"{message_id}.{timestamp}.".encode("latin-1", "replace") + body
    wanted = [hmac.digest(key, content, sha256) for key in keys]
    genuine = False
    for word in headers.get(SIGNATURE, "").split(" ")[:_MOST_SIGNATURES]:
        version, _, text = word.partition(",")
        given = _bytes(text) if version == "v1" else b""
        for digest in wanted:  # all of them, so that time tells nothing
            genuine |= hmac.compare_digest(digest, given)
    return None if genuine else "no signature in webhook-signature is right"


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
