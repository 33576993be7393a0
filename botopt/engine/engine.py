"""The engine: (event, user state) -> decisions and the changed state. No clock, disk, socket or chance of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from botopt.engine import effects, feedback, hashes, history, records, withdrawing
from botopt.engine.choosing import word
from botopt.engine.pipeline import first_stop
from botopt.engine.plan import Plan, plans
from botopt.engine.scoring import score
from botopt.engine.stages.muted import look
from botopt.engine.values import as_declared
from botopt.engine.work import Work
from botopt.model.decision import Decision, Reason
from botopt.model.event import Event, Line, Rejected
from botopt.model.policy import Policy
from botopt.model.ports import Network, Renderer
from botopt.model.silence import Silence
from botopt.model.user_state import NEVER_US, Held, Send, UserState, pack, unpack


class Observer(Protocol):
    """Told of what happens inside the engine; for explanations, coverage and readable output."""

    def decided(self, work: Work, decision: Decision) -> None:
        """A decision was made; the state has not taken it in yet."""

    def responded(self, event: Event, send: Send) -> None:
        """The user responded to a message; `send` still holds the response before this one."""


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
        self._plans = plans(policy, self.keep, network, renderer)
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
        """
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
            decisions, problem = self._take_feedback(state, event, now_us, observer, silences)
            if problem is not None:
                return [self._reject(event, line, problem, "message_id" if "message_id" in event.data else None)]
        else:
            decisions = self.release(state, now_us, observer, silences=silences)
            state.clock_us = now_us
            feedback.settle(state, now_us, self._settings)
            decisions += self._take(state, event, now_us, observer, silences)
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
    ) -> list[Decision]:
        """Decide again every held message that is due by `until_us`, each at exactly its own time."""
        decisions: list[Decision] = []
        while state.held:
            held = min(state.held, key=lambda held: held.until_us)  # the first of equals: order of holding
            if held.until_us > until_us:
                break
            state.held.remove(held)
            state.clock_us = max(state.clock_us, held.until_us)
            feedback.settle(state, state.clock_us, self._settings)
            decisions.append(self._decide_held(state, held, observer, silences))
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
        self, state: UserState, event: Event, now_us: int, observer: Observer | None, silences: Sequence[Silence]
    ) -> tuple[list[Decision], str | None]:
        """Feedback may be about a message that is released only now; if it is about none, nothing happened."""
        due_us = state.due_us
        before = pack(state) if due_us is not None and due_us <= now_us else None
        decisions = self.release(state, now_us, observer, silences=silences) if before is not None else []
        found = feedback.target(state, event, now_us)
        if isinstance(found, str):
            if before is not None:
                _restore(state, before)
            return [], found
        state.clock_us = now_us
        feedback.settle(state, now_us, self._settings)
        if not feedback.counts_as_before(event):
            if observer is not None:
                observer.responded(event, found)
            feedback.respond(state, found, event.type, now_us, self._settings)
        feedback.cap(state, found, event, now_us)
        effects.remember(state, event, now_us, self.keep)
        return decisions, None

    def _take(
        self, state: UserState, event: Event, now_us: int, observer: Observer | None, silences: Sequence[Silence]
    ) -> list[Decision]:
        decisions: list[Decision] = []
        plan = self._plans.get(event.type)
        if plan is not None:
            work = Work(plan, state, event, now_us, now_us, 0)
            decisions.append(self._decide(work, observer, silences))
        match event.type:
            case "user.updated":
                feedback.update(state, event)
            case "user.subscribed" | "user.unsubscribed":
                feedback.consent(state, event, granted=event.type == "user.subscribed")
            case "user.active" if self.keep.active_us:
                effects.notice(state, event, now_us)
            case "user.deleted":
                feedback.forget(state, now_us, deleted=True)
                return decisions
            case _:
                pass
        effects.remember(state, event, now_us, self.keep)
        return decisions

    def _decide_held(
        self, state: UserState, held: Held, observer: Observer | None, silences: Sequence[Silence]
    ) -> Decision:
        event = held.event
        plan = self._plans.get(event.type)
        if plan is None:
            return records.orphaned(held, self.policy.revision)
        event = as_declared(event, plan.event_type)
        return self._decide(Work(plan, state, event, held.until_us, held.seen_us, held.attempt), observer, silences)

    def _decide(self, work: Work, observer: Observer | None, silences: Sequence[Silence]) -> Decision:
        plan = work.plan
        stages = plan.ordinary
        if silences or work.state.capped:
            work.silences, stages = silences, plan.stages
        work.id = hashes.decision_id(work.event.key, work.attempt, work.now_us)
        score(work)
        if plan.mutes:
            look(plan.mutes, work)
        work.stop = first_stop(stages, work)
        if work.stop is None:
            word(work)
        decision = records.decided(work, self.policy.revision)
        if observer is not None:
            observer.decided(work, decision)
        effects.conclude(work, decision.outcome)
        return decision


def _restore(state: UserState, blob: bytes) -> None:
    for name, value in zip(UserState.__struct_fields__, _values(unpack(blob)), strict=True):
        setattr(state, name, value)


def _values(state: UserState) -> Iterable[object]:
    return (getattr(state, name) for name in UserState.__struct_fields__)
