"""Signatures as Standard Webhooks 1.0.0 has them: what we send is signed, and what claims to be signed is verified.

A secret is a text: `whsec_…` is shared by both sides (HMAC-SHA256, signatures `v1`); `whsk_…` signs and `whpk_…`
verifies (Ed25519, signatures `v1a`). What is signed is `id.timestamp.body`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from botopt.model.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

TOLERANCE_US = 5 * 60 * 1_000_000
"""How old or how far ahead a signed request may be."""

_MOST_SIGNATURES = 20
_LONGEST_ID = 512


class BadSignature(Exception):
    """The request is not from who it says, or not from now. The sentence tells an attacker nothing."""


class Shared:
    """A secret that both sides know."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, content: bytes) -> str:
        """The signature, with its version."""
        return f"v1,{base64.b64encode(self._digest(content)).decode()}"

    def verifies(self, version: str, signature: bytes, content: bytes) -> bool:
        """Whether this is its signature of the content; it takes as long for a wrong one."""
        return version == "v1" and hmac.compare_digest(self._digest(content), signature)

    def _digest(self, content: bytes) -> bytes:
        return hmac.new(self._secret, content, hashlib.sha256).digest()


class Asymmetric:
    """A pair of keys, or only the public one, which cannot sign."""

    def __init__(self, public: Ed25519PublicKey, private: Ed25519PrivateKey | None = None) -> None:
        self._public = public
        self._private = private

    def sign(self, content: bytes) -> str:
        """The signature, with its version."""
        if self._private is None:
            raise UsageError("a public key (whpk_…) cannot sign")
        return f"v1a,{base64.b64encode(self._private.sign(content)).decode()}"

    def verifies(self, version: str, signature: bytes, content: bytes) -> bool:
        """Whether this is its signature of the content."""
        from cryptography.exceptions import InvalidSignature

        if version != "v1a":
            return False
        try:
            self._public.verify(signature, content)
        except InvalidSignature:
            return False
        return True


Key = Shared | Asymmetric


def read_secret(text: str, *, signs: bool = True) -> Key:
    """The key that a text stands for. `signs`: it must be able to sign.

    Raises:
        ValueError: it is none; the sentence does not hold it.
    """
    prefix, _, rest = text.strip().partition("_")
    try:
        raw = base64.b64decode(rest + "=" * (-len(rest) % 4), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    match prefix:
        case "whsec":
            if not 24 <= len(raw) <= 64:
                raise ValueError("a secret whsec_… must hold 24 to 64 bytes in base64")
            return Shared(raw)
        case "whsk":
            return _private(raw)
        case "whpk" if not signs:
            return _public(raw)
    kinds = "whsec_ or whsk_" if signs else "whsec_, whsk_ or whpk_"
    raise ValueError(f'a secret must begin with {kinds}; to make one: echo "whsec_$(openssl rand -base64 32)"')


def signature(keys: Sequence[Key], id: str, timestamp_s: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each key, so that a receiver may know either."""
    content = _content(id, str(timestamp_s), body)
    return " ".join(key.sign(content) for key in keys)


def sign(keys: Sequence[Key], id: str, now_us: int, body: bytes) -> dict[str, str]:
    """The three headers of a signed request."""
    seconds = now_us // 1_000_000
    return {
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(keys, id, seconds, body),
    }


def verify(keys: Iterable[Key], headers: Mapping[str, str], body: bytes, now_us: int) -> str:
    """Believe a request, or not. Header names are lower case. Gives its id, which stays the same when it comes again.

    Raises:
        BadSignature: whatever is wrong; nothing else is ever raised, however the headers are made.
    """
    id, at, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not id or not at or not given:
        raise BadSignature("webhook-id, webhook-timestamp and webhook-signature are needed")
    if len(id) > _LONGEST_ID or not id.isascii() or not id.isprintable():
        raise BadSignature("webhook-id cannot be read")
    if not at.isascii() or not at.isdigit() or len(at) > 12:
        raise BadSignature("webhook-timestamp must be seconds since 1970")
    content = _content(id, at, body)
    known = tuple(keys)
    if not any(key.verifies(*one, content) for one in _signatures(given) for key in known):
        raise BadSignature("no signature fits")
    # Only now: whoever cannot sign learns nothing about our clock.
    if abs(int(at) * 1_000_000 - now_us) > TOLERANCE_US:
        raise BadSignature("the request is too old, or its clock is wrong")
    return id


def _signatures(header: str) -> Iterable[tuple[str, bytes]]:
    """Every signature that can be read."""
    for one in header.split(" ")[:_MOST_SIGNATURES]:
        version, comma, text = one.partition(",")
        if comma and len(text) <= 200:
            try:
                yield version, base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                continue


def _content(id: str, timestamp: str, body: bytes) -> bytes:
    return f"{id}.{timestamp}.".encode() + body


def _private(raw: bytes) -> Key:
    """A seed of 32 bytes, or the seed with its public key behind it, as other libraries keep it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if len(raw) not in {32, 64}:
        raise ValueError("a secret whsk_… must hold 32 or 64 bytes in base64")
    private = Ed25519PrivateKey.from_private_bytes(raw[:32])
    public = private.public_key()
    if len(raw) == 64 and public.public_bytes_raw() != raw[32:]:
        raise ValueError("the two halves of a secret whsk_… do not belong together")
    return Asymmetric(public, private)


def _public(raw: bytes) -> Key:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if len(raw) != 32:
        raise ValueError("a key whpk_… must hold 32 bytes in base64")
    return Asymmetric(Ed25519PublicKey.from_public_bytes(raw))
