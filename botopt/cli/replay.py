"""`botopt replay`: recorded events through the policy."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, Format, NetworkName, NetworkOption, OutputFormat, Workspace

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
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a run with the same --state and --out was killed.")
    ] = False,
    until: Annotated[
        str | None, typer.Option(help="At the end, release held messages due by this time, as 2026-03-01T09:00:00Z.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Show only this user's records.")] = None,
    type: Annotated[str | None, typer.Option(help="Show only records of this event type.")] = None,
    since: Annotated[str | None, typer.Option(help="Show only records decided at or after this time.")] = None,
    limit: Annotated[int | None, typer.Option(min=0, help="Show at most so many records.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with 7 if any line was rejected.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that decide; by default as many as the input pays for.")
    ] = None,
    max_memory: Annotated[
        int, typer.Option(min=1, help="MiB for users' states in memory; more of them stay on disk.")
    ] = 512,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Lines that are committed together; what --resume has to do again. By default 100,000, and fewer "
            "where --max-memory is small.",
        ),
    ] = None,
    format: OutputFormat = Format.TEXT,
    network: NetworkOption = NetworkName.AUTO,
) -> None:
    """Decide recorded events, and see what would have been sent, to whom, and why not.

    Nothing is delivered. Everything is decided, whatever --user, --type, --since and --limit show. With --out the
    records go into that file and only the summary is printed.
    """
    from botopt.cli.moments import moment
    from botopt.cli.outputs import RecordFilter, summary_to
    from botopt.cli.replaying import Asked, tell, write
    from botopt.verify.validate import load

    shown = RecordFilter(user, type, None if since is None else moment("--since", since), limit)
    until_us = None if until is None else moment("--until", until)
    asked = Asked(tuple(events), workspace, state, out, rejects, resume, until_us, workers, max_memory << 20, batch)
    asked.check()
    policy = load(workspace)
    shown.check(policy)
    with ExitStack() as held:
        run = tell if out is None and format is Format.TEXT else write
        done = run(held, asked, policy, shown, network.value)
    summary_to(format, shown, done.summary, policy, done.undeclared, alone=out is not None)
    if done.summary.interrupted:
        from botopt.cli.console import say

        say("interrupted: what was decided until then is kept, nothing that was held was released")
        raise typer.Exit(Exit.INTERRUPTED)
    if strict and done.summary.rejected:
        raise typer.Exit(Exit.REJECTED)
