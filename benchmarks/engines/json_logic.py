"""json-logic-qubit (Python, MIT): JsonLogic. It continues json-logic, which does not run on Python 3.

One list of all conditions of an event type, as JsonLogic allows, evaluated in one call. `===` compares
without the conversions of `==`, as botopt does, and is as fast.
"""

from __future__ import annotations

from collections.abc import Sequence

from json_logic import jsonLogic

from benchmarks.engines.translation import Data, Leaf, Matcher, Tree, bits, mask, tree
from botopt.model.condition import Condition

SIGNS = {"==": "===", "!=": "!=="}


def build(conditions: Sequence[Condition]) -> Matcher:
    """The matcher of the conditions of an event type."""
    rules = [_logic(tree(condition)) for condition in conditions]
    places = bits(len(conditions))

    def match(data: Data) -> int:
        return mask(jsonLogic(rules, data), places)

    return match


def _logic(part: Tree) -> object:
    match part:
        case bool():
            return part
        case Leaf(field, "==", True):
            return {"var": field}
        case Leaf(field, "==", False):
            return {"!": {"var": field}}
        case Leaf(field, "in", tuple() as options):
            return {"in": [{"var": field}, list(options)]}
        case Leaf(field, "not in", tuple() as options):
            return {"!": {"in": [{"var": field}, list(options)]}}
        case Leaf(field, operator, value):
            return {SIGNS.get(operator, operator): [{"var": field}, value]}
        case _:
            return {"and" if part.every else "or": [_logic(one) for one in part.parts]}


if __name__ == "__main__":
    from benchmarks.engines.starting import start

    start(build)
