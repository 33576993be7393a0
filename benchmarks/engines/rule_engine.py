"""rule-engine (Python, BSD-3-Clause), 4 or later: its own expression language.

One rule for each event type: a list of all conditions, evaluated once for each event, because each evaluation sets up
its arithmetic anew; a rule for each condition is up to an eighth slower. Its context knows that facts are dictionaries,
but not their types: those are checked again whenever a value is read, which costs a fifth.
"""

from __future__ import annotations

from collections.abc import Sequence

import rule_engine

from benchmarks.engines.translation import Data, Matcher, Spelling, bits, escaped, infix, mask, tree
from botopt.model.condition import Condition

SPELLING = Spelling(every=" and ", some=" or ", negation="not ", quoted=escaped)


def build(conditions: Sequence[Condition]) -> Matcher:
    """The matcher of the conditions of an event type."""
    text = f"[{', '.join(infix(tree(condition), SPELLING) for condition in conditions)}]"
    evaluate = rule_engine.Rule(text, context=rule_engine.Context(resolver=rule_engine.resolve_item)).evaluate
    places = bits(len(conditions))

    def match(data: Data) -> int:
        return mask(evaluate(data), places)

    return match


if __name__ == "__main__":
    from benchmarks.engines.starting import start

    start(build)
