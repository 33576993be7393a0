"""How what became of an event under one policy differs from what became of it under another."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from botopt.model.decision import Decision, Message, Outcome


class Kind(StrEnum):
    """How an event ends differently, the most important first."""

    GAINED = "gained"
    LOST = "lost"
    MOVED = "moved"
    REROUTED = "rerouted"
    REWORDED = "reworded"
    REASON = "reason"
    NUMBERS = "numbers"

    __hash__ = str.__hash__


SEEN = (Kind.GAINED, Kind.LOST, Kind.MOVED, Kind.REROUTED, Kind.REWORDED)
"""What users notice. Of the others only records tell: another reason for silence, or other numbers."""


def kind_of(old: Decision | None, new: Decision | None) -> Kind | None:
    """How two ends of one event differ; None where they do not. None for a decision: none was made."""
    if old == new:
        return None
    before, after = message_of(old), message_of(new)
    if before is None and after is None:
        return Kind.NUMBERS if end_of(old) == end_of(new) else Kind.REASON
    if before is None or old is None:
        return Kind.GAINED
    if after is None or new is None:
        return Kind.LOST
    if old.time_us != new.time_us:
        return Kind.MOVED
    if before.channel != after.channel:
        return Kind.REROUTED
    return Kind.NUMBERS if _words(before) == _words(after) else Kind.REWORDED


def differs(old: Decision | None, new: Decision | None) -> bool:
    """Whether two decisions at one moment differ in more than numbers; one that waits longer does."""
    if kind_of(old, new) not in (None, Kind.NUMBERS):
        return True
    return is_held(old) and old is not None and new is not None and old.until_us != new.until_us


def is_held(decision: Decision | None) -> bool:
    """Whether the message waits."""
    return decision is not None and decision.outcome is Outcome.HELD


def message_of(decision: Decision | None) -> Message | None:
    """The message, where one was sent."""
    return None if decision is None else decision.message


def end_of(decision: Decision | None) -> tuple[str, str | None]:
    """What became of an event in a word, and what did it."""
    if decision is None:
        return "no decision", None
    if decision.outcome is Outcome.HELD:
        return "held", decision.by
    return (decision.outcome if decision.reason is None else decision.reason).value, decision.by


def _words(message: Message) -> Message:
    """What the user reads: no user sees what its template and variant are called."""
    return msgspec.structs.replace(message, id="", template="", variant="")
