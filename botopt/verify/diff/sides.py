"""One of the two policies of a comparison at work on its own states."""

from __future__ import annotations

from botopt.engine.engine import Engine
from botopt.engine.lines.engine import LineEngine
from botopt.learning.keeping import learner_of
from botopt.learning.learner import Learned
from botopt.model.decision import Decision
from botopt.model.event import Event, Line
from botopt.model.policy import Policy
from botopt.model.ports import StateStore
from botopt.model.record import decode_line
from botopt.model.user_state import UserState
from botopt.verify.diff.loads import Loads
from botopt.verify.holding import Holding
from botopt.verify.population import Population

_SILENT = ',"message":null,"snapshot":'
_END = -160
"""Before how much of the end of a line the message is, if there is none: ids of snapshots are short."""

_UNTIL, _SCORE, _MESSAGE, _SNAPSHOT = ',"until":', ',"score":', ',"message":{', ',"snapshot":'
"""None of them can stand in a text: there the quotes would be escaped."""


def is_silent(line: str) -> bool:
    """Whether a record line says that nothing was sent."""
    return line.find(_SILENT, _END) >= 0


class Side:
    """A policy, its users and what they got. A policy that learns has a learner, which must see all events."""

    def __init__(self, engine: Engine, store: StateStore, memory: int) -> None:
        self.engine = engine
        self.population = Population(engine, store, memory)
        self.learner = learner_of(engine.policy, store.meta()) if engine.policy.learns else None
        self.learned = engine.unlearned if self.learner is None else self.learner.learned
        self.lines = LineEngine(engine, self.learned)
        self.holding = Holding()
        self.loads = Loads()
        self._store = store

    def state(self, user: str) -> UserState:
        """The user's state, which is about to change."""
        self.population.touched.append(user)
        return self.population.states.get(user) or self.bring(user)

    def bring(self, user: str) -> UserState:
        """The state of a user who is not at hand."""
        state = self.population.bring(user)
        if state is None:
            self.population.load({user})
            state = self.population.states[user]
        return state

    def records(self, state: UserState, event: Event, line: Line) -> list[Decision]:
        """What the engine decides, releases first."""
        if self.lines.take(state, event):
            return self.taken()
        return self.decide(state, event, line)

    def decide(self, state: UserState, event: Event, line: Line) -> list[Decision]:
        """The same, for what `lines` does not take."""
        return self.engine.decide(state, event, line, learned=self.learned)

    def release(self, state: UserState, until_us: int) -> list[Decision]:
        """What is held until then is decided."""
        return self.engine.release(state, until_us, learned=self.learned)

    @property
    def aside(self) -> Learned | None:
        """What is known, for decisions that did not happen: nothing is learned from them."""
        return None if self.learner is None else self.learned.aside()

    def ripe_us(self, event: Event) -> int | None:
        """This event comes next: until when held messages must be decided before `turn`; None: no need to.

        Call `passed` for each line.
        """
        learner, time_us = self.learner, event.time_us
        if learner is None or learner.low_us <= time_us < learner.next_us:
            return None
        return learner.ripe_us(time_us) if learner.is_boundary(event.user, time_us, learner.lines) else None

    def turn(self, time_us: int) -> None:
        """What is known changes."""
        if self.learner is not None:
            self.learner.turn(time_us)

    def passed(self) -> None:
        """One more line."""
        if self.learner is not None:
            self.learner.lines += 1

    def taken(self) -> list[Decision]:
        """What `lines` has taken, as decisions."""
        lines = self.lines.lines
        found = [decode_line(line) for line in lines]
        lines.clear()
        return found

    def commit(self) -> dict[str, bytes]:
        """Let states go where memory is bounded; the packed states of those that were touched."""
        rows = self.population.rows()
        self._store.commit(rows, meta={})
        self.population.forget(rows)
        self.population.committed()
        return {row.user: row.state for row in rows}


def only_numbers(line: str, other: str) -> bool:
    """Whether two record lines of one event, neither of them held, differ in nothing but numbers: score, end, draws,
    and what was learned.
    """
    if is_silent(line):
        return is_silent(other) and other.startswith(line[: line.index(_UNTIL)])
    same = other.startswith(line[: line.index(_SCORE)])
    return same and _message(line) == _message(other)


def _message(line: str) -> str:
    return line[line.rfind(_MESSAGE) : line.rfind(_SNAPSHOT)]


def reads_alike(old: Policy, new: Policy) -> bool:
    """Whether every line is the same event to both policies."""
    return _read(old) == _read(new)


def _read(policy: Policy) -> object:
    fields = {name: (event_type.fields, event_type.accepts) for name, event_type in policy.events.items()}
    return fields, policy.attributes, policy.categories.keys(), policy.channels.keys()
