"""What a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Policy

Findings = Callable[[Policy], Iterable[Diagnostic]]


class Check(msgspec.Struct, frozen=True):
    """A named function from a policy to findings. `essential` finds what must not be there before an event is decided,
    if there is such a thing: a part of what `findings` finds. `again` makes a function that finds the same, and
    remembers parts of a policy that it looked at before: for those who ask after every edit.
    """

    name: str
    findings: Findings
    essential: Findings | None = None
    again: Callable[[], Findings] | None = None
