"""What a policy asks for that this version does in a simpler way."""

from __future__ import annotations

from collections.abc import Iterator

from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Choose, Policy


def learn_is_first(policy: Policy) -> Iterator[Diagnostic]:
    """`choose: learn` takes the first eligible variant until learning is built; the record says so, too."""
    for template in policy.templates.values():
        if template.choose is Choose.LEARN:
            yield finding(
                "B401",
                template.position,
                f'template "{template.name}": `choose: learn` does not learn yet; '
                "it takes the first variant whose `when` holds",
                "nothing needs to change; write `choose: weighted` to split messages between variants today",
            )
