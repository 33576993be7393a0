"""Which rules network runs and why, and proof that both give the same answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import msgspec

from botopt.model.condition import Condition
from botopt.model.ports import Network
from botopt.network.durable import PATIENCE, WARMING, Alive, DurableNetwork, load_module, warn_once
from botopt.network.reference import ReferenceNetwork
from botopt.network.samples import Fact, boundary_facts, thorough_facts
from botopt.network.tracing import condition_text, value_text

_MOST_FACTS = 2_000  # for each condition, when looking thoroughly


class Status(msgspec.Struct, frozen=True):
    """The network that runs, and why."""

    name: str
    why: str


class Disagreement(msgspec.Struct, frozen=True):
    """A condition on which the networks differ, and the values that show it."""

    condition: Condition
    fact: tuple[tuple[str, object], ...]

    def __str__(self) -> str:
        """In words."""
        values = ", ".join(f"{name} = {value_text(value)}" for name, value in self.fact)
        return f"{condition_text(self.condition)} with {values}"


class Checked(msgspec.Struct, frozen=True):
    """What a comparison of the networks found: on how many facts, and where they differ.

    `refused` is what durable_rules said where it would not answer, so that only the reference was looked at.
    """

    facts: int
    disagreements: tuple[Disagreement, ...]
    refused: str = ""


@cache
def available() -> Status:
    """The network that `auto` takes, and why."""
    try:
        load_module()
        return Status("durable_rules", f"durable_rules {version('durable_rules')}")
    except PackageNotFoundError:
        return Status("durable_rules", "durable_rules")
    except ModuleNotFoundError:
        return Status("reference", "the plain matcher: durable_rules is not installed")
    except ImportError as fault:
        return Status("reference", f"the plain matcher: durable_rules does not load here ({fault})")


def make_network(preferred: str = "auto") -> Network:
    """The network of that name; `auto` is durable_rules where it loads. All give the same answers."""
    if preferred == "reference":
        return ReferenceNetwork()
    if preferred not in ("auto", "durable_rules"):
        raise ValueError(f"there is no rules network {preferred!r}")
    if available().name == "reference":
        warn_once(f"conditions are matched by {available().why}; the decisions are the same")
        return ReferenceNetwork()
    return DurableNetwork(patience=PATIENCE, warming=WARMING)


def self_check(conditions: Sequence[Condition]) -> tuple[Disagreement, ...]:
    """Compare both networks on each constant a little below, at and above, the other values at two settings."""
    return _compare(conditions, boundary_facts(conditions)).disagreements


def thorough_check(conditions: Sequence[Condition]) -> Checked:
    """The same on the full product of each condition's boundary values, as far as it is not too large."""
    return _compare(conditions, thorough_facts(conditions, _MOST_FACTS))


def _compare(conditions: Sequence[Condition], facts: Iterable[Fact]) -> Checked:
    if available().name == "reference":
        return Checked(0, ())
    found: dict[int, Disagreement] = {}
    seen = 0
    with closing(Alive(load_module())) as alive:
        reference, durable = ReferenceNetwork().compile(conditions), DurableNetwork(alive).compile(conditions)
        names = [str(ref) for ref in reference.inputs]
        for fact in facts:
            seen += 1
            differing = reference.match(fact) ^ durable.match(fact)
            while differing:
                bit = differing.bit_length() - 1
                found.setdefault(bit, Disagreement(conditions[bit], tuple(zip(names, fact, strict=True))))
                differing ^= 1 << bit
        return Checked(seen, tuple(found[bit] for bit in sorted(found)), str(durable.refused or ""))
