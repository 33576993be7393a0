"""A log folded into what was known when each of its decisions was taken, with the engine's own functions.

What was sent, answered and done is taken from the log, whatever the present policy would have decided. So features and
learned values come out as the engine had them, from one and the same code. Exact for logs whose events came in the
order of time and whose policy learned the same way; `Moment.same` says of each decision whether it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import merge

import msgspec

from botopt.engine import effects, feedback
from botopt.engine.engine import Engine
from botopt.engine.experiments import is_in_control
from botopt.engine.plan import Plan
from botopt.engine.scoring import clamp
from botopt.engine.values import rate_of
from botopt.engine.work import Work
from botopt.learning.learner import Learner
from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.durations import DAY_US
from botopt.model.event import Event
from botopt.model.learned import Snapshot
from botopt.model.policy import FEEDBACK_TYPES, Choose, Template
from botopt.model.user_state import Lesson, Response, Send, UserState
from botopt.verify.log.model import Log, Logged

_FEEDBACK = frozenset(FEEDBACK_TYPES)
_TOLD = {
    Response.CLICKED: "message.clicked",
    Response.DISMISSED: "message.dismissed",
    Response.FAILED: "message.failed",
}
_PRUNED_US = DAY_US
_EVENT, _ANSWER, _DECISION = 0, 1, 2  # of things that happened at the same time, in this order


class Moment(msgspec.Struct, gc=False):
    """A logged decision, and what was known just before it was taken. `state` is only good until the next one.

    `event` has its data only where the log holds the event itself. `plan` is None where the present policy does not
    decide such events. `raw` is the score before engagement, as the record has it. `release`: a held message was
    decided again. `same`: the record names the very learned values that the log leads to; None where it names none.
    """

    logged: Logged
    state: UserState
    event: Event
    plan: Plan | None
    now_us: int
    snapshot: Snapshot
    raw: float
    control: bool
    release: bool
    same: bool | None

    @property
    def decision(self) -> Decision:
        """The record."""
        return self.logged.decision


class _Thing(msgspec.Struct, gc=False):
    """What happened at `time_us`: an event, an answer that only states tell of, or a decision."""

    time_us: int
    kind: int
    place: int
    event: Event | None = None
    logged: Logged | None = None


class Folding:
    """Folds logs. `learner` follows what all users teach; `states` are theirs, by name.

    Args:
        engine: of the present policy; what it must remember of users is remembered.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.learner = Learner(engine.policy)
        self.states: dict[str, UserState] = {}
        self._plans = {plan.event_type.name: plan for plan in engine.plans()}
        self._pruned_us: dict[str, int] = {}
        self._held: set[tuple[str, str]] = set()
        self._events: dict[tuple[str, str], Event] = {}
        self._ordinal = 0

    def moments(self, log: Log) -> Iterator[Moment]:
        """Every decision about an event that was taken, in the order of time; then it is taken in."""
        decided = {(each.decision.user, each.decision.event_id) for each in log.decisions}
        told = _Told(log)
        for event in log.events:
            if (event.user, event.id) in decided:
                self._events[event.user, event.id] = event
        events = (
            _Thing(event.time_us, _EVENT, place, event=event)
            for place, event in enumerate(log.events)
            if (event.user, event.id) not in decided
        )
        answers = sorted(
            (
                _Thing(each.response_us, _ANSWER, place, logged=each)
                for place, each in enumerate(log.decisions)
                if each.response in _TOLD and each.response_us is not None and not told(each)
            ),
            key=_order,
        )
        decisions = (
            _Thing(each.decision.time_us, _DECISION, place, logged=each)
            for place, each in enumerate(log.decisions)
            if each.decision.time_us is not None
        )
        early: dict[str, list[Event]] = {}
        for thing in merge(events, answers, decisions, key=_order):
            if thing.event is not None:
                self._take(thing.event, early)
            elif thing.kind == _ANSWER and thing.logged is not None:
                self._take(_answer(thing.logged), early)
            elif thing.logged is not None and _was_taken(thing.logged.decision):
                moment = self._moment(thing.logged)
                yield moment
                self._conclude(moment)
                for event in early.pop(moment.decision.id, ()):
                    self._take(event, early)

    def _take(self, event: Event, early: dict[str, list[Event]]) -> None:
        """Feedback, and whatever else users say about themselves; an event without a decision is only remembered."""
        self._clock(event)
        state = self._state(event.user)
        named = event.data.get("message_id")
        if event.type in _FEEDBACK and isinstance(named, str) and all(send.id.hex() != named for send in state.sends):
            early.setdefault(named, []).append(event)  # it came at the very time of its message, or there is none
            return
        if event.type not in self._plans:
            self.engine.decide(state, event, learned=self.learner.learned)
            return
        now_us = max(state.clock_us, event.time_us)
        self._settle(state, now_us)
        effects.remember(state, event, now_us, self.engine.keep)

    def _moment(self, logged: Logged) -> Moment:
        decision = logged.decision
        assert decision.user is not None
        assert decision.event_id is not None
        assert decision.time_us is not None
        key = (decision.user, decision.event_id)
        event = self._events.get(key) or Event(
            decision.event_id, "", decision.event_type or "", decision.user, decision.time_us, {}
        )
        release = key in self._held
        if not release:
            self._clock(event)
        state = self._state(decision.user)
        now_us = max(state.clock_us, decision.time_us)
        self._settle(state, now_us)
        learned = self.learner.learned
        snapshot = (learned.at(now_us) if release else learned).snapshot
        return Moment(
            logged,
            state,
            event,
            self._plans.get(event.type),
            now_us,
            snapshot,
            clamp(sum(part.value for part in decision.parts if part.part in ("base", "rule"))),
            is_in_control(self.engine.policy.settings, decision.user),
            release,
            None if decision.snapshot is None else decision.snapshot == snapshot.id,
        )

    def _conclude(self, moment: Moment) -> None:
        decision, state, event = moment.decision, moment.state, moment.event
        key = (event.user, event.id)
        if decision.outcome is Outcome.HELD:
            self._held.add(key)
        elif moment.release:
            self._held.discard(key)
        if decision.outcome is Outcome.SENT:
            self._send(moment)
        if not moment.release:
            effects.remember(state, event, moment.now_us, self.engine.keep)

    def _send(self, moment: Moment) -> None:
        decision, state, event, plan = moment.decision, moment.state, moment.event, moment.plan
        id, channel = bytes.fromhex(decision.id), "" if decision.message is None else decision.message.channel
        if plan is None:
            state.sends.append(Send(id, event.type, channel, moment.now_us))
            lesson, chance = None, None
        else:
            lesson = _lesson(plan, moment, self.learner, self.engine.policy.templates)
            chance = None
            if not moment.control:
                chance = effects.foretold(plan, state, moment.now_us, moment.snapshot, moment.raw)
            effects.record_send(plan, state, event, moment.now_us, id, channel, moment.control)
        if self.engine.learns:
            effects.teach(state, event.type, moment.now_us, lesson, chance, self.learner.learned)

    def _clock(self, event: Event) -> None:
        learner, time_us = self.learner, event.time_us
        within = learner.low_us <= time_us < learner.next_us
        if not within and learner.is_boundary(event.user, time_us, self._ordinal):
            learner.turn(time_us)
        self._ordinal += 1

    def _state(self, user: str) -> UserState:
        state = self.states.get(user)
        if state is None:
            state = self.states[user] = UserState()
        elif state.clock_us >= self._pruned_us.get(user, 0) + _PRUNED_US:
            self.engine.prune(state)
            self._pruned_us[user] = state.clock_us
        return state

    def _settle(self, state: UserState, now_us: int) -> None:
        state.clock_us = now_us
        feedback.settle(state, now_us, self.engine.policy.settings)


def _order(thing: _Thing) -> tuple[int, int, int]:
    return thing.time_us, thing.kind, thing.place


def _was_taken(decision: Decision) -> bool:
    """Whether a decision was about an event that counted."""
    known = None not in (decision.user, decision.event_id, decision.time_us)
    return known and decision.reason not in (Reason.REJECTED, Reason.DUPLICATE)


class _Told:
    """Whether the events of a log tell of an answer, so that it needs not be told again."""

    def __init__(self, log: Log) -> None:
        feedback = [event for event in log.events if event.type in _FEEDBACK]
        self._named = {event.data["message_id"] for event in feedback if "message_id" in event.data}
        self._others = {(event.user, event.time_us) for event in feedback if "message_id" not in event.data}

    def __call__(self, logged: Logged) -> bool:
        decision = logged.decision
        return decision.id in self._named or (decision.user, logged.response_us) in self._others


def _answer(logged: Logged) -> Event:
    """The event that told of an answer which only a state still knows."""
    decision, response, at_us = logged.decision, logged.response, logged.response_us
    assert response is not None
    assert at_us is not None
    assert decision.user is not None
    data = {"message_id": decision.id}
    return Event(f"answer {decision.id}", "", _TOLD[response], decision.user, at_us, data)


def _lesson(plan: Plan, moment: Moment, learner: Learner, templates: Mapping[str, Template]) -> Lesson | None:
    """What the variant that was chosen by learning has to teach."""
    message = moment.decision.message
    choice = next((each for each in moment.decision.choices if each.purpose == "variant"), None)
    if message is None or choice is None or moment.control or message.template not in templates:
        return None
    template = plan.template_plan(message.template)
    if template.template.choose is not Choose.LEARN:
        return None
    work = Work(plan, moment.state, moment.event, moment.now_us, moment.now_us, 0, learner.learned)
    known = (choice.eligible, moment.snapshot, moment.state, moment.event, moment.now_us)
    _, _, lesson = template.learned(*known, rate_of(work))
    lesson.variant = choice.chosen
    return lesson
