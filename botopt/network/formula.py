"""Conditions as formulas over classes, as far as durable_rules can take them.

Negations are pushed down to the leaves, where absence is asked for: `not (x < 5)` is "x is absent, or x >= 5", because
a comparison with an absent value is false. What classes cannot tell (arithmetic, text in text, one value against
another), and what would be too large, becomes a subject of its own that is worked out beside the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import msgspec

from botopt.model.condition import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Constant,
    Contains,
    Expression,
    IsDefined,
    Literal,
    Membership,
    Not,
    Ref,
    Scope,
    Truth,
)
from botopt.network.classes import Cuts, Derived, Subject, fits


class Size(msgspec.Struct, frozen=True):
    """What a formula costs in durable_rules: its nodes, its brackets, and how many ways can lead through it at once."""

    nodes: int
    brackets: int
    ways: int


LARGEST = Size(nodes=40, brackets=13, ways=32)
"""Its stack has 64 places, a rule room for 15 brackets; and a rule fires once for each way that is open."""


class Check(msgspec.Struct, frozen=True):
    """The class of a subject compared with a number; absent is in no class. `absent` asks for that instead."""

    subject: int
    operator: str = "=="
    number: int = 0
    absent: bool | None = None

    @property
    def size(self) -> Size:
        """What it costs."""
        return Size(1, 0, 1)


class Joined(msgspec.Struct, frozen=True):
    """All parts hold, or else at least one. `apart` where no two parts can hold at once."""

    every: bool
    parts: tuple[Check | Joined, ...]
    apart: bool = False

    @property
    def size(self) -> Size:
        """What it costs."""
        sizes = [part.size for part in self.parts]
        ways = [size.ways for size in sizes]
        return Size(
            sum(size.nodes for size in sizes) + (not self.every),
            sum(size.brackets for size in sizes) + 1,
            prod(ways) if self.every else max(ways, default=0) if self.apart else sum(ways),
        )


Formula = Check | Joined

ALWAYS, NEVER = Joined(True, ()), Joined(False, ())

_MIRROR = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_INVERSE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Formulas:
    """The formulas of conditions that are compiled together, and the subjects that they ask about."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._cuts = _cuts(conditions)
        self._places: dict[object, int] = {}
        self.subjects: list[Subject] = []
        self.formulas = tuple(self._formula(condition, True) for condition in conditions)

    def _formula(self, condition: Condition, wanted: bool) -> Formula:
        """What holds where the condition's answer is `wanted`."""
        formula = self._exact(condition, wanted)
        size = formula.size
        small = size.nodes <= LARGEST.nodes and size.brackets <= LARGEST.brackets and size.ways <= LARGEST.ways
        return formula if small else self._derived(condition, wanted)

    def _exact(self, condition: Condition, wanted: bool) -> Formula:
        match condition:
            case Constant(value):
                return ALWAYS if value is wanted else NEVER
            case Not(part):
                return self._formula(part, not wanted)
            case All(parts):
                return _joined(wanted, [self._formula(part, wanted) for part in parts])
            case AnyOf(parts):
                return _joined(not wanted, [self._formula(part, wanted) for part in parts])
            case IsDefined(ref):
                return Check(self._place(ref), absent=not wanted)
            case Truth(ref):
                return self._comparison("==", ref, True, wanted)
            case Comparison(operator, Ref() as ref, Literal(value)) if fits(ref, [value], operator):
                return self._comparison(operator, ref, value, wanted)
            case Comparison(operator, Literal(value), Ref() as ref) if fits(ref, [value], operator):
                return self._comparison(_MIRROR[operator], ref, value, wanted)
            case Membership(Ref() as ref, options, negated) if _short(ref, options):
                return self._membership(ref, _constants(options), negated, wanted)
            case Comparison() | Membership() | Contains():
                return self._derived(condition, wanted)

    def _comparison(self, operator: str, ref: Ref, value: object, wanted: bool) -> Formula:
        place, (asked, number) = self._place(ref), self._cuts[ref.key].check(operator, value)
        if wanted:
            return Check(place, asked, number)
        return Joined(False, (Check(place, absent=True), Check(place, _INVERSE[asked], number)), apart=True)

    def _membership(self, ref: Ref, options: Sequence[object], negated: bool, wanted: bool) -> Formula:
        place, cuts = self._place(ref), self._cuts[ref.key]
        numbers = sorted({cuts.check("==", option)[1] for option in options})
        if negated is wanted:
            outside = [Check(place, "!=", number) for number in numbers] or [Check(place, absent=False)]
            ways: list[Formula] = [_joined(True, outside)]
        else:
            ways = [Check(place, "==", number) for number in numbers]
        if not wanted:
            ways.append(Check(place, absent=True))
        return ways[0] if len(ways) == 1 else Joined(False, tuple(ways), apart=True)

    def _derived(self, condition: Condition, wanted: bool) -> Formula:
        place = self._places.get(condition)
        if place is None:
            place = self._add(condition, Derived(condition))
        return Check(place, "==", int(wanted))

    def _place(self, ref: Ref) -> int:
        place = self._places.get(ref.key)
        return self._add(ref.key, self._cuts[ref.key]) if place is None else place

    def _add(self, key: object, subject: Subject) -> int:
        place = self._places[key] = len(self.subjects)
        self.subjects.append(subject)
        return place


def _joined(every: bool, formulas: Sequence[Formula]) -> Formula:
    """Brackets of one kind in each other are one; what always or never holds goes; nothing stands twice."""
    parts: dict[Formula, None] = {}
    for formula in formulas:
        if formula == (NEVER if every else ALWAYS):
            return formula
        if isinstance(formula, Joined) and formula.every is every and not formula.apart:
            parts.update(dict.fromkeys(formula.parts))
        else:
            parts[formula] = None
    return next(iter(parts)) if len(parts) == 1 else Joined(every, tuple(parts))


def _constants(options: Sequence[Expression]) -> list[object]:
    """The values of constants; another expression stands for itself, which fits no reference."""
    return [option.value if isinstance(option, Literal) else option for option in options]


def _short(ref: Ref, options: Sequence[Expression]) -> bool:
    """Whether classes can tell what is in a list."""
    return len(options) < LARGEST.nodes and fits(ref, _constants(options))


def _cuts(conditions: Sequence[Condition]) -> dict[tuple[Scope, str, int], Cuts]:
    """The cuts of every reference that the conditions read."""
    found: dict[tuple[Scope, str, int], tuple[Ref, list[tuple[str, object]]]] = {}

    def note(ref: Ref, constants: Sequence[object] = (), operator: str = "==") -> None:
        found.setdefault(ref.key, (ref, []))[1].extend((operator, constant) for constant in constants)

    def visit(condition: Condition) -> None:
        match condition:
            case Comparison(sign, Ref() as ref, Literal(value)):
                note(ref, [value] if fits(ref, [value], sign) else (), sign)
            case Comparison(sign, Literal(value), Ref() as ref):
                note(ref, [value] if fits(ref, [value], sign) else (), _MIRROR[sign])
            case Membership(Ref() as ref, options) if _short(ref, options):
                note(ref, _constants(options))
            case IsDefined(ref) | Truth(ref):
                note(ref)
            case Not(part):
                visit(part)
            case All(parts) | AnyOf(parts):
                for part in parts:
                    visit(part)
            case _:
                pass

    for condition in conditions:
        visit(condition)
    return {key: Cuts(ref, compared) for key, (ref, compared) in found.items()}
