"""The exception tree. Faults of authors are diagnostics; these are what callers can catch.

BotoptError
├── PolicyError      the workspace has errors; carries its diagnostics
├── UsageError       the call makes no sense (a bad option, two that exclude each other)
├── InputError       a file of the user's could not be read or written
├── StateError       the state was refused and left as it was
│   ├── StateLocked  another process holds it
│   ├── StateNewer   a newer botopt wrote it
│   └── StateCorrupt it is no state file, or it is damaged
└── RenderError      a template went over its bounds or met an undefined value
"""

from __future__ import annotations

from botopt.model.counting import number_of
from botopt.model.diagnostic import Diagnostic, Severity


class BotoptError(Exception):
    """The root: everything botopt raises on purpose."""


class PolicyError(BotoptError):
    """The workspace has errors. `diagnostics` holds every finding, warnings too."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = diagnostics
        errors = [d for d in diagnostics if d.severity is Severity.ERROR]
        first = f": {errors[0].position} {errors[0].code} {errors[0].message}" if errors else ""
        super().__init__(f"the policy has {number_of(len(errors), 'error')}{first}")


class UsageError(BotoptError):
    """The call makes no sense as it stands."""


class InputError(BotoptError):
    """A file could not be read or written (exit code 9)."""


class StateError(BotoptError):
    """The state was refused, and left unharmed (exit code 8)."""


class StateLocked(StateError):
    """Another process holds the state."""


class StateNewer(StateError):
    """A newer version of botopt wrote the state."""


class StateCorrupt(StateError):
    """The file is not a botopt state, or it is damaged."""


class RenderError(BotoptError):
    """A template went over its bounds, or met a value it could not print."""
