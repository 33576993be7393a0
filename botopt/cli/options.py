"""Options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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


def paragraphs(command: Callable[..., None]) -> str:
    """A command's docstring as its help: one line for each paragraph, so that the terminal can wrap it."""
    text = inspect.getdoc(command) or ""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
