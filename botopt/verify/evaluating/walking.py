"""The walk over a log: states are folded from what was really sent and answered, and at each decision others are asked.

Nobody's answer changes a state: that is one-step evaluation. What the new policy would have sent does not tire anybody,
and fills no window; what was really sent does.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

from botopt.engine import effects, feedback
from botopt.engine.engine import Engine
from botopt.engine.plan import Plan
from botopt.engine.values import as_declared, rate_of
from botopt.engine.work import Work
from botopt.learning.learner import Learner
from botopt.learning.lessons import whole
from botopt.model.decision import Choice, Decision, Outcome, Reason
from botopt.model.event import Event
from botopt.model.policy import Choose
from botopt.model.user_state import NEVER_US, Lesson, Send, UserState
from botopt.verify.evaluating.rounds import Answer, Fate, Matched

_PRUNED_EVERY = 64


class Asked:
    """One decision of the log, put to a policy: `work` is scored by whoever answers."""

    __slots__ = ("decision", "event", "fate", "first", "time_us", "user", "work")

    def __init__(
        self, user: int, event: Event, time_us: int, decision: Decision | None, fate: Fate | None, *, first: bool
    ) -> None:
        self.user = user
        self.event = event
        self.time_us = time_us
        self.decision = decision
        self.fate = fate
        self.first = first
        self.work: Work | None = None


class _User:
    """A user's state, and the decisions about held messages that are still to come."""

    __slots__ = ("due", "events", "number", "state")

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = UserState()
        self.due: list[tuple[int, int, int, _Chain]] = []
        self.events = 0


class _Chain:
    """An event with the decisions about it, up to now."""

    __slots__ = ("matched", "seen_us", "timed")

    def __init__(self, matched: Matched, seen_us: int) -> None:
        self.matched = matched
        self.seen_us = seen_us
        self.timed = False


class Walk:
    """Walks over a log with the engine of one policy.

    Args:
        engine: whose functions fold the states, and whose view of all users (`Learner`) is folded along.
        answer: says what the policy would do; it gets each decision with a fresh `Work`.
        without: about events of these types the log holds no decisions, and they are put to the policy all the same.
    """

    def __init__(
        self, engine: Engine, answer: Callable[[Asked], Answer | None], without: Callable[[Event], bool]
    ) -> None:
        self._engine = engine
        self._answer = answer
        self._without = without
        self._plans = {plan.event_type.name: plan for plan in engine.plans()}
        self._settings = engine.policy.settings
        self._learner = Learner(engine.policy) if engine.policy.learns else None
        self._learned = engine.unlearned if self._learner is None else self._learner.learned
        self._users: dict[str, _User] = {}

    def run(self, matched: Sequence[Matched]) -> None:
        """All events in their order, then the held messages that are left."""
        for each in matched:
            self._turn(each)
            self._take(each)
        for user in self._users.values():
            self._release(user, None)

    def _turn(self, matched: Matched) -> None:
        learner, time_us = self._learner, matched.event.time_us
        if learner is not None and learner.is_boundary(matched.event.user, time_us, matched.ordinal):
            until_us = min(learner.ripe_us(time_us), time_us)
            for user in self._users.values():  # as in a replay, what was held until then comes before
                self._release(user, until_us)
            learner.turn(time_us)

    def _take(self, matched: Matched) -> None:
        event = matched.event
        user = self._users.get(event.user)
        if user is None:
            user = self._users[event.user] = _User(len(self._users))
        state = user.state
        if matched.refused or (state.deleted and event.type != "user.subscribed"):
            return
        first = matched.chain[0][0] if matched.chain else None
        now_us = max(
            event.time_us, state.clock_us, NEVER_US if first is None or first.time_us is None else first.time_us
        )
        self._release(user, now_us)
        if state.deleted:
            feedback.forget(state, event.time_us, deleted=False)
        if event.type.startswith("message."):
            self._respond(state, event, now_us)
            return
        state.clock_us = now_us
        feedback.settle(state, now_us, self._settings)
        if matched.chain or self._without(event):
            self._decided(user, _Chain(matched, now_us), 0, now_us)
        self._happened(user, event, now_us)

    def _happened(self, user: _User, event: Event, now_us: int) -> None:
        state = user.state
        match event.type:
            case "user.updated":
                feedback.update(state, event)
            case "user.subscribed" | "user.unsubscribed":
                feedback.consent(state, event, granted=event.type == "user.subscribed")
            case "user.active":
                self._engine.notice(state, event, now_us, self._learned)
            case "user.deleted":
                feedback.forget(state, now_us, deleted=True)
                user.due.clear()
                return
            case _:
                pass
        effects.remember(state, event, now_us, self._engine.keep)
        user.events += 1
        if not user.events % _PRUNED_EVERY:
            self._engine.prune(state)

    def _respond(self, state: UserState, event: Event, now_us: int) -> None:
        found = feedback.target(state, event, now_us)
        if isinstance(found, str):
            return
        state.clock_us = now_us
        feedback.settle(state, now_us, self._settings)
        if not feedback.counts_as_before(event):
            before = feedback.respond(state, found, event.type, now_us, self._settings)
            if before is not None:
                self._engine.heed(state, found, before, now_us, self._learned)
        feedback.cap(state, found, event, now_us)
        effects.remember(state, event, now_us, self._engine.keep)

    def _release(self, user: _User, until_us: int | None) -> None:
        while user.due and (until_us is None or user.due[0][0] <= until_us):
            time_us, _, attempt, chain = heapq.heappop(user.due)
            user.state.clock_us = max(user.state.clock_us, time_us)
            feedback.settle(user.state, user.state.clock_us, self._settings)
            self._decided(user, chain, attempt, time_us)

    def _decided(self, user: _User, chain: _Chain, attempt: int, now_us: int) -> None:
        """Put one decision to the policy, then let happen what happened."""
        matched = chain.matched
        decision, fate = matched.chain[attempt] if attempt < len(matched.chain) else (None, None)
        event, plan = matched.event, self._plans.get(matched.event.type)
        asked = Asked(user.number, event, now_us, decision, fate, first=attempt == 0)
        if plan is not None:
            if attempt:
                event = as_declared(event, plan.event_type)
            learned = self._learned.at(now_us) if attempt else self._learned
            asked.work = Work(plan, user.state, event, now_us, chain.seen_us, attempt, learned)
            asked.work.timed = chain.timed
        answer = self._answer(asked)
        if decision is not None:
            self._happen(user, asked, decision, chain, attempt, answer)
        asked.work = None  # it holds the state, which goes on changing

    def _happen(
        self, user: _User, asked: Asked, decision: Decision, chain: _Chain, attempt: int, answer: Answer | None
    ) -> None:
        """What was decided then, whatever the policy says."""
        matched, now_us = chain.matched, asked.time_us
        if decision.outcome is Outcome.SENT:
            self._sent(user.state, asked, decision, self._plans.get(matched.event.type), answer)
        elif decision.outcome is Outcome.HELD and attempt + 1 < len(matched.chain):
            chain.timed = chain.timed or decision.reason is Reason.SEND_TIME
            after_us = matched.chain[attempt + 1][0].time_us or now_us
            heapq.heappush(user.due, (after_us, matched.ordinal, attempt + 1, chain))

    def _sent(
        self, state: UserState, asked: Asked, decision: Decision, plan: Plan | None, answer: Answer | None
    ) -> None:
        message, work = decision.message, asked.work
        if message is None:
            return
        id = bytes.fromhex(decision.id)
        if plan is None or work is None:
            state.sends.append(Send(id, asked.event.type, message.channel, asked.time_us))
            return
        effects.record_send(plan, state, work.event, asked.time_us, id, message.channel, work.control)
        if plan.learns:
            effects.teach(
                state, asked.event.type, asked.time_us, self._lesson(work, decision, answer), work.chance, self._learned
            )

    def _lesson(self, work: Work, decision: Decision, answer: Answer | None) -> Lesson | None:
        """What the policy would learn from the logged message, if it learns among the same variants."""
        message = decision.message
        template = None if message is None else self._engine.policy.templates.get(message.template)
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
