"""A policy that learns nothing, on a state in which something was learned.

Nothing new is learned, and what is known has no say. But messages that were sent while something was learned wait for
their answers. Who did not hear those would count such a message as ignored when learning is switched on again, although
it was clicked. So answers are taken down, and nothing else.
"""

from __future__ import annotations

import msgspec

from botopt.learning.learner import Kept, Learner, Since
from botopt.learning.lessons import Recorder
from botopt.model.policy import Policy
from botopt.model.user_state import NEVER_US, Lesson


class Settling(Recorder):
    """Takes down answers to messages that have a lesson."""

    __slots__ = ()

    def sent(self, event_type: str, time_us: int, lesson: Lesson | None) -> None:
        """Nothing."""

    def active(self, hour: int, amount: int) -> None:
        """Nothing."""


def recorder_of(policy: Policy, refresh_us: int) -> Recorder:
    """One for this policy; `refresh_us` is the length of the periods that lessons wait in."""
    return Recorder(refresh_us) if policy.learns else Settling(refresh_us)


class Settler(Learner):
    """A learner that meets no boundary: all it does is add answers to what came since the last one."""

    follows = False

    def __init__(self, policy: Policy, kept: Kept, since: Since) -> None:
        super().__init__(policy)
        self._kept = kept
        self._since = since
        self._refresh_us, self._clock_us = kept.refresh_us, kept.clock_us
        recorder = Settling(kept.refresh_us, since.lessons.copy(), self._matured(kept.clock_us), self._newest())
        self.learned.recorder = recorder

    def _aim(self) -> None:
        self.low_us, self.next_us = NEVER_US, -NEVER_US

    def keep(self) -> Kept:
        """As it was."""
        return self._kept

    def since(self) -> Since:
        """As it was, but for the lessons."""
        return msgspec.structs.replace(self._since, lessons=self.learned.recorder.lessons)
