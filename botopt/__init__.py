"""botopt decides which chatbot messages are worth sending.

    import botopt

    policy = botopt.load("shop")
    with open("events.jsonl", "rb") as events:
        for decision in botopt.replay(policy, events):
            print(decision.user, decision.outcome, decision.reason)

Everything that programs may rely on is listed in `__all__`; all else may change between versions. Names are
imported when they are first used, so that `import botopt` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from botopt.model.version import VERSION

if TYPE_CHECKING:
    from botopt.model.decision import Decision, Message, Outcome, Reason
    from botopt.model.diagnostic import Diagnostic, Severity
    from botopt.model.errors import BotoptError, InputError, PolicyError, StateError, UsageError
    from botopt.model.event import Event
    from botopt.model.policy import Policy
    from botopt.model.position import Position
    from botopt.model.user_state import UserState as State
    from botopt.verify.api import decide, replay
    from botopt.verify.validate import Validation, load, validate

__version__ = VERSION

_HOMES = {
    "BotoptError": "model.errors",
    "Decision": "model.decision",
    "Diagnostic": "model.diagnostic",
    "Event": "model.event",
    "InputError": "model.errors",
    "Message": "model.decision",
    "Outcome": "model.decision",
    "Policy": "model.policy",
    "PolicyError": "model.errors",
    "Position": "model.position",
    "Reason": "model.decision",
    "Severity": "model.diagnostic",
    "State": "model.user_state",
    "StateError": "model.errors",
    "UsageError": "model.errors",
    "Validation": "verify.validate",
    "decide": "verify.api",
    "load": "verify.validate",
    "replay": "verify.api",
    "validate": "verify.validate",
}

__all__ = [
    "BotoptError",
    "Decision",
    "Diagnostic",
    "Event",
    "InputError",
    "Message",
    "Outcome",
    "Policy",
    "PolicyError",
    "Position",
    "Reason",
    "Severity",
    "State",
    "StateError",
    "UsageError",
    "Validation",
    "__version__",
    "decide",
    "load",
    "replay",
    "validate",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'botopt' has no attribute {name!r}")
    value: object = getattr(import_module(f"botopt.{_HOMES[name]}"), "UserState" if name == "State" else name)
    globals()[name] = value
    return value
