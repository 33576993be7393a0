"""`botopt tune`: a patch of weights, thresholds and windows for a stated goal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, Format, OutputFormat, Workspace


def tune(
    *,
    workspace: Workspace = HERE,
    log: Annotated[
        list[str],
        typer.Option(
            "--log", help="A file of decision records, or of the events that were decided; name it once for each file."
        ),
    ],
    goal: Annotated[
        str,
        typer.Option(
            help='Such as "same clicks, 20% fewer messages", "at most 5% fewer clicks, fewer messages" or "5% more '
            'clicks, same messages".'
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Write the patch to this file, for git apply.")] = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Propose other weights, thresholds, cooldowns and limits for a goal, as a patch; nothing is changed.

    Chosen on the earlier 70% of the log's days and reported on the later ones, in steps of 0.05, at most five numbers,
    each of which earns its place. The patch also says until when the log went (settings.tuned_until), so that
    botopt evaluate does not judge the policy by the days it was chosen on. Ends with 10 where nothing is proposed, and
    says why.
    """
    from botopt.authoring.tuning.goals import read_goal
    from botopt.authoring.tuning.tuning import tune as look
    from botopt.cli.rewriting import rewrite
    from botopt.cli.tune_view import print_proposal, proposal_json
    from botopt.verify.validate import load

    wanted = read_goal(goal)
    found = look(workspace, log, load(workspace), wanted)
    if out is not None and found.patch:
        rewrite(out, found.patch)
    if format is Format.JSON:
        typer.echo(proposal_json(found))
    else:
        print_proposal(found, out)
    if found.refusals:
        raise typer.Exit(Exit.REFUSED)
