"""Typed conditions -> rulesets in the form that durable_rules takes, in groups that ask about the same things.

Every rule begins with an equality that each fact has, and one rule has nothing else: it always fires, so an answer
without it is no answer. A fact holds, for each subject of a group, its class (`c0`, `c1` …; left out where absent) and
whether it is absent (`a0`, `a1` …).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from math import prod

from botopt.model.condition import Condition
from botopt.network.classes import Subject
from botopt.network.formula import ALWAYS, LARGEST, NEVER, Check, Formula, Formulas, Joined
from botopt.network.source import Source

MAX_RULES = 24
"""More than 32 rules that match one fact can be an error in durable_rules; this leaves room."""

MAX_NODES = 56
"""A ruleset's nodes all fit on the stack of 64 places on which durable_rules walks through them."""

MAX_CLASSES = 4_096
"""As many kinds of facts a group tells apart, unless one condition alone needs more; so all can be remembered."""

MAX_FIRED = MAX_RULES * LARGEST.ways + 1
"""More often than this no rule can fire for one fact."""

Key = tuple[int | bool | None, ...]
Pattern = dict[str, object]

SESSION = "0"
"""The one that all facts are of."""

ANCHOR = "k"
CANARY = "always"
_IDENTITY = {"sid": SESSION, "id": "1"}
RETRACTED = json.dumps(_IDENTITY)
"""All that durable_rules must be told of a fact to retract it."""

_SIGNS = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


class Group:
    """Conditions that are answered together, from the classes of the same subjects."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._subjects = subjects
        self._places: dict[int, int] = {}  # of each subject, the number that it has in facts
        self.formulas: dict[int, Formula] = {}  # of each bit

    def takes(self, formula: Formula) -> bool:
        """Whether one more condition leaves few enough classes."""
        own = set(_asked(formula))
        most = max(MAX_CLASSES, self._classes(own), self._classes(self._places))
        return self._classes({*self._places, *own}) <= most

    def _classes(self, subjects: Iterable[int]) -> int:
        return prod(self._subjects[subject].count for subject in subjects)

    def add(self, bit: int, formula: Formula) -> None:
        """One more condition."""
        self.formulas[bit] = formula
        for subject in _asked(formula):
            self._places.setdefault(subject, len(self._places))

    def key(self, source: Source) -> str:
        """The Python expression for a `Key`: the class of each subject."""
        return "".join(("(", *(f"({self._subjects[subject].source(source)}), " for subject in self._places), ")"))

    def rulesets(self) -> list[str]:
        """What durable_rules is given: rule `r7` stands for bit 7."""
        filled: list[dict[str, Pattern]] = []
        room = 0
        for bit, formula in self.formulas.items():
            if room < formula.size.nodes or len(filled[-1]) > MAX_RULES:
                filled.append({CANARY: _rule([])})
                room = MAX_NODES - 2  # the root and the anchor
            room -= formula.size.nodes
            parts = formula.parts if isinstance(formula, Joined) and formula.every else (formula,)
            filled[-1][f"r{bit}"] = _rule([self._pattern(part) for part in parts])
        return [json.dumps(rules) for rules in filled]

    def _pattern(self, formula: Formula) -> Pattern:
        match formula:
            case Joined(every, parts):
                return {"$and" if every else "$or": [self._pattern(part) for part in parts]}
            case Check(subject, operator, number, absent):
                place = self._places[subject]
                if absent is not None:
                    return {f"a{place}": int(absent)}
                return {f"c{place}": number} if operator == "==" else {_SIGNS[operator]: {f"c{place}": number}}


def fact(key: Key) -> str:
    """The fact that stands for all facts of these classes."""
    held: dict[str, object] = {**_IDENTITY, ANCHOR: 1}
    for number, value in enumerate(key):
        held[f"a{number}"] = int(value is None)
        if value is not None:
            held[f"c{number}"] = int(value)
    return json.dumps(held)


class Lowered:
    """Conditions in groups. `always` is the mask of those that hold for every fact."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        formulas = Formulas(conditions)
        self._subjects = formulas.subjects
        self.groups: list[Group] = []
        self.always = 0
        for bit, formula in enumerate(formulas.formulas):
            if formula == ALWAYS:
                self.always |= 1 << bit
            elif formula != NEVER:
                self._group(formula).add(bit, formula)

    def _group(self, formula: Formula) -> Group:
        for group in self.groups:
            if group.takes(formula):
                return group
        self.groups.append(Group(self._subjects))
        return self.groups[-1]


def _asked(formula: Formula) -> Iterator[int]:
    """The subjects of a formula."""
    if isinstance(formula, Check):
        yield formula.subject
    else:
        for part in formula.parts:
            yield from _asked(part)


def _rule(patterns: Sequence[Pattern]) -> Pattern:
    return {"all": [{"m": {"$and": [{ANCHOR: 1}, *patterns]}}]}
