"""Findings as a person reads them: place, code, words, the line with a caret, and the fix."""

from __future__ import annotations

from collections.abc import Iterable

from botopt.cli.console import marked, out, visible
from botopt.cli.formats.documents import document
from botopt.model.counting import number_of
from botopt.model.diagnostic import Diagnostic, Severity

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def print_findings(diagnostics: Iterable[Diagnostic], *, allowed: int = 0) -> None:
    """All findings, then how many, and how many more comments allow."""
    diagnostics = tuple(diagnostics)
    console = out()
    for found in diagnostics:
        colour = _COLOURS[found.severity]
        place = marked(str(found.position))
        console.print(f"[bold]{place}[/] [{colour}]{found.code} {found.severity}[/]: {marked(found.message)}")
        for line in _caret(found):
            console.print(line, markup=False)
        if found.hint:
            console.print(f"  [green]fix:[/] {marked(found.hint)}")
        if found.witness:
            console.print(f"  [green]test:[/] {marked(found.witness)}")
        console.print()
    console.print(counted(diagnostics) + (f"; {allowed} more allowed by comments" if allowed else ""), markup=False)


def counted(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`, or `no findings`."""
    numbers = dict.fromkeys(Severity, 0)
    for found in diagnostics:
        numbers[found.severity] += 1
    words = [number_of(number, severity) for severity, number in numbers.items() if number]
    return ", ".join(words) or "no findings"


def _caret(found: Diagnostic) -> list[str]:
    if not found.source.strip():
        return []
    position = found.position
    source = visible(found.source.expandtabs(1))
    start = min(position.column - 1, len(source))
    end = position.end_column - 1 if position.end_line == position.line else len(source)
    shift = 0
    if len(source) > 110:  # long lines: the words around the caret
        shift = max(0, min(start - 40, len(source) - 110))
        source = ("…" if shift else "") + source[shift : shift + 110]
        shift -= 1 if shift else 0
    number = str(position.line)
    width = max(1, min(end, len(source) + shift) - start)
    return [
        f"  {number} | {source}",
        f"  {' ' * len(number)} | {' ' * (start - shift)}{'^' * width}",
    ]


def to_plain(found: Diagnostic) -> dict[str, object]:
    """A finding as `--format json` prints it (schemas/finding.schema.json)."""
    position = found.position
    return {
        "code": found.code,
        "severity": found.severity.value,
        "file": position.file,
        "line": position.line,
        "column": position.column,
        "end_line": position.end_line,
        "end_column": position.end_column,
        "message": found.message,
        "hint": found.hint,
        "witness": found.witness,
    }


def findings_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON list of findings (schemas/findings.schema.json)."""
    return document([to_plain(found) for found in diagnostics])
