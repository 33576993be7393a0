"""Where names stand: each declaration and each use, with what it means."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from botopt.authoring.editing.declared import Declarations, child, entries, items
from botopt.authoring.editing.scanning import Word, in_condition, in_template
from botopt.loading.reader import Document, Map, Node, Scalar
from botopt.model.names import BUILT_IN_ATTRIBUTES
from botopt.model.position import Position
from botopt.verify.live import View


class Kind(StrEnum):
    """What a name names."""

    EVENT = "event type"
    TEMPLATE = "template"
    CHANNEL = "channel"
    CATEGORY = "category"
    ATTRIBUTE = "attribute"
    FIELD = "field"
    SUPPRESSION = "suppression"
    RULE = "rule"
    VARIANT = "variant"
    EXPERIMENT = "experiment"
    FILTER = "filter"
    BUILT_IN = "built-in value"


class Occurrence(msgspec.Struct, frozen=True):
    """A name at one place: `node.text[start:end]`.

    `owners` are the event types of a field or rule, or the templates of a variant; where none has it, it is unknown.
    """

    kind: Kind
    name: str
    node: Scalar
    start: int
    end: int
    owners: tuple[str, ...] = ()
    declares: bool = False

    @property
    def position(self) -> Position:
        """Its place in the file."""
        if (self.start, self.end) == (0, len(self.node.text)) and not self.node.quoted:
            return self.node.position
        return self.node.span(self.start, self.end)


def occurrences(view: View, declared: Declarations, file: str) -> Iterator[Occurrence]:
    """Every name in a file."""
    document = view.documents.get(file)
    if document is None or not isinstance(document.root, Map):
        return
    walk = _Walk(declared)
    yield from walk.tests(document) if view.kinds[file] == "tests" else walk.sections(document)


def at(view: View, declared: Declarations, file: str, line: int, column: int) -> Occurrence | None:
    """The name at a place, both counted from 1; its end counts, too."""
    for found in occurrences(view, declared, file):
        if found.node.position.line <= line <= found.node.position.end_line:
            place = found.position
            if (place.line, place.column) <= (line, column) <= (place.end_line, place.end_column):
                return found
    return None


def same(one: Occurrence, other: Occurrence) -> bool:
    """Whether two occurrences mean the same thing."""
    if one.kind is not other.kind or one.name != other.name:
        return False
    owned = one.kind in (Kind.FIELD, Kind.RULE, Kind.VARIANT)
    return not owned or bool(set(one.owners) & set(other.owners))


def everywhere(view: View, declared: Declarations, wanted: Occurrence) -> Iterator[Occurrence]:
    """Every occurrence of the same thing, in all files."""
    for file in view.documents:
        yield from (found for found in occurrences(view, declared, file) if same(wanted, found))


def _whole(
    kind: Kind, node: Node | None, owners: tuple[str, ...] = (), *, declares: bool = False
) -> Iterator[Occurrence]:
    if isinstance(node, Scalar) and node.text:
        yield Occurrence(kind, node.text, node, 0, len(node.text), owners, declares)


class _Walk:
    """One way through a file."""

    def __init__(self, declared: Declarations) -> None:
        self.declared = declared

    def sections(self, document: Document) -> Iterator[Occurrence]:
        simple = {"categories": Kind.CATEGORY, "user": Kind.ATTRIBUTE, "channels": Kind.CHANNEL}
        simple["experiment"] = Kind.EXPERIMENT
        for section, node in entries(document.root):
            if section.text in simple:
                for key, value in entries(node):
                    yield from _whole(simple[section.text], key, declares=True)
                    if section.text == "channels":
                        yield from self._channel(value)
            elif section.text == "events":
                for key, event in entries(node):
                    yield from self._event(key, event)
            elif section.text == "suppression":
                for item in items(node):
                    yield from self._suppression(item)
            elif section.text == "templates":
                for key, template in entries(node):
                    yield from self._template(key, template)

    def _channel(self, node: Node) -> Iterator[Occurrence]:
        for other in ("fallback", "reply"):
            yield from _whole(Kind.CHANNEL, child(node, other))
        to = child(node, "to")
        if isinstance(to, Scalar) and to.text.startswith("user."):
            name = to.text.removeprefix("user.")
            kind = Kind.BUILT_IN if name in BUILT_IN_ATTRIBUTES else Kind.ATTRIBUTE
            yield Occurrence(kind, name, to, len("user."), len(to.text), ())

    def _event(self, key: Scalar, node: Node) -> Iterator[Occurrence]:
        owner = (key.text,)
        yield from _whole(Kind.EVENT, key, declares=True)
        yield from _whole(Kind.CATEGORY, child(node, "category"))
        for field, _ in entries(child(node, "fields")):
            yield from _whole(Kind.FIELD, field, owner, declares=True)
        for part in (node, *items(child(node, "rules"))):
            yield from _whole(Kind.TEMPLATE, child(part, "message"))
            yield from _whole(Kind.CHANNEL, child(part, "channel"))
            if part is not node:
                yield from _whole(Kind.RULE, child(part, "id"), owner, declares=True)
                yield from self._conditions(child(part, "when"), owner)

    def _suppression(self, node: Node) -> Iterator[Occurrence]:
        if not isinstance(node, Map):
            return
        scope = self.declared.in_scope(node)
        yield from _whole(Kind.SUPPRESSION, node.get("id"), declares=True)
        lists = {
            "events": Kind.EVENT,
            "resolved_by": Kind.EVENT,
            "inhibited_by": Kind.EVENT,
            "categories": Kind.CATEGORY,
            "channels": Kind.CHANNEL,
        }
        for key, kind in lists.items():
            for item in items(node.get(key)):
                yield from _whole(kind, item)
        for category, _ in entries(node.get("reserved")):
            yield from _whole(Kind.CATEGORY, category)
        resolving = tuple(name.text for name in items(node.get("resolved_by")) if isinstance(name, Scalar))
        for key in ("per", "same"):
            for item in items(node.get(key)):
                if isinstance(item, Scalar) and item.text not in ("user", "event"):
                    owners = self.declared.having(item.text, (*scope, *(resolving if key == "same" else ())))
                    yield from _whole(Kind.FIELD, item, owners)
        for key in ("when", "unless"):
            yield from self._conditions(node.get(key), scope)

    def _template(self, key: Scalar, node: Node) -> Iterator[Occurrence]:
        types = self.declared.reaching(key.text)
        yield from _whole(Kind.TEMPLATE, key, declares=True)
        yield from self._texts(node if isinstance(node, Scalar) else None, types)
        for name, variant in entries(child(node, "variants")):
            yield from _whole(Kind.VARIANT, name, (key.text,), declares=True)
            yield from self._conditions(child(variant, "when"), types)
            for words in ("text", "title"):
                yield from self._texts(child(variant, words), types)
            for button in items(child(variant, "buttons")):
                for words in ("label", "link"):
                    yield from self._texts(child(button, words), types)
        for sample in items(child(node, "samples")):
            for field, _ in entries(sample):
                yield from _whole(Kind.FIELD, field, self.declared.having(field.text, types))

    def tests(self, document: Document) -> Iterator[Occurrence]:
        for test in items(child(document.root, "tests")):
            yield from self._attributes(child(test, "user"))
            for step in items(child(test, "steps")):
                yield from self._step(step)

    def _attributes(self, node: Node | None) -> Iterator[Occurrence]:
        for key, _ in entries(node):
            yield from _whole(Kind.BUILT_IN if key.text in BUILT_IN_ATTRIBUTES else Kind.ATTRIBUTE, key)

    def _step(self, step: Node) -> Iterator[Occurrence]:
        send = child(step, "send")
        yield from _whole(Kind.EVENT, send)
        if isinstance(send, Scalar):
            for key, _ in entries(child(step, "with")):
                yield from _whole(Kind.FIELD, key, self.declared.having(key.text, (send.text,)))
        for about in ("click", "convert", "dismiss", "fail"):
            node = child(step, about)
            if isinstance(node, Scalar) and node.text in self.declared.events:
                yield from _whole(Kind.EVENT, node)
        active = child(step, "active")
        if isinstance(active, Scalar) and isinstance(active.value, str):
            yield from _whole(Kind.CHANNEL, active)
        yield from self._attributes(child(step, "update"))
        expect = child(step, "expect")
        for part in (expect, child(step, "subscribe"), child(step, "unsubscribe")):
            yield from _whole(Kind.CHANNEL, child(part, "channel"))
            yield from _whole(Kind.CATEGORY, child(part, "category"))
        yield from _whole(Kind.TEMPLATE, child(expect, "template"))
        yield from self._expected(expect, send.text if isinstance(send, Scalar) else "")

    def _expected(self, expect: Node | None, sent: str) -> Iterator[Occurrence]:
        """A variant, and what decides; both are names of something that only the step tells."""
        event = self.declared.events.get(sent)
        template, by, variant = (child(expect, key) for key in ("template", "by", "variant"))
        if isinstance(variant, Scalar):
            among = {template.text} if isinstance(template, Scalar) else event.templates if event else frozenset()
            owners = tuple(sorted(name for name in among if (name, variant.text) in self.declared.variants))
            yield from _whole(Kind.VARIANT, variant, owners)
        if isinstance(by, Scalar):
            if by.text in self.declared.suppressions:
                yield from _whole(Kind.SUPPRESSION, by)
            elif (sent, by.text) in self.declared.rules:
                yield from _whole(Kind.RULE, by, (sent,))
            elif by.text in self.declared.templates:
                yield from _whole(Kind.TEMPLATE, by)
            elif event is not None and by.text in event.fields:
                yield from _whole(Kind.FIELD, by, (sent,))

    def _conditions(self, node: Node | None, types: tuple[str, ...]) -> Iterator[Occurrence]:
        """A condition, however nested."""
        if isinstance(node, Scalar):
            yield from (self._word(node, word, types) for word in in_condition(node.text))
            return
        for part in items(node) if not isinstance(node, Map) else (value for _, value in node.entries):
            yield from self._conditions(part, types)

    def _texts(self, node: Node | None, types: tuple[str, ...]) -> Iterator[Occurrence]:
        """A text, or one for each locale."""
        for text in (node,) if isinstance(node, Scalar) else (value for _, value in entries(node)):
            if isinstance(text, Scalar) and "{" in text.text:
                yield from (self._word(text, word, types) for word in in_template(text.text))

    def _word(self, node: Scalar, word: Word, types: tuple[str, ...]) -> Occurrence:
        place = (word.name, node, word.start, word.end)
        match word.kind:
            case "user":
                built_in = word.name in BUILT_IN_ATTRIBUTES
                return Occurrence(Kind.BUILT_IN if built_in else Kind.ATTRIBUTE, *place)
            case "event":
                return Occurrence(Kind.EVENT, *place)
            case "experiment":
                return Occurrence(Kind.EXPERIMENT, *place)
            case "filter":
                return Occurrence(Kind.FILTER, *place)
            case "field":
                return Occurrence(Kind.FIELD, *place, self.declared.having(word.name, types))
            case _:
                return Occurrence(Kind.BUILT_IN, *place)
