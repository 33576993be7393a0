"""What the editor tells about its files."""

from __future__ import annotations

from lsprotocol import types

from botopt.lsp.features import Feature
from botopt.lsp.serving import Server

_WATCHED = "**/*.{yaml,yml}"


async def initialized(ls: Server, _: types.InitializedParams) -> None:
    """Ask to hear of files that change on the disk."""
    capabilities = ls.client_capabilities.workspace
    watching = capabilities.did_change_watched_files if capabilities is not None else None
    if watching is not None and watching.dynamic_registration:
        options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(_WATCHED)])
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        wanted = [types.Registration("botopt-files", method, options)]
        await ls.client_register_capability_async(types.RegistrationParams(wanted))


async def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    """A file is open: from now on its text is what the editor says."""
    ls.opened(params.text_document.uri)
    _written(ls, params.text_document.uri)


async def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    """Something was typed."""
    _written(ls, params.text_document.uri)


async def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    """The file is what the disk says again."""
    if (found := ls.find(params.text_document.uri)) is not None:
        session, name = found
        session.write(name, None)
        session.refresh()


async def did_save(ls: Server, _: types.DidSaveTextDocumentParams) -> None:
    """A file was written."""
    for session in ls.sessions():
        session.refresh()


async def did_change_files(ls: Server, _: types.DidChangeWatchedFilesParams) -> None:
    """Files changed on the disk."""
    for session in ls.sessions():
        session.refresh()


def _written(ls: Server, uri: str) -> None:
    if (found := ls.find(uri)) is not None:
        session, name = found
        session.write(name, ls.workspace.get_text_document(uri).source)


FEATURES: tuple[Feature, ...] = (
    (types.INITIALIZED, initialized, None),
    (types.TEXT_DOCUMENT_DID_OPEN, did_open, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, did_change, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, did_close, None),
    (types.TEXT_DOCUMENT_DID_SAVE, did_save, None),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, did_change_files, None),
)
