"""Workflow commands: GitHub shows each as an annotation at its line of a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from botopt.cli.console import visible
from botopt.cli.formats.entry import Entry, Level

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def workflow_commands(entries: Iterable[Entry]) -> Iterator[str]:
    """One line for each entry."""
    for entry in entries:
        at = entry.position
        properties: list[tuple[str, object]] = [("file", at.file)]
        if at.line > 0:
            properties += [("line", at.line), ("endLine", max(at.end_line, at.line)), ("col", at.column)]
            if at.end_line == at.line and at.end_column > at.column:  # over several lines GitHub ignores columns
                properties.append(("endColumn", at.end_column))
        properties.append(("title", f"{entry.kind.id} {entry.kind.title}"))
        named = ",".join(f"{name}={_escaped(str(value), _PROPERTY)}" for name, value in properties)
        yield f"::{_COMMANDS[entry.level]} {named}::{_escaped(entry.sentence, _DATA)}"


def _escaped(text: str, table: dict[int, str]) -> str:
    return visible(text).translate(table)
