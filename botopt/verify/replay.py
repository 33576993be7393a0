"""Events from files through the engine: decisions in the order of the lines, states committed in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import msgspec

from botopt.engine.engine import Engine, Observer
from botopt.engine.windows import NEWEST_KEY, compare, meta_values
from botopt.engine.work import Work
from botopt.learning.keeping import Keeping, learner_of
from botopt.learning.learner import Learner
from botopt.model.decision import Decision
from botopt.model.event import Event, Line, Rejected
from botopt.model.ports import StateStore
from botopt.model.user_state import NEVER_US, Send
from botopt.state.journal_key import NO_JOURNAL
from botopt.verify.holding import Holding, held_in
from botopt.verify.population import Population
from botopt.verify.releasing import releases
from botopt.verify.summary import Summary

BATCH_LINES = 2_000
"""Lines that are read, decided and committed together."""

BATCH_BYTES = 8 << 20
"""A batch ends early when its lines are longer than this together."""


class Responded(msgspec.Struct, frozen=True):
    """A user's response to a message, for people to read; it has no record of its own."""

    event: Event
    message_type: str
    message_id: str
    sent_us: int


class Decided(msgspec.Struct, frozen=True):
    """A decision and the line that brought it about; None for what is released because its time was over."""

    decision: Decision
    line: Line | None


class LineDecoder(Protocol):
    """Reads lines into events."""

    def decode(self, raw: bytes, line: int, input_number: int) -> Event | Rejected | None:
        """One line; None for a blank one."""


def never() -> bool:
    """Nobody asked to stop."""
    return False


class Replay:
    """One run over some inputs. Iterate `run` to its end, then read `summary`."""

    def __init__(
        self,
        engine: Engine,
        decoder: LineDecoder,
        store: StateStore,
        *,
        batch: int = BATCH_LINES,
        observer: Observer | None = None,
    ) -> None:
        self._engine = engine
        self._decoder = decoder
        self._store = store
        self._batch = batch
        self._observer = observer
        self._population = Population(engine, store)
        self._responses: list[Responded] = []
        self._newest_us = NEVER_US
        meta = store.meta()
        self._known_newest_us = int(meta.get(NEWEST_KEY, NEVER_US))
        self._kept, self.notices = compare(meta, engine.keep.windows())
        learner = learner_of(engine.policy, meta)
        self._learner = learner
        self._learned = None if learner is None else learner.learned
        self._keeping = None if learner is None else Keeping(learner)
        self._holding = Holding()
        self.summary = Summary()

    def run(
        self, lines: Iterable[Line], *, until_us: int | None = None, stop: Callable[[], bool] = never
    ) -> Iterator[Decided | Responded]:
        """Decide line after line; at the end release what is due by the newest event time, or by `until_us`.

        A batch is committed after its last record was taken; `stop` is asked between lines, and ends the
        run with what was decided so far committed and nothing released.
        """
        if self._engine.learns:
            self._holding.add(held_in(self._store))
        for batch in self._batches(lines):
            yield from self._run_batch(batch, stop)
            self._commit()
            if self.summary.interrupted:
                break
        else:
            yield from self._release_rest(until_us)
        self.summary.still_held = self._store.held()

    def _release_rest(self, until_us: int | None) -> Iterator[Decided]:
        if until_us is not None or self._newest_us > NEVER_US:
            end_us = self._newest_us if until_us is None else until_us
            engine, population = self._engine, self._population
            for decision in releases(
                engine, population, self._store, end_us, self._commit, self, learned=self._learned
            ):
                yield self._count(decision, None)
            self._commit()

    def _batches(self, lines: Iterable[Line]) -> Iterator[list[Line]]:
        batch: list[Line] = []
        size = 0
        for line in lines:
            batch.append(line)
            size += len(line.raw)
            if len(batch) >= self._batch or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _count(self, decision: Decision, line: Line | None) -> Decided:
        self.summary.add(decision)
        return Decided(decision, line)

    def _run_batch(self, batch: list[Line], stop: Callable[[], bool]) -> Iterator[Decided | Responded]:
        read = [(line, self._decoder.decode(line.raw, line.number, line.input_number)) for line in batch]
        self._population.load({event.user for _, event in read if isinstance(event, Event)})
        for line, event in read:
            if stop():
                self.summary.interrupted = True
                return
            self.summary.lines += 1
            if isinstance(event, Event):
                if self._learner is not None:
                    yield from self._turn(self._learner, event)
                yield from self._decide(event, line)
            elif event is not None:
                yield self._count(self._engine.reject(event), line)
            if self._learner is not None:
                self._learner.lines += 1

    def _turn(self, learner: Learner, event: Event) -> Iterator[Decided]:
        time_us = event.time_us
        if learner.is_boundary(event.user, time_us, learner.lines):
            until_us = learner.ripe_us(time_us)
            for one in self._holding.release(self._engine, self._population, until_us, learner.learned, self):
                yield self._count(one.decision, None)
            learner.turn(time_us)

    def _decide(self, event: Event, line: Line) -> Iterator[Decided | Responded]:
        state = self._population.states[event.user]
        decisions = self._engine.decide(state, event, line, self, learned=self._learned)
        if self._engine.learns:
            self._holding.saw(event.user, state)
        self._newest_us = max(self._newest_us, state.clock_us)
        for decision in decisions:
            yield self._count(decision, line)
        yield from self._responses
        self._responses.clear()

    def decided(self, work: Work, decision: Decision) -> None:
        """Pass on what the engine tells."""
        if self._observer is not None:
            self._observer.decided(work, decision)

    def responded(self, event: Event, send: Send) -> None:
        """Note a response, and pass it on."""
        self.summary.responses[event.type.partition(".")[2]] += 1
        self._responses.append(Responded(event, send.event_type, send.id.hex(), send.time_us))
        if self._observer is not None:
            self._observer.responded(event, send)

    def _commit(self) -> None:
        newest_us = max(self._newest_us, self._known_newest_us)
        meta = meta_values(self._kept, newest_us if newest_us > NEVER_US else None)
        if self._keeping is not None:
            meta |= self._keeping.meta()
        rows = self._population.rows()
        self._store.commit(rows, meta=meta | NO_JOURNAL)
        if self._keeping is not None:
            self._keeping.written()
        self._population.forget(rows)
        self._population.committed()
