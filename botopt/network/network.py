"""Which rules network runs and why, and proof that both give the same answers."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import islice, product

import msgspec

from botopt.model.condition import Condition, Ref
from botopt.model.ports import Network
from botopt.network.reference import ReferenceNetwork, inputs_of
from botopt.network.samples import around
from botopt.network.tracing import condition_text, value_text

_log = logging.getLogger("botopt.network")
_MOST_FACTS = 20_000  # for each group of conditions, when looking thoroughly


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
    """What a comparison of the networks found: on how many facts, and where they differ."""

    facts: int
    disagreements: tuple[Disagreement, ...]


@cache
def available() -> Status:
    """The network that `auto` takes, and why."""
    try:
        from botopt.network.durable import load_module

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
    if available().name == "reference":
        if preferred != "auto":
            _log.warning("%s", available().why)
        return ReferenceNetwork()
    from botopt.network.durable import DurableNetwork

    return DurableNetwork()


def self_check(conditions: Sequence[Condition]) -> tuple[Disagreement, ...]:
    """Compare both networks on each constant a little below, at and above, the other values at two settings."""
    return _compare(conditions, boundary_facts(inputs_of(conditions), conditions)).disagreements


def thorough_check(conditions: Sequence[Condition]) -> Checked:
    """The same on the full product of boundary values, as far as it is not too large."""
    inputs = inputs_of(conditions)
    values = around(inputs, conditions)
    every = islice(product(*values), _MOST_FACTS)
    return _compare(conditions, (*boundary_facts(inputs, conditions), *every))


def boundary_facts(inputs: Sequence[Ref], conditions: Sequence[Condition]) -> Iterator[tuple[object, ...]]:
    """Facts around every constant: one value is varied at a time, the others stay at their first or last."""
    values = around(inputs, conditions)
    for setting in (0, -1):
        base = [choices[setting] for choices in values]
        for place, choices in enumerate(values):
            for choice in choices:
                yield (*base[:place], choice, *base[place + 1 :])


def _compare(
    conditions: Sequence[Condition], facts: Sequence[tuple[object, ...]] | Iterator[tuple[object, ...]]
) -> Checked:
    if available().name == "reference":
        return Checked(0, ())
    from botopt.network.durable import DurableNetwork

    reference, durable = ReferenceNetwork().compile(conditions), DurableNetwork().compile(conditions)
    names = [str(ref) for ref in reference.inputs]
    found: dict[int, Disagreement] = {}
    number = 0
    for fact in facts:
        number += 1
        differing = reference.match(fact) ^ durable.match(fact)
        for bit, condition in enumerate(conditions):
            if differing >> bit & 1:
                found.setdefault(bit, Disagreement(condition, tuple(zip(names, fact, strict=True))))
    return Checked(number, tuple(found.values()))
