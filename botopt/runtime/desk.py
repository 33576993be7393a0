"""What the writer's tasks work with: the policy, users' states, the store, and the draft of what will be committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import msgspec

from botopt.engine.values import as_declared
from botopt.engine.windows import NEWEST_KEY, Kept, compare, meta_values
from botopt.engine.work import Work
from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.errors import StateCorrupt
from botopt.model.event import Event, Line, Rejected, request_digest
from botopt.model.live import LiveStore, OutboxRow, Parcel, pack_parcel
from botopt.model.policy import RESERVED_TYPES
from botopt.model.silence import Silence
from botopt.model.user_state import NEVER_US, Send
from botopt.runtime.draft import Draft
from botopt.runtime.items import Received
from botopt.runtime.learning import Learning
from botopt.runtime.serving import Serving
from botopt.runtime.states import States
from botopt.state.journal_key import NO_JOURNAL

DROPS_KEY = "drops_seen"
"""The meta value that holds up to which entry of the audit trail dropped messages were taken back."""

_ID_DIGITS = 24
_ALL = 1 << 31
_GONE = "the event type is not declared any more: the policy changed while the event waited"


class Reached(msgspec.Struct, frozen=True):
    """How far the state has come: the newest time of a user's clock, and the last drop of a message that was seen."""

    newest_us: int
    drops: int


class Desk:
    """The writer's own; nothing else may touch it.

    `notices` say where the policy looks further back than the state remembers.
    """

    def __init__(self, store: LiveStore, states: States, serving: Serving) -> None:
        self.store = store
        self.states = states
        self.serving = serving
        self.draft = Draft()
        self.silences: tuple[Silence, ...] = ()
        self.learning = Learning()
        self._watch = _Watch()
        meta = store.meta()
        self.reached = Reached(int(meta.get(NEWEST_KEY, NEVER_US)), int(meta.get(DROPS_KEY, 0)))
        self._committed = self._marked = self.reached
        self._windows: dict[str, Kept] = {}
        self.notices: tuple[str, ...] = ()
        self._windows_changed = False
        self.serve(serving)

    def serve(self, serving: Serving) -> None:
        """Decide by this policy from now on; between two groups only.

        Raises:
            StateError: the store cannot be read. Nothing has changed.
        """
        meta = {**self.store.meta(), **self.meta()}
        self.learning.serve(serving.policy, meta)
        self._windows, self.notices = compare(meta, serving.windows)
        self._windows_changed = True
        self.serving = serving

    def meta(self) -> dict[str, str]:
        """The meta values that changed in this group."""
        newest_us, drops = self.reached.newest_us, self.reached.drops
        found: dict[str, str] = {}
        if self._windows_changed:
            found = meta_values(self._windows, newest_us if newest_us > NEVER_US else None) | NO_JOURNAL
        elif newest_us != self._committed.newest_us:
            found = {NEWEST_KEY: str(newest_us)}
        found |= self.learning.meta()
        return found if drops == self._committed.drops else found | {DROPS_KEY: str(drops)}

    def committed(self) -> None:
        """The draft is in the store."""
        self.states.committed()
        self._committed = self.reached
        self._windows_changed = False
        self.draft = Draft()
        self.learning.committed()

    def abandon(self) -> None:
        """Nothing of the draft happened."""
        self.states.abandon()
        self.reached = self._committed
        self.draft = Draft()
        self.learning.abandon()

    def mark(self) -> None:
        """From here on, `undo` takes back."""
        self.states.mark()
        self.draft.mark()
        self.learning.mark()
        self._marked = self.reached

    def undo(self) -> None:
        """As it was when it was marked."""
        self.states.undo()
        self.draft.undo()
        self.learning.undo()
        self.reached = self._marked

    def reject(self, rejected: Rejected, decided_us: int) -> Received:
        """Something that is no event becomes its record."""
        self.learning.passed()
        decision = self.serving.engine.reject(rejected)
        self.draft.add((decision,), decided_us)
        return Received(rejected.event_id, accepted=False, decisions=(decision,))

    def decide(self, event: Event, at_us: int, origin: str, trace: Mapping[str, str], *, same_policy: bool) -> Received:
        """Decide an event of one user, who is not looked at before `at_us`.

        Args:
            event: what happened.
            at_us: when it came in.
            origin: what no other event has; it makes the record of a refusal one of its own.
            trace: of the request.
            same_policy: whether the policy that read the event is the one that decides it.
        """
        engine = self.serving.engine
        if not same_policy and event.type not in RESERVED_TYPES:
            event_type = engine.policy.events.get(event.type)
            if event_type is None:
                digest = request_digest(at_us, 0, f"{origin}\0{event.key}".encode())
                rejected = Rejected(0, _GONE, digest, "type", event.id, event.type, event.user, event.time_us)
                return self.reject(rejected, at_us)
            event = as_declared(event, event_type)
        self._follow(event.user, event.time_us, at_us)
        return self._decide(event, at_us, origin, trace)

    def _decide(self, event: Event, at_us: int, origin: str, trace: Mapping[str, str]) -> Received:
        """Decide an event, before which everything that had to be done for others is done."""
        engine = self.serving.engine
        line = Line(0, f"{origin}\0{event.key}".encode(), received_us=at_us)
        watch = self._watch.begin(event)
        state = self.states.take(event.user)
        learned = self.learning.learned
        decisions = engine.decide(state, event, line, watch, at_us=at_us, silences=self.silences, learned=learned)
        self._keep(decisions, at_us, watch, trace)
        self._saw(state.clock_us)
        if not decisions:
            return Received(event.id, accepted=True)
        own = watch.own or _own(decisions, line)
        refused = any(decision.reason is Reason.REJECTED for decision in own)
        return Received(event.id, accepted=not refused, decisions=own)

    def take_back(self, event: Event, at_us: int, origin: str) -> None:
        """Decide an event of our own making, such as the failure of a message.

        What became of the message must be written whatever ails its user: a fault is noted, and changes nothing.
        """
        self._follow(event.user, event.time_us, at_us)
        self._attempt(
            event.user,
            lambda: self._decide(event, at_us, origin, {}),
            f"a message could not be taken back from {event.user}",
        )

    def _attempt(self, user: str, act: Callable[[], object], failed: str) -> None:
        """Do something to one user. If it breaks, a fault is noted, and nothing of it happened; others keep theirs.

        `act` changes no more than the user's state, what was learned, and, when nothing can break any more, the draft.
        """
        try:
            before, lessons = self.states.copy(user), self.learning.image()
        except StateCorrupt as fault:
            self.draft.faults.append((failed, fault))
            return
        try:
            act()
        except Exception as fault:  # noqa: BLE001 nobody else must wait for this user
            self.states.put(user, before)
            self.learning.back_to(lessons)
            self.draft.faults.append((failed, fault))

    def release(self, user: str, until_us: int) -> None:
        """Decide again what is held for a user, and due."""
        state = self.states.take(user)
        watch = self._watch.begin(None)
        learned = self.learning.learned
        decisions = self.serving.engine.release(state, until_us, watch, silences=self.silences, learned=learned)
        self._keep(decisions, until_us, watch, {})
        self._saw(state.clock_us)

    def _follow(self, user: str, time_us: int, at_us: int) -> None:
        """An event of this user and time is about to be decided: what was learned of all users may change before that.

        What has been held for so long that its time is about to count is decided first. The scheduler has done that,
        unless the service was down.
        """
        ripe_us = self.learning.ripe_us(user, time_us)
        if ripe_us is not None:
            until_us = min(ripe_us, at_us)
            for each in self._due(until_us):
                words = f"what was held for {each} could not be decided"
                self._attempt(each, partial(self.release, each, until_us), words)
            self.learning.turn(time_us)
        self.learning.passed()

    def _due(self, until_us: int) -> Sequence[str]:
        due = {user: due_us for due_us, user in self.store.due(until_us, _ALL)}
        for user in self.states.taken:
            due_us = self.states.look(user).due_us
            due.pop(user, None)
            if due_us is not None and due_us <= until_us:
                due[user] = due_us
        return sorted(due, key=lambda user: (due[user], user))

    def saw_drop(self, number: int) -> None:
        """This entry of the audit trail was looked at."""
        self.reached = Reached(self.reached.newest_us, number)

    def _saw(self, clock_us: int) -> None:
        if clock_us > self.reached.newest_us:
            self.reached = Reached(clock_us, self.reached.drops)

    def outbox_row(self, key: str) -> OutboxRow | None:
        """A message on its way, as this group knows it."""
        row = self.draft.outbox.get(key)
        return self.store.outbox_row(key) if row is None else row

    def _keep(self, decisions: Sequence[Decision], at_us: int, watch: _Watch, trace: Mapping[str, str]) -> None:
        """Put decisions and their messages into the draft: all of them, or none if one breaks."""
        rows = []
        for decision in decisions:
            if decision.message is not None:
                own = bool(watch.own) and decision.id == watch.own[0].id
                rows.append(self._posted(decision, watch.sent[decision.id], at_us, trace if own else {}))
        self.draft.add(decisions, at_us)
        self.draft.outbox.update((row.key, row) for row in rows)

    def _posted(self, decision: Decision, event: Event, at_us: int, trace: Mapping[str, str]) -> OutboxRow:
        """The row of the outbox for a message that was sent."""
        message = decision.message
        assert message is not None
        assert decision.time_us is not None
        event_type = self.serving.engine.policy.events.get(event.type)
        after_us = None if event_type is None else event_type.expires_after_us
        since_us = min(decision.time_us, at_us)
        return OutboxRow(
            key=message.id,
            message_id=message.id,
            user=event.user,
            channel=message.channel,
            created_us=since_us,
            next_us=since_us,
            changed_us=since_us,
            expires_us=None if after_us is None else event.time_us + after_us,
            parcel=pack_parcel(Parcel(message, event, trace)),
        )


def _own(decisions: Iterable[Decision], line: Line) -> tuple[Decision, ...]:
    """An event's own record where nothing was decided about it: it was refused, or came twice."""
    refused_id = line.digest.hex()[:_ID_DIGITS]
    return tuple(one for one in decisions if one.reason is Reason.DUPLICATE or one.id == refused_id)


class _Watch:
    """Looks over the engine's shoulder: which event each message is about, and which decision is the event's own."""

    def __init__(self) -> None:
        self._event: Event | None = None
        self.own: tuple[Decision, ...] = ()
        self.sent: dict[str, Event] = {}

    def begin(self, event: Event | None) -> _Watch:
        """Watch the decisions about this event; None: about what was held."""
        self._event, self.own = event, ()
        self.sent.clear()
        return self

    def decided(self, work: Work, decision: Decision) -> None:
        """A decision was made."""
        if work.event is self._event:
            self.own = (decision,)
        if decision.outcome is Outcome.SENT:
            self.sent[decision.id] = work.event

    def responded(self, event: Event, send: Send) -> None:
        """Responses are not messages."""
