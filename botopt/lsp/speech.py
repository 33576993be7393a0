"""From botopt's values to those of the protocol: places in the client's units, findings, suggestions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsprotocol import types
from pygls.workspace import PositionCodec

from botopt.authoring.editing.expressions import Sort, Suggestion
from botopt.loading.reading.source import LINE_BREAK
from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.position import Position

SOURCE = "botopt"

Formats = Sequence[types.MarkupKind | str] | None
"""The ways of writing that an editor can show."""

_MARKS = re.compile(r"\*\*|`|^#+ ", re.MULTILINE)

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}
_SORTS = {
    Sort.FIELD: types.CompletionItemKind.Field,
    Sort.ATTRIBUTE: types.CompletionItemKind.Property,
    Sort.GROUP: types.CompletionItemKind.Module,
    Sort.FUNCTION: types.CompletionItemKind.Function,
    Sort.VALUE: types.CompletionItemKind.Value,
    Sort.WORD: types.CompletionItemKind.Operator,
    Sort.KEY: types.CompletionItemKind.Property,
    Sort.FILTER: types.CompletionItemKind.Method,
}


def lines_of(text: str) -> list[str]:
    """The lines of a text as the protocol counts them."""
    return LINE_BREAK.split(text)


class Places:
    """Columns of one file's lines: characters here, the client's code units there, UTF-16 unless it asked otherwise."""

    def __init__(self, lines: Sequence[str], codec: PositionCodec) -> None:
        self._lines = lines
        self._codec = codec

    def _line(self, number: int) -> str:
        return self._lines[number] if 0 <= number < len(self._lines) else ""

    def told(self, line: int, column: int) -> types.Position:
        """A place counted from 0."""
        return types.Position(line, self._codec.client_num_units(self._line(line)[:column]))

    def meant(self, position: types.Position) -> tuple[int, int]:
        """Line and column of the client's place, counted from 0."""
        units = 0
        line = self._line(position.line)
        for column, char in enumerate(line):
            if units >= position.character:
                return position.line, column
            units += self._codec.client_num_units(char)
        return position.line, len(line)

    def range(self, position: Position) -> types.Range:
        """A position of a file; of one without length the word or character that begins there."""
        start = self.told(position.line - 1, position.column - 1)
        end = self.told(position.end_line - 1, position.end_column - 1)
        return types.Range(start, end)


def diagnostic(found: Diagnostic, places: Places) -> types.Diagnostic:
    """A finding, with its fix in the words."""
    message = f"{found.message}\nfix: {found.hint}" if found.hint else found.message
    unused = found.code == "B123"
    return types.Diagnostic(
        range=places.range(found.position),
        message=message,
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary] if unused else None,
    )


def completion(
    one: Suggestion, number: int, line: int, column: int, places: Places, formats: Formats
) -> types.CompletionItem:
    """A suggestion that replaces what is typed of it; `number` keeps the order."""
    span = types.Range(places.told(line, column - one.replaces), places.told(line, column))
    return types.CompletionItem(
        label=one.label,
        kind=_SORTS[one.sort],
        detail=one.detail or None,
        documentation=said(one.more, formats) if one.more else None,
        sort_text=f"{number:05}",
        filter_text=one.label,
        text_edit=types.TextEdit(span, one.text),
    )


def said(text: str, formats: Formats) -> types.MarkupContent | str:
    """Words with their marks, or without for an editor that shows none."""
    if types.MarkupKind.Markdown in (formats or ()):
        return types.MarkupContent(types.MarkupKind.Markdown, text)
    return _MARKS.sub("", text)
