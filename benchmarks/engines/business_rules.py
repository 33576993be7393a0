"""business-rules (Python, MIT): variables, actions and rules as JSON.

Rules are built once and run by `run_all`. Its numbers are Decimals: they are made once for each event and once for each
constant, which is what it would otherwise do at every test. It counts numbers less than 0.000001 apart as equal; the
benchmark has none. Texts have no `!=` and no `in`: a regular expression stands for them, as fast as several tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from business_rules import run_all
from business_rules.actions import BaseActions, rule_action
from business_rules.fields import FIELD_NUMERIC
from business_rules.variables import (
    BaseVariables,
    boolean_rule_variable,
    numeric_rule_variable,
    string_rule_variable,
)

from benchmarks.engines.translation import Data, Group, Leaf, Matcher, Tree, Value, fields, tree
from botopt.model.condition import NUMERIC, Condition, Ref, ValueType

Json = dict[str, Any]

OPERATORS = {
    "==": "equal_to",
    "<": "less_than",
    "<=": "less_than_or_equal_to",
    ">": "greater_than",
    ">=": "greater_than_or_equal_to",
}


class Matched(BaseActions):  # type: ignore[misc]  # it has no types
    """The only action: to note the rule."""

    def __init__(self) -> None:
        self.mask = 0

    @rule_action(params={"bit": FIELD_NUMERIC})  # type: ignore[untyped-decorator]  # it has no types
    def note(self, bit: int) -> None:
        """Note that the rule with this bit holds."""
        self.mask |= bit


class Facts(BaseVariables):  # type: ignore[misc]  # it has no types
    """An event's data; event types add their variables."""

    def __init__(self, data: Data) -> None:
        self.data = data


def build(conditions: Sequence[Condition]) -> Matcher:
    """The matcher of the conditions of an event type."""
    always, rules = 0, []
    for place, condition in enumerate(conditions):
        rule = tree(condition)
        if isinstance(rule, bool):
            always |= rule << place
        else:
            rules.append({"conditions": _json(rule), "actions": [{"name": "note", "params": {"bit": 1 << place}}]})
    refs = fields(conditions)
    numbers = [name for name, ref in refs.items() if ref.type in NUMERIC]
    variables = type("Variables", (Facts,), {f"of_{name}": _variable(ref) for name, ref in refs.items()})

    def match(data: Data) -> int:
        exact = {name: Decimal(data[name]) for name in numbers}  # type: ignore[arg-type]  # they are numbers
        matched = Matched()
        run_all(rules, variables({**data, **exact}), matched)
        return always | matched.mask

    return match


def _variable(ref: Ref) -> Callable[[Facts], object]:
    def read(facts: Facts) -> object:
        return facts.data[ref.name]

    match ref.type:
        case ValueType.TEXT:
            decorated = string_rule_variable()(read)
        case ValueType.BOOLEAN:
            decorated = boolean_rule_variable()(read)
        case _:
            decorated = numeric_rule_variable()(read)
    variable: Callable[[Facts], object] = decorated
    return variable


def _json(part: Tree) -> Json:
    match part:
        case Group(every, parts):
            return {"all" if every else "any": [_json(one) for one in parts]}
        case Leaf(field, "==", bool() as value):
            return _check(field, "is_true" if value else "is_false", None)
        case Leaf(field, "!=", bool() as value):
            return _check(field, "is_false" if value else "is_true", None)
        case Leaf(field, "==" | "!=" as operator, str() as text):
            return _check(field, "equal_to", text) if operator == "==" else _among(field, [text], negated=True)
        case Leaf(field, "in" | "not in" as operator, tuple() as options):
            return _among(field, options, negated=operator == "not in")
        case Leaf(field, "!=", int() | float() as number):
            return {"any": [_check(field, name, Decimal(number)) for name in ("less_than", "greater_than")]}
        case Leaf(field, operator, int() | float() as number):
            return _check(field, OPERATORS[operator], Decimal(number))
        case _:
            raise AssertionError(part)


def _among(field: str, options: Sequence[Value], negated: bool) -> Json:
    if not all(isinstance(option, str) for option in options):
        name, inner = ("all", "!=") if negated else ("any", "==")
        return {name: [_json(Leaf(field, inner, option)) for option in options]}
    words = "|".join(re.escape(str(option)) for option in options)
    return _check(field, "matches_regex", rf"\A(?!(?:{words})\Z)" if negated else rf"\A(?:{words})\Z")


def _check(field: str, operator: str, value: object) -> Json:
    return {"name": f"of_{field}", "operator": operator, "value": value}


if __name__ == "__main__":
    from benchmarks.engines.starting import start

    start(build)
