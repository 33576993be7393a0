"""Everything in this process, one block after another."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence

from botopt.engine.engine import Engine
from botopt.sources.envelope import Decoder
from botopt.sources.jsonl import Block
from botopt.verify.lane import Batch, Lane
from botopt.verify.population import Population
from botopt.verify.run import Part


class OneLane:
    """A lane as `botopt.verify.run.Lanes`."""

    def __init__(self, engine: Engine, population: Population, files: Sequence[str]) -> None:
        self._population = population
        self._lane = Lane(engine, Decoder(engine.policy), population, files)

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
            if ends_batch(block):
                yield lane.batch()
                gc.collect(0)
        gc.enable()
        gc.unfreeze()
        yield lane.batch()

    def committed(self) -> None:
        """Let the users that do not fit into memory go."""
        self._population.committed()
