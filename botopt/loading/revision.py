"""The revision: a hash of what a policy means, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from hashlib import blake2b

import msgspec

from botopt.model.policy import Pattern, Policy, Text, When

_NO_MEANING = frozenset({"position", "description", "samples", "revision", "tuned_until_us"})
_ANY_ORDER = frozenset("one_of accepts reserved per by same days events categories channels options".split())


def revision_of(policy: Policy) -> str:
    """16 hex characters. Comments, layout, order of keys, file names, descriptions and samples do not change them."""
    return blake2b(msgspec.json.encode(_meaning(policy)), digest_size=8).hexdigest()


def meaning_of(part: object) -> bytes:
    """What a part of a policy means, as bytes that two parts share if they mean the same."""
    return msgspec.json.encode(_meaning(part))


def _meaning(value: object) -> object:
    told = _KNOWN.get(type(value))
    if told is None:
        told = _KNOWN[type(value)] = _meaning_of(type(value))
    return told(value)


_KNOWN: dict[type, Callable[..., object]] = {}


def _meaning_of(kind: type) -> Callable[..., object]:
    """What tells the meaning of the values of a type: a policy has thousands of values, and a few dozen types."""
    if issubclass(kind, msgspec.Struct):
        return _SPECIAL.get(kind) or _struct(kind)
    for general, told in _PLAIN:
        if issubclass(kind, general):
            return told
    raise TypeError(f"{kind} has no place in a policy")


def _struct(kind: type[msgspec.Struct]) -> Callable[[object], object]:
    """The meaning of each field that has one; of the others None."""
    name = kind.__name__
    parts: list[tuple[str, Callable[[object], object]]] = [
        (field, _nothing if field in _NO_MEANING else _in_any_order if field in _ANY_ORDER else _meaning)
        for field in kind.__struct_fields__
    ]
    return lambda value: [name, *(told(getattr(value, field)) for field, told in parts)]


def _nothing(_: object) -> object:
    return None


def _in_any_order(value: object) -> object:
    return sorted((_meaning(part) for part in value), key=repr) if isinstance(value, tuple) else _meaning(value)


_SPECIAL: Mapping[type, Callable[..., object]] = {
    When: lambda value: _meaning(value.condition),
    Text: lambda value: value.source,
    Pattern: lambda value: value.text,
}
_PLAIN: tuple[tuple[type | tuple[type, ...], Callable[..., object]], ...] = (
    (Enum, lambda value: value.value),
    ((type(None), bool, str, int), lambda value: value),
    (float, lambda value: int(value) if value.is_integer() else value),
    (Mapping, lambda value: [[name, _meaning(value[name])] for name in sorted(value)]),
    ((tuple, list), lambda value: [_meaning(part) for part in value]),
)
