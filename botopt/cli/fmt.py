"""`botopt fmt`: one look for every file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, Workspace


def fmt(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES]...", help="Only these; all of the workspace without.")
    ] = None,
    workspace: Workspace = HERE,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: show what would change, and end with 6 if something would.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what changes.")] = False,
) -> None:
    """Tidy the spaces of rules and templates; the meaning, every comment and the order stay.

    Settles indentation, spaces inside { } and [ ], blank lines and the end of the file. Columns that you aligned
    stay aligned. A file with mistakes in its YAML is left alone, its findings are shown, and the command ends with 3.
    """
    from botopt.authoring.formatting import tidied, workspace_files
    from botopt.cli.console import out, say
    from botopt.cli.findings import print_findings
    from botopt.cli.rewriting import rewrite, show_diff
    from botopt.loading.files import no_rules
    from botopt.model.counting import number_of
    from botopt.model.errors import PolicyError

    chosen = [(path, path.as_posix()) for path in files] if files else list(workspace_files(workspace))
    if not chosen:
        raise PolicyError((no_rules(workspace),))
    results = [tidied(path, name) for path, name in chosen]
    changed = [result for result in results if result.changed]
    for result in changed:
        if check or diff:
            show_diff(result.diff())
        if not check:
            rewrite(result.path, result.after)
            out().print(f"tidied {result.name}", markup=False)
    wrong = [finding for result in results for finding in result.findings]
    if wrong:
        print_findings(wrong)
    say(f"{number_of(len(results), 'file')}: {len(changed)} {'would change' if check else 'changed'}")
    if any(result.findings for result in results):
        raise typer.Exit(Exit.POLICY)
    if check and changed:
        raise typer.Exit(Exit.CHANGED)
