"""`botopt experiment`: what named experiments, the holdout and the control group have shown, and who is in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from botopt.cli.options import (
    HERE,
    Format,
    OldFolder,
    OldPolicy,
    OutputFormat,
    Quiet,
    Workspace,
    one_workspace,
    paragraphs,
)

if TYPE_CHECKING:
    from botopt.model.policy import Policy

app = typer.Typer(no_args_is_help=True, help="Compare the arms of experiments, the holdout and the control group.")


def report(
    logs: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG...",
            help="Files of decision records (botopt replay --out) and of events, in any mix, .gz and .zst too; or "
            "state files. - is standard input.",
        ),
    ],
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            "-w",
            help="The folder of the policy that decided: then the holdout and the control group, too.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only this experiment.")] = None,
    goal: Annotated[
        str | None, typer.Option(help="Compare how often this event happens, such as payment_succeeded; else clicks.")
    ] = None,
    old: OldPolicy = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Compare the arms of experiments: what users were sent and did since they were first exposed.

    The intervals hold however often the report is read. A winner is named only when its interval excludes 0.
    """
    from botopt.cli.experiment_json import report_json
    from botopt.cli.experiment_view import print_report
    from botopt.model.durations import DAY_US
    from botopt.model.errors import UsageError
    from botopt.verify.experiments import report as make
    from botopt.verify.log import read_log

    folder = one_workspace(workspace, old)
    loaded = None if folder is None else _loaded(folder)
    ignored_after_us = DAY_US if loaded is None else loaded.settings.ignored_after_us
    log = read_log(logs, ignored_after_us=ignored_after_us)
    if goal is not None and loaded is not None:
        _check_goal(goal, loaded)
    made = make(log, loaded, name=name, goal=goal)
    if name is not None and not made.experiments:
        known = make(log, loaded).experiments
        raise UsageError(f'--name: there is no experiment "{name}"{_hint(name, [each.name for each in known])}')
    if format is Format.JSON:
        typer.echo(report_json(made, log.problems))
    else:
        print_report(made, log.problems)


def list_experiments(
    old: OldFolder = None,
    workspace: Workspace = HERE,
    format: OutputFormat = Format.TEXT,
) -> None:
    """List the experiments of a policy: their arms, and the event types in which they have a say."""
    from botopt.cli.experiment_json import listed_json
    from botopt.cli.experiment_view import print_listed
    from botopt.verify.experiments.listing import listed

    loaded = _loaded(one_workspace(workspace, old))
    if format is Format.JSON:
        typer.echo(listed_json(listed(loaded), loaded.settings))
    else:
        print_listed(listed(loaded), loaded.settings)


def who(
    users: Annotated[list[str], typer.Argument(metavar="USER...", help="Ids of users.")],
    workspace: Workspace = HERE,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Say in which arm of each experiment a user is, and whether in the holdout or the control group.

    A hash of the seed and the user's id decides, so nobody need have been seen before.
    """
    from botopt.cli.experiment_json import belonging_json
    from botopt.cli.experiment_view import print_belonging
    from botopt.verify.experiments.listing import belonging

    loaded = _loaded(workspace)
    found = [belonging(loaded, user) for user in users]
    if format is Format.JSON:
        for one in found:
            typer.echo(belonging_json(one))
    else:
        print_belonging(found, loaded.settings)


def _loaded(workspace: Path) -> Policy:
    from botopt.verify.validate import load

    return load(workspace)


def _check_goal(goal: str, policy: Policy) -> None:
    from botopt.model.errors import UsageError
    from botopt.model.policy import RESERVED_TYPES

    known = (*policy.events, *RESERVED_TYPES)
    if goal not in known and not any(goal in each.accepts for each in policy.events.values()):
        raise UsageError(f'--goal: there is no event type "{goal}"{_hint(goal, known)}')


def _hint(name: str, known: tuple[str, ...] | list[str]) -> str:
    from botopt.model.names import did_you_mean

    hint = did_you_mean(name, known)
    return f"; {hint}" if hint else ""


app.command(help=paragraphs(report))(report)
app.command("list", help=paragraphs(list_experiments), cls=Quiet)(list_experiments)
app.command(help=paragraphs(who))(who)
