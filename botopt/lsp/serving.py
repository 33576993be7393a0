"""The workspaces whose files an editor has open, and the way back to the editor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from lsprotocol import types
from pygls.exceptions import FeatureNotificationError, FeatureRequestError, JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from botopt.authoring.editing.workbench import Workbench
from botopt.lsp.session import Session, workspace_of
from botopt.lsp.speech import Formats, Places, diagnostic, lines_of
from botopt.model.diagnostic import Diagnostic
from botopt.model.position import Position
from botopt.model.version import VERSION
from botopt.verify.live import View


class Pointed(Protocol):
    """A request about a place in a file."""

    text_document: types.TextDocumentIdentifier
    position: types.Position


class Server(LanguageServer):
    """The server, and the workspaces whose files are open."""

    def __init__(self) -> None:
        super().__init__("botopt", VERSION)
        self._sessions: dict[Path, Session] = {}
        self._uris: dict[tuple[Path, str], str] = {}

    def report_server_error(self, error: Exception, source: type) -> None:
        """A fault of botopt's own is said in one sentence; what was refused on purpose is in the answer already."""
        if source not in (FeatureRequestError, FeatureNotificationError) or not isinstance(error, JsonRpcException):
            self.window_log_message(types.LogMessageParams(types.MessageType.Error, f"botopt: {error}"))

    def say(self, fault: Exception) -> None:
        """A fault of botopt's own, for the editor's log."""
        message = f"botopt: a fault of its own; please report it: {type(fault).__name__}: {fault}"
        self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))

    def formats(self, place: str) -> Formats:
        """The ways of writing that the editor can show at a place of its capabilities for texts."""
        found: Any = self.client_capabilities.text_document
        for name in place.split("."):
            found = getattr(found, name, None)
        return cast("Formats", found)

    def opened(self, uri: str) -> None:
        """Remember by which URI the editor calls a file."""
        if (found := self.find(uri)) is not None:
            session, name = found
            self._uris[(session.folder, name)] = uri

    def find(self, uri: str) -> tuple[Session, str] | None:
        """The workspace of a file and its name there."""
        path = to_fs_path(uri)
        found = None if path is None else workspace_of(Path(path))
        if found is None:
            return None
        folder, name = found
        if folder not in self._sessions:
            self._sessions[folder] = Session(folder, self.publish, self.say)
        return self._sessions[folder], name

    def sessions(self) -> Iterable[Session]:
        """Every workspace so far."""
        return tuple(self._sessions.values())

    def uri(self, session: Session, file: str) -> str:
        """The URI of a file: the editor's own where it is open."""
        known = self._uris.get((session.folder, file))
        return known or from_fs_path(str(session.folder / file)) or ""

    def publish(self, session: Session, findings: Mapping[str, Sequence[Diagnostic]]) -> None:
        """Show findings, at the files that they are about."""
        view = session.view
        for file, found in findings.items():
            places = self.places(session, file, view)
            told = [diagnostic(one, places) for one in found]
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(self.uri(session, file), told))

    def places(self, session: Session, file: str, view: View | None) -> Places:
        """Places in a file as the view has it."""
        document = None if view is None else view.documents.get(file)
        return Places(() if document is None else document.source.lines, self.workspace.position_codec)

    def now(self, uri: str) -> list[str]:
        """The lines of a file as the editor has it this very moment."""
        return lines_of(self.workspace.get_text_document(uri).source)

    def location(self, session: Session, view: View, position: Position) -> types.Location:
        """A place in any file."""
        places = self.places(session, position.file, view)
        return types.Location(self.uri(session, position.file), places.range(position))


async def asked(ls: Server, params: Pointed) -> tuple[Session, Workbench, str, int, int] | None:
    """The workspace, what is known of it, the file's name, and line and column counted from 1."""
    if (found := ls.find(params.text_document.uri)) is None:
        return None
    session, name = found
    bench = await session.settled()
    line, column = ls.places(session, name, bench.view).meant(params.position)
    return session, bench, name, line + 1, column + 1
