"""A folder -> a policy, and everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from botopt.loading.files import no_rules
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.memory import Memory
from botopt.loading.parse.sections import gather, losses
from botopt.loading.parse.workspace import read_workspace
from botopt.loading.reader import Document, SourceText, read_data
from botopt.loading.reading.traps import CONTROL
from botopt.loading.revision import revision_of
from botopt.loading.snapshot import Snapshot, take
from botopt.model.channels import ChannelType
from botopt.model.click_model import ClickModel
from botopt.model.diagnostic import Diagnostic, has_errors, in_order
from botopt.model.policy import Policy
from botopt.model.position import Position

_BREAKS = re.compile(r"[\t\r\n]+")


class Loaded(msgspec.Struct, frozen=True):
    """What a workspace says.

    `policy` is None when there is an error. `partial` holds every part that is sound, for further checks; it is the
    policy itself where there is one. `files` are those that were read, relative to the folder.
    """

    policy: Policy | None
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]
    partial: Policy
    sources: Mapping[str, SourceText]

    def line(self, position: Position) -> str:
        """The text of the line at a position."""
        source = self.sources.get(position.file)
        return "" if source is None else source.line(position.line)


def load_policy(folder: Path, *, channel_types: Mapping[str, ChannelType]) -> Loaded:
    """Read the workspace in `folder`. `channel_types` are the channel types that exist, with their options."""
    return read_policy(take(folder), channel_types=channel_types)


def read_policy(snapshot: Snapshot, *, channel_types: Mapping[str, ChannelType]) -> Loaded:
    """Read the files of a workspace."""
    documents: list[tuple[Document, str]] = []
    found = list(snapshot.findings)
    for file in snapshot.files:
        document, problems = read_data(file.name, file.data)
        documents.append((document, file.kind))
        found += problems
    if not snapshot.has_rules:
        found.append(no_rules(snapshot.folder))
    partial, diagnostics = put_together(documents, found, channel_types, snapshot.folder)
    return _loaded(partial, diagnostics, {document.file: document.source for document, _ in documents})


def put_together(
    documents: Sequence[tuple[Document, str]],
    found: Sequence[Diagnostic],
    channel_types: Mapping[str, ChannelType],
    folder: Path,
    memory: Memory | None = None,
) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """What is sound in these documents, each with the folder it lies in, without a revision; and every finding.

    `found` is what was found when they were read. `folder` holds the model files. `memory` makes the next
    reading faster.
    """
    findings = Findings(losses((document for document, _ in documents), found))

    def models(name: str) -> ClickModel:
        from botopt.loading.models import read_model  # most policies have none

        return read_model(folder / name)

    partial = read_workspace(findings, gather(findings, documents), channel_types, models, memory)
    sources = {document.file: document.source for document, _ in documents}
    for position in findings.secrets:
        sources[position.file].hide(position)
    return partial, tuple(_with_source(one, sources) for one in in_order((*found, *findings.all)))


def _loaded(partial: Policy, diagnostics: tuple[Diagnostic, ...], sources: Mapping[str, SourceText]) -> Loaded:
    if has_errors(diagnostics):
        return Loaded(None, diagnostics, tuple(sources), partial, sources)
    policy = msgspec.structs.replace(partial, revision=revision_of(partial))
    return Loaded(policy, diagnostics, tuple(sources), policy, sources)


def _printable(words: str) -> str:
    """In one line, and without what speaks to a terminal: findings quote what authors typed, escapes and all."""
    return words if words.isprintable() else CONTROL.sub("�", _BREAKS.sub(" ", words))


def _with_source(found: Diagnostic, sources: Mapping[str, SourceText]) -> Diagnostic:
    found = msgspec.structs.replace(found, message=_printable(found.message), hint=_printable(found.hint))
    source = sources.get(found.position.file)
    if found.source or source is None:
        return found
    return msgspec.structs.replace(found, source=source.line(found.position.line))
