"""What the engine looked at when it took each decision of a log, by folding the log with its functions."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from botopt.engine import effects
from botopt.engine.engine import Engine
from botopt.engine.experiments import is_in_control
from botopt.engine.scoring import clamp
from botopt.engine.values import rate_of
from botopt.engine.work import Work
from botopt.model.decision import Decision, Outcome
from botopt.model.learned import Snapshot
from botopt.model.policy import Choose
from botopt.model.user_state import Lesson
from botopt.verify.log.folding import Asked, Folding
from botopt.verify.log.model import Log, Logged
from botopt.verify.log.ordering import ordered


class Moment(msgspec.Struct, gc=False):
    """A logged decision, and what was known just before it was taken; good until the next one.

    `work` holds the state; None where the present policy does not decide such events. `raw` is the score before
    engagement, as the record has it. `same`: the record names the very learned values that the log leads to; None where
    it names none.
    """

    logged: Logged
    work: Work | None
    now_us: int
    snapshot: Snapshot
    raw: float
    same: bool | None

    @property
    def decision(self) -> Decision:
        """The record."""
        return self.logged.decision


def fold(log: Log, engine: Engine, look: Callable[[Moment], None]) -> None:
    """Fold a log, and show every decision that was taken; those about held messages as late as the user's next event.

    Args:
        log: of the policy that decided; it need not hold the events that were decided.
        engine: of the present policy; what it must remember of users is remembered.
        look: is shown each decision.
    """

    def meet(asked: Asked) -> Lesson | None:
        assert asked.logged is not None
        decision, snapshot = asked.logged.decision, asked.learned.snapshot
        raw = clamp(sum(part.value for part in decision.parts if part.part in ("base", "rule")))
        same = None if decision.snapshot is None else decision.snapshot == snapshot.id
        look(Moment(asked.logged, asked.work, asked.time_us, snapshot, raw, same))
        work = asked.work
        if work is None or decision.outcome is not Outcome.SENT:
            return None
        work.control = is_in_control(engine.policy.settings, asked.event.user)
        if not work.control:
            work.chance = effects.foretold(work.plan, work.state, work.now_us, snapshot, raw)
        return _lesson(engine, work, decision)

    Folding(engine, meet).run(ordered(log))


def _lesson(engine: Engine, work: Work, decision: Decision) -> Lesson | None:
    """What the variant that was chosen by learning has to teach."""
    message = decision.message
    choice = next((each for each in decision.choices if each.purpose == "variant"), None)
    if message is None or choice is None or work.control or message.template not in engine.policy.templates:
        return None
    template = work.plan.template_plan(message.template)
    if template.template.choose is not Choose.LEARN:
        return None
    known = (choice.eligible, work.learned.snapshot, work.state, work.event.key, work.now_us)
    _, _, lesson = template.learned(*known, rate_of(work))
    lesson.variant = choice.chosen
    return lesson
