"""What to call the event types of recorded events: `com.acme.billing.PaymentFailed` is `payment_failed`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from botopt.model.policy import RESERVED_TYPES

_NAME = re.compile(r"[a-z][a-z0-9_.-]*", re.ASCII)
_VERSION = re.compile(r"v?\d+", re.IGNORECASE | re.ASCII)
_SHORT = 2


def grouped(types: Iterable[str], taken: Collection[str] = ()) -> Mapping[str, tuple[str, ...]]:
    """Each event type to declare, with the names under which it came; `taken` are names already in use.

    Two names are one event type if only their spelling, their version, or a prefix that one of them lacks differs.
    """
    ordered = sorted(set(types))
    depth = dict.fromkeys(ordered, 1)
    while clashes := _clashes(ordered, depth):
        for type_ in clashes:
            depth[type_] += 1
    groups: dict[str, list[str]] = {}
    for type_ in ordered:
        groups.setdefault(_name(type_, depth[type_]), []).append(type_)
    named: dict[str, tuple[str, ...]] = {}
    for name, members in sorted(groups.items()):
        others = (set(ordered) - set(members)) | (set(groups) - {name}) | {*taken, *named, *RESERVED_TYPES}
        named[_free(name, others)] = tuple(members)
    return named


def _clashes(types: list[str], depth: Mapping[str, int]) -> list[str]:
    """Those that have a name in common but mean different things, and can have a longer one."""
    groups: dict[str, list[str]] = {}
    for type_ in types:
        groups.setdefault(_name(type_, depth[type_]), []).append(type_)
    return [
        type_
        for members in groups.values()
        if len({_parts(member) for member in members if len(_parts(member)) > 1}) > 1
        for type_ in members
        if depth[type_] < len(_parts(type_))
    ]


def _name(type_: str, depth: int) -> str:
    parts = _parts(type_)
    if _NAME.fullmatch(type_) and len(parts) <= _SHORT:
        return type_
    name = ".".join(parts[-depth:])
    return name if _NAME.fullmatch(name) else f"event_{name}".rstrip("_")


def _parts(type_: str) -> tuple[str, ...]:
    """Its words from general to special, spelled as names are, without a version at the end."""
    words = [word for word in re.split(r"[./:]", type_) if word]
    while len(words) > 1 and _VERSION.fullmatch(words[-1]):
        words.pop()
    return tuple(_snake(word) for word in words) or ("event",)


def _snake(word: str) -> str:
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", word)
    return re.sub(r"[^a-z0-9_-]+", "_", split.lower(), flags=re.ASCII).strip("_") or "event"


def _free(name: str, others: Collection[str]) -> str:
    """The name itself, or with a number if something else has it."""
    free, number = name, 1
    while free in others:
        number += 1
        free = f"{name}_{number}"
    return free
