"""Rounds: one event of one user, what was done about it, what came of it, and what the new policy would have done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec


class Action(NamedTuple):
    """A message, by its names: another text under the same name counts as the same message."""

    template: str
    variant: str
    channel: str


class Answer(msgspec.Struct, frozen=True):
    """What a policy would do at a state, by its chances.

    `passing` is the chance that the score is high enough. `sends` and `waits` are what follows if it is: the chance of
    each message, and of waiting, by the hour that is waited for (a fixed time, such as the end of quiet hours, under an
    empty name). What is left is the chance of no message.
    """

    passing: float
    sends: Mapping[Action, float] = {}
    waits: Mapping[str, float] = {}


class Round(msgspec.Struct, frozen=True):
    """An event with its decisions, weighed.

    `weight` is 0 where nothing was sent. `masses` are the new policy's messages by their chances; `supported` and
    `unsupported` sum them: those the log tells of, and those it never could have sent there.
    """

    user: int
    time_us: int
    event_type: str
    taken: Action | None
    clicked: bool
    weight: float
    masses: tuple[tuple[Action, float], ...]
    supported: float
    unsupported: float
