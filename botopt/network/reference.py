"""The oracle: what conditions mean, in plain Python.

It explains them, answers beside durable_rules what that cannot express, and matches alone where durable_rules cannot.
"""

from __future__ import annotations

from collections.abc import Sequence

from botopt.model.condition import Condition, Ref, Scope, references
from botopt.network.source import Source


class ReferenceMatcher:
    """Conditions as one Python function; bit i of its answer is condition i."""

    __slots__ = ("inputs", "match")

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self.inputs = inputs_of(conditions)
        source = Source(self.inputs)
        tests = [f"if {source.condition(condition)}: mask |= {1 << bit}" for bit, condition in enumerate(conditions)]
        self.match = source.compile(["mask = 0", *tests, "return mask"])


def inputs_of(conditions: Sequence[Condition]) -> tuple[Ref, ...]:
    """Every value that the conditions read, once, in reading order."""
    found: dict[tuple[Scope, str, int], Ref] = {}
    for condition in conditions:
        for ref in references(condition):
            found.setdefault(ref.key, ref)
    return tuple(found.values())


class ReferenceNetwork:
    """Compiles conditions into Python."""

    name = "reference"

    def compile(self, conditions: Sequence[Condition]) -> ReferenceMatcher:
        """A matcher for the conditions, in their order."""
        return ReferenceMatcher(conditions)
