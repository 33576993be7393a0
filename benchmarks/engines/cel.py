"""common-expression-language (Rust, Apache-2.0): Google's CEL.

One compiled program for each event type, which adds up the bits of the rules that hold: one crossing into Rust for all
rules, and one number back. A list of truth values is a fifth slower, a program for each rule a third; a context that
is kept and updated is no faster than the event's own dictionary.
"""

from __future__ import annotations

from collections.abc import Sequence

import cel

from benchmarks.engines.translation import Data, Matcher, Spelling, escaped, infix, tree
from botopt.model.condition import Condition

SPELLING = Spelling(every=" && ", some=" || ", negation="!", quoted=escaped)
AT_ONCE = 60
"""Its whole numbers have 64 bits, and one is the sign."""


def build(conditions: Sequence[Condition]) -> Matcher:
    """The matcher of the conditions of an event type."""
    if len(conditions) <= AT_ONCE:
        answer: Matcher = cel.compile(_bits(conditions)).execute
        return answer
    first, others = build(conditions[:AT_ONCE]), build(conditions[AT_ONCE:])

    def match(data: Data) -> int:
        return first(data) | others(data) << AT_ONCE

    return match


def _bits(conditions: Sequence[Condition]) -> str:
    texts = (infix(tree(condition), SPELLING) for condition in conditions)
    return " + ".join(["0", *(f"({text} ? {1 << place} : 0)" for place, text in enumerate(texts))])


if __name__ == "__main__":
    from benchmarks.engines.starting import start

    start(build)
