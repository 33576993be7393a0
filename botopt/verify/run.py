"""A replay that writes record lines: in batches, each committed as a whole, so that it can go on where it died."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from botopt.engine.engine import Engine
from botopt.engine.windows import NEWEST_KEY, compare, meta_values
from botopt.learning.keeping import Keeping, learner_of
from botopt.model.ports import StateStore, UserRow
from botopt.model.record import encode_line
from botopt.model.user_state import NEVER_US
from botopt.sources.jsonl import MOST_LINES, Block
from botopt.state.journal_key import NO_JOURNAL
from botopt.state.opening import DEFAULT_MEMORY
from botopt.verify.committing import Commits
from botopt.verify.holding import held_in
from botopt.verify.inputs import Inputs
from botopt.verify.journal import Input, Journal, Place
from botopt.verify.lane import Batch, counted
from botopt.verify.population import AT_WORK, Population
from botopt.verify.releasing import releases
from botopt.verify.replay import never
from botopt.verify.summary import Summary

BATCH_LINES = 100_000
"""Lines that are committed together, if nobody says otherwise: about a second of work."""

LEAST_LINES = 1_000
"""Fewer are not committed together because of memory."""

BATCH_BYTES = 64 << 20
"""A batch ends early when its lines are longer than this together."""

NO_VALUES: Mapping[str, str] = {}


def batch_for(memory: int) -> int:
    """Lines to commit together where users' states may take so many bytes: those of a batch are all at work at once."""
    return max(LEAST_LINES, min(BATCH_LINES, memory // AT_WORK))


class Part(msgspec.Struct):
    """The records of a block, and its entries for the rejects file."""

    block: Block
    records: bytes
    rejected: bytes


class Lanes(Protocol):
    """One lane or many: blocks in, parts out in their order, and a batch wherever one is to be committed."""

    def parts(self, blocks: Iterator[Block], ends_batch: Callable[[Block], bool]) -> Iterator[Part | Batch]:
        """Decide the blocks. After each for which `ends_batch` holds, and at the end, comes a batch."""

    def committed(self) -> None:
        """The last batch that `parts` gave is in the store."""

    def learn(self, keeping: Keeping, held: Sequence[tuple[int, str]]) -> None:
        """Called before `parts` where the policy learns, or settles what another has sent; `held` says when the first
        held message of a user is due.
        """


class Outputs(Protocol):
    """Where records go (`botopt.verify.outputs`)."""

    def write(self, records: bytes) -> None:
        """Take record lines."""

    def write_rejected(self, entries: bytes) -> None:
        """Take entries for the rejects file."""

    def sync(self, journal: Journal) -> Journal:
        """Have everything on the disk, and note how far that is."""


class Run:
    """One run. Call `run`, then read `summary` and `undeclared`.

    Args:
        journal: where it goes on from, or begins; None for a run that cannot go on, for example to a screen.
        look: reads the inputs once more, to know them again; asked for at the first commit of a journal.
        memory: bytes for users' packed states.
        batch: lines that are committed together.
        behind: whether a batch is committed while the next one is decided.
    """

    def __init__(
        self,
        engine: Engine,
        lanes: Lanes,
        store: StateStore,
        outputs: Outputs,
        *,
        journal: Journal | None = None,
        look: Callable[[], tuple[Input, ...]] = tuple,
        memory: int = DEFAULT_MEMORY,
        batch: int = BATCH_LINES,
        behind: bool = False,
    ) -> None:
        self._engine = engine
        self._lanes = lanes
        self._store = store
        self._commits = Commits(store, behind=behind)
        self._outputs = outputs
        self._journal = journal
        self._look = look
        self._memory = memory
        self._batch = batch
        self._place = Place() if journal is None else journal.place
        self._newest_us = NEVER_US if journal is None else journal.newest_us
        self.summary = Summary() if journal is None else Summary.kept(journal.summary)
        self.undeclared: Counter[tuple[str, str]] = counted(() if journal is None else journal.undeclared)
        meta = store.meta()
        self._known_newest_us = int(meta.get(NEWEST_KEY, NEVER_US))
        self._kept, self.notices = compare(meta, engine.keep.windows())
        learner = learner_of(engine.policy, meta)
        self._keeping = None if learner is None else Keeping(learner)
        self._lines = self._bytes = 0

    def run(
        self,
        inputs: Inputs,
        *,
        until_us: int | None = None,
        stop: Callable[[], bool] = never,
        tick: Callable[[int], None] | None = None,
    ) -> None:
        """Decide everything; at the end release what is due by the newest event time, or by `until_us`.

        `stop` is asked between blocks, and ends the run with what was decided so far committed and nothing released.
        `tick` is told how many lines were decided.
        """
        if self._journal is None or not self._journal.ended:
            try:
                self._decide(inputs, stop, tick)
                self._commits.finish()
                if not self.summary.interrupted:
                    self._release_rest(until_us)
            finally:
                self._commits.close()
        self.summary.still_held = self._store.held()

    def _decide(self, inputs: Inputs, stop: Callable[[], bool], tick: Callable[[int], None] | None) -> None:
        if self._keeping is not None:
            follows = self._keeping.learner.follows
            self._lanes.learn(self._keeping, held_in(self._store) if follows else ())
        for item in self._lanes.parts(self._watched(inputs, stop), self._ends_batch):
            if isinstance(item, Part):
                self._write(item)
                if tick is not None:
                    tick(len(item.block.lines))
            else:
                self._take(item)

    def _watched(self, inputs: Inputs, stop: Callable[[], bool]) -> Iterator[Block]:
        place = self._place
        for block in inputs.blocks(place.input_number, place.position, place.line, min(self._batch, MOST_LINES)):
            yield block
            if stop():
                self.summary.interrupted = True
                return

    def _ends_batch(self, block: Block) -> bool:
        self._lines += len(block.lines)
        self._bytes += block.size
        if self._lines < self._batch and self._bytes < BATCH_BYTES and not block.caught_up:
            return False
        self._lines = self._bytes = 0
        return True

    def _write(self, part: Part) -> None:
        if part.records:
            self._outputs.write(part.records)
        if part.rejected:
            self._outputs.write_rejected(part.rejected)
        block = part.block
        self._place = Place(block.input_number, block.end, block.first + len(block.lines))

    def _take(self, batch: Batch) -> None:
        self.summary.merge(Summary.kept(batch.summary))
        self.undeclared.update(counted(batch.undeclared))
        self._newest_us = max(self._newest_us, batch.newest_us)
        self._commit(batch.rows, batch.learned, done=self._lanes.committed)

    def _commit(
        self,
        rows: Sequence[UserRow] = (),
        learned: Mapping[str, str] = NO_VALUES,
        *,
        ended: bool = False,
        done: Callable[[], None] | None = None,
    ) -> None:
        """Have the output on the disk, then commit what counts it."""
        self._commits.finish()
        newest_us = max(self._newest_us, self._known_newest_us)
        meta = meta_values(self._kept, newest_us if newest_us > NEVER_US else None)
        if self._journal is not None:
            self._journal = msgspec.structs.replace(
                self._outputs.sync(self._journal),
                place=self._place,
                newest_us=self._newest_us,
                summary=self.summary.keep(),
                undeclared=tuple((*key, number) for key, number in sorted(self.undeclared.items())),
                ended=ended,
            )
        self._commits.begin(rows, lambda: {**meta, **learned, **self._journal_meta()}, done)

    def _journal_meta(self) -> Mapping[str, str]:
        if self._journal is None:
            return NO_JOURNAL
        if not self._journal.inputs:
            self._journal = msgspec.structs.replace(self._journal, inputs=self._look())
        return self._journal.meta()

    def _release_rest(self, until_us: int | None) -> None:
        end_us = self._newest_us if until_us is None else until_us
        if end_us > NEVER_US:
            population = Population(self._engine, self._store, self._memory)

            def commit() -> None:
                rows = population.rows()
                self._commit(rows, self._learned_meta())
                self._commits.finish()
                population.forget(rows)
                population.committed()

            learned = None if self._keeping is None else self._keeping.learner.learned
            for decision in releases(self._engine, population, self._store, end_us, commit, learned=learned):
                self.summary.add(decision)
                self._outputs.write(encode_line(decision))
        self._commit((), self._learned_meta(), ended=True)
        self._commits.finish()

    def _learned_meta(self) -> Mapping[str, str]:
        return NO_VALUES if self._keeping is None else self._keeping.meta()
