"""The revision: a hash of what a policy means, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from hashlib import blake2b

import msgspec

from botopt.model.policy import Pattern, Policy, Text, When

_NO_MEANING = frozenset({"position", "description", "samples", "revision"})
_ANY_ORDER = frozenset("one_of accepts reserved per by same days events categories channels options".split())


def revision_of(policy: Policy) -> str:
    """16 hex characters. Comments, layout, order of keys, file names, descriptions and samples do not change them."""
    return blake2b(msgspec.json.encode(_meaning(policy)), digest_size=8).hexdigest()


def _meaning(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case None | bool() | str() | int():
            return value
        case float():
            return int(value) if value.is_integer() else value
        case When():
            return _meaning(value.condition)
        case Text():
            return value.source
        case Pattern():
            return value.text
        case msgspec.Struct():
            return [type(value).__name__, *(_part(value, name) for name in value.__struct_fields__)]
        case Mapping():
            return [[name, _meaning(value[name])] for name in sorted(value)]
        case tuple() | list():
            return [_meaning(part) for part in value]
        case _:
            raise TypeError(f"{type(value)} has no place in a policy")


def _part(struct: msgspec.Struct, name: str) -> object:
    if name in _NO_MEANING:
        return None
    value = getattr(struct, name)
    if name in _ANY_ORDER and isinstance(value, tuple):
        return sorted((_meaning(part) for part in value), key=repr)
    return _meaning(value)
