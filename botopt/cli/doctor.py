"""`botopt doctor`: is this installation, and this workspace, in order?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, Format, OutputFormat, Workspace


def doctor(
    workspace: Workspace = HERE,
    state: Annotated[Path | None, typer.Option(help="Check this state file, too.")] = None,
    format: OutputFormat = Format.TEXT,
) -> None:
    """Check the installation: versions, which rules network runs and why, time zones, and the workspace thoroughly.

    Compares both rules networks on many more facts than `botopt validate` does.
    """
    from botopt.cli.console import marked, out
    from botopt.verify.health import Health, examine

    results = examine(workspace, state)
    if format is Format.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(results), indent=2).decode())
    else:
        marks = {Health.OK: "[green]ok[/]", Health.NOTE: "[yellow]note[/]", Health.BAD: "[red]bad[/]"}
        for result in results:
            out().print(f"{marks[result.health]:>4}  [bold]{marked(result.name)}[/]  {marked(result.detail)}")
    if any(result.health is Health.BAD for result in results):
        raise typer.Exit(Exit.POLICY if state is None else Exit.STATE)
