"""`botopt evaluate`: what another policy would have got on a log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, Format, OldPolicy, OutputFormat, one_workspace


def evaluate(
    log: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG...",
            help="Files of decision records and of the events that were decided, in any mix; .gz and .zst too; state "
            "files for their decisions.",
        ),
    ],
    workspace: Annotated[
        Path, typer.Option("--workspace", "-w", help="The folder of the policy to evaluate.", show_default=True)
    ] = HERE,
    old: OldPolicy = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Estimate what another policy would have got on this log, from the chances that the log's choices had.

    Each logged decision is put to the policy at the state that the log had led to: one step, not another history. It
    says better or worse only where the interval of the difference does not hold 0. Ends with 10 where the log does not
    bear an answer: too few clicks, too much that the log never did, or a policy that was chosen on this very log.
    """
    from botopt.cli.evaluate_view import evaluation_json, print_evaluation
    from botopt.verify.evaluating.evaluating import evaluate as ask
    from botopt.verify.validate import load

    folder = one_workspace(workspace, old)
    found = ask(log, load(folder), folder)
    if format is Format.JSON:
        typer.echo(evaluation_json(found))
    else:
        print_evaluation(found, folder)
    if found.evaluation.refusals:
        raise typer.Exit(Exit.REFUSED)
