"""JSON as this program prints whole documents."""

from __future__ import annotations

import msgspec


def document(plain: object) -> str:
    """Plain data as JSON on several lines."""
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode()
