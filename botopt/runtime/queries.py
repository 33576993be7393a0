"""Questions to the service that change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import msgspec

from botopt.engine.build import build
from botopt.engine.engine import Engine
from botopt.engine.explain import Explainer, Explanation
from botopt.learning.keeping import learner_of
from botopt.model.decision import Decision
from botopt.model.event import Event, Line
from botopt.model.live import DecisionQuery, DecisionRow
from botopt.model.policy import Policy
from botopt.model.user_state import UserState
from botopt.runtime.readers import Readers
from botopt.state.user_rows import unpacked
from botopt.state.user_view import UserView, view


class DryRun(msgspec.Struct, frozen=True):
    """What would be decided now about an event, its own decision last; and why, where something was weighed."""

    decisions: tuple[Decision, ...]
    explanations: tuple[Explanation, ...]


class Queries:
    """Answers from what was committed last. Any thread may ask."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._lock = Lock()
        self._engine: Engine | None = None

    def known_user(self, user: str) -> UserView | None:
        """What is known about one user, as `botopt state show` prints it; None: nothing.

        Raises:
            StateError: the state cannot be read, or that user's is damaged.
        """
        with self._readers.reader() as reader:
            blob = reader.load((user,)).get(user)
        return None if blob is None else view(user, unpacked(user, blob))

    def decisions(self, query: DecisionQuery) -> Sequence[DecisionRow]:
        """Decisions, newest first."""
        with self._readers.reader() as reader:
            return reader.decisions(query)

    def decision(self, id: str) -> DecisionRow | None:
        """One decision."""
        with self._readers.reader() as reader:
            return reader.decision(id)

    def next_us(self, channel: str) -> int | None:
        """When the next pending message of a channel may be tried."""
        with self._readers.reader() as reader:
            return reader.outbox_next_us(channel)

    def explain(self, policy: Policy, event: Event, now_us: int) -> DryRun:
        """What this policy would decide about an event that came now. Nothing is written, and the writer is not asked.

        One at a time: the engine for this is another than the writer's, made when it is first needed.
        """
        with self._readers.reader() as reader:
            blob = reader.load((event.user,)).get(event.user)
            silences = tuple(reader.silences(now_us))
            learner = learner_of(policy, reader.meta()) if policy.learns else None
        if learner is not None and learner.is_boundary(event.user, event.time_us, learner.lines):
            learner.turn(event.time_us)
        learned = None if learner is None else learner.learned
        state = UserState() if blob is None else unpacked(event.user, blob)
        with self._lock:
            engine = self._engine
            if engine is None or engine.policy is not policy:
                engine = self._engine = build(policy, network="reference")
            explainer = Explainer(lambda _: True)
            line = Line(0, event.key.encode(), received_us=now_us)
            decisions = engine.decide(state, event, line, explainer, at_us=now_us, silences=silences, learned=learned)
        return DryRun(tuple(decisions), tuple(explainer.found))
