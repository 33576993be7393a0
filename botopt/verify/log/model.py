"""A log as it was read: decisions with their answers, events, and what could not be read."""

from __future__ import annotations

import msgspec

from botopt.model.decision import Decision
from botopt.model.event import Event
from botopt.model.user_state import Response

_KNOWN = (Response.CLICKED, Response.DISMISSED, Response.IGNORED)


class Logged(msgspec.Struct, frozen=True, gc=False):
    """One decision and what became of its message.

    `response` is None where nothing was sent, and where nobody knows any more what the answer was. Once clicked, always
    clicked; a conversion is a click. FAILED: the message never arrived, so it counts nowhere. IGNORED: no answer for
    `ignored_after` by the newest time of the log. PENDING: sent later than that, so that it is too early to tell.
    `response_us` is None for PENDING; for IGNORED it is when the time was over. `converted`: a conversion was reported.
    """

    decision: Decision
    response: Response | None = None
    response_us: int | None = None
    converted: bool = False

    @property
    def clicked(self) -> bool | None:
        """Whether the message was clicked; None where there is none, or nobody knows, or it is too early to tell."""
        return self.response is Response.CLICKED if self.response in _KNOWN else None


class Matched(msgspec.Struct, frozen=True, gc=False):
    """An event with its place among all lines, and the decisions about it in their order: one, and one more after each
    that held its message. `refused`: it was not taken in.
    """

    event: Event
    ordinal: int
    chain: tuple[Logged, ...] = ()
    refused: bool = False


class Problem(msgspec.Struct, frozen=True):
    """What could not be read, or not be paired: in words, how often, and where first, as in `log.jsonl, line 7`."""

    words: str
    count: int
    first: str


class Log(msgspec.Struct, frozen=True):
    """Everything that was read.

    `decisions` are in the order of (time, id), each id once; lines that were no events stand first, where they have no
    time. `events` are in the order of time: feedback, consent, `user.active`, and whatever else the files held.
    `until_us` is the newest time of all; None where nothing has a time.
    """

    decisions: tuple[Logged, ...]
    events: tuple[Event, ...]
    problems: tuple[Problem, ...]
    until_us: int | None
