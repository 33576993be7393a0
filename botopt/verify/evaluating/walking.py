"""The walk over a log: at each decision of it a policy is asked what it would do (one-step evaluation)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from botopt.engine.engine import Engine
from botopt.engine.values import rate_of
from botopt.engine.work import Work
from botopt.learning.lessons import whole
from botopt.model.decision import Choice, Decision, Outcome
from botopt.model.event import Event
from botopt.model.policy import Choose
from botopt.model.user_state import Lesson
from botopt.verify.evaluating.rounds import Answer
from botopt.verify.log.folding import Asked, Folding
from botopt.verify.log.model import Matched


class Walk:
    """Walks over a log with the engine of one policy.

    Args:
        engine: folds the log.
        answer: says what the policy would do; it gets each decision with a fresh `Work`, and fills in its scores.
        without: about these events the log holds no decisions, and they are put to the policy all the same.
    """

    def __init__(
        self, engine: Engine, answer: Callable[[Asked], Answer | None], without: Callable[[Event], bool]
    ) -> None:
        self._templates = engine.policy.templates
        self._learns = engine.policy.learns
        self._answer = answer
        self._folding = Folding(engine, self._meet, without)

    def run(self, matched: Sequence[Matched]) -> None:
        """All of the log."""
        self._folding.run(matched)

    def _meet(self, asked: Asked) -> Lesson | None:
        answer, decision, work = self._answer(asked), asked.decision, asked.work
        if not self._learns or work is None or decision is None or decision.outcome is not Outcome.SENT:
            return None
        return self._lesson(work, decision, answer)

    def _lesson(self, work: Work, decision: Decision, answer: Answer | None) -> Lesson | None:
        """What the policy would learn from the logged message, if it learns among the same variants."""
        message = decision.message
        template = None if message is None else self._templates.get(message.template)
        if message is None or template is None or template.choose is not Choose.LEARN or work.control:
            return None
        drawn = choice_of(decision, "variant")
        odds = {message.variant: 1.0}
        if not template.differs:
            odds = {}
        elif drawn is not None and len(drawn.eligible) > 1:
            others = {name: 1.0 for name in drawn.eligible if name != message.variant}
            for action, chance in () if answer is None else answer.sends.items():
                if action.template == message.template and action.variant in others:
                    others[action.variant] = chance or 1.0
            left = (1.0 - drawn.propensity) / sum(others.values())
            odds = {
                name: drawn.propensity if name == message.variant else others[name] * left for name in drawn.eligible
            }
        whole_odds = {name: max(whole(chance), 1) for name, chance in odds.items()}
        return Lesson(message.template, message.variant, whole_odds, whole(rate_of(work)))


def choice_of(decision: Decision, purpose: str) -> Choice | None:
    """The draw of that purpose."""
    return next((choice for choice in decision.choices if choice.purpose == purpose), None)
