"""What a worker does: it decides the lines that it is given, in a process of its own until there is nobody to give it
any, or in the process that deals them out.
"""

from __future__ import annotations

import gc
import os
import signal
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from mmap import mmap
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from botopt.engine.engine import Engine
from botopt.learning.learner import Learned, Shown, remembered
from botopt.learning.lessons import Lessons
from botopt.learning.settling import recorder_of
from botopt.model.ports import StateStore
from botopt.sources.envelope import Decoder
from botopt.sources.jsonl import LongLine
from botopt.state.opening import read_store
from botopt.state.spilling import SpillingStore
from botopt.verify.lane import Batch, Lane, Released
from botopt.verify.population import Population
from botopt.verify.worker_faults import Fault

SLOT_BYTES = 4 << 20
"""What a block of lines takes at most in the memory that processes share, and what results take there at most."""


class Order(msgspec.Struct, array_like=True, frozen=True):
    """A message to a worker, most often a short one: decide lines in a slot of the shared memory, give a batch, or one
    is committed.

    Where all users are learned from: these users `held` messages, when the first of each is due; `turn_us`: decide what
    is held until then, and give what was learned; `shown`: decide by this from now on.
    """

    slot: int = -1
    size: int = 0
    batch: bool = False
    committed: bool = False
    held: list[tuple[int, str]] = []
    turn_us: int | None = None
    shown: Shown | None = None


class Turned(msgspec.Struct, array_like=True, frozen=True):
    """What a worker has learned since it was asked last, and what it decided of messages that were held.

    `crowded`: of so many users that a batch should end soon.
    """

    lessons: Lessons
    released: list[Released]
    crowded: bool = False


class Long(msgspec.Struct, array_like=True, frozen=True):
    """What a `LongLine` has beside its beginning, and which of the lines it is."""

    place: int
    size: int
    digest: bytes


class Request(msgspec.Struct, array_like=True, frozen=True):
    """Lines of one input, separated by line breaks; their numbers as an array of 64-bit integers."""

    input_number: int
    numbers: bytes
    lines: bytes
    longs: list[Long]


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """Record lines, how many bytes each input line has of them (an array of 32-bit integers), and rejects with their
    line numbers.

    Where the record lines are in the shared memory, `records` is empty and `size` says how long they are.
    """

    records: bytes
    sizes: bytes
    rejected: list[tuple[int, bytes]]
    size: int = 0


class Decided(msgspec.Struct, frozen=True):
    """Record lines, how many there are after each input line, and rejects with their line numbers."""

    records: list[str]
    ends: list[int]
    rejected: list[tuple[int, bytes]]

    def by_line(self) -> list[bytes]:
        """The records of each line."""
        if self.ends == list(range(1, len(self.records) + 1)):
            return [record.encode() for record in self.records]
        return ["".join(self.records[begin:end]).encode() for begin, end in pairwise((0, *self.ends))]


_encode = msgspec.msgpack.Encoder().encode
_decode_order = msgspec.msgpack.Decoder(Order).decode
_decode_request = msgspec.msgpack.Decoder(Request).decode


def work(orders: Connection, answers: Connection, requests_shared: mmap, answers_shared: mmap, worker: Worker) -> None:
    """The whole life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the one that deals out lines stops
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _let_go({orders.fileno(), answers.fileno()})
    gc.freeze()
    gc.disable()
    try:
        _decide(orders, answers, requests_shared, answers_shared, worker)
    except (EOFError, BrokenPipeError):
        pass  # there is nobody any more
    except Exception as fault:  # noqa: BLE001  # whatever it is, the other process says it
        answers.send_bytes(b"!" + _encode(Fault.of(fault)))
    worker.close()
    os._exit(0)  # nothing here has anything to tidy up, and what was copied from the other process is not ours


def _decide(
    orders: Connection, answers: Connection, requests_shared: mmap, answers_shared: mmap, worker: Worker
) -> None:
    while True:
        order = _decode_order(orders.recv_bytes())
        if order.committed:
            worker.committed()
        elif order.batch:
            answers.send_bytes(b"=" + _encode(worker.batch_with_lessons()))
        elif order.turn_us is not None:
            released = worker.release(order.turn_us)
            answers.send_bytes(b"=" + _encode(Turned(worker.lessons(), released, worker.crowded)))
        elif order.shown is not None:
            worker.show(order.shown)
        elif order.held:
            worker.hold(order.held)
        else:
            begin = order.slot * SLOT_BYTES
            answer = worker.answer(_decode_request(requests_shared[begin : begin + order.size]))
            size = len(answer.records)
            if size <= SLOT_BYTES:
                answers_shared[begin : begin + size] = answer.records
                answer = Answer(b"", answer.sizes, answer.rejected, size)
            answers.send_bytes(b"=" + _encode(answer))


def _let_go(kept: set[int]) -> None:
    """Close what this process got only because it is a copy: locks and pipes that others wait for."""
    begin = 3
    for descriptor in sorted(kept):
        os.closerange(begin, descriptor)
        begin = descriptor + 1
    os.closerange(begin, max(os.sysconf("SC_OPEN_MAX"), begin) if os.sysconf("SC_OPEN_MAX") < 1 << 16 else 1 << 16)


class Worker:
    """A lane and its users. Without a state, all of them stay here, and only held messages are told."""

    def __init__(self, engine: Engine, files: Sequence[str], state: Path | None, memory: int) -> None:
        self._engine = engine
        self._files = files
        self._state = state
        self._memory = memory
        self._held: set[str] = set()
        self._learned: Learned | None = None
        self._open: tuple[Lane, Population, StateStore] | None = None
        self._stack = ExitStack()  # left before the process ends

    def close(self) -> None:
        """Remove what was put on the disk."""
        self._stack.close()

    def _opened(self) -> tuple[Lane, Population, StateStore]:
        """Opened with the first lines: by then the other process has made the state."""
        if self._open is None:
            store = SpillingStore(self._memory) if self._state is None else read_store(self._state)
            self._stack.enter_context(store)
            population = Population(self._engine, store, self._memory)
            lane = Lane(self._engine, Decoder(self._engine.policy), population, self._files, self._learned)
            self._open = (lane, population, store)
        return self._open

    def learn(self, learned: Learned) -> None:
        """Learn from all users; called before the first lines."""
        self._learned = learned

    def show(self, shown: Shown) -> None:
        """This is what is known from now on."""
        learned = self._learned
        if learned is None:
            policy = self._engine.policy
            learned = Learned(
                self._engine.unlearned.snapshot,
                recorder_of(policy, shown.refresh_us),
                self._engine.unlearned.scorer,
                remembered=remembered(policy.settings),
            )
            self.learn(learned)
        learned.show(shown)

    def hold(self, held: Sequence[tuple[int, str]]) -> None:
        """These users of this worker have held messages in the state."""
        lane, _, _ = self._opened()
        lane.holding.add(held)

    def release(self, until_us: int) -> list[Released]:
        """Decide what is held until then."""
        lane, _, _ = self._opened()
        return lane.release(until_us)

    @property
    def crowded(self) -> bool:
        """Whether a batch should end soon."""
        _, population, _ = self._opened()
        return population.crowded

    def lessons(self) -> Lessons:
        """What was learned since this was asked last."""
        if self._learned is None:
            return Lessons()
        recorder = self._learned.recorder
        found, recorder.lessons = recorder.lessons, Lessons()
        return found

    def answer(self, request: Request) -> Answer:
        """Decide what is asked for."""
        numbers = array("Q", request.numbers)
        raws = request.lines.split(b"\n") if numbers else []
        for long in request.longs:
            line = LongLine(raws[long.place])
            line.size, line.digest = long.size, long.digest
            raws[long.place] = line
        decided = self.decide(raws, numbers, request.input_number)
        return Answer(*_joined(decided.records, decided.ends), decided.rejected)

    def decide(self, raws: Sequence[bytes], numbers: Sequence[int], input_number: int) -> Decided:
        """Decide these lines of one input; `numbers` are theirs."""
        lane, _, _ = self._opened()
        ends: list[int] = []
        lane.decide(raws, numbers, input_number, ends)
        decided = Decided(lane.records[:], ends, [(numbers[place], entry) for place, entry in lane.rejected])
        lane.records.clear()
        lane.rejected.clear()
        return decided

    def batch(self) -> Batch:
        """What changed since the last batch."""
        lane, _, store = self._opened()
        batch = lane.batch()
        gc.collect(0)
        if self._state is None:
            store.commit(batch.rows, meta={})
            batch.rows = [row for row in batch.rows if row.held or row.user in self._held]
            self._held.update(row.user for row in batch.rows)
        return batch

    def batch_with_lessons(self) -> Batch:
        """The same, with what was learned meanwhile: nobody else in this process knows it."""
        batch = self.batch()
        if self._learned is not None:
            batch.lessons = self.lessons()
        return batch

    def committed(self) -> None:
        """The oldest batch that was not known to be in the store is."""
        _, population, _ = self._opened()
        population.committed()


def _joined(pieces: Sequence[str], ends: Sequence[int]) -> tuple[bytes, bytes]:
    """All records, and how many bytes of them each line has; `ends` says how many records there are after each."""
    records = "".join(pieces)
    lengths = map(len, pieces) if records.isascii() else (len(piece.encode()) for piece in pieces)
    sizes = array("I", lengths)
    if ends != list(range(1, len(pieces) + 1)):  # not one record for each line
        sizes = array("I", (sum(sizes[begin:end]) for begin, end in pairwise((0, *ends))))
    return records.encode(), sizes.tobytes()
