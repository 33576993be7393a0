"""A view of a workspace, with what is worked out from it once and asked for often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from botopt.authoring.editing.declared import Declarations, child, declarations, entries
from botopt.authoring.schemas import Schema, workspace_schemas
from botopt.loading.parse.fields import read_fields
from botopt.loading.parse.findings import Findings, Losses
from botopt.loading.reader import Document, Map, read_data
from botopt.model.policy import EventType, FieldSpec, Template
from botopt.verify.live import View

_MOST = 10_000
"""Event types that are remembered: each half-typed name was one, for a moment."""


class Workbench:
    """What is known about a workspace now; of what cannot be read now, what was known last.

    `known_events` and `known_templates` are all that were there at any look so far.
    """

    def __init__(self, view: View, before: Workbench | None = None) -> None:
        self.view = view
        self.known_events: Mapping[str, EventType] = view.policy.events
        self.known_templates: Mapping[str, Template] = view.policy.templates
        if before is not None and len(before.known_events) < _MOST:
            self.known_events = {**before.known_events, **self.known_events}
            self.known_templates = {**before.known_templates, **self.known_templates}

    @cached_property
    def events(self) -> Mapping[str, EventType]:
        """The event types that are declared, as far as they are known."""
        return {name: event for name, event in self.known_events.items() if name in self.declared.events}

    @cached_property
    def templates(self) -> Mapping[str, Template]:
        """The templates that are declared, as far as they are known."""
        return {name: one for name, one in self.known_templates.items() if name in self.declared.templates}

    @cached_property
    def declared(self) -> Declarations:
        """What the files declare."""
        return declarations(self.view)

    @cached_property
    def schemas(self) -> Mapping[str, Schema]:
        """The schema of each kind of file."""
        return workspace_schemas(self.view)

    def without_line(self, file: str, lines: Sequence[str], line: int) -> Workbench:
        """As if one line of a file, counted from 0, said nothing: what is half typed there may hide all around it."""
        text = "\n".join((*lines[:line], "", *lines[line + 1 :]))
        document, _ = read_data(file, text.encode("utf-8", "surrogatepass"))
        documents = {**self.view.documents, file: document}
        there = Workbench(msgspec.structs.replace(self.view, documents=documents), self)
        return there._with(_event_types(document))

    def _with(self, events: Mapping[str, EventType]) -> Workbench:
        self.known_events = {**events, **self.known_events}
        return self

    def document(self, file: str) -> Document | None:
        """A file as it was read."""
        return self.view.documents.get(file)

    def fields(self, events: tuple[str, ...]) -> dict[str, FieldSpec]:
        """The fields that these event types have; of a field that several have, the first."""
        found: dict[str, FieldSpec] = {}
        for name in events:
            if name in self.events:
                found = {**self.events[name].fields, **found}
        return found

    def having(self, field: str, events: tuple[str, ...]) -> dict[str, FieldSpec]:
        """The declarations of a field in those of these event types that have it."""
        return {name: self.events[name].fields[field] for name in events if field in self.fields((name,))}


def _event_types(document: Document) -> dict[str, EventType]:
    """The event types of one file, with their fields and nothing else."""
    found = {}
    for key, node in entries(child(document.root, "events")):
        fields = child(node, "fields")
        findings = Findings(Losses(frozenset(), frozenset()))
        specs = read_fields(findings, fields.entries, "field").specs if isinstance(fields, Map) else {}
        found[key.text] = EventType(key.text, fields=specs)
    return found
