"""API keys: `bk_<id>_<secret>`. The id may be read by anybody; of the secret only a hash is kept.

The secret has 256 random bits, so nobody can guess one from its hash: one round of SHA-256 is enough, and a request
costs microseconds. Slow hashes protect what people invent.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode, urlsafe_b64encode
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256

from botopt.model.live import ApiKey

RANDOM_BYTES = 37
"""What `new_key` needs: 5 for the id, 32 for the secret."""

_ID_BYTES = 5
_TEXT = re.compile(r"bk_([a-z2-7]{8})_([A-Za-z0-9_-]{43})", re.ASCII)


class KeyScope(StrEnum):
    """What a key may be used for.

    `ingest`: send events and feedback. `read`: read decisions, users and explanations. `admin`: erase users.
    """

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"


def new_key(
    random_bytes: bytes, name: str, scopes: Iterable[KeyScope], created_us: int, expires_us: int | None = None
) -> tuple[ApiKey, str]:
    """A key, and the text that its owner shows, which nobody can make again.

    Args:
        random_bytes: `RANDOM_BYTES` of them, from a source that nobody can foresee.
        name: for people.
        scopes: what it may be used for.
        created_us: now, microseconds since 1970 UTC.
        expires_us: from then on it is refused.
    """
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"{RANDOM_BYTES} random bytes are needed, not {len(random_bytes)}")
    id = new_id(random_bytes[:_ID_BYTES])
    secret = urlsafe_b64encode(random_bytes[_ID_BYTES:]).rstrip(b"=").decode()
    wanted = set(scopes)
    ordered = tuple(scope.value for scope in KeyScope if scope in wanted)
    return ApiKey(id, name, ordered, _hashed(secret), created_us, expires_us), f"bk_{id}_{secret}"


def new_id(random_bytes: bytes) -> str:
    """Lower-case letters and digits for so many bytes: 8 of them for 5 bytes."""
    return b32encode(random_bytes).decode().rstrip("=").lower()


def parse(text: str) -> tuple[str, str] | None:
    """The id and the secret in a key's text, or None for any other text."""
    found = _TEXT.fullmatch(text)
    return None if found is None else (found[1], found[2])


def matches(key: ApiKey, secret: str) -> bool:
    """Whether this is the key's secret; takes equally long whatever is wrong with it."""
    return hmac.compare_digest(key.hashed, _hashed(secret))


def is_valid(key: ApiKey, now_us: int) -> bool:
    """Whether it is neither revoked nor expired."""
    return key.revoked_us is None and (key.expires_us is None or now_us < key.expires_us)


def _hashed(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
