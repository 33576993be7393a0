"""The server beside the capabilities that real editors announce: what they did not offer is not sent to them."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest
from lsprotocol import types
from pytest_lsp import ClientServerConfig, client_capabilities, make_test_lsp_client

from botopt.model.data_files import data_dir

PAYMENTS = "rules/payments.yaml"


@pytest.mark.parametrize("editor", ["visual-studio-code", "neovim", "emacs"])
def test_an_editor_gets_what_it_can_understand(editor: str, tmp_path: Path):
    for kind in ("rules", "templates"):
        shutil.copytree(data_dir(kind), tmp_path / kind)
    asyncio.run(sitting(editor, tmp_path))


async def sitting(editor: str, folder: Path) -> None:
    config = ClientServerConfig(
        server_command=[sys.executable, "-m", "botopt", "lsp"], client_factory=make_test_lsp_client
    )
    client = await config.start()
    try:
        await client.initialize_session(
            types.InitializeParams(capabilities=client_capabilities(editor), root_uri=folder.as_uri())
        )
        uri, text = (folder / PAYMENTS).as_uri(), (folder / PAYMENTS).read_text("utf-8")
        wrong = text.replace("message: payment_failed", "message: payment_faild", 1)
        document = types.TextDocumentItem(uri=uri, language_id="yaml", version=1, text=wrong)
        client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        found = next(one for one in client.diagnostics[uri] if one.code == "B102")
        known = types.TextDocumentIdentifier(uri)
        place = types.Position(found.range.start.line, found.range.start.character + 1)

        completions = await client.text_document_completion_async(types.CompletionParams(known, place))
        assert completions
        assert await client.text_document_hover_async(types.HoverParams(known, place)) is not None
        context = types.CodeActionContext([found])
        actions = await client.text_document_code_action_async(types.CodeActionParams(known, found.range, context))
        assert [action.title for action in actions or ()] == ["B102: type payment_failed"]
        await client.text_document_document_symbol_async(types.DocumentSymbolParams(known))
        await client.text_document_definition_async(types.DefinitionParams(known, place))
        await client.text_document_references_async(
            types.ReferenceParams(types.ReferenceContext(include_declaration=True), known, place)
        )
    finally:
        await client.shutdown_session()
        await client.stop()
