"""Everything in this process, one block after another."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence

from botopt.engine.engine import Engine
from botopt.learning.keeping import Keeping
from botopt.sources.envelope import Decoder
from botopt.sources.jsonl import Block
from botopt.verify.lane import Batch, Lane
from botopt.verify.population import Population
from botopt.verify.run import Part


class OneLane:
    """A lane as `botopt.verify.run.Lanes`."""

    def __init__(self, engine: Engine, population: Population, files: Sequence[str]) -> None:
        self._engine = engine
        self._population = population
        self._files = files
        self._keeping: Keeping | None = None
        self._lane = Lane(engine, Decoder(engine.policy), population, files)

    def learn(self, keeping: Keeping, held: Sequence[tuple[int, str]]) -> None:
        """Learn from all users."""
        self._keeping = keeping
        learner = keeping.learner
        self._lane = Lane(
            self._engine, Decoder(self._engine.policy), self._population, self._files, learner.learned, learner
        )
        self._lane.holding.add(held)

    def parts(self, blocks: Iterator[Block], ends_batch: Callable[[Block], bool]) -> Iterator[Part | Batch]:
        """Decide each block when it comes."""
        lane = self._lane
        gc.freeze()  # what is there now stays; and nothing that is made from now on has cycles but faults of lines
        gc.disable()
        for block in blocks:
            lane.decide(block.lines, range(block.first, block.first + len(block.lines)), block.input_number)
            part = Part(block, "".join(lane.records).encode(), b"".join(entry for _, entry in lane.rejected))
            lane.records.clear()
            lane.rejected.clear()
            yield part
            if ends_batch(block) or self._population.crowded:
                yield self._batch()
                gc.collect(0)
        gc.enable()
        gc.unfreeze()
        yield self._batch()

    def _batch(self) -> Batch:
        batch = self._lane.batch()
        if self._keeping is not None:
            batch.learned = self._keeping.meta()
            self._keeping.written()
        return batch

    def committed(self) -> None:
        """Let the users that do not fit into memory go."""
        self._population.committed()
