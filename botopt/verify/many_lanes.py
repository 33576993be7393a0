"""Many processes, each for some of the users; the results are put together in the order of the lines.

A user's events all go to one process, in their order, so every decision is the one that a single process takes. Users
are put into buckets by a hash of their id, and buckets are dealt out by what the first lines hold of each: a few users
have most of the events. This process reads the inputs, deals out the lines, and writes; where there are few others,
that leaves it time to decide some lines, too. Lines and results go through shared memory, and a pipe says where; a
result that is too long goes through the pipe itself. No message to a worker is long, so this process never waits for
one that waits for it.

Where the policy learns from all users, all processes must know the same at each line. What is known changes at a few
lines only, which this process finds by their times. Before such a line all of them come to rest: every line before it
is decided, what each has learned is put together, and all are told what is known from there on
(docs/adr/0024-learning-at-scale.md).
"""

from __future__ import annotations

import gc
import heapq
import mmap
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import accumulate, compress, pairwise
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Self
from zlib import crc32

import msgspec

from botopt.engine.engine import Engine
from botopt.learning.keeping import Keeping
from botopt.learning.learner import Since
from botopt.learning.lessons import Lessons
from botopt.model.ports import UserRow
from botopt.sources.envelope import Decoder
from botopt.sources.jsonl import Block, LongLine
from botopt.verify.boundaries import Boundaries
from botopt.verify.buckets import BUCKETS, Buckets, dealt_out
from botopt.verify.lane import Batch, Released
from botopt.verify.run import Part
from botopt.verify.summary import Summary
from botopt.verify.worker import SLOT_BYTES, Answer, Decided, Long, Order, Request, Turned, Worker, work
from botopt.verify.worker_faults import Fault, WorkerGone

SLOTS = 32
"""Blocks that a worker may have waiting: so many that it has work while this process decides or commits."""

_DEALING = 0.2
"""What reading, dealing out, putting together and writing a line takes, in parts of what deciding it takes."""

_encode = msgspec.msgpack.Encoder().encode
_decode_answer = msgspec.msgpack.Decoder(Answer).decode
_decode_batch = msgspec.msgpack.Decoder(Batch).decode
_decode_turned = msgspec.msgpack.Decoder(Turned).decode
_decode_fault = msgspec.msgpack.Decoder(Fault).decode


class ManyLanes:
    """Worker processes as `botopt.verify.run.Lanes`. Enter it before the state is opened: forked processes share files.

    Args:
        engine: each worker has a copy of it.
        files: the names of the inputs, for the rejects file.
        state: the state file that workers read users from, once this process has opened it; None for no state.
        workers: how many processes decide. This one is the first of them, where dealing out leaves it the time.
        memory: bytes that packed states may take, in all of them together.
    """

    def __init__(self, engine: Engine, files: Sequence[str], state: Path | None, workers: int, memory: int) -> None:
        self._share = own_share(workers)
        self._own = Worker(engine, files, state, memory // workers) if self.decides else None
        self._others = workers - 1 if self.decides else workers
        self._make = partial(Hand, engine=engine, files=files, state=state, memory=memory // workers)
        self._decode = Decoder(engine.policy).decode
        self._buckets = Buckets(self._decode)
        self._hands: list[Hand] = []
        self._waiting: deque[_Dealt | _BatchEnd] = deque()
        self._pieces: list[bytes] = []  # records of a block of which not all lines are decided yet
        self._rejected: list[bytes] = []
        self._keeping: Keeping | None = None
        self._held: Sequence[tuple[int, str]] = ()
        self._slot = 0
        self._crowded = False
        self._worker_of: bytes | None = None  # of each bucket; 0 is this process
        self._tables = [bytes(owner == worker for owner in range(256)) for worker in range(self._others + 1)]

    @property
    def decides(self) -> bool:
        """Whether this process decides, too."""
        return self._share > 0

    def __enter__(self) -> Self:
        """Start the other processes."""
        for number in range(self._others):
            self._hands.append(self._make(number))
        return self

    def __exit__(self, *_: object) -> None:
        """End them, whatever they are doing."""
        for hand in self._hands:
            hand.end()
        if self._own is not None:
            self._own.close()

    def learn(self, keeping: Keeping, held: Sequence[tuple[int, str]]) -> None:
        """Learn from all users."""
        self._keeping = keeping
        self._held = held
        self._boundaries = Boundaries(keeping.learner, self._decode)
        if self._own is not None:
            self._own.learn(keeping.learner.learned)
        for hand in self._hands:
            hand.tell(Order(shown=keeping.learner.shown()))

    def parts(self, blocks: Iterator[Block], ends_batch: Callable[[Block], bool]) -> Iterator[Part | Batch]:
        """Keep all workers busy, and take their results in turn."""
        gc.freeze()  # as in `OneLane`
        gc.disable()
        for block in blocks:
            yield from self._deal(block)
            if ends_batch(block) or self._crowded:
                self._order_batch()
        self._order_batch()
        yield from self._drained(0)
        gc.enable()
        gc.unfreeze()

    def committed(self) -> None:
        """Let the workers forget what is in the store now."""
        for hand in self._hands:
            hand.tell(Order(committed=True))
        if self._own is not None:
            self._own.committed()

    def _drained(self, left: int) -> Iterator[Part | Batch]:
        """Take results until no more than so many are waited for."""
        while len(self._waiting) > left:
            part = self._next()
            if part is not None:
                yield part

    def _order_batch(self) -> None:
        self._crowded = False
        for hand in self._hands:
            hand.tell(Order(batch=True))
        since = None if self._keeping is None else self._keeping.learner.since()
        self._waiting.append(_BatchEnd(since))

    def _deal(self, block: Block) -> Iterator[Part | Batch]:
        buckets = self._buckets.of(block.lines)
        if self._worker_of is None:
            self._worker_of = dealt_out(buckets, self._others + 1, self._share)
            self._deal_held(self._worker_of)
        owners = buckets.translate(self._worker_of)
        begin = 0
        if self._keeping is not None and self._keeping.learner.follows:
            for place, time_us in self._cuts(block):
                if place > begin:
                    yield from self._give(block, owners, begin, place)
                yield from self._turn(self._keeping, time_us)
                begin = place
        yield from self._give(block, owners, begin, len(block.lines))
        if self._keeping is not None:
            self._keeping.learner.lines += len(block.lines)

    def _deal_held(self, worker_of: bytes) -> None:
        """Say who has which users with held messages."""
        theirs: list[list[tuple[int, str]]] = [[] for _ in range(self._others + 1)]
        for due in self._held:
            theirs[worker_of[crc32(due[1].encode()) % BUCKETS]].append(due)
        self._held = ()
        if self._own is not None and theirs[0]:
            self._own.hold(theirs[0])
        for hand, some in zip(self._hands, theirs[1:], strict=True):
            if some:
                hand.tell(Order(held=some))

    def _cuts(self, block: Block) -> Iterator[tuple[int, int]]:
        """Before which lines to turn; whoever asks for the next one has turned."""
        texts = self._boundaries.texts(block.lines)
        found = None if texts is None else self._boundaries.next(block.lines, texts, 0, block.first)
        while texts is not None and found is not None:
            yield found
            found = self._boundaries.next(block.lines, texts, found[0] + 1, block.first)

    def _turn(self, keeping: Keeping, time_us: int) -> Iterator[Part | Batch]:
        """All come to rest; what was learned is put together, and all are told. Nobody has anything else to say now."""
        yield from self._drained(0)
        learner = keeping.learner
        until_us = learner.ripe_us(time_us)
        for hand in self._hands:
            hand.tell(Order(turn_us=until_us))
        released = [[] if self._own is None else self._own.release(until_us)]
        self._crowded |= self._own is not None and self._own.crowded
        for hand in self._hands:
            turned = _decode_turned(hand.take())
            released.append(turned.released)
            learner.merge(turned.lessons)
            self._crowded |= turned.crowded
        self._pieces += [one.record.encode() for one in heapq.merge(*released, key=_order)]
        shown = learner.turn(time_us)
        for hand in self._hands:
            hand.tell(Order(shown=shown))

    def _give(self, block: Block, owners: bytes, begin: int, end: int) -> Iterator[Part | Batch]:
        """Deal out some lines of a block."""
        yield from self._drained(SLOTS - 1)
        whole = begin == 0 and end == len(block.lines)
        lines, owners = (block.lines, owners) if whole else (block.lines[begin:end], owners[begin:end])
        numbers = range(block.first + begin, block.first + end)
        for worker, hand in enumerate(self._hands, 1):
            theirs = owners.translate(self._tables[worker])
            raws = list(compress(lines, theirs))
            longs = [Long(at, raw.size, raw.digest) for at, raw in enumerate(raws) if isinstance(raw, LongLine)]
            places = array("Q", compress(numbers, theirs)).tobytes()
            hand.give(self._slot, _encode(Request(block.input_number, places, b"\n".join(raws), longs)))
        self._waiting.append(_Dealt(block, lines, numbers, owners, self._slot, end == len(block.lines)))
        self._slot = (self._slot + 1) % SLOTS

    def _next(self) -> Part | Batch | None:
        """The oldest result that is waited for; None for a part of a block that is not at its end."""
        dealt = self._waiting.popleft()
        if isinstance(dealt, _BatchEnd):
            return self._batch(dealt)
        decided = self._decided(dealt)
        pieces = [iter(decided.by_line())]
        rejected = decided.rejected
        for hand in self._hands:
            answer = _decode_answer(hand.take())
            pieces.append(_pieces(answer, hand.records(dealt.slot, answer)))
            rejected += answer.rejected
        self._pieces += map(next, map(pieces.__getitem__, dealt.owners))
        self._rejected += [entry for _, entry in sorted(rejected)]
        if not dealt.ends_block:
            return None
        part = Part(dealt.block, b"".join(self._pieces), b"".join(self._rejected))
        self._pieces, self._rejected = [], []
        return part

    def _batch(self, end: _BatchEnd) -> Batch:
        own = [] if self._own is None else [self._own.batch()]
        batch = _joined([*own, *(_decode_batch(hand.take()) for hand in self._hands)])
        if self._keeping is not None:
            if batch.lessons is not None:
                self._keeping.learner.merge(batch.lessons)
            batch.learned = self._keeping.meta(end.since)
            self._keeping.written()
        return batch

    def _decided(self, dealt: _Dealt) -> Decided:
        """What this process decides of a block, while the others are ahead."""
        if self._own is None:
            return Decided([], [], [])
        ours = dealt.owners.translate(self._tables[0])
        lines, numbers = list(compress(dealt.lines, ours)), list(compress(dealt.numbers, ours))
        return self._own.decide(lines, numbers, dealt.block.input_number)


class _Dealt(msgspec.Struct, frozen=True):
    """Lines of a block that were dealt out: whose each is, and in which slot the others have theirs."""

    block: Block
    lines: Sequence[bytes]
    numbers: range
    owners: bytes
    slot: int
    ends_block: bool


class _BatchEnd(msgspec.Struct, frozen=True):
    """A batch was ordered; where the learner was then, which may have read on since."""

    since: Since | None


def own_share(workers: int) -> float:
    """What the process that deals out decides, measured by what each of the others does: all are ready together.

    With n workers and a line of cost 1 for deciding and d for dealing: s + d (s + n - 1) = 1.
    """
    return max(0.0, (1 - _DEALING * (workers - 1)) / (1 + _DEALING))


class Hand:
    """One worker, as this process sees it."""

    def __init__(self, number: int, engine: Engine, files: Sequence[str], state: Path | None, memory: int) -> None:
        context = get_context("fork")
        self._requests, self._answers = (mmap.mmap(-1, SLOTS * SLOT_BYTES) for _ in range(2))
        theirs_in, self._out = context.Pipe(duplex=False)
        self._in, theirs_out = context.Pipe(duplex=False)
        self._process: BaseProcess = context.Process(
            target=work,
            args=(theirs_in, theirs_out, self._requests, self._answers, Worker(engine, files, state, memory)),
            name=f"botopt worker {number + 1}",
            daemon=True,
        )
        self._process.start()
        theirs_in.close()
        theirs_out.close()

    def give(self, slot: int, request: bytes) -> None:
        """Lines to decide."""
        begin = slot * SLOT_BYTES
        self._requests[begin : begin + len(request)] = request
        self.tell(Order(slot=slot, size=len(request)))

    def tell(self, order: Order) -> None:
        """A short message, which never waits; or a longer one to somebody who waits for it."""
        try:
            self._out.send_bytes(_encode(order))
        except OSError:
            raise self._gone() from None

    def take(self) -> bytes:
        """The next result."""
        try:
            answer = self._in.recv_bytes()
        except (EOFError, OSError):
            raise self._gone() from None
        if answer[:1] == b"!":
            raise _decode_fault(answer[1:]).exception()
        return answer[1:]

    def records(self, slot: int, answer: Answer) -> bytes:
        """The record lines of an answer to what was given in this slot."""
        begin = slot * SLOT_BYTES
        return self._answers[begin : begin + answer.size] if answer.size else answer.records

    def _gone(self) -> WorkerGone:
        self._process.join(1)
        return WorkerGone(self._process.exitcode, " What was committed until then is kept")

    def end(self) -> None:
        """End the process."""
        for end in (self._out, self._in):
            with suppress(OSError):
                end.close()
        self._process.join(1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._requests.close()
        self._answers.close()


def _pieces(answer: Answer, records: bytes) -> Iterator[bytes]:
    """The records of each line, which may be none."""
    ends = accumulate(array("I", answer.sizes), initial=0)
    return iter([records[begin:end] for begin, end in pairwise(ends)])


def _joined(batches: Sequence[Batch]) -> Batch:
    """One batch of all workers' batches."""
    summary = Summary()
    rows: list[UserRow] = []
    undeclared = []
    lessons = Lessons()
    for batch in batches:
        if batch.lessons is not None:
            lessons.merge(batch.lessons)
        rows += batch.rows
        summary.merge(Summary.kept(batch.summary))
        undeclared += batch.undeclared
    return Batch(rows, summary.keep(), undeclared, max(batch.newest_us for batch in batches), lessons)


def _order(one: Released) -> tuple[int, str]:
    return one.due_us, one.user
