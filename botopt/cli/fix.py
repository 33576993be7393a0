"""`botopt fix`: mechanical mistakes, mended."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, Workspace


def fix(
    workspace: Workspace = HERE,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write the changes without asking.")] = False,
) -> None:
    """Mend what is mechanical: misspelled names, missing quotes and spaces, tabs, typographic quotes.

    Shows the difference first and asks. Without a terminal and without --yes nothing is written, and the command
    ends with 6 if there is something to mend. A change that would bring a new mistake is never made. What is left is
    shown at the end; with errors among it the command ends with 3.
    """
    from botopt.authoring.fixing import fix as mend
    from botopt.authoring.formatting import difference
    from botopt.cli.console import marked, out, say
    from botopt.cli.findings import print_findings
    from botopt.cli.rewriting import rewrite, show_diff
    from botopt.model.counting import number_of
    from botopt.model.diagnostic import has_errors

    fixed = mend(workspace)
    changed = list(fixed.changed())
    for name, before, after in changed:
        show_diff(difference(name, before, after, "mended"))
    for found in fixed.mended:
        out().print(f"[bold]{marked(str(found.position))}[/] {found.code}: {marked(found.message)}")
    if changed and not yes:
        if not _is_terminal():
            say(f"{len(fixed.mended)} to mend; nothing was written: say --yes to write it")
            raise typer.Exit(Exit.CHANGED)
        if not _agreed("Write these changes?"):
            say("nothing was written")
            raise typer.Exit(Exit.CHANGED)
    for name, _, after in changed:
        rewrite(workspace / name, after)
    files = number_of(len(changed), "file")
    say(f"mended {len(fixed.mended)} in {files}" if changed else "nothing that can be mended mechanically")
    if fixed.left:
        print_findings(fixed.left)
    if has_errors(fixed.left):
        raise typer.Exit(Exit.POLICY)


def _agreed(question: str) -> bool:
    """Somebody's answer; Ctrl-C and an end of input are a no."""
    try:
        return typer.confirm(question, default=False)
    except typer.Abort:
        return False


def _is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()
