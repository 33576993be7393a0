"""Conditions in the words of other engines.

The benchmark's policy has no optional field, so no value is ever absent, and nothing here asks for absence:
`not (a < 1)` becomes `a >= 1`. What that policy does not use either is refused: arithmetic, text in text, attributes,
counts and optional fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import compress

import msgspec

from botopt.model.condition import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Constant,
    Expression,
    Literal,
    Membership,
    Not,
    Ref,
    Scope,
    Truth,
    references,
)

Value = str | bool | int | float
Data = dict[str, object]
Matcher = Callable[[Data], int]

MIRROR = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
INVERSE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Untranslatable(ValueError):
    """A condition has something that no engine is asked for."""


class Leaf(msgspec.Struct, frozen=True):
    """`field operator value`. `value` is a tuple where the operator is `in` or `not in`."""

    field: str
    operator: str
    value: Value | tuple[Value, ...]


class Group(msgspec.Struct, frozen=True):
    """All parts hold, or at least one does. There are always some."""

    every: bool
    parts: tuple[Leaf | Group, ...]


Tree = Leaf | Group | bool
"""A condition without negations; a bare truth value stands for one that always or never holds."""


def tree(condition: Condition, wanted: bool = True) -> Tree:
    """What holds where the condition's answer is `wanted`: negations are pushed down into the tests.

    Raises:
        Untranslatable: it has something that no engine is asked for.
    """
    match condition:
        case Constant(value):
            return value is wanted
        case Truth(ref):
            return Leaf(_field(ref), "==", wanted)
        case Not(part):
            return tree(part, not wanted)
        case All(parts):
            return _joined(wanted, [tree(part, wanted) for part in parts])
        case AnyOf(parts):
            return _joined(not wanted, [tree(part, wanted) for part in parts])
        case Comparison(operator, Ref() as ref, Literal(value)):
            return Leaf(_field(ref), operator if wanted else INVERSE[operator], value)
        case Comparison(operator, Literal(value), Ref() as ref):
            mirrored = MIRROR[operator]
            return Leaf(_field(ref), mirrored if wanted else INVERSE[mirrored], value)
        case Membership(Ref() as ref, options, negated):
            return Leaf(_field(ref), "in" if negated is not wanted else "not in", _constants(options))
        case _:
            raise Untranslatable(f"no engine is asked for {condition}")


def _field(ref: Ref) -> str:
    if ref.scope is not Scope.EVENT or ref.optional:
        raise Untranslatable(f"{ref} is not a field that each event has")
    return ref.name


def _constants(options: Sequence[Expression]) -> tuple[Value, ...]:
    constants = tuple(option.value for option in options if isinstance(option, Literal))
    if len(constants) < len(options) or not constants:
        raise Untranslatable("a list must have constants, and nothing else")
    return constants


def _joined(every: bool, trees: Iterable[Tree]) -> Tree:
    """What always or never holds goes, and so do brackets of one kind within each other."""
    parts: list[Leaf | Group] = []
    for part in trees:
        if isinstance(part, bool):
            if part is not every:
                return part
        elif isinstance(part, Group) and part.every is every:
            parts.extend(part.parts)
        else:
            parts.append(part)
    return Group(every, tuple(parts)) if len(parts) > 1 else parts[0] if parts else every


class Spelling(msgspec.Struct, frozen=True):
    """How an engine writes what joins tests, and texts. Comparisons, `in [...]`, `true` and `false` are alike."""

    every: str
    some: str
    negation: str
    quoted: Callable[[str], str]


def infix(part: Tree, spelling: Spelling) -> str:
    """A condition as one line of text."""
    match part:
        case bool():
            return constant(part, spelling)
        case Leaf(field, "in" | "not in" as operator, tuple() as options):
            text = f"{field} in [{', '.join(constant(option, spelling) for option in options)}]"
            return text if operator == "in" else f"{spelling.negation}({text})"
        case Leaf(field, "==", bool() as value):
            return field if value else f"{spelling.negation}{field}"
        case Leaf(field, operator, value):
            assert not isinstance(value, tuple)
            return f"{field} {operator} {constant(value, spelling)}"
        case Group(every, parts):
            return f"({(spelling.every if every else spelling.some).join(infix(one, spelling) for one in parts)})"


def constant(value: Value, spelling: Spelling) -> str:
    """A constant as an engine writes it; numbers without an exponent, which not all of them read."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return spelling.quoted(value)
        case _:
            return format(Decimal(repr(value)), "f")


def unescaped(text: str) -> str:
    """A text in quotes, for engines whose texts know no escapes.

    Raises:
        Untranslatable: it has both kinds of quotes.
    """
    for quote in ('"', "'"):
        if quote not in text:
            return f"{quote}{text}{quote}"
    raise Untranslatable(f"a text with both kinds of quotes: {text}")


def escaped(text: str) -> str:
    """A text in double quotes with backslashes before quotes and backslashes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def fields(conditions: Sequence[Condition]) -> dict[str, Ref]:
    """The fields that conditions read, in reading order."""
    return {ref.name: ref for condition in conditions for ref in references(condition)}


def bits(count: int) -> tuple[int, ...]:
    """The bit of each of `count` rules."""
    return tuple(1 << place for place in range(count))


def mask(answers: Iterable[object], of: Sequence[int]) -> int:
    """The bits of the answers that are true; in C, as everything that is done for each rule."""
    return sum(compress(of, answers))
