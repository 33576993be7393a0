"""durable_rules (C, MIT) as its documentation teaches: `durable.lang` with its host, rules and actions in Python.

Each event is asserted as a fact, an action notes each rule that fires, and the fact is retracted. A posted event would
be simpler, but fires only one of the rules that it satisfies. The host starts two threads, which may run the actions
of a fact in place of the caller; so one rule that always fires comes last, and is waited for.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, ne, or_
from typing import Any

from durable import lang

from benchmarks.engines.durable_c import ANCHOR, IDENTITY, groups
from benchmarks.engines.translation import Data, Group, Leaf, Matcher, Tree
from botopt.model.condition import Condition

PATIENCE = 10.0
"""Seconds to wait for the host's own threads."""

OPERATORS = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}

_numbers = itertools.count()


def build(conditions: Sequence[Condition]) -> Matcher:
    """The matcher of the conditions of an event type."""
    rulesets = [_ruleset(group) for group in groups(conditions)]

    def match(data: Data) -> int:
        fact, mask = {**data, **IDENTITY}, 0
        for name, fired in rulesets:
            fired.clear()
            lang.assert_fact(name, fact)
            _wait(fired)
            lang.retract_fact(name, fact)
            mask |= sum(fired)
        return mask

    return match


def _ruleset(rules: Mapping[int, Tree]) -> tuple[str, set[int]]:
    """The name of a ruleset, and where its actions note the bits of the rules that fire."""
    name = f"host{next(_numbers)}"
    fired: set[int] = set()
    with lang.ruleset(name):
        for place, rule in rules.items():
            lang.when_all(_anchored(rule))(_noting(fired, 1 << place))
        lang.when_all(_anchored(True), lang.pri(len(rules)))(_noting(fired, 0))
    return name, fired


def _wait(fired: set[int]) -> None:
    """Until the rule that always fires has fired, in whichever thread."""
    if 0 in fired:
        return
    end = time.monotonic() + PATIENCE
    while 0 not in fired:
        if time.monotonic() > end:
            raise RuntimeError("the rule that always fires did not")
        time.sleep(0)


def _noting(fired: set[int], bit: int) -> Callable[[Any], None]:
    def note(c: Any) -> None:  # noqa: ANN401, ARG001  # untyped, and counted: an action takes one
        fired.add(bit)

    return note


def _anchored(condition: Tree) -> Any:  # noqa: ANN401  # its expressions have no type
    """A condition behind an equality that each fact has: without one, a rule can fire without end."""
    anchor = getattr(lang.m, ANCHOR) == 1
    return anchor if condition is True else anchor & _expression(condition)


def _expression(part: Tree) -> Any:  # noqa: ANN401
    match part:
        case Group(every, parts):
            return reduce(and_ if every else or_, [_expression(one) for one in parts])
        case Leaf(field, "in", tuple(options)):
            return reduce(or_, [getattr(lang.m, field) == option for option in options])
        case Leaf(field, "not in", tuple(options)):
            return reduce(and_, [getattr(lang.m, field) != option for option in options])
        case Leaf(field, operator, value):
            return OPERATORS[operator](getattr(lang.m, field), value)
        case _:
            raise AssertionError(part)


if __name__ == "__main__":
    from benchmarks.engines.starting import start

    start(build)
