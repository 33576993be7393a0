"""`botopt simulate`: the policy against people whose truth is known."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from botopt.cli.options import HERE, Format, OldFolder, OutputFormat, Workspace, one_workspace

if TYPE_CHECKING:
    from botopt.model.policy import Policy


def simulate(
    old: OldFolder = None,
    *,
    workspace: Workspace = HERE,
    world: Annotated[
        str, typer.Option(help="What is true of people: modest, null, drift, fatigue, surge or confounded.")
    ] = "modest",
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="How many populations are tried.")] = 12,
    first_seed: Annotated[int, typer.Option(min=0, help="The first one's seed; the others follow.")] = 0,
    users: Annotated[int, typer.Option(min=1, max=100_000, help="People in each.")] = 120,
    days: Annotated[int, typer.Option(min=1, max=3660, help="How long.")] = 60,
    against: Annotated[
        str,
        typer.Option(
            metavar="static|none|DIR",
            help="What it is compared with: itself with all learners off, nothing, or another policy folder.",
        ),
    ] = "static",
    out: Annotated[Path | None, typer.Option(help="Write report.json and curves.svg into this folder.")] = None,
    events: Annotated[
        Path | None,
        typer.Option(help="Write what happened under the first seed to this new file, answers included, for replay."),
    ] = None,
    decisions: Annotated[
        Path | None,
        typer.Option(help="Write what the policy decided there to this new file; answers name its messages."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes; by default one for each processor.")
    ] = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Try the policy on simulated people, and see whether what it learns is worth anything.

    Nothing here is a measurement of real people: a world has numbers for what people like, and how much of it a policy
    finds out is what you see. Each seed makes other people, and every policy meets the same ones, to whom the same
    things happen. The hindsight rule knows which event types people like best and sends only those; the oracle knows
    everything, and no policy reaches it.
    """
    import os

    from botopt.cli.simulate_view import print_report, report_json, write_report
    from botopt.model.errors import UsageError
    from botopt.verify.simulation.comparing import report
    from botopt.verify.simulation.trials import Setup, trials
    from botopt.verify.simulation.worlds import WORLDS
    from botopt.verify.simulation.writing import log_into
    from botopt.verify.validate import load

    if world not in WORLDS:
        raise UsageError(f"there is no world {world}: choose one of {', '.join(WORLDS)}")
    policy = load(one_workspace(workspace, old))
    setup = Setup(policy, WORLDS[world], users, days, _rivals(policy, against), against == "static")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ExitStack() as held:
        files = [None if path is None else held.enter_context(_new(path)) for path in (events, decisions)]
        log = log_into(policy, *files) if any(files) else None
        found = trials(setup, range(first_seed, first_seed + seeds), workers or processors, log=log)
    told = report(world, WORLDS[world].description, policy.revision, found)
    if out is not None:
        write_report(out, told)
    if format is Format.JSON:
        typer.echo(report_json(told))
    else:
        print_report(told)


def _rivals(policy: Policy, against: str) -> dict[str, Policy]:
    from botopt.cli.console import say
    from botopt.verify.simulation.rivals import in_common, static
    from botopt.verify.simulation.trials import HINDSIGHT, POLICY, STATIC
    from botopt.verify.validate import load

    if against == "none":
        return {}
    if against == "static":
        return {STATIC: static(policy)}
    name = Path(against).name or against
    rival = load(against)
    missing = in_common(policy, rival, name)
    if missing is not None:
        say(f"warning: {missing}", "yellow")
    return {f"{name} (other)" if name in (POLICY, STATIC, HINDSIGHT) else name: rival}


def _new(path: Path) -> TextIO:
    from botopt.model.errors import UsageError

    try:
        return path.open("x", encoding="utf-8")
    except FileExistsError as fault:
        raise UsageError(f"{path} is there already; name a new file") from fault
