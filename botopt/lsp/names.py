"""Where a name is declared and used, and another name for it."""

from __future__ import annotations

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from botopt.authoring.editing.hovering import definition
from botopt.authoring.editing.occurrences import at, everywhere
from botopt.authoring.editing.renaming import Renaming, renamable, rename
from botopt.authoring.editing.workbench import Workbench
from botopt.lsp.features import Feature
from botopt.lsp.serving import Server, asked
from botopt.model.errors import UsageError
from botopt.verify.live import Live

_REQUEST_FAILED = -32803


def refused(error: UsageError) -> JsonRpcException:
    """The answer to what cannot be done; editors show its sentence."""
    return JsonRpcException(str(error), _REQUEST_FAILED)


async def definitions(ls: Server, params: types.DefinitionParams) -> list[types.Location]:
    """Where a name is declared."""
    if (found := await asked(ls, params)) is None:
        return []
    session, bench, name, line, column = found
    places = definition(bench, name, line, column)
    return [ls.location(session, bench.view, one.position) for one in places]


async def references(ls: Server, params: types.ReferenceParams) -> list[types.Location]:
    """Everywhere where the same thing is named."""
    if (found := await asked(ls, params)) is None:
        return []
    session, bench, name, line, column = found
    wanted = at(bench.view, bench.declared, name, line, column)
    if wanted is None:
        return []
    with_declaration = params.context.include_declaration
    places = [
        one.position for one in everywhere(bench.view, bench.declared, wanted) if with_declaration or not one.declares
    ]
    return [ls.location(session, bench.view, place) for place in places]


async def prepare(ls: Server, params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder | None:
    """Whether a name can be changed, and which words it is."""
    if (found := await asked(ls, params)) is None:
        return None
    session, bench, name, line, column = found
    try:
        wanted = renamable(bench, name, line, column)
    except UsageError as error:
        raise refused(error) from error
    places = ls.places(session, name, bench.view)
    return types.PrepareRenamePlaceholder(places.range(wanted.position), wanted.name)


async def renaming(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    """All edits that give something another name."""
    if (found := await asked(ls, params)) is None:
        return None
    session, bench, name, line, column = found

    def ask(live: Live, _: Workbench) -> Renaming:
        return rename(live, bench, name, line, column, params.new_name)

    try:
        done = await session.ask(ask)
    except UsageError as error:
        raise refused(error) from error
    if done.note:
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Info, done.note))
    changes: dict[str, list[types.TextEdit]] = {}
    for change in done.changes:
        place = ls.location(session, bench.view, change.position)
        changes.setdefault(place.uri, []).append(types.TextEdit(place.range, change.text))
    return types.WorkspaceEdit(changes=changes)


FEATURES: tuple[Feature, ...] = (
    (types.TEXT_DOCUMENT_DEFINITION, definitions, None),
    (types.TEXT_DOCUMENT_REFERENCES, references, None),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, prepare, None),
    (types.TEXT_DOCUMENT_RENAME, renaming, types.RenameOptions(prepare_provider=True)),
)
