"""One lane of a run: lines of some users become records, in the order in which they are given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from botopt.engine.engine import Engine
from botopt.engine.lines.engine import LineEngine
from botopt.learning.learner import Learned, Learner
from botopt.learning.lessons import Lessons
from botopt.model.decision import Decision, Outcome
from botopt.model.event import Event, Line, Rejected
from botopt.model.ports import UserRow
from botopt.model.record import encode_line
from botopt.model.rejected import encode_rejected
from botopt.model.user_state import NEVER_US, Send, UserState
from botopt.sources.envelope import Decoder
from botopt.verify.holding import Holding
from botopt.verify.population import Population
from botopt.verify.summary import Kept, Summary


class Batch(msgspec.Struct, array_like=True):
    """What is to be committed together: changed users, and what the records since the last batch count.

    `lessons` are those that one of several processes took down since it was asked last, `learned` the values that say
    what all of them have learned.
    """

    rows: list[UserRow]
    summary: Kept
    undeclared: list[tuple[str, str, int]]
    newest_us: int
    lessons: Lessons | None = None
    learned: dict[str, str] = {}


class Released(msgspec.Struct, array_like=True, frozen=True):
    """The record line of a message that was held, with what puts it in order."""

    due_us: int
    user: str
    record: str


class Lane:
    """Decides lines. `records` collects record lines, and `rejected` entries for the rejects file with their place
    among the lines of one call; whoever takes them clears both.

    Args:
        engine: the policy's.
        decoder: reads lines.
        population: the users.
        files: the names of the inputs, for the rejects file.
        learned: what is known of all users; None for a policy that does not learn.
        learner: where this lane decides all lines, and so finds the boundaries at which `learned` changes.
    """

    def __init__(
        self,
        engine: Engine,
        decoder: Decoder,
        population: Population,
        files: Sequence[str],
        learned: Learned | None = None,
        learner: Learner | None = None,
    ) -> None:
        self._engine = engine
        self._learned = learned
        self._learner = learner
        self._lines = LineEngine(engine, learned)
        self._decoder = decoder
        self._population = population
        self._files = files
        self.records = self._lines.lines
        self.rejected: list[tuple[int, bytes]] = []
        self.holding = Holding()
        self._summary = Summary()
        self._newest_us = NEVER_US

    def decide(
        self, raws: Sequence[bytes], numbers: Sequence[int], input_number: int, ends: list[int] | None = None
    ) -> None:
        """Decide these lines of one input; `numbers` are theirs.

        `ends`, where somebody wants to know, is given the length of `records` after each line.
        """
        # Each line is decided as soon as it is decoded, while all of it is at hand for the processor. Only when a user
        # must be read from the store, the lines that are left are decoded first, so that all users are read at once.
        decode, take, records, population = self._decoder.decode, self._lines.take, self.records, self._population
        typed, states, touched = self._decoder.typed, population.states, population.touched
        newest_us = self._newest_us
        learner, learns, saw = self._learner, self._engine.learns, self.holding.saw
        low_us, next_us = (0, 0) if learner is None else (learner.low_us, learner.next_us)
        ahead: list[Event | Rejected | None] = []
        for place, raw in enumerate(raws):
            event = ahead[place] if ahead else typed(raw) or decode(raw, numbers[place], input_number)
            if type(event) is Event:
                if learner is not None and not low_us <= event.time_us < next_us:
                    if learner.is_boundary(event.user, event.time_us, learner.lines + place):
                        self._turn(learner, event.time_us)
                    low_us, next_us = learner.low_us, learner.next_us
                user = event.user
                touched.append(user)
                state = states.get(user) or population.bring(user)
                if state is None:
                    ahead = [*([None] * place), event]
                    ahead += self._decoder.decode_many(raws[place + 1 :], numbers[place + 1 :], input_number)
                    population.load({each.user for each in ahead if type(each) is Event})
                    state = states[user]
                if not take(state, event):
                    self._decide_rare(state, event, Line(numbers[place], raw, input_number), place)
                if state.clock_us > newest_us:  # noqa: PLR1730 - max() takes three times as long
                    newest_us = state.clock_us
                if learns:
                    saw(user, state)
            elif isinstance(event, Rejected):
                line = Line(numbers[place], raw, input_number)
                self._add(self._engine.reject(event), line, place)
            if ends is not None:
                ends.append(len(records))
        self._newest_us = newest_us
        self._summary.lines += len(raws)
        if learner is not None:
            learner.lines += len(raws)

    def _turn(self, learner: Learner, time_us: int) -> None:
        self.records += [one.record for one in self.release(learner.ripe_us(time_us))]
        learner.turn(time_us)

    def release(self, until_us: int) -> list[Released]:
        """Decide what is held until then, because lessons of that time are about to count."""
        found = []
        if self._learned is not None:
            engine, population, learned = self._engine, self._population, self._learned
            for due_us, user, decision in self.holding.release(engine, population, until_us, learned, self):
                self._summary.add(decision)
                found.append(Released(due_us, user, encode_line(decision).decode()))
        return found

    def _decide_rare(self, state: UserState, event: Event, line: Line, place: int) -> None:
        for decision in self._engine.decide(state, event, line, self, learned=self._learned):
            self._add(decision, line, place)

    def _add(self, decision: Decision, line: Line, place: int) -> None:
        self._summary.add(decision)
        self.records.append(encode_line(decision).decode())
        if decision.outcome is Outcome.REJECTED:
            self.rejected.append((place, encode_rejected(decision, line, self._files[line.input_number])))

    def decided(self, work: object, decision: Decision) -> None:
        """Nobody listens."""

    def responded(self, event: Event, send: Send) -> None:
        """Count a response that `LineEngine` did not take."""
        self._lines.responses[event.type.partition(".")[2]] += 1

    def batch(self) -> Batch:
        """Everything since the last batch; counting begins anew."""
        summary, undeclared = self._summary, self._decoder.undeclared
        summary.decided.update(self._lines.counted())
        summary.responses.update(self._lines.responses)
        rows = self._population.rows()
        found = Batch(rows, summary.keep(), [(*key, number) for key, number in undeclared.items()], self._newest_us)
        self._population.forget(rows)
        self._lines.responses.clear()
        undeclared.clear()
        self._summary = Summary()
        return found


def counted(pairs: Sequence[tuple[str, str, int]]) -> Counter[tuple[str, str]]:
    """Undeclared fields of a batch as a counter; several lanes may have met the same."""
    counts: Counter[tuple[str, str]] = Counter()
    for event_type, field, number in pairs:
        counts[event_type, field] += number
    return counts
