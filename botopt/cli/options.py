"""Options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, overload

import typer
from typer.core import TyperCommand


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


class ReportFormat(StrEnum):
    """How the result of a check is printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"


class NetworkName(StrEnum):
    """Which rules network matches conditions; all give the same decisions."""

    AUTO = "auto"
    DURABLE = "durable_rules"
    REFERENCE = "reference"


class LogFormatName(StrEnum):
    """How the log is written."""

    AUTO = "auto"
    JSON = "json"
    PRETTY = "pretty"


class LogLevelName(StrEnum):
    """How grave something must be to be logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Workspace = Annotated[
    Path, typer.Option("--workspace", "-w", help="The folder that holds rules/ and templates/.", show_default=True)
]
OldPolicy = Annotated[Path | None, typer.Option("--policy", hidden=True)]
"""What `--workspace` was called in some commands; still taken."""
OldFolder = Annotated[Path | None, typer.Argument(hidden=True)]
"""The workspace without `-w`, as some commands had it; still taken. Such a command is a `Quiet` one."""
StateFile = Annotated[Path, typer.Option("--state", help="The SQLite file that `botopt replay --state` wrote.")]
DEFAULT_STATE = Path("state.db")
OutputFormat = Annotated[Format, typer.Option("--format", help="text for people, json for programs.")]
ReportOption = Annotated[
    ReportFormat,
    typer.Option(
        "--format",
        help="text for people, json for programs, github for annotations of a pull request, sarif for code scanning, "
        "junit for CI servers.",
    ),
]
NetworkOption = Annotated[
    NetworkName, typer.Option("--network", help="The rules network; the decisions are the same with each.")
]
HERE = Path()


class Quiet(TyperCommand):
    """A command whose usage line leaves out hidden arguments, too."""

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Options and arguments as the usage line has them."""
        shown = [each for each in self.get_params(ctx) if not getattr(each, "hidden", False)]
        return [self.options_metavar or "", *(piece for each in shown for piece in each.get_usage_pieces(ctx))]


@overload
def one_workspace(workspace: Path, old: Path | None) -> Path: ...
@overload
def one_workspace(workspace: Path | None, old: Path | None) -> Path | None: ...
def one_workspace(workspace: Path | None, old: Path | None) -> Path | None:
    """The workspace, however it was named.

    Raises:
        UsageError: it was named in both ways, and they differ.
    """
    from botopt.model.errors import UsageError

    if old is None or old == workspace:
        return workspace
    if workspace not in (None, HERE):
        raise UsageError(f"two workspaces are named, {workspace} and {old}: name one, with -w")
    return old


def paragraphs(command: Callable[..., None]) -> str:
    """A command's docstring as its help: one line for each paragraph, so that the terminal can wrap it."""
    text = inspect.getdoc(command) or ""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
