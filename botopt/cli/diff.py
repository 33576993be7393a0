"""`botopt diff`: what a change of the policy would have done to real users."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, NetworkName, NetworkOption, Workspace


class DiffFormat(StrEnum):
    """How a comparison is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"


def diff(
    old: Annotated[
        str, typer.Argument(help="A workspace folder or a git revision; or two revisions at once: main..HEAD.")
    ],
    new: Annotated[
        str | None, typer.Argument(help="The same for the changed policy; the workspace as it is now, if left out.")
    ] = None,
    *,
    events: Annotated[
        list[str],
        typer.Option("--events", "-e", help="A file of recorded events, as for replay. May be given again."),
    ],
    workspace: Workspace = HERE,
    state: Annotated[
        Path | None, typer.Option(help="Begin with the users of this SQLite file, which is only read.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="At the end, release held messages due by this time, as 2026-03-01T09:00:00Z.")
    ] = None,
    max_messages_per_user_day: Annotated[
        int | None, typer.Option(min=0, help="End with 6 if any user would get more messages in a day (UTC).")
    ] = None,
    max_change: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="End with 6 if more events end differently, such as 5%.")
    ] = None,
    samples: Annotated[int, typer.Option(min=0, help="How many samples of each kind of change to show.")] = 3,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that decide; by default as many as the input pays for.")
    ] = None,
    max_memory: Annotated[
        int, typer.Option(min=1, help="MiB for users' states in memory; more of them stay on disk.")
    ] = 512,
    format: Annotated[
        DiffFormat,
        typer.Option(
            "--format",
            help="text for people, markdown for a pull request, html for a browser, the others for machines.",
        ),
    ] = DiffFormat.TEXT,
    out: Annotated[Path | None, typer.Option(help="Write the result to this file and print nothing.")] = None,
    network: NetworkOption = NetworkName.AUTO,
) -> None:
    """See what a change would have done: which messages more, fewer, at another time, in other words, and why.

    Replays the events through both policies, each with its own users, so that consequences show: a new message that
    uses up a cap and thereby silences another. Every change is traced to the line of the policy that was edited.
    """
    from contextlib import ExitStack

    from botopt.cli.diffing import asked_share, limits_of, loaded, show
    from botopt.cli.moments import moment
    from botopt.cli.progress import Progress
    from botopt.model.errors import UsageError
    from botopt.verify.diff import Task, compare, edits
    from botopt.verify.inputs import Inputs
    from botopt.verify.lanes import workers_for

    share = None if max_change is None else asked_share("--max-change", max_change)
    until_us = None if until is None else moment("--until", until)
    with ExitStack() as held:
        before, after = loaded(held, old, new, workspace)
        inputs = held.enter_context(Inputs(events))
        task = Task(
            before.policy,
            after.policy,
            edits(before.folder, after.folder),
            tuple(events),
            state,
            until_us,
            samples,
            max_memory << 20,
            network.value,
        )
        progress = held.enter_context(Progress(inputs, visible=True))
        several = workers_for(inputs, workers) if all(inputs.plain) else 1  # each process reads all of it
        found = compare(task, inputs, several, progress.tick)
    limits = limits_of(found, max_messages_per_user_day, share)
    show(found, limits, format.value, out, samples, before, after)
    if not all(limit.holds for limit in limits):
        raise typer.Exit(Exit.CHANGED)
    if limits and found.edits and not found.decided:
        raise UsageError("no event was decided, so no limit was tried: --events names other files, or empty ones")
