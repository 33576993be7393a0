"""`botopt test`: rule tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.options import HERE, NetworkName, NetworkOption, ReportFormat, ReportOption, Workspace


def test(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILES", help="Only these; every *.test.yaml without.")
    ] = None,
    *,
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
    watch: Annotated[
        bool, typer.Option("--watch", help="Run again whenever a file of the workspace changes, until Ctrl-C.")
    ] = False,
    record: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EVENTS", help="Run nothing: write a test from recorded events of --user. May be given again."
        ),
    ] = None,
    user: Annotated[str | None, typer.Option(help="With --record: whose events.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="With --record: expect nothing of what came before.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="With --record: stop there.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="With --record: write this new file, such as rules/ada.test.yaml.")
    ] = None,
) -> None:
    """Run the rule tests of a workspace: conversations on a virtual clock, with what must come of each step.

    A test that fails shows what was expected, what came instead, and why it was decided so. Ends with 4 if one fails.

    With --record it writes such a test: recorded events of one user, with what is decided about them today.
    """
    if watch and record:
        from botopt.model.errors import UsageError

        raise UsageError("--watch runs tests, and --record writes one: choose")
    if record:
        from botopt.cli.recording import record as write
        from botopt.cli.recording import wanted

        write(wanted(record, user, from_, to, out), workspace, network)
        return
    if (user, from_, to, out) != (None, None, None, None):
        from botopt.model.errors import UsageError

        raise UsageError("--user, --from, --to and --out belong to --record")
    from botopt.cli.checking import Asked, check

    asked = Asked(tuple(files or ()), workspace, run, network, format, coverage, at_least)
    if watch:
        from botopt.cli.watching import watch as again

        again(workspace, asked.files, lambda: check(asked))
    raise typer.Exit(check(asked))
