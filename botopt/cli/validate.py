"""`botopt validate`: every finding of a workspace."""

from __future__ import annotations

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, OldFolder, ReportFormat, ReportOption, Workspace, one_workspace


def validate(old: OldFolder = None, workspace: Workspace = HERE, format: ReportOption = ReportFormat.TEXT) -> None:
    """Check a workspace: every mistake in one run, each with its place, plain words and a fix.

    Reads rules/ and templates/, checks names, types and conditions, and renders every message in every
    language. Ends with 0 when there are no errors (warnings are fine), with 3 otherwise.
    """
    from botopt.cli.console import out
    from botopt.cli.findings import counted, print_findings
    from botopt.model.counting import number_of
    from botopt.verify.validate import validate as find

    workspace = one_workspace(workspace, old)
    result = find(workspace)
    if format is ReportFormat.TEXT:
        print_findings(result.diagnostics, allowed=result.allowed)
        policy = result.policy
        if policy is not None:
            deciding = sum(1 for event_type in policy.events.values() if event_type.decides)
            out().print(
                f"[green]ok[/] {number_of(len(result.files), 'file')}: {number_of(len(policy.events), 'event type')} "
                f"({deciding} with messages), {number_of(len(policy.suppressions), 'suppression')}, "
                f"{number_of(len(policy.templates), 'template')}; "
                f"revision {policy.revision}"
            )
    else:
        from botopt.cli.formats.findings import written
        from botopt.cli.formats.places import Places

        found = written(format, result.diagnostics, result.files, Places(workspace))
        if found:
            typer.echo(found)
        if format is ReportFormat.GITHUB:
            typer.echo(counted(result.diagnostics))
    if result.policy is None:
        raise typer.Exit(Exit.POLICY)
