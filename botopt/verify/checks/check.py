"""What a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Policy

Findings = Callable[[Policy], Iterable[Diagnostic]]


class Remembering(Protocol):
    """Finds the same as a check, and remembers parts of a policy that it looked at before.

    It looks at `most` parts that it does not know, at most; `left` is how many it left for the next time.
    """

    left: int

    def __call__(self, policy: Policy, most: int) -> Iterable[Diagnostic]: ...


class Check(msgspec.Struct, frozen=True):
    """A named function from a policy to findings. `essential` finds what must not be there before an event is decided,
    if there is such a thing: a part of what `findings` finds. `again` makes what finds the same for those who ask
    after every edit. `whole`: it says what a policy never does, so it needs one without errors: in one that lacks a
    part it would be wrong.
    """

    name: str
    findings: Findings
    essential: Findings | None = None
    again: Callable[[], Remembering] | None = None
    whole: bool = False
