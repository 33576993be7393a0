"""zen-engine (Rust, MIT): its decision table.

One table for each event type with the hit policy collect: a row for each rule, a column for each field, and one column
of expressions for what fits no cell. The tables live in an engine with a static loader: its compiled decisions are some
ten times as fast as those of `create_decision`, which pays 70 to 140 µs for each evaluation, whatever is in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import zen

from benchmarks.engines.translation import Data, Group, Leaf, Matcher, Tree, bits, constant, fields, infix, tree
from benchmarks.engines.zen_list import SPELLING
from botopt.model.condition import Condition

REST = "rest"
"""The column for what fits no cell."""

Row = dict[str, str]


def build(conditions: Sequence[Condition]) -> Matcher:
    """The matcher of the conditions of an event type."""
    decision = _decision(list(fields(conditions)), [_row(tree(condition)) for condition in conditions])
    zen.ZenEngine().create_decision(json.dumps(decision)).validate()
    evaluate = zen.ZenEngine({"loader": {"type": "static", "content": {"rules": decision}}}).evaluate
    places = bits(len(conditions))

    def match(data: Data) -> int:
        return sum([places[row["rule"]] for row in evaluate("rules", data)["result"]])

    return match


def _row(condition: Tree) -> Row:
    """The cells of a rule. A second test of a field goes where everything goes that fits no cell."""
    parts: Iterable[Tree] = condition.parts if isinstance(condition, Group) and condition.every else [condition]
    row: Row = {}
    rest: list[str] = []
    for part in parts:
        if isinstance(part, Leaf) and _column(part.field) not in row:
            row[_column(part.field)] = _cell(part)
        else:
            rest.append(infix(part, SPELLING))
    return {**row, REST: SPELLING.every.join(rest)}


def _column(field: str) -> str:
    return f"field {field}"


def _cell(leaf: Leaf) -> str:
    """A test as a cell writes it: of the field of its column."""
    match leaf.operator, leaf.value:
        case "in", tuple(options):
            return ", ".join(constant(option, SPELLING) for option in options)
        case "not in", tuple(options):
            return f"not ($ in [{', '.join(constant(option, SPELLING) for option in options)}])"
        case operator, value:
            assert not isinstance(value, tuple)
            return constant(value, SPELLING) if operator == "==" else f"{operator} {constant(value, SPELLING)}"


def _decision(names: Sequence[str], rows: Sequence[Row]) -> dict[str, object]:
    """A table in the JSON decision model: a request, the table and a response in a line. Empty cells always hold."""
    columns = [{"id": _column(name), "name": name, "field": name, "type": "expression"} for name in names]
    columns.append({"id": REST, "name": REST, "type": "expression"})
    empty = dict.fromkeys((column["id"] for column in columns), "")
    table = {
        "hitPolicy": "collect",
        "inputs": columns,
        "outputs": [{"id": "rule", "name": "rule", "field": "rule", "type": "expression"}],
        "rules": [{"_id": f"row {place}", **empty, **row, "rule": str(place)} for place, row in enumerate(rows)],
    }
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {"id": "request", "name": "request", "type": "inputNode"},
            {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
            {"id": "response", "name": "response", "type": "outputNode"},
        ],
        "edges": [
            {"id": "first", "type": "edge", "sourceId": "request", "targetId": "table"},
            {"id": "second", "type": "edge", "sourceId": "table", "targetId": "response"},
        ],
    }


if __name__ == "__main__":
    from benchmarks.engines.starting import start

    start(build)
