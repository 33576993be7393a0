"""durable_rules (C, MIT) through its C module, without its Python host.

One Rete network for each event type, with the rules as they are: an event is asserted as a fact, every rule that fires
is collected, the fact is retracted. Each event is asked anew; no answer is remembered. Rules and facts go in as they
are: that is 1.3 to 2.3 times as fast as asking the networks over classes of values that botopt makes of the same rules.

What makes it safe here stands in docs/adr/0002-rules-network.md: one session, small rulesets, one rule that always
fires, and values that are all of their fields' types, with numbers that need no exponent.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence

import durable_rules_engine as engine
import msgspec

from benchmarks.engines.translation import Data, Group, Leaf, Matcher, Tree, tree
from botopt.model.condition import Condition
from botopt.network.lowering import MAX_NODES, MAX_RULES, RETRACTED, SESSION

ALWAYS = "always"
"""The rule that always fires: an answer without it is no answer."""
ANCHOR = "always_1"
"""What each fact has, and each rule begins with."""
IDENTITY = {"sid": SESSION, "id": "1", ANCHOR: 1}

SIGNS = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}

Pattern = dict[str, object]
Rules = dict[str, Pattern]

_numbers = itertools.count()


def build(conditions: Sequence[Condition]) -> Matcher:
    """The matcher of the conditions of an event type."""
    fired = [_fired(rules) for rules in rulesets(conditions)]
    places = {ALWAYS: 0, **{str(place): 1 << place for place in range(len(conditions))}}
    encode = msgspec.json.encode

    def match(data: Data) -> int:
        fact, mask = encode({**data, **IDENTITY}).decode(), 0
        for ask in fired:
            for name in ask(fact):
                mask |= places[name]
        return mask

    return match


def _fired(rules: Rules) -> Callable[[str], set[str]]:
    """The function from a fact to the names of the rules that it fires."""
    handle = engine.create_ruleset(f"benchmark{next(_numbers)}", json.dumps(rules))
    assert_fact, retract_fact = engine.assert_fact, engine.retract_fact
    start, go_on = engine.start_action_for_state, engine.complete_and_start_action

    def ask(fact: str) -> set[str]:
        code, session = assert_fact(handle, fact)
        if code != 0:
            raise RuntimeError(f"code {code} for {fact}")
        names = set()  # a rule fires once for each of its ways that is open
        action = start(handle, session)[1]
        while action:
            names.add(action.split('"', 2)[1])  # {"name of the rule": {"m": the fact}}
            action = go_on(handle, session)
        retract_fact(handle, RETRACTED)
        if ALWAYS not in names:
            raise RuntimeError(f"no answer for {fact}")
        return names

    return ask


def rulesets(conditions: Sequence[Condition]) -> list[Rules]:
    """The networks of an event type; rule `7` stands for bit 7."""
    return [
        {ALWAYS: _rule(True), **{str(place): _rule(rule) for place, rule in group.items()}}
        for group in groups(conditions)
    ]


def groups(conditions: Sequence[Condition]) -> list[dict[int, Tree]]:
    """The rules that can hold, with their places, no more in a group than a network can safely take."""
    filled: list[dict[int, Tree]] = []
    room = 0
    for place, condition in enumerate(conditions):
        rule = tree(condition)
        if rule is False:
            continue
        nodes = _nodes(rule)
        if room < nodes or len(filled[-1]) >= MAX_RULES:
            filled.append({})
            room = MAX_NODES - 2  # the root and the anchor
        if room < nodes:
            raise ValueError(f"too large for one rule: {condition}")
        room -= nodes
        filled[-1][place] = rule
    return filled


def _rule(condition: Tree) -> Pattern:
    parts: Sequence[Tree] = condition.parts if isinstance(condition, Group) and condition.every else [condition]
    return {"all": [{"m": {"$and": [{ANCHOR: 1}, *(_pattern(part) for part in parts if part is not True)]}}]}


def _pattern(part: Tree) -> Pattern:
    match part:
        case Group(every, parts):
            return {"$and" if every else "$or": [_pattern(one) for one in parts]}
        case Leaf(field, "in", tuple(options)):
            return {"$or": [{field: option} for option in options]}
        case Leaf(field, "not in", tuple(options)):
            return {"$and": [{"$neq": {field: option}} for option in options]}
        case Leaf(field, "==", value):
            return {field: value}
        case Leaf(field, operator, value):
            return {SIGNS[operator]: {field: value}}
        case _:
            raise AssertionError(part)


def _nodes(part: Tree) -> int:
    """How many nodes a condition takes in a network."""
    match part:
        case Group(every, parts):
            return sum(_nodes(one) for one in parts) + (not every)
        case Leaf(_, "in", tuple(options)):
            return len(options) + 1
        case Leaf(_, _, tuple(options)):
            return len(options)
        case _:
            return 1


if __name__ == "__main__":
    from benchmarks.engines.starting import start

    start(build)
