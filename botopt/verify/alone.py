"""Learning from one user only, on the clock of a story: for rule tests, where there is nobody else."""

from __future__ import annotations

from botopt.engine.engine import Engine, Observer
from botopt.learning.learner import Learned, Learner
from botopt.model.decision import Decision
from botopt.model.user_state import UserState


class Alone:
    """What there is to learn in a story of one user. Its clock is right, so it is followed at once, however far."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._learner = Learner(engine.policy) if engine.policy.learns else None

    @property
    def learned(self) -> Learned | None:
        """What decisions read and write; None where the policy does not learn."""
        return None if self._learner is None else self._learner.learned

    def follow(self, state: UserState, time_us: int, observer: Observer) -> list[Decision]:
        """Something of this time comes next. What has been held for so long that it is about to count is decided."""
        learner = self._learner
        if learner is None or time_us < learner.next_us:
            return []
        until_us = min(learner.ripe_us(time_us), time_us)
        decisions = self._engine.release(state, until_us, observer, learned=learner.learned)
        learner.turn(time_us)
        return decisions
