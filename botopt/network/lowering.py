"""Typed conditions -> rules in the form that durable_rules takes.

Every rule begins with an equality that each fact has. Negations are pushed down to the leaves, where absence is asked
for: `not (x < 5)` is "x is absent, or x >= 5", because a comparison with an absent value is false. What classes cannot
express (arithmetic, text in text, one value against another, long lists, deep nesting) becomes a yes/no fact of its
own, worked out beside the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botopt.model.condition import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Constant,
    Contains,
    IsDefined,
    Literal,
    Membership,
    Not,
    Ref,
    Truth,
)
from botopt.network.classes import Cuts, cuts_of, listable

ANCHOR = "k"
MAX_DEPTH = 6
"""durable_rules stops at about ten nested levels."""

Pattern = dict[str, object]

_MIRROR = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_INVERSE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_NEVER: Pattern = {ANCHOR: 0}
_ALWAYS: Pattern = {ANCHOR: 1}


class Lowered:
    """Conditions as patterns over class numbers.

    `cuts` and `derived` say what a fact holds: property `c0`, `c1` … is the class of a reference, `a0` … whether it is
    absent, `d0` … whether a derived condition holds.
    """

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self.cuts: tuple[Cuts, ...] = tuple(cuts_of(conditions).values())
        self._places = {cut.ref: place for place, cut in enumerate(self.cuts)}
        self._derived: dict[Condition, int] = {}
        self.patterns: tuple[Pattern, ...] = tuple(self._pattern(condition, True, 0) for condition in conditions)

    @property
    def derived(self) -> tuple[Condition, ...]:
        """Conditions that are worked out beside the network."""
        return tuple(self._derived)

    def rules(self, bits: Sequence[int]) -> Mapping[str, object]:
        """A ruleset with one rule for each of these conditions, named after its place."""
        return {f"r{bit}": {"all": [{"m": {"$and": [_ALWAYS, self.patterns[bit]]}}]} for bit in bits}

    def _pattern(self, condition: Condition, wanted: bool, depth: int) -> Pattern:
        """The pattern that holds when the condition's answer is `wanted`."""
        if depth >= MAX_DEPTH and isinstance(condition, All | AnyOf):
            return self._beside(condition, wanted)
        match condition:
            case Constant(value):
                return _ALWAYS if value is wanted else _NEVER
            case Not(part):
                return self._pattern(part, not wanted, depth)
            case All(parts) | AnyOf(parts):
                every = isinstance(condition, All) is wanted
                return _joined([self._pattern(part, wanted, depth + 1) for part in _flat(condition, parts)], every)
            case IsDefined(ref):
                return {f"a{self._places[ref]}": 0 if wanted else 1}
            case Truth(ref):
                return self._is(ref, 1, wanted)
            case Comparison(operator, Ref() as ref, Literal(value)):
                return self._comparison(operator, ref, value, wanted)
            case Comparison(operator, Literal(value), Ref() as ref):
                return self._comparison(_MIRROR[operator], ref, value, wanted)
            case Membership(Ref() as ref, options, negated) if listable(condition):
                texts = [option.value for option in options if isinstance(option, Literal)]
                return self._membership(ref, texts, negated, wanted)
            case Comparison() | Membership() | Contains():
                return self._beside(condition, wanted)

    def _beside(self, condition: Condition, wanted: bool) -> Pattern:
        number = self._derived.setdefault(condition, len(self._derived))
        return {f"d{number}": 1 if wanted else 0}

    def _is(self, ref: Ref, number: int, wanted: bool) -> Pattern:
        place = self._places[ref]
        if wanted:
            return {f"c{place}": number}
        return _joined([{f"a{place}": 1}, {"$neq": {f"c{place}": number}}], every=False)

    def _comparison(self, operator: str, ref: Ref, value: object, wanted: bool) -> Pattern:
        place = self._places[ref]
        number = self.cuts[place].of(value)
        assert number is not None
        if wanted:
            return _test(operator, f"c{place}", number)
        return _joined([{f"a{place}": 1}, _test(_INVERSE[operator], f"c{place}", number)], every=False)

    def _membership(self, ref: Ref, options: Sequence[object], negated: bool, wanted: bool) -> Pattern:
        place = self._places[ref]
        numbers = sorted({number for option in options if (number := self.cuts[place].of(option)) is not None})
        inside = negated is not wanted
        tests = [_test("==" if inside else "!=", f"c{place}", number) for number in numbers]
        found = _joined(tests, every=not inside)
        if not inside:
            found = _joined([{f"a{place}": 0}, found], every=True)
        return found if wanted else _joined([{f"a{place}": 1}, found], every=False)


def _flat(whole: Condition, parts: Sequence[Condition]) -> list[Condition]:
    flat: list[Condition] = []
    for part in parts:
        flat.extend(_flat(part, part.parts) if isinstance(part, All | AnyOf) and type(part) is type(whole) else [part])
    return flat


def _joined(patterns: list[Pattern], every: bool) -> Pattern:
    if not patterns:
        return _ALWAYS if every else _NEVER
    if len(patterns) == 1:
        return patterns[0]
    return {"$and" if every else "$or": patterns}


_WORDS = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


def _test(operator: str, name: str, number: int) -> Pattern:
    return {name: number} if operator == "==" else {_WORDS[operator]: {name: number}}
