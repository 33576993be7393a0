"""`botopt init`: a workspace to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make; it must not hold a workspace yet.")],
    minimal: Annotated[bool, typer.Option("--minimal", help="One event type and one message, nothing else.")] = False,
) -> None:
    """Make a workspace: the starter policy, and events to try it on.

    Writes rules/, templates/ and events.jsonl into FOLDER. Existing files are never touched: if one is in
    the way, nothing is written.
    """
    from botopt.cli.console import out
    from botopt.verify.starter import minimal_files, starter_files, write_files

    files = minimal_files() if minimal else starter_files()
    write_files(folder, files)
    console = out()
    for name in sorted(files):
        console.print(f"  wrote {folder / name}", markup=False)
    shown = str(folder)
    console.print("\nNext:", markup=False)
    console.print(f"  botopt validate -w {shown}", markup=False)
    if any(name.endswith(".test.yaml") for name in files):
        console.print(f"  botopt test -w {shown}", markup=False)
    console.print(f"  botopt replay -w {shown} {folder / 'events.jsonl'}", markup=False)
