"""A run over a few events, with everything that it leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from botopt.engine.engine import Engine
from botopt.model.decision import Outcome
from botopt.model.event import Line
from botopt.model.ports import StateStore
from botopt.model.record import encode_line
from botopt.model.rejected import encode_rejected
from botopt.sources.envelope import Decoder
from botopt.sources.jsonl import Block
from botopt.state.memory import MemoryStore
from botopt.verify.many_lanes import ManyLanes
from botopt.verify.one_lane import OneLane
from botopt.verify.population import Population
from botopt.verify.replay import Decided, Replay
from botopt.verify.run import Run

NAMES = ("events.jsonl",)


@dataclass(frozen=True)
class Left:
    """What a run left behind."""

    records: bytes
    rejected: bytes
    summary: Mapping[str, object]
    users: Mapping[str, bytes]


class Blocks:
    """Lines as inputs of a run, so many in a block."""

    def __init__(self, lines: Sequence[bytes], size: int) -> None:
        self._lines = lines
        self._size = size

    def blocks(self, input_number: int = 0, begin: int = 0, line: int = 1, most: int = 0) -> Iterator[Block]:
        for at in range(line - 1, len(self._lines), self._size):
            some = list(self._lines[at : at + self._size])
            yield Block(0, at + 1, some, at + len(some), sum(map(len, some)))


class Memory:
    """Outputs in memory."""

    def __init__(self) -> None:
        self.records = bytearray()
        self.rejected = bytearray()

    def write(self, records: bytes) -> None:
        self.records += records

    def write_rejected(self, entries: bytes) -> None:
        self.rejected += entries


def raws(events: Sequence[object]) -> list[bytes]:
    """Events as lines."""
    return [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]


def plainly(engine: Engine, events: Sequence[object], *, until: int | None = None) -> Left:
    """By the engine that explains, one decision after another."""
    lines = [Line(number, raw) for number, raw in enumerate(raws(events), 1)]
    store = MemoryStore()
    replay = Replay(engine, Decoder(engine.policy), store, batch=7)
    records, rejected = bytearray(), bytearray()
    for item in replay.run(lines, until_us=until):
        if isinstance(item, Decided):
            records += encode_line(item.decision)
            if item.line is not None and item.decision.outcome is Outcome.REJECTED:
                rejected += encode_rejected(item.decision, item.line, NAMES[0])
    return Left(bytes(records), bytes(rejected), replay.summary.to_plain(), users(store))


def in_lines(
    engine: Engine,
    events: Sequence[object],
    *,
    until: int | None = None,
    workers: int = 1,
    block: int = 5,
    batch: int = 11,
    state: tuple[Path, StateStore] | None = None,
    memory: int = 1 << 20,
) -> Left:
    """By the engine that writes lines."""
    outputs = Memory()
    with ExitStack() as held:
        path, store = state or (None, MemoryStore())
        lanes = (
            held.enter_context(ManyLanes(engine, NAMES, path, workers, memory))
            if workers > 1
            else OneLane(engine, Population(engine, store, memory), NAMES)
        )
        run = Run(engine, lanes, store, outputs, batch=batch, behind=workers > 5)
        run.run(Blocks(raws(events), block), until_us=until)
    return Left(bytes(outputs.records), bytes(outputs.rejected), run.summary.to_plain(), users(store))


def users(store: StateStore) -> dict[str, bytes]:
    """Every user's packed state."""
    return {row.user: row.state for row in store.users()}
