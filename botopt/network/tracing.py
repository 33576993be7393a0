"""Conditions part by part: what each leaf says, whether it holds, and the values it met."""

from __future__ import annotations

from collections.abc import Callable
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
)
from botopt.network.reference import inputs_of, test

Lookup = Callable[[Ref], object]


class Trace(msgspec.Struct, frozen=True):
    """One part of a condition. A leaf has no `parts`; `met` lists the values it looked at (None is absent)."""

    text: str
    holds: bool
    joint: str = ""  # all, any or not; empty for a leaf
    met: tuple[tuple[str, object], ...] = ()
    parts: tuple[Trace, ...] = ()


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
            refs = inputs_of([condition])
            places = {ref.key: place for place, ref in enumerate(refs)}
            values = [lookup(ref) for ref in refs]
            met = tuple((str(ref), value) for ref, value in zip(refs, values, strict=True))
            return Trace(condition_text(condition), test(condition, places)(values), "", met)


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
            return [_with_values(traced.text, traced.parts[0])]
        case _:
            return [_with_values(traced.text, traced)]


def _with_values(text: str, leaf: Trace) -> str:
    met = ", ".join(f"{name} is {value_text(value)}" for name, value in _all_met(leaf))
    return f"{text} ({met})" if met else text


def _all_met(traced: Trace) -> tuple[tuple[str, object], ...]:
    found = dict(traced.met)
    for part in traced.parts:
        found.update(dict(_all_met(part)))
    return tuple(found.items())


def value_text(value: object) -> str:
    """A value as an author writes it; `absent` where there is none."""
    match value:
        case None:
            return "absent"
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}'"
        case float() if value == int(value):
            return str(int(value))
        case _:
            return str(value)


def expression_text(expression: Expression) -> str:
    """An expression as an author writes it."""
    match expression:
        case Literal(value):
            return value_text(value)
        case Ref():
            return str(expression)
        case Arithmetic(operator, left, right):
            return f"({expression_text(left)} {operator} {expression_text(right)})"
        case Negative(operand):
            return f"-{expression_text(operand)}"
        case _:
            assert_never(expression)


def condition_text(condition: Condition) -> str:
    """A condition as an author writes it."""
    match condition:
        case Comparison(operator, left, right):
            return f"{_bare(left)} {operator} {_bare(right)}"
        case Membership(item, options, negated):
            listed = ", ".join(expression_text(option) for option in options)
            return f"{_bare(item)} {'not in' if negated else 'in'} [{listed}]"
        case Contains(needle, haystack, negated):
            return f"{_bare(needle)} {'not in' if negated else 'in'} {_bare(haystack)}"
        case IsDefined(ref):
            return f"{ref} is defined"
        case Truth(ref):
            return str(ref)
        case Constant(value):
            return value_text(value)
        case Not(part):
            return f"not {_grouped(part)}"
        case All(parts):
            return " and ".join(_grouped(part) for part in parts) or "true"
        case AnyOf(parts):
            return " or ".join(_grouped(part) for part in parts) or "false"
        case _:
            assert_never(condition)


def _bare(expression: Expression) -> str:
    text = expression_text(expression)
    return text[1:-1] if isinstance(expression, Arithmetic) else text


def _grouped(part: Condition) -> str:
    text = condition_text(part)
    return f"({text})" if isinstance(part, All | AnyOf) else text
