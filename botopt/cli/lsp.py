"""`botopt lsp`: the language server, which editors start."""

from __future__ import annotations

from typing import Annotated

import typer


def lsp(
    stdio: Annotated[  # noqa: ARG001  # many editors say it
        bool, typer.Option("--stdio", help="Speak over standard input and output: always so.")
    ] = True,
) -> None:
    """Run the language server; an editor starts it by itself once it is told to.

    It finds the workspace of every file that is opened, checks it while you type, completes names, conditions and
    templates, explains what you point at, goes to definitions, renames, and offers fixes.
    """
    from importlib.util import find_spec

    from botopt.model.errors import UsageError

    if find_spec("pygls") is None:
        raise UsageError("the language server needs one more package: pip install 'botopt[lsp]'")
    from botopt.lsp.server import serve

    serve()
