"""`botopt replay`: recorded events through the policy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, Format, NetworkName, NetworkOption, OutputFormat, Workspace

if TYPE_CHECKING:
    from botopt.cli.progress import Progress
    from botopt.model.event import Line
    from botopt.model.ports import StateStore
    from botopt.verify.inputs import Inputs

Events = Annotated[
    list[str], typer.Argument(help="Files of events, one JSON object a line; .gz and .zst too; - is standard input.")
]


def replay(
    events: Events,
    *,
    workspace: Workspace = HERE,
    state: Annotated[
        Path | None, typer.Option(help="Remember users in this SQLite file; without it every run starts anew.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write every record to this new file, as JSON lines.")] = None,
    rejects: Annotated[Path | None, typer.Option(help="Write rejected lines to this new file, as JSON lines.")] = None,
    until: Annotated[
        str | None, typer.Option(help="At the end, release held messages due by this time, as 2026-03-01T09:00:00Z.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Show only this user's records.")] = None,
    type: Annotated[str | None, typer.Option(help="Show only records of this event type.")] = None,
    since: Annotated[str | None, typer.Option(help="Show only records decided at or after this time.")] = None,
    limit: Annotated[int | None, typer.Option(min=0, help="Show at most so many records.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with 7 if any line was rejected.")] = False,
    format: OutputFormat = Format.TEXT,
    network: NetworkOption = NetworkName.AUTO,
) -> None:
    """Decide recorded events, and see what would have been sent, to whom, and why not.

    Nothing is delivered. Everything is decided, whatever --user, --type, --since and --limit show. With --out the
    records go into that file and only the summary is printed.
    """
    from botopt.cli.console import say
    from botopt.cli.interrupt import Interrupt
    from botopt.cli.moments import moment
    from botopt.cli.outputs import RecordFilter, Sinks, summary_to
    from botopt.cli.progress import Progress
    from botopt.engine.build import build
    from botopt.sources.envelope import Decoder
    from botopt.state.opening import open_store
    from botopt.verify.inputs import Inputs
    from botopt.verify.replay import Replay
    from botopt.verify.validate import load

    shown = RecordFilter(user, type, None if since is None else moment("--since", since), limit)
    until_us = None if until is None else moment("--until", until)
    policy = load(workspace)
    shown.check(policy)
    with ExitStack() as held:
        inputs = held.enter_context(Inputs(events))
        sinks = held.enter_context(Sinks(out, rejects, format, shown, inputs))
        store: StateStore = held.enter_context(open_store(state))
        decoder = Decoder(policy)
        run = Replay(build(policy, network.value), decoder, store, batch=1 if inputs.interactive else 2_000)
        for notice in run.notices:
            say(f"note: {notice}", "yellow")
        interrupt = held.enter_context(Interrupt())
        progress = held.enter_context(Progress(inputs, visible=sinks.quiet))
        for item in run.run(_watched(inputs, progress), until_us=until_us, stop=interrupt):
            sinks.take(item)
    summary_to(format, sinks, run.summary, policy, decoder.undeclared)
    if run.summary.interrupted:
        say("interrupted: what was decided until then is kept, nothing that was held was released")
        raise typer.Exit(Exit.INTERRUPTED)
    if strict and run.summary.rejected:
        raise typer.Exit(Exit.REJECTED)


def _watched(inputs: Inputs, progress: Progress) -> Iterator[Line]:
    for line in inputs:
        progress.tick()
        yield line
