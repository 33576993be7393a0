"""What a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from botopt.model.diagnostic import Diagnostic
from botopt.model.policy import Policy


class Check(msgspec.Struct, frozen=True):
    """A named function from a policy to findings. An essential one is run before any event is decided, too."""

    name: str
    findings: Callable[[Policy], Iterable[Diagnostic]]
    essential: bool = False
