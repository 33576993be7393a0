"""Conditions in plain words, as deep as they are nested.

A condition is true or false, never anything between, so `not` can be carried inwards to the leaves: "not (a and b)" is
"not a, or not b". What stands there afterwards are leaves, some of them denied, joined by "all" and "any".
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from botopt.authoring.handbook.terms import Leaf, Speaker
from botopt.model.condition import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Constant,
    Contains,
    IsDefined,
    Membership,
    Not,
    Truth,
)


class Clause(msgspec.Struct, frozen=True):
    """A leaf with the answer that it must give, or parts of which `all` or `any` must hold."""

    leaf: Leaf | None = None
    holds: bool = True
    joint: str = ""
    parts: tuple[Clause, ...] = ()

    @property
    def is_flat(self) -> bool:
        """Whether it can be said in one breath: no part has parts."""
        return not any(part.parts for part in self.parts)


def clause(condition: Condition, *, holds: bool = True) -> Clause:
    """The same condition (or its opposite) with every `not` at a leaf, and no joint inside its like."""
    match condition:
        case Not(part):
            return clause(part, holds=not holds)
        case All(parts):
            return _joined("all" if holds else "any", [clause(part, holds=holds) for part in parts])
        case AnyOf(parts):
            return _joined("any" if holds else "all", [clause(part, holds=holds) for part in parts])
        case Comparison() | Membership() | Contains() | IsDefined() | Truth() | Constant():
            return Clause(condition, holds)
        case _:
            assert_never(condition)


def _joined(joint: str, parts: list[Clause]) -> Clause:
    inner: list[Clause] = []
    for part in parts:
        inner.extend(part.parts if part.joint == joint else (part,))
    if not inner:
        return Clause(Constant(joint == "all"))
    return inner[0] if len(inner) == 1 else Clause(joint=joint, parts=tuple(inner))


def words(told: Clause, speaker: Speaker) -> str:
    """A clause as a part of a sentence, begun with a small letter; nested joints stand in brackets."""
    if told.leaf is not None:
        return speaker.leaf(told.leaf, told.holds)
    parts = [words(part, speaker) if part.leaf is not None else f"[{words(part, speaker)}]" for part in told.parts]
    if told.joint == "all":
        return ", and ".join(parts)
    return f"either {', or '.join(parts)}"


def heading(told: Clause) -> str:
    """What stands above the parts of a joint, where they are a list."""
    return "all of these hold" if told.joint == "all" else "at least one of these holds"
