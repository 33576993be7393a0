"""Facts that tell networks apart: values around every constant that a value is compared with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from botopt.model.condition import (
    NUMERIC,
    All,
    AnyOf,
    Arithmetic,
    Comparison,
    Condition,
    Contains,
    Expression,
    Literal,
    Membership,
    Negative,
    Not,
    Ref,
    ValueType,
    references,
)
from botopt.network.reference import inputs_of

Fact = tuple[object, ...]


def boundary_facts(conditions: Sequence[Condition]) -> Iterator[Fact]:
    """One value is varied at a time; the others stay on their first constant, then beyond their last."""
    values = around(conditions)
    for setting in (0, -1):
        base = [choices[setting] for choices in values]
        for place, choices in enumerate(values):
            for choice in choices:
                yield (*base[:place], choice, *base[place + 1 :])


def thorough_facts(conditions: Sequence[Condition], most: int) -> Iterator[Fact]:
    """The boundary facts, and for each condition the full product of its own values, or `most` facts spread over it."""
    yield from boundary_facts(conditions)
    inputs, values = inputs_of(conditions), around(conditions)
    for condition in conditions:
        own = {ref.key for ref in references(condition)}
        varied = [choices if ref.key in own else choices[:1] for ref, choices in zip(inputs, values, strict=True)]
        total = math.prod(len(choices) for choices in varied)
        step = 1 if total <= most else _scattering(total)
        for number in range(min(total, most)):
            yield _nth(varied, number * step % total)


def _scattering(total: int) -> int:
    """A step that visits all of 0 to `total` before any twice, and every part of it early: by the golden section."""
    step = int(total * 0.618)
    while math.gcd(step, total) > 1:
        step += 1
    return step


def _nth(choices: Sequence[Sequence[object]], number: int) -> Fact:
    fact = []
    for options in choices:
        number, place = divmod(number, len(options))
        fact.append(options[place])
    return tuple(fact)


def around(conditions: Sequence[Condition]) -> list[list[object]]:
    """For each input: absent, and values below, at and above every constant that it meets; first one that is at one."""
    met: dict[object, set[object]] = {ref.key: set() for ref in inputs_of(conditions)}
    for leaf in (leaf for condition in conditions for leaf in leaves(condition)):
        refs, constants = references(leaf), [literal.value for literal in literals(leaf)]
        together = {*constants, *(constant for ref in refs if len(refs) > 1 for constant in met[ref.key])}
        for ref in refs:
            met[ref.key] |= together
    return [_values(ref, met[ref.key]) for ref in inputs_of(conditions)]


def _values(ref: Ref, constants: set[object]) -> list[object]:
    if ref.type is ValueType.BOOLEAN:
        return [True, None, False]
    if ref.type not in NUMERIC and ref.type is not ValueType.TIME:
        texts = sorted(constant for constant in constants if isinstance(constant, str))
        other = "another text"
        while other in texts:
            other += "!"
        return [*texts, "", *(f"x{text}y" for text in texts), None, other]
    numbers = sorted({c for c in constants if isinstance(c, int | float) and not isinstance(c, bool)} | {0, 1})
    first = min((number for number in numbers if number not in (0, 1)), default=numbers[0])
    found: set[float] = set()
    for number in numbers:
        if ref.type is ValueType.NUMBER:
            found.update((math.nextafter(number, -math.inf), float(number), math.nextafter(number, math.inf)))
        else:
            found.update((math.floor(number) - 1, math.floor(number), math.floor(number) + 1))
    at = float(first) if ref.type is ValueType.NUMBER else math.floor(first)
    return [at, None, *sorted(value for value in found if value != at and math.isfinite(value))]


def leaves(condition: Condition) -> Iterator[Condition]:
    """The parts of a condition that have no parts."""
    match condition:
        case Not(part):
            yield from leaves(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield condition


def literals(node: Condition | Expression) -> Iterator[Literal]:
    """Every constant in a condition."""
    match node:
        case Literal():
            yield node
        case Comparison(_, left, right) | Contains(left, right) | Arithmetic(_, left, right):
            yield from literals(left)
            yield from literals(right)
        case Membership(item, options):
            for expression in (item, *options):
                yield from literals(expression)
        case Not(part) | Negative(part):
            yield from literals(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from literals(part)
        case _:
            return
