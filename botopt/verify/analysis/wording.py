"""Why a condition can never hold, in the author's words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from botopt.engine.numbers import number
from botopt.model.condition import All, Condition, Ref, Scope, references
from botopt.model.policy import FieldSpec, When
from botopt.network.tracing import condition_text
from botopt.verify.analysis.space import Space, UndecidedError

_MOST_PARTS = 8


def why_never(space: Space, when: When) -> str:
    """The part that never holds, or the two that never hold together, and what the value can be."""
    parts = list(_parts(when.condition))
    try:
        for part in parts if len(parts) > 1 else ():
            if space.possible(space.node(part)) is None:
                return f"{condition_text(part)} never holds{_known(space, part)}"
        for one, other in combinations(parts[:_MOST_PARTS], 2):
            if space.possible(space.node(one), space.node(other)) is None:
                return f"{condition_text(one)} and {condition_text(other)} never hold together"
    except UndecidedError:
        pass
    known = _known(space, when.condition)
    return f"{when.text or condition_text(when.condition)} never holds{known}"


def _parts(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, All):
        for part in condition.parts:
            yield from _parts(part)
    else:
        yield condition


def _known(space: Space, condition: Condition) -> str:
    refs = references(condition)
    if len(refs) != 1:
        return ""
    said = what_it_is(space, refs[0])
    return f"; {refs[0]} is {said}" if said else ""


def what_it_is(space: Space, ref: Ref) -> str:
    """What a value can be, as far as a few words say it; empty where nothing bounds it."""
    if ref.scope is Scope.TIME:
        return "from 0 to 23" if ref.name == "hour" else ""
    spec, _ = space.spec(ref)
    return "never there" if spec is None else _said(spec)


def _said(spec: FieldSpec) -> str:
    if spec.one_of:
        options = [one if isinstance(one, str) else number(one) for one in spec.one_of]
        return f"one of {', '.join(options)}"
    if spec.max_length is not None:
        return f"a text of at most {spec.max_length} characters"
    if spec.pattern is not None:
        return f"a text like {spec.pattern.text}"
    if spec.minimum is not None and spec.maximum is not None:
        return f"from {number(spec.minimum)} to {number(spec.maximum)}"
    if spec.minimum is not None:
        return f"{number(spec.minimum)} or more"
    return "" if spec.maximum is None else f"{number(spec.maximum)} or less"
