"""Two policies over the same events, on one process or several: each reads all lines and decides those of its users."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from itertools import compress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from zlib import crc32

import msgspec

from botopt.engine.build import build_both
from botopt.engine.engine import Engine
from botopt.model.policy import Policy
from botopt.state.opening import DEFAULT_MEMORY, read_store
from botopt.state.spilling import SpillingStore
from botopt.verify.buckets import BUCKETS, Buckets, dealt_out
from botopt.verify.diff.attribution import Attribution
from botopt.verify.diff.edits import Edit
from botopt.verify.diff.lane import PairLane
from botopt.verify.diff.report import Difference
from botopt.verify.diff.sides import Side
from botopt.verify.diff.tally import SAMPLES, Tally, together
from botopt.verify.inputs import Inputs
from botopt.verify.overlay import Overlay
from botopt.verify.worker_faults import Fault, WorkerGone

Tick = Callable[[int, int], None]
"""Told how many more lines were read, and how many bytes so far."""


class Task(msgspec.Struct, frozen=True):
    """What is to be compared, over which inputs. `state`: a state file in which users begin, which stays as it is.

    `until_us`: until when held messages are released at the end; None for the newest event. `memory`: bytes for packed
    states, of both policies and all processes together.
    """

    old: Policy
    new: Policy
    edits: tuple[Edit, ...]
    events: tuple[str, ...]
    state: Path | None = None
    until_us: int | None = None
    samples: int = SAMPLES
    memory: int = DEFAULT_MEMORY
    network: str = "auto"


def compare(task: Task, inputs: Inputs, workers: int = 1, tick: Tick | None = None) -> Difference:
    """Decide all events by both policies, and say what differs. The result is the same with any number of workers; a
    policy that learns from all users has one.

    `inputs` are those of `task.events`, opened; with several workers each opens them once more. `tick` is told what was
    read.
    """
    old, new = (msgspec.structs.replace(policy, revision="") for policy in (task.old, task.new))
    engines = build_both(old, new, task.network)
    if workers > 1 and not (old.learns or new.learns):
        tallies = _by_many(task, engines, workers, tick)
    else:
        with ExitStack() as held:
            share = Share(task, engines, 0, 1, held)
            share.read(inputs, tick)
            tallies = [share.finish(share.newest_us)]
    return together(tallies, task.edits)


class Share:
    """The users of one process."""

    def __init__(self, task: Task, engines: tuple[Engine, Engine], number: int, workers: int, held: ExitStack) -> None:
        self._until_us = task.until_us
        self._number, self._workers = number, workers
        memory = task.memory // (2 * workers)
        base = None if task.state is None else held.enter_context(read_store(task.state))
        old, new = (
            Side(engine, held.enter_context(SpillingStore(memory)) if base is None else Overlay(base), memory)
            for engine in engines
        )
        self._lane = PairLane(old, new, Attribution(task.edits), task.samples)
        self._buckets = Buckets(self._lane.event)
        self._worker_of: bytes | None = None
        self._base = base
        self.lines = 0

    @property
    def newest_us(self) -> int:
        """The newest time of any user's clock."""
        return self._lane.newest_us

    def read(self, inputs: Inputs, tick: Tick | None) -> None:
        """Decide the lines that are about these users."""
        gc.freeze()  # as in a replay: nothing that is made here has cycles
        gc.disable()
        for block in inputs.blocks():
            numbers: Sequence[int] = range(block.first, block.first + len(block.lines))
            lines = block.lines
            self.lines += len(lines)
            if self._workers > 1:
                mine = self._mine(lines)
                lines, numbers = list(compress(lines, mine)), list(compress(numbers, mine))
            elif self._worker_of is None:
                self._begin(bytes(BUCKETS))
            self._lane.decide(lines, numbers, block.input_number)
            if tick is not None:
                tick(len(block.lines), inputs.position())
        gc.enable()
        gc.unfreeze()

    def _mine(self, lines: list[bytes]) -> bytes:
        buckets = self._buckets.of(lines)
        if self._worker_of is None:
            self._begin(dealt_out(buckets, self._workers))
        assert self._worker_of is not None
        return buckets.translate(self._worker_of).translate(bytes(each == self._number for each in range(256)))

    def _begin(self, worker_of: bytes) -> None:
        self._worker_of = worker_of
        if self._base is not None:
            self._lane.begin(self._base, lambda user: worker_of[crc32(user.encode()) % BUCKETS] == self._number)

    def finish(self, newest_us: int) -> Tally:
        """Release what is due, and give the result; the newest time is that of all processes."""
        end_us = newest_us if self._until_us is None else self._until_us
        self._lane.finish(end_us)
        self._lane.tally.lines = self.lines if self._number == 0 else 0
        return self._lane.tally


class Read(msgspec.Struct, frozen=True):
    """A process has read so many more lines, and so many bytes so far."""

    lines: int
    position: int


class Newest(msgspec.Struct, frozen=True):
    """A process has read everything: the newest time of its users."""

    us: int


def _by_many(task: Task, engines: tuple[Engine, Engine], workers: int, tick: Tick | None) -> list[Tally]:
    context = get_context("fork")
    hands: list[tuple[BaseProcess, Connection]] = []
    try:
        for number in range(workers):
            mine, theirs = context.Pipe()
            process: BaseProcess = context.Process(
                target=_work, args=(theirs, task, engines, number, workers), name=f"botopt {number + 1}", daemon=True
            )
            process.start()
            theirs.close()
            hands.append((process, mine))
        newest_us = []
        for hand in hands:
            answer = _next(hand, tick)
            assert isinstance(answer, Newest)
            newest_us.append(answer.us)
        tallies = []
        for _, pipe in hands:
            pipe.send(max(newest_us))
        for hand in hands:
            answer = _next(hand, tick)
            assert isinstance(answer, Tally)
            tallies.append(answer)
        return tallies
    finally:
        for process, pipe in hands:
            pipe.close()
            process.join(0.2)
            if process.is_alive():
                process.kill()
                process.join()


def _next(hand: tuple[BaseProcess, Connection], tick: Tick | None) -> Newest | Tally:
    process, pipe = hand
    while True:
        try:
            answer: Read | Newest | Fault | Tally = pipe.recv()
        except (EOFError, OSError):
            process.join(1)
            raise WorkerGone(process.exitcode) from None
        match answer:
            case Read(lines, position):
                if tick is not None:
                    tick(lines, position)
            case Fault():
                raise answer.exception()
            case _:
                return answer


def _work(pipe: Connection, task: Task, engines: tuple[Engine, Engine], number: int, workers: int) -> None:
    """The whole life of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the first one ends the others
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(EOFError, BrokenPipeError), ExitStack() as held:
        try:
            share = Share(task, engines, number, workers, held)
            inputs = held.enter_context(Inputs(task.events))
            share.read(inputs, (lambda *read: pipe.send(Read(*read))) if number == 0 else None)
            pipe.send(Newest(share.newest_us))
            pipe.send(share.finish(pipe.recv()))
        except (EOFError, BrokenPipeError):
            raise
        except Exception as fault:  # noqa: BLE001 - whatever it is, the first process says it
            pipe.send(Fault.of(fault))
