"""The engine: (event, user state) -> decisions and the changed state. No clock, disk, socket or chance of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from botopt.engine import effects, feedback, hashes, history, records, withdrawing
from botopt.engine.choosing import word
from botopt.engine.pipeline import first_stop
from botopt.engine.plan import Plan, budgets_of, plans
from botopt.engine.scoring import score
from botopt.engine.stages.muted import look
from botopt.engine.values import as_declared
from botopt.engine.work import Work
from botopt.learning.learner import Learned, unlearned
from botopt.learning.lessons import Lessons
from botopt.learning.send_time import ACTIVE, CLICKED
from botopt.model.decision import Decision, Reason
from botopt.model.event import Event, Line, Rejected
from botopt.model.policy import Policy
from botopt.model.ports import Network, Renderer
from botopt.model.silence import Silence
from botopt.model.user_state import NEVER_US, Held, Response, Send, UserState, pack, unpack


class Observer(Protocol):
    """Told of what happens inside the engine; for explanations, coverage and readable output."""

    def decided(self, work: Work, decision: Decision) -> None:
        """A decision was made; the state has not taken it in yet."""

    def responded(self, event: Event, send: Send) -> None:
        """The user responded to a message; `send` still holds the response before this one."""


class Asked(NamedTuple):
    """What a call of the engine brings along for every decision that it leads to."""

    observer: Observer | None
    silences: Sequence[Silence]
    learned: Learned


_UNTRACED = Line()
_BEFORE_THIS_LIFE = "the user was deleted: this happened before they subscribed again, and was forgotten"


class Engine:
    """A compiled policy. One engine serves any number of users; it keeps nothing about any of them.

    `keep` is what it remembers of each, at least what the policy needs; None for just that.
    """

    def __init__(
        self, policy: Policy, network: Network, renderer: Renderer, keep: history.Retention | None = None
    ) -> None:
        self.policy = policy
        self.keep = history.retention(policy, renderer) if keep is None else keep
        self.budgets = budgets_of(policy)
        self.learns = policy.learns
        self.unlearned = unlearned(policy)
        self._plans = plans(policy, self.keep, network, renderer, self.unlearned, self.budgets)
        self._settings = policy.settings

    def decide(
        self,
        state: UserState,
        event: Event,
        line: Line = _UNTRACED,
        observer: Observer | None = None,
        *,
        at_us: int = NEVER_US,
        silences: Sequence[Silence] = (),
        learned: Learned | None = None,
    ) -> list[Decision]:
        """Take in one event of one user.

        `state` is that user's and is changed in place; a rejected or duplicate event leaves it as it was
        (but for the running number of a duplicate). Returns the records of messages that were held and are
        due by now, then the event's own record if it has one.

        Args:
            state: the user's.
            event: what happened.
            line: where it stood, for the record of a refusal.
            observer: is told what happens.
            at_us: the user's clock reads at least this before the event is looked at; a live service says when it
                got the event.
            silences: those of operators; the ones that are over do no harm.
            learned: what is known of all users, and who takes down more; without it nothing is, and nothing is learned.
        """
        asked = Asked(observer, silences, self.unlearned if learned is None else learned)
        clock_us = max(state.clock_us, at_us)
        refused = self._refused(state, event, clock_us)
        if refused is not None:
            return [self._reject(event, line, *refused)]
        identity = hashes.identity(event.key)
        first_us = state.identities.get(identity)
        now_us = max(event.time_us, clock_us)
        if first_us is not None and now_us < first_us + self._settings.dedupe_window_us:
            return self._duplicate(state, event, identity, now_us)
        if event.time_us < state.floor_us:
            return [self._reject(event, line, _BEFORE_THIS_LIFE, "user.deleted")]
        if state.deleted:  # user.subscribed: a new life begins, and what happened before it is not part of it
            feedback.forget(state, event.time_us, deleted=False)
        if event.type.startswith("message."):
            decisions, problem = self._take_feedback(state, event, now_us, asked)
            if problem is not None:
                return [self._reject(event, line, problem, "message_id" if "message_id" in event.data else None)]
        else:
            decisions = self._release(state, now_us, asked)
            state.clock_us = now_us
            feedback.settle(state, now_us, self._settings)
            decisions += self._take(state, event, now_us, asked)
        if not state.deleted:
            if first_us is not None:  # remembered for longer than it counts: from here on it is another event
                del state.identities[identity]
                state.repeats.pop(identity, None)
            state.identities[identity] = now_us
        return decisions

    def release(
        self,
        state: UserState,
        until_us: int,
        observer: Observer | None = None,
        *,
        silences: Sequence[Silence] = (),
        learned: Learned | None = None,
    ) -> list[Decision]:
        """Decide again every held message that is due by `until_us`, each at exactly its own time."""
        return self._release(state, until_us, Asked(observer, silences, self.unlearned if learned is None else learned))

    def _release(self, state: UserState, until_us: int, asked: Asked) -> list[Decision]:
        decisions: list[Decision] = []
        while state.held:
            held = min(state.held, key=lambda held: held.until_us)  # the first of equals: order of holding
            if held.until_us > until_us:
                break
            state.held.remove(held)
            state.clock_us = max(state.clock_us, held.until_us)
            feedback.settle(state, state.clock_us, self._settings)
            decisions.append(self._decide_held(state, held, asked))
        return decisions

    def withdrawal(self, state: UserState, event: Event, channel: str, now_us: int) -> tuple[Reason, str | None] | None:
        """Why a message that was decided as sent, but has not left, must not go out any more; None: it may.

        The user was deleted, or it expired, or the user does not consent to it on this channel any more, or an event
        resolved it; in this order, each as the pipeline asks for it at this time. `always: true` waives what it waives
        there: only a resolution. Nothing else is asked again, least of all what the message's own send has filled.
        A message whose event type leads to none any more was rightly decided and does not expire; but the user's word
        still counts, on the category if the type still has one. Changes nothing.

        Returns:
            The reason, and who is named: a suppression, or `user.deleted`.
        """
        return withdrawing.withdrawal(self.policy, self._plans.get(event.type), state, event, channel, now_us)

    def reject(self, line: Rejected) -> Decision:
        """The record of a line that is no event."""
        return records.rejected(line, self.policy.revision)

    def plans(self) -> Iterable[Plan]:
        """What each event type that decides is bound to."""
        return self._plans.values()

    def prune(self, state: UserState) -> None:
        """Forget what the policy cannot reach any more; never changes a later decision."""
        history.prune(state, self.keep)

    def _refused(self, state: UserState, event: Event, clock_us: int) -> tuple[str, str] | None:
        if state.deleted and event.type != "user.subscribed":
            return "the user was deleted: nothing is taken until user.subscribed", "user.deleted"
        if event.time_us + self._settings.dedupe_window_us <= clock_us:
            why = "it came, or newer events of this user did, dedupe_window or more after its time"
            return f"too old to tell from a duplicate: {why}", "time"
        return None

    def _reject(self, event: Event, line: Line, detail: str, by: str | None) -> Decision:
        return records.refused(event, line, detail, by, self.policy.revision)

    def _duplicate(self, state: UserState, event: Event, identity: int, now_us: int) -> list[Decision]:
        if event.type not in self._plans:
            return []
        state.repeats[identity] = number = state.repeats.get(identity, 0) + 1
        return [records.duplicate(event, number, now_us, self.policy.revision)]

    def _take_feedback(
        self, state: UserState, event: Event, now_us: int, asked: Asked
    ) -> tuple[list[Decision], str | None]:
        """Feedback may be about a message that is released only now; if it is about none, nothing happened."""
        due_us = state.due_us
        undo = pack(state) if due_us is not None and due_us <= now_us else None
        recorder = asked.learned.recorder
        lessons = recorder.lessons
        if undo is not None:
            recorder.lessons = Lessons()
        decisions = self._release(state, now_us, asked) if undo is not None else []
        found = feedback.target(state, event, now_us)
        if undo is not None:
            since, recorder.lessons = recorder.lessons, lessons
            if isinstance(found, str):
                _restore(state, undo)
            else:
                lessons.merge(since)
        if isinstance(found, str):
            return [], found
        self.answered(state, found, event, now_us, asked.learned, asked.observer)
        return decisions, None

    def answered(
        self,
        state: UserState,
        found: Send,
        event: Event,
        now_us: int,
        learned: Learned,
        observer: Observer | None = None,
    ) -> None:
        """Take in feedback about a message."""
        state.clock_us = now_us
        feedback.settle(state, now_us, self._settings)
        if not feedback.counts_as_before(event):
            if observer is not None:
                observer.responded(event, found)
            before = feedback.respond(state, found, event.type, now_us, self._settings)
            if before is not None:
                self.heed(state, found, before, now_us, learned)
        feedback.cap(state, found, event, now_us)
        effects.remember(state, event, now_us, self.keep)

    def heed(self, state: UserState, send: Send, before: Response, now_us: int, learned: Learned) -> None:
        """Learn from a user's answer to a message; `before` is what it was until now."""
        if send.response is Response.FAILED and send.took is not None:
            budget, pace = self.budgets.get(send.took), state.paces.get(send.took)
            if budget is not None and pace is not None:
                state.paces[send.took] = budget.returned(pace, now_us)
        learned.recorder.responded(send, before)  # a policy that does not learn settles what another has sent
        if self.learns and self.keep.hours and send.response is Response.CLICKED:
            effects.acted(state, CLICKED, now_us, self._settings, learned)

    def _take(self, state: UserState, event: Event, now_us: int, asked: Asked) -> list[Decision]:
        decisions: list[Decision] = []
        plan = self._plans.get(event.type)
        if plan is not None:
            work = Work(plan, state, event, now_us, now_us, 0, asked.learned)
            decisions.append(self._decide(work, asked))
        self.happened(state, event, now_us, asked.learned)
        return decisions

    def happened(self, state: UserState, event: Event, now_us: int, learned: Learned) -> None:
        """Take in an event that is no feedback, after any decision about it."""
        match event.type:
            case "user.updated":
                feedback.update(state, event)
            case "user.subscribed" | "user.unsubscribed":
                feedback.consent(state, event, granted=event.type == "user.subscribed")
            case "user.active":
                self.notice(state, event, now_us, learned)
            case "user.deleted":
                feedback.forget(state, now_us, deleted=True)
                return
            case _:
                pass
        effects.remember(state, event, now_us, self.keep)

    def notice(self, state: UserState, event: Event, now_us: int, learned: Learned) -> None:
        """`user.active`, as far as the policy asks for it."""
        if self.keep.active_us:
            effects.notice(state, event, now_us)
        if self.keep.hours:
            effects.acted(state, ACTIVE, now_us, self._settings, learned)

    def _decide_held(self, state: UserState, held: Held, asked: Asked) -> Decision:
        event = held.event
        plan = self._plans.get(event.type)
        if plan is None:
            return records.orphaned(held, self.policy.revision)
        event = as_declared(event, plan.event_type)
        learned = asked.learned.at(held.until_us)
        work = Work(plan, state, event, held.until_us, held.seen_us, held.attempt, learned)
        work.timed = held.timed
        return self._decide(work, asked)

    def _decide(self, work: Work, asked: Asked) -> Decision:
        plan = work.plan
        stages = plan.ordinary
        if asked.silences or work.state.capped:
            work.silences, stages = asked.silences, plan.stages
        work.id = hashes.decision_id(work.event.key, work.attempt, work.now_us)
        score(work)
        if plan.mutes:
            look(plan.mutes, work)
        work.stop = first_stop(stages, work)
        if work.stop is None:
            word(work)
        decision = records.decided(work, self.policy.revision)
        if asked.observer is not None:
            asked.observer.decided(work, decision)
        effects.conclude(work, decision.outcome)
        return decision


def _restore(state: UserState, blob: bytes) -> None:
    for name, value in zip(UserState.__struct_fields__, _values(unpack(blob)), strict=True):
        setattr(state, name, value)


def _values(state: UserState) -> Iterable[object]:
    return (getattr(state, name) for name in UserState.__struct_fields__)
