"""A view of a workspace, with what is worked out from it once and asked for often."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from botopt.authoring.editing.declared import Declarations, declarations
from botopt.authoring.schemas import Schema, workspace_schemas
from botopt.loading.reader import Document
from botopt.model.policy import EventType, FieldSpec, Template
from botopt.verify.live import View


class Workbench:
    """What is known about a workspace now; of what cannot be read now, what was known last."""

    def __init__(self, view: View, before: Workbench | None = None) -> None:
        self.view = view
        self.events: Mapping[str, EventType] = view.policy.events
        self.templates: Mapping[str, Template] = view.policy.templates
        if before is not None:
            self.events = {**{n: e for n, e in before.events.items() if n in self.declared.events}, **self.events}
            names = self.declared.templates
            self.templates = {**{n: t for n, t in before.templates.items() if n in names}, **self.templates}

    @cached_property
    def declared(self) -> Declarations:
        """What the files declare."""
        return declarations(self.view)

    @cached_property
    def schemas(self) -> Mapping[str, Schema]:
        """The schema of each kind of file."""
        return workspace_schemas(self.view)

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
