"""One of the two policies of a comparison at work on its own states."""

from __future__ import annotations

from botopt.engine.engine import Engine
from botopt.engine.lines.engine import LineEngine
from botopt.model.decision import Decision
from botopt.model.event import Event, Line
from botopt.model.policy import Policy
from botopt.model.ports import StateStore
from botopt.model.record import decode_line
from botopt.model.user_state import UserState
from botopt.verify.diff.loads import Loads
from botopt.verify.population import Population

_SILENT = ',"message":null,"snapshot":'
_END = -160
"""Before how much of the end of a line the message is, if there is none: ids of snapshots are short."""

_UNTIL, _SCORE, _MESSAGE = ',"until":', ',"score":', ',"message":{'
"""None of them can stand in a text: there the quotes would be escaped."""


def is_silent(line: str) -> bool:
    """Whether a record line says that nothing was sent."""
    return line.find(_SILENT, _END) >= 0


class Side:
    """A policy, its users and what they got."""

    def __init__(self, engine: Engine, store: StateStore, memory: int) -> None:
        self.engine = engine
        self.population = Population(engine, store, memory)
        self.lines = LineEngine(engine)
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
        return self.engine.decide(state, event, line)

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
    """Whether two record lines of one event, neither of them held, differ in nothing but numbers: score, end, draws."""
    if is_silent(line):
        return is_silent(other) and other.startswith(line[: line.index(_UNTIL)])
    same = other.startswith(line[: line.index(_SCORE)])
    return same and line[line.rfind(_MESSAGE) :] == other[other.rfind(_MESSAGE) :]


def reads_alike(old: Policy, new: Policy) -> bool:
    """Whether every line is the same event to both policies."""
    return _read(old) == _read(new)


def _read(policy: Policy) -> object:
    fields = {name: (event_type.fields, event_type.accepts) for name, event_type in policy.events.items()}
    return fields, policy.attributes, policy.categories.keys(), policy.channels.keys()
