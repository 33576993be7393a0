"""Which values are certainly there: what a condition that holds, or does not, says about absent values.

A comparison with an absent value is false whatever its operator (see `botopt.model.condition`), so one that holds
proves that its values are there. A variant with `when: reason is defined` may therefore use `reason` freely.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import assert_never

from botopt.model.condition import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Constant,
    Contains,
    IsDefined,
    Membership,
    Not,
    Truth,
    references,
)
from botopt.model.policy import Choose, EventType, Template, Variant
from botopt.rendering.reading.uses import Key

Facts = frozenset[Key]
NOTHING: Facts = frozenset()


def if_true(condition: Condition) -> Facts:
    """What is there when the condition holds."""
    match condition:
        case Comparison() | Contains() | IsDefined() | Truth():
            return frozenset(ref.key for ref in references(condition))
        case Membership(item):  # an absent option is merely not the one
            return frozenset(ref.key for ref in references(item))
        case Not(part):
            return if_false(part)
        case All(parts):
            return NOTHING.union(*(if_true(part) for part in parts))
        case AnyOf(parts):
            return shared(if_true(part) for part in parts)
        case Constant():
            return NOTHING
        case _:
            assert_never(condition)


def if_false(condition: Condition) -> Facts:
    """What is there when the condition does not hold."""
    match condition:
        case Not(part):
            return if_true(part)
        case All(parts):
            return shared(if_false(part) for part in parts)
        case AnyOf(parts):
            return NOTHING.union(*(if_false(part) for part in parts))
        case _:
            return NOTHING


def shared(many: Iterable[Facts]) -> Facts:
    """What all of them say."""
    sets = list(many)
    return reduce(frozenset.intersection, sets) if sets else NOTHING


def known_in(template: Template, variant: Variant) -> Facts:
    """What is there whenever this variant is chosen: by its own `when`, and because those before it did not fit."""
    known = if_true(variant.when.condition) if variant.when else NOTHING
    if template.choose is Choose.FIRST:
        for earlier in template.variants:
            if earlier.name == variant.name:
                break
            if earlier.when:
                known |= if_false(earlier.when.condition)
    return known


def known_on(event_type: EventType, template: str) -> Facts:
    """What is there whenever this event type sends this template: only some rules may lead to it."""
    if event_type.message == template:
        return NOTHING
    return shared(if_true(rule.when.condition) for rule in event_type.rules if rule.message == template)
