"""`botopt test`: rule tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.options import HERE, NetworkName, NetworkOption, ReportFormat, ReportOption, Workspace


def test(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES]...", help="Only these; every *.test.yaml without.")
    ] = None,
    workspace: Workspace = HERE,
    run: Annotated[
        str | None, typer.Option(help="Only tests whose name holds this, or fits it where it has a *.")
    ] = None,
    network: NetworkOption = NetworkName.AUTO,
    format: ReportOption = ReportFormat.TEXT,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Say what of the policy the tests reach, and what they do not.")
    ] = False,
    at_least: Annotated[
        float | None,
        typer.Option(
            "--min", min=0, max=100, metavar="PERCENT", help="End with 5 if they reach less; includes --coverage."
        ),
    ] = None,
) -> None:
    """Run the rule tests of a workspace: conversations on a virtual clock, with what must come of each step.

    A test that fails shows what was expected, what came instead, and why it was decided so. Ends with 4 if one fails.
    """
    from botopt.cli.checking import Asked, check

    asked = Asked(tuple(files or ()), workspace, run, network, format, coverage, at_least)
    raise typer.Exit(check(asked))
