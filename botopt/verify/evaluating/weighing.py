"""From decisions and what the new policy says to them, to weighed rounds."""

from __future__ import annotations

from collections.abc import Callable

from botopt.model.decision import Decision, Outcome, Reason
from botopt.verify.evaluating.asking import NOTHING, ask
from botopt.verify.evaluating.rounds import Action, Answer, Round
from botopt.verify.evaluating.walking import choice_of
from botopt.verify.log.folding import Asked
from botopt.verify.log.model import Logged


class Weighing:
    """Asks the policy of a walk, and keeps what it says as rounds.

    A message that waits is decided more than once. The chances of its decisions are multiplied: `weight` by those that
    the log had over those that the policy gives, `left` by the policy's chance that it still waits.

    Args:
        from_us: rounds that began before it are left out.
        until_us: rounds that began later are: their answers may still come.
        answer: what says what the policy would do.
    """

    def __init__(self, from_us: int, until_us: int, answer: Callable[[Asked], Answer] | None = None) -> None:
        self._from_us = from_us
        self._until_us = until_us
        self._answer = answer_of if answer is None else answer
        self._open: dict[tuple[int, str, str], Opened] = {}
        self.rounds: list[Round] = []
        self.unanswered = 0

    def take(self, asked: Asked) -> Answer | None:
        """One decision of the log."""
        key = (asked.user, asked.event.source, asked.event.id)
        if asked.first:
            inside = self._from_us <= asked.time_us <= self._until_us
            if inside:
                self._open[key] = Opened(asked)
        opened = self._open.get(key)
        answer = self._answer(asked)
        if opened is None:
            return answer
        decision = asked.decision
        if opened.step(answer, decision):
            return answer
        del self._open[key]
        closed = opened.close(asked.logged)
        if closed is None:
            self.unanswered += 1
        else:
            self.rounds.append(closed)
        return answer


def answer_of(asked: Asked) -> Answer:
    """What the policy of the walk would do."""
    return NOTHING if asked.work is None else ask(asked.work)


class Opened:
    """A round that is not over yet."""

    def __init__(self, asked: Asked) -> None:
        self._user = asked.user
        self._time_us = asked.time_us
        self._event_type = asked.event.type
        self._left = 1.0
        self._weight = 1.0
        self._masses: dict[Action, float] = {}
        self._supported = 0.0
        self._unsupported = 0.0
        self._taken: Action | None = None

    def step(self, answer: Answer, decision: Decision | None) -> bool:
        """One decision; whether the message waits for another."""
        chance = _chance(decision)
        waits = decision is not None and decision.outcome is Outcome.HELD
        taken = _action(decision)
        reach = self._left * answer.passing
        for action, share in answer.sends.items():
            self._give(action, reach * share, _could_send(decision, action, taken))
        for hour, share in answer.waits.items():
            if not waits and share:  # it would go later, and at that hour nobody was asked
                self._give(_LATER, reach * share, _could_wait(decision, hour))
        if waits and decision is not None:
            hour = _hour(decision)
            self._weight *= answer.passing * answer.waits.get(hour, 0.0) / chance
            self._left = reach * sum(answer.waits.values())
            return True
        if taken is not None:
            self._taken = taken
            self._weight *= answer.passing * answer.sends.get(taken, 0.0) / chance
        return False

    def _give(self, action: Action, mass: float, supported: bool) -> None:
        if not mass:
            return
        self._masses[action] = self._masses.get(action, 0.0) + mass
        if supported:
            self._supported += mass
        else:
            self._unsupported += mass

    def close(self, logged: Logged | None) -> Round | None:
        """The round, or None where nobody knows what became of its message."""
        clicked = None if logged is None else logged.clicked
        if self._taken is not None and clicked is None:
            return None
        return Round(
            self._user,
            self._time_us,
            self._event_type,
            self._taken,
            bool(clicked),
            self._weight if self._taken is not None else 0.0,
            tuple(self._masses.items()),
            self._supported,
            self._unsupported,
        )


_LATER = Action("", "", "")
"""A message at another hour than the log's."""


def _action(decision: Decision | None) -> Action | None:
    message = None if decision is None or decision.outcome is not Outcome.SENT else decision.message
    return None if message is None else Action(message.template, message.variant, message.channel)


def _chance(decision: Decision | None) -> float:
    """The chance of what was done, at the state in which it was. Who is in which arm is no draw of this decision."""
    if decision is None:
        return 1.0
    chance = 1.0
    for choice in decision.choices:
        if choice.purpose in ("variant", "send_time") or (choice.purpose == "explore" and choice.chosen == "yes"):
            chance *= choice.propensity
    return chance


def _hour(decision: Decision) -> str:
    choice = choice_of(decision, "send_time") if decision.reason is Reason.SEND_TIME else None
    return "" if choice is None else choice.chosen


def _could_send(decision: Decision | None, action: Action, taken: Action | None) -> bool:
    """Whether the log had a chance above 0 of sending this there."""
    if decision is None:
        return False
    if taken is None:
        return _drew(decision, "explore", "no") or (decision.outcome is Outcome.HELD and _drew(decision, "send_time"))
    if action == taken:
        return True
    variant = choice_of(decision, "variant")
    same = (action.template, action.channel) == (taken.template, taken.channel)
    return same and variant is not None and variant.propensity < 1.0 and action.variant in variant.eligible


def _could_wait(decision: Decision | None, hour: str) -> bool:
    if decision is None:
        return False
    choice = choice_of(decision, "send_time")
    drawn = choice is not None and choice.propensity < 1.0 and hour in choice.eligible
    return drawn or _drew(decision, "explore", "no")


def _drew(decision: Decision, purpose: str, chosen: str | None = None) -> bool:
    """Whether something else could have been drawn."""
    choice = choice_of(decision, purpose)
    return choice is not None and choice.propensity < 1.0 and chosen in (None, choice.chosen)
