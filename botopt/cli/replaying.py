"""The two ways of `botopt replay`: telling people what happens, and writing record lines for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from botopt.cli.console import say
from botopt.cli.interrupt import Interrupt
from botopt.cli.outputs import RecordFilter, Screen, Stdout
from botopt.cli.progress import Progress
from botopt.engine.build import build
from botopt.model.errors import UsageError
from botopt.model.policy import Policy
from botopt.model.ports import StateStore
from botopt.sources.envelope import Decoder
from botopt.state.opening import open_store
from botopt.verify.appending import Appending
from botopt.verify.inputs import Inputs
from botopt.verify.journal import Journal, look_at
from botopt.verify.lanes import workers_for
from botopt.verify.one_lane import OneLane
from botopt.verify.outputs import Outputs, Sink
from botopt.verify.population import Population
from botopt.verify.replay import BATCH_LINES, Replay
from botopt.verify.resuming import Options, begin, check_resumable, is_plain, resume
from botopt.verify.run import Run, batch_for
from botopt.verify.summary import Summary

if TYPE_CHECKING:
    from botopt.verify.many_lanes import ManyLanes


class Asked(msgspec.Struct, frozen=True):
    """What the user asked of a replay. `memory` is in bytes."""

    events: tuple[str, ...]
    workspace: Path
    state: Path | None
    out: Path | None
    rejects: Path | None
    resume: bool
    until_us: int | None
    workers: int | None
    memory: int
    batch: int | None

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            UsageError: two of them do.
        """
        if self.out is not None and self.rejects is not None and self.out.absolute() == self.rejects.absolute():
            raise UsageError("--out and --rejects name the same file")
        if self.resume:
            check_resumable(self.events, self.state, self.out)

    @property
    def journaled(self) -> bool:
        """Whether a run keeps a journal, so that it can go on after it was killed."""
        return self.state is not None and self.out is not None and all(map(is_plain, self.events))


class Done(msgspec.Struct, frozen=True):
    """What a replay counted."""

    summary: Summary
    undeclared: Counter[tuple[str, str]]


def tell(held: ExitStack, asked: Asked, policy: Policy, shown: RecordFilter, network: str) -> Done:
    """Print every decision in words."""
    inputs = held.enter_context(Inputs(asked.events))
    rejects = None if asked.rejects is None else Appending.create(asked.rejects)
    if rejects is not None:
        held.callback(rejects.close)
    store = held.enter_context(open_store(asked.state, asked.memory))
    decoder = Decoder(policy)
    run = Replay(build(policy, network), decoder, store, batch=1 if inputs.interactive else BATCH_LINES)
    _notice(run.notices)
    screen = Screen(rejects, shown, inputs)
    interrupt = held.enter_context(Interrupt())
    for item in run.run(inputs, until_us=asked.until_us, stop=interrupt):
        screen.take(item)
    return Done(run.summary, decoder.undeclared)


def write(held: ExitStack, asked: Asked, policy: Policy, shown: RecordFilter, network: str) -> Done:
    """Write record lines, to a file or to standard output."""
    inputs = held.enter_context(Inputs(asked.events))
    engine = build(policy, network)
    workers = workers_for(inputs, asked.workers)
    many: ManyLanes | None = None
    if workers > 1:
        from botopt.verify.many_lanes import ManyLanes

        many = held.enter_context(ManyLanes(engine, asked.events, asked.state, workers, asked.memory))
    store = held.enter_context(open_store(asked.state, asked.memory))
    lanes = many or OneLane(engine, Population(engine, store, asked.memory), asked.events)
    options = {**shown.asked(), "--until": asked.until_us, "the policy": policy.revision}
    out, rejects, journal = _outputs(held, asked, store, options)
    if journal is not None:
        shown.go_on(journal.shown)
    outputs = Outputs(out, rejects, shown.pick if shown.active else None, shown.shown)
    run = Run(
        engine,
        lanes,
        store,
        outputs,
        journal=journal,
        look=lambda: look_at(asked.events),
        memory=asked.memory,
        batch=asked.batch or batch_for(asked.memory),
        behind=many is not None and not many.decides,
    )
    _notice(run.notices)
    interrupt = held.enter_context(Interrupt())
    progress = held.enter_context(Progress(inputs, visible=asked.out is not None))
    run.run(inputs, until_us=asked.until_us, stop=interrupt, tick=progress.tick)
    return Done(run.summary, run.undeclared)


def _outputs(
    held: ExitStack, asked: Asked, store: StateStore, options: Options
) -> tuple[Sink, Appending | None, Journal | None]:
    if asked.out is None:
        rejects = None if asked.rejects is None else Appending.create(asked.rejects)
        if rejects is not None:
            held.callback(rejects.close)
        return Stdout(), rejects, None
    if asked.resume:
        files = resume(store, asked.events, asked.out, asked.rejects, options)
    else:
        files = begin(store, asked.out, asked.rejects, options, journaled=asked.journaled)
    held.enter_context(files)
    return files.out, files.rejects, files.journal


def _notice(notices: Sequence[str]) -> None:
    for notice in notices:
        say(f"note: {notice}", "yellow")
