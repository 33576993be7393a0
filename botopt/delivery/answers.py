"""Reading what platforms answer, where any value may be of any type."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from botopt.model.delivery import Inbound, Refused
from botopt.model.policy import Value

_TOKEN = re.compile(r"[A-Za-z0-9._~+=-]{40,}")
"""What looks like a token. Those that are made for one request stand on no list of secrets."""


_SHORTEST = 16


def record(value: object) -> Mapping[str, Any]:
    """The value if it is an object of JSON, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> Sequence[Any]:
    """The value if it is a list of JSON, else an empty one."""
    return value if isinstance(value, list) else ()


def words(value: object) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def said(value: object) -> str:
    """Words of a platform for a receipt: the value if it is a text, without what looks like a token."""
    return _TOKEN.sub("…", words(value))


def secret_of_callbacks(options: Mapping[str, Value]) -> str:
    """The option `callback_token`; empty where there is none.

    Raises:
        ValueError: it could be guessed.
    """
    token = str(options["callback_token"] or "")
    if token and len(token) < _SHORTEST:
        raise ValueError(f"callback_token must have {_SHORTEST} characters or more: it is all that proves a callback")
    return token


def known(inbound: Inbound, token: str) -> Mapping[str, Any]:
    """The JSON object of a callback whose URL carries our token as `?token=`.

    Raises:
        Refused: there is no such token on our side, theirs is another, or the body is no object.
    """
    if not token:
        raise Refused(404, "this channel takes no callbacks: it has no callback_token")
    given = [value for name, value in inbound.query if name == "token"]
    # All of it is compared whatever differs first, so that the time it takes tells nothing.
    if len(given) != 1 or not hmac.compare_digest(given[0].encode("utf-8", "replace"), token.encode()):
        raise Refused(401, "the token is missing or wrong")
    if inbound.method != "POST":
        raise Refused(405, "callbacks are posted")
    return posted(inbound.body, "the body is not a JSON object")


def posted(body: bytes, otherwise: str) -> Mapping[str, Any]:
    """The JSON object that a callback holds.

    Raises:
        Refused: it holds none, in the words of `otherwise`.
    """
    try:
        told = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Refused(400, otherwise)
    return told
