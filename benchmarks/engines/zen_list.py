"""zen-engine (Rust, MIT): its expression language.

One list of all conditions of an event type, compiled once and evaluated once for each event: one crossing into Rust
for all rules is several times as fast as one for each rule. Letting zen add up the bits, in place of the list, is up to
an eighth faster for a few rules, and no faster from a dozen.
"""

from __future__ import annotations

from collections.abc import Sequence

import zen

from benchmarks.engines.translation import Data, Matcher, Spelling, bits, infix, mask, tree, unescaped
from botopt.model.condition import Condition

SPELLING = Spelling(every=" and ", some=" or ", negation="not ", quoted=unescaped)


def build(conditions: Sequence[Condition]) -> Matcher:
    """The matcher of the conditions of an event type."""
    text = f"[{', '.join(infix(tree(condition), SPELLING) for condition in conditions)}]"
    evaluate = zen.compile_expression(text).evaluate
    places = bits(len(conditions))

    def match(data: Data) -> int:
        return mask(evaluate(data), places)

    return match


if __name__ == "__main__":
    from benchmarks.engines.starting import start

    start(build)
