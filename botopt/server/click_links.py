"""Links that count clicks: `/c/TOKEN`. A token names a message and a button, and only we can make one."""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256

_ID_BYTES = 12
_MAC_BYTES = 12
_LENGTH = 34
"""Of a token: 25 bytes as base64."""

_PURPOSE = b"botopt click\0"
_WEB = ("http://", "https://")


def make_token(key: bytes, message_id: str, number: int) -> str:
    """The token of a button, counted from 0. `message_id` is 24 hex digits."""
    named = bytes.fromhex(message_id) + bytes((number,))
    return base64.urlsafe_b64encode(named + _mac(key, named)).decode().rstrip("=")


def read_token(key: bytes, token: str) -> tuple[str, int] | None:
    """The message and the button; None for a token that we did not make."""
    if len(token) != _LENGTH or not token.isascii():
        return None
    try:
        raw = base64.b64decode(f"{token}==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    named, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    # One token has one form: the last character's spare bits are zero.
    if not hmac.compare_digest(mac, _mac(key, named)) or base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
        return None
    return named[:_ID_BYTES].hex(), named[_ID_BYTES]


def click_link(public_url: str | None, key: bytes, message_id: str, number: int, link: str) -> str:
    """What the link of a button becomes on its way out.

    Where nobody knows our address, and for what no browser asks a server for (`tel:`), it stays as it is.
    """
    if public_url is None or not link.lower().startswith(_WEB):
        return link
    return f"{public_url}/c/{make_token(key, message_id, number)}"


def _mac(key: bytes, named: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + named, sha256)[:_MAC_BYTES]
