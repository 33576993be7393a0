"""Conditions part by part: what each leaf says, whether it holds, and the values it met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import assert_never

import msgspec

from botopt.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    Contains,
    Expression,
    IsDefined,
    Literal,
    Membership,
    Negative,
    Not,
    Ref,
    Truth,
    ValueType,
)
from botopt.model.instants import instant_text
from botopt.network.reference import inputs_of
from botopt.network.source import Source, compiled

Lookup = Callable[[Ref], object]

_MIRROR = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


class Trace(msgspec.Struct, frozen=True):
    """One part of a condition.

    A leaf has no `parts`. Its `met` lists the values that it looked at and what it calculated from them (None is
    absent); `wanted` says what they had to be, as `>= 500`.
    """

    text: str
    holds: bool
    joint: str = ""  # all, any or not; empty for a leaf
    met: tuple[tuple[str, object], ...] = ()
    parts: tuple[Trace, ...] = ()
    wanted: str = ""


def trace(condition: Condition, lookup: Lookup) -> Trace:
    """The condition with its values."""
    match condition:
        case All(parts):
            inner = tuple(trace(part, lookup) for part in parts)
            return Trace(condition_text(condition), all(part.holds for part in inner), "all", (), inner)
        case AnyOf(parts):
            inner = tuple(trace(part, lookup) for part in parts)
            return Trace(condition_text(condition), any(part.holds for part in inner), "any", (), inner)
        case Not(part):
            one = trace(part, lookup)
            return Trace(condition_text(condition), not one.holds, "not", (), (one,))
        case _:
            return _leaf(condition, lookup)


def _leaf(leaf: Condition, lookup: Lookup) -> Trace:
    refs = inputs_of([leaf])
    values = [lookup(ref) for ref in refs]
    met = [(str(ref), _readable(ref, value)) for ref, value in zip(refs, values, strict=True)]
    for expression in _expressions(leaf):
        if isinstance(expression, Arithmetic | Negative):
            source = Source(refs)
            result = source.compile([f"return {source.term(expression)}"])(values)
            met.append((expression_text(expression), result))
    holds = compiled(leaf, refs)(values)
    return Trace(condition_text(leaf), holds, met=tuple(met), wanted=_wanted(leaf))


def _readable(ref: Ref, value: object) -> object:
    return instant_text(value) if ref.type is ValueType.TIME and isinstance(value, int) else value


def _expressions(leaf: Condition) -> tuple[Expression, ...]:
    match leaf:
        case Comparison(_, left, right) | Contains(left, right):
            return (left, right)
        case Membership(item, options):
            return (item, *options)
        case _:
            return ()


def _wanted(leaf: Condition) -> str:
    match leaf:
        case Comparison(operator, Literal() as left, right) if not isinstance(right, Literal):
            return f"{_MIRROR[operator]} {expression_text(left)}"
        case Comparison(operator, _, right):
            return f"{operator} {expression_text(right)}"
        case Membership(_, options, negated):
            return f"{_within(negated)} {_listed(options)}"
        case Contains(needle, _, negated):
            return f"text with{'out' if negated else ''} {expression_text(needle)}"
        case IsDefined():
            return "defined"
        case _:
            return "true"


def failing(traced: Trace) -> list[str]:
    """What would have to change for the condition to hold, as `amount >= 500 (amount is 120)`."""
    if traced.holds:
        return []
    match traced.joint:
        case "all":
            return [sentence for part in traced.parts for sentence in failing(part)]
        case "any":
            ways = [failing(part) for part in traced.parts]
            return min(ways, key=len) if ways else [traced.text]
        case "not":
            return [with_values(traced)]
        case _:
            return [with_values(traced)]


def with_values(traced: Trace) -> str:
    """A condition with the values that it met, as `amount >= 500 (amount is 120)`."""
    met = ", ".join(f"{name} is {value_text(value)}" for name, value in _all_met(traced))
    return f"{traced.text} ({met})" if met else traced.text


def _all_met(traced: Trace) -> tuple[tuple[str, object], ...]:
    found = dict(traced.met)
    for part in traced.parts:
        found.update(dict(_all_met(part)))
    return tuple(found.items())


def value_text(value: object) -> str:
    """A value as an author types it; `absent` where there is none."""
    match value:
        case None:
            return "absent"
        case bool():
            return "true" if value else "false"
        case str():
            quote = '"' if "'" in value and '"' not in value else "'"
            return quote + value.translate(_ESCAPES).replace(quote, f"\\{quote}") + quote
        case float() if abs(value) < 2**53 and value == int(value):
            return str(int(value))
        case float() if 1e-9 <= abs(value) < 2**53:
            return f"{Decimal(repr(value)):f}"
        case _:
            return str(value)


def expression_text(expression: Expression, inside: int = 0) -> str:
    """An expression as an author types it; `inside` is how strongly what stands around it binds."""
    match expression:
        case Literal(value):
            return value_text(value)
        case Ref():
            return str(expression)
        case Arithmetic(operator, left, right):
            binds = _BINDS[operator]
            text = f"{expression_text(left, binds)} {operator} {expression_text(right, binds + 1)}"
            return f"({text})" if binds < inside else text
        case Negative(operand):
            return f"-{expression_text(operand, 3)}"
        case _:
            assert_never(expression)


def condition_text(condition: Condition) -> str:
    """A condition as an author types it."""
    match condition:
        case Comparison(operator, left, right):
            return f"{expression_text(left)} {operator} {expression_text(right)}"
        case Membership(item, options, negated):
            return f"{expression_text(item)} {_within(negated)} {_listed(options)}"
        case Contains(needle, haystack, negated):
            return f"{expression_text(needle)} {_within(negated)} {expression_text(haystack)}"
        case IsDefined(ref):
            return f"{ref} is defined"
        case Truth(ref):
            return str(ref)
        case Constant(value):
            return value_text(value)
        case Not(IsDefined(ref)):
            return f"{ref} is not defined"
        case Not(part):
            return f"not {_grouped(part)}"
        case All(parts):
            return " and ".join(_grouped(part) for part in parts) or "true"
        case AnyOf(parts):
            return " or ".join(_grouped(part) for part in parts) or "false"
        case _:
            assert_never(condition)


def _within(negated: bool) -> str:
    return "not in" if negated else "in"


def _listed(options: Sequence[Expression]) -> str:
    return f"[{', '.join(expression_text(option) for option in options)}]"


def _grouped(part: Condition) -> str:
    text = condition_text(part)
    return f"({text})" if isinstance(part, All | AnyOf) and len(part.parts) > 1 else text
