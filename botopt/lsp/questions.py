"""What stands at a place, what may stand there, and what would mend it."""

from __future__ import annotations

import sys

from lsprotocol import types

from botopt.authoring.editing.completing import complete
from botopt.authoring.editing.hovering import explain, hover
from botopt.authoring.editing.mending import Mending, mendings
from botopt.authoring.editing.outline import Entry, outline
from botopt.authoring.editing.workbench import Workbench
from botopt.lsp.features import Feature
from botopt.lsp.serving import Server, asked
from botopt.lsp.speech import Places, completion, diagnostic, said
from botopt.model.diagnostic import Diagnostic
from botopt.model.position import Position
from botopt.verify.live import Live

_TRIGGERS = [".", "'", '"', "|", "{", " ", "["]
_MOST_MENDED = 8
"""Findings of one line for which quick fixes are tried."""


async def completions(ls: Server, params: types.CompletionParams) -> list[types.CompletionItem]:
    """What may be typed here."""
    uri = params.text_document.uri
    if (found := ls.find(uri)) is None:
        return []
    session, name = found
    lines = ls.now(uri)
    places = Places(lines, ls.workspace.position_codec)
    line, column = places.meant(params.position)
    suggestions = complete(await session.latest(), name, lines, line, column)
    formats = ls.formats("completion.completion_item.documentation_format")
    return [completion(one, number, line, column, places, formats) for number, one in enumerate(suggestions)]


async def hovers(ls: Server, params: types.HoverParams) -> types.Hover | None:
    """What stands here, and what is wrong with it."""
    if (found := await asked(ls, params)) is None:
        return None
    session, bench, name, line, column = found
    here = [one for one in session.findings(name) if _covers(one.position, line, column)]
    parts = [part for part in (hover(bench, name, line, column), explain(here)) if part]
    return types.Hover(said("\n\n---\n\n".join(parts), ls.formats("hover.content_format"))) if parts else None


async def symbols(ls: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    """The outline of a file."""
    if (found := ls.find(params.text_document.uri)) is None:
        return []
    session, name = found
    bench = await session.settled()
    places = ls.places(session, name, bench.view)
    return [_symbol(one, places) for one in outline(bench.view, name)]


async def code_actions(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    """What would mend the findings of these lines."""
    uri = params.text_document.uri
    if (found := ls.find(uri)) is None:
        return []
    session, name = found
    bench = await session.settled()
    first, last = params.range.start.line + 1, params.range.end.line + 1
    here = [one for one in session.findings(name) if first <= one.position.end_line and one.position.line <= last]

    def try_them(live: Live, _: Workbench) -> list[tuple[Diagnostic, list[Mending]]]:
        return [(one, mendings(live, bench.view, one)) for one in here[:_MOST_MENDED]]

    places = ls.places(session, name, bench.view)
    return [
        _action(uri, one, mending, places, preferred=number == 0)
        for one, found_ in await session.ask(try_them)
        for number, mending in enumerate(found_)
    ]


def _action(uri: str, found: Diagnostic, mending: Mending, places: Places, *, preferred: bool) -> types.CodeAction:
    whole = types.Range(types.Position(mending.first, 0), places.told(mending.last - 1, sys.maxsize))
    return types.CodeAction(
        title=mending.title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[diagnostic(found, places)],
        is_preferred=preferred,
        edit=types.WorkspaceEdit(changes={uri: [types.TextEdit(whole, "\n".join(mending.lines))]}),
    )


def _symbol(one: Entry, places: Places) -> types.DocumentSymbol:
    kinds = {"section": types.SymbolKind.Namespace, "event": types.SymbolKind.Event, "field": types.SymbolKind.Field}
    return types.DocumentSymbol(
        one.name,
        kinds.get(one.sort, types.SymbolKind.Object),
        range=places.range(one.whole),
        selection_range=places.range(one.position),
        children=[_symbol(inner, places) for inner in one.inner],
    )


def _covers(position: Position, line: int, column: int) -> bool:
    return (position.line, position.column) <= (line, column) <= (position.end_line, position.end_column)


FEATURES: tuple[Feature, ...] = (
    (
        types.TEXT_DOCUMENT_COMPLETION,
        completions,
        types.CompletionOptions(trigger_characters=[".", "'", '"', "|", "{", " ", "["]),
    ),
    (types.TEXT_DOCUMENT_HOVER, hovers, None),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, symbols, None),
    (
        types.TEXT_DOCUMENT_CODE_ACTION,
        code_actions,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    ),
)
