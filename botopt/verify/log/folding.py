"""A log folded into what was known when each of its decisions was taken, with the engine's own functions.

What was sent, answered and done is taken from the log, whatever the policy that looks at it would have decided: what
another policy would have sent does not tire anybody and fills no window; what was really sent does. So features and
learned values come out as the engine had them, from one and the same code. Exact for logs whose policy learned the same
way.

Whoever folds a log is asked at each decision (`Meet`): training reads off features there, an evaluation asks a policy.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

from botopt.engine import effects, feedback
from botopt.engine.engine import Engine
from botopt.engine.plan import Plan
from botopt.engine.values import as_declared
from botopt.engine.work import Work
from botopt.learning.learner import Learned, Learner
from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.event import Event
from botopt.model.user_state import NEVER_US, Lesson, Send, UserState
from botopt.verify.log.model import Logged, Matched

_PRUNED_EVERY = 64


class Asked:
    """One decision of a log, as it was met: `work` is fresh, and None where the policy does not decide such events.

    `user` numbers users in the order in which the log meets them. `learned` is what was known of all users. `first`: no
    decision about this event came before. `logged` is None where the log holds no decision about the event.
    """

    __slots__ = ("event", "first", "learned", "logged", "time_us", "user", "work")

    def __init__(
        self, user: int, event: Event, time_us: int, logged: Logged | None, learned: Learned, *, first: bool
    ) -> None:
        self.user = user
        self.event = event
        self.time_us = time_us
        self.logged = logged
        self.learned = learned
        self.first = first
        self.work: Work | None = None

    @property
    def decision(self) -> Decision | None:
        """The record, if there is one."""
        return None if self.logged is None else self.logged.decision


Meet = Callable[[Asked], Lesson | None]
"""Is shown each decision before what was decided happens. It may fill in the work, of which `control` and `chance` then
count, and says what the logged message, if one was sent, teaches about variants.
"""


class _User:
    """A user's state, and the decisions about held messages that are still to come."""

    __slots__ = ("due", "events", "holds", "number", "state")

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = UserState()
        self.due: list[tuple[int, int, int, _Chain]] = []  # of equal times the one that was held first
        self.events = self.holds = 0


class _Chain:
    """An event with the decisions about it, up to now."""

    __slots__ = ("matched", "seen_us", "timed")

    def __init__(self, matched: Matched, seen_us: int) -> None:
        self.matched = matched
        self.seen_us = seen_us
        self.timed = False


class Folding:
    """Folds a log with the engine of one policy.

    Args:
        engine: whose functions fold the states, and whose view of all users (`Learner`) is folded along.
        meet: is shown each decision.
        without: about which events `meet` is asked although the log holds no decision about them.
    """

    def __init__(self, engine: Engine, meet: Meet, without: Callable[[Event], bool] = lambda _: False) -> None:
        self._engine = engine
        self._meet = meet
        self._without = without
        self._plans = {plan.event_type.name: plan for plan in engine.plans()}
        self._settings = engine.policy.settings
        self._learner = Learner(engine.policy) if engine.policy.learns else None
        self._learned = engine.unlearned if self._learner is None else self._learner.learned
        self._users: dict[str, _User] = {}

    def run(self, matched: Iterable[Matched]) -> None:
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
        first_us = matched.chain[0].decision.time_us if matched.chain else None
        now_us = max(event.time_us, state.clock_us, NEVER_US if first_us is None else first_us)
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
        self._engine.happened(user.state, event, now_us, self._learned)
        if user.state.deleted:
            user.due.clear()
            return
        user.events += 1
        if not user.events % _PRUNED_EVERY:
            self._engine.prune(user.state)

    def _respond(self, state: UserState, event: Event, now_us: int) -> None:
        found = feedback.target(state, event, now_us)
        if not isinstance(found, str):
            self._engine.answered(state, found, event, now_us, self._learned)

    def _release(self, user: _User, until_us: int | None) -> None:
        while user.due and (until_us is None or user.due[0][0] <= until_us):
            time_us, _, attempt, chain = heapq.heappop(user.due)
            user.state.clock_us = max(user.state.clock_us, time_us)
            feedback.settle(user.state, user.state.clock_us, self._settings)
            self._decided(user, chain, attempt, time_us)

    def _decided(self, user: _User, chain: _Chain, attempt: int, now_us: int) -> None:
        """Show one decision, then let happen what happened."""
        matched = chain.matched
        logged = matched.chain[attempt] if attempt < len(matched.chain) else None
        event, plan = matched.event, self._plans.get(matched.event.type)
        learned = self._learned.at(now_us) if attempt else self._learned
        asked = Asked(user.number, event, now_us, logged, learned, first=attempt == 0)
        if plan is not None:
            if attempt:
                event = as_declared(event, plan.event_type)
            asked.work = Work(plan, user.state, event, now_us, chain.seen_us, attempt, learned)
            asked.work.timed = chain.timed
        lesson = self._meet(asked)
        if logged is not None:
            self._happen(user, asked, logged.decision, chain, attempt, lesson)
        asked.work = None  # it holds the state, which goes on changing

    def _happen(
        self, user: _User, asked: Asked, decision: Decision, chain: _Chain, attempt: int, lesson: Lesson | None
    ) -> None:
        """What was decided then, whatever the policy says."""
        matched = chain.matched
        if decision.outcome is Outcome.SENT:
            self._sent(user.state, asked, decision, self._plans.get(matched.event.type), lesson)
        elif decision.outcome is Outcome.HELD and attempt + 1 < len(matched.chain):
            chain.timed = chain.timed or decision.reason is Reason.SEND_TIME
            after_us = matched.chain[attempt + 1].decision.time_us or asked.time_us
            user.holds += 1
            heapq.heappush(user.due, (after_us, user.holds, attempt + 1, chain))

    def _sent(
        self, state: UserState, asked: Asked, decision: Decision, plan: Plan | None, lesson: Lesson | None
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
            effects.teach(state, asked.event.type, asked.time_us, lesson, work.chance, self._learned)
