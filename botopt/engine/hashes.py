"""Every hash the engine makes: stable across processes, machines and Python versions (BLAKE2b, RFC 7693).

NUL separates parts without ambiguity: ids and users hold no control characters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from botopt.model.policy import Value

_FIELD_KEY = b"botopt/field/1"

# Two of these are made for every event: a copy of a hash that was begun takes half the time of a new one.
# `engine/lines` begins with them itself.
begin_identity = blake2b(digest_size=8, key=b"botopt/identity/1").copy
begin_decision = blake2b(digest_size=12).copy


def identity(key: str) -> int:
    """The keyed 64-bit hash of an event's identity (`Event.key`), as an unsigned integer."""
    begun = begin_identity()
    begun.update(key.encode())
    return int.from_bytes(begun.digest(), "big")


def decision_id(key: str, attempt: int | str, time_us: int) -> bytes:
    """12 bytes that no other decision has, from `Event.key`, the attempt and the time of the decision."""
    begun = begin_decision()
    begun.update(f"{key}\0{attempt}\0{time_us}".encode())
    return begun.digest()


def field_key(value: Value) -> int:
    """The keyed 64-bit hash of a field's value, to compare values without keeping them. 5 and 5.0 are equal."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = float(value) + 0.0  # -0.0 is 0.0
    text = f"{type(value).__name__}\0{value}".encode()
    return int.from_bytes(blake2b(text, digest_size=8, key=_FIELD_KEY).digest(), "big")


def draw(seed: int, purpose: str, *parts: str) -> float:
    """A number in [0, 1) that only depends on the arguments: the top 53 bits of the hash over 2^53."""
    begun = _begin_draw(seed, purpose)()
    begun.update("\0".join(parts).encode())
    return (int.from_bytes(begun.digest(), "big") >> 11) / 9007199254740992


@lru_cache(maxsize=1_024)
def _begin_draw(seed: int, purpose: str) -> Callable[[], Any]:
    return blake2b(f"{seed}\0{purpose}\0".encode(), digest_size=8).copy
