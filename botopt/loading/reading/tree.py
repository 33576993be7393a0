"""YAML text -> nodes, with findings for what YAML accepts and an author did not mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from botopt.loading.reading import traps
from botopt.loading.reading.brackets import check_list, check_map
from botopt.loading.reading.gathering import Gathering
from botopt.loading.reading.nodes import Map, Node, Scalar, Sequence
from botopt.loading.reading.values import resolve
from botopt.loading.reading.wording import said
from botopt.model.diagnostic import Diagnostic
from botopt.model.position import Position

# The C parser is ten times faster; some builds of PyYAML lack it.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Event = Any  # the parser's events and marks: their types say less than their classes hold

DEEPEST = 40
MOST_COPIES = 10_000
"""So many nodes may come from aliases in one file; a dozen lines of aliases could ask for billions."""

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*(?:[&!][^\s,\[\]{}]*)?")


class Unreadable(Exception):
    """A piece of YAML ends here. Lines and columns count from 0.

    `found`: the finding is known already. `fatal`: looking at smaller pieces would not help.
    """

    def __init__(
        self, problem: str, line: int = 0, column: int = 0, found: Diagnostic | None = None, fatal: bool = False
    ) -> None:
        super().__init__(problem)
        self.problem, self.line, self.column, self.found, self.fatal = problem, line, column, found, fatal


class _Place(NamedTuple):
    """What a node stands in: how deep, at which column its parent begins, whether in `{ }` or `[ ]`, at which key."""

    depth: int
    column: int
    flow: bool
    key: str


class _Anchored:
    """A part that an author named with `&name`."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.node: Node | None = None
        self.size = 0
        self.done = self.used = False


class Tree:
    """Reads pieces of one file; what they share are its anchors and its gathering."""

    def __init__(self, gathering: Gathering) -> None:
        self.gathering, self.source = gathering, gathering.source
        self.in_pieces = False
        self._anchors: dict[str, _Anchored] = {}
        self._size = self._copies = self._first = 0
        self._end = (1, 1)
        self._events: Iterator[_Event] = iter(())

    def read(self, text: str, first_line: int = 0, depth: int = 0) -> Node | None:
        """Read whole lines of the file, of which the first is `first_line`, counted from 0.

        None: they hold nothing. Raises Unreadable; what this piece gathered is then forgotten.
        """
        mark = self.gathering.mark()
        self._first, self._events = first_line, yaml.parse(text, Loader=LOADER)
        try:
            return self._documents(depth)
        except Unreadable:
            self.gathering.take_back(mark)
            raise
        except yaml.YAMLError as error:
            self.gathering.take_back(mark)
            raise self._unreadable(error) from error

    def finish(self) -> None:
        """Report texts that lost their first word to an anchor."""
        for name, anchored in self._anchors.items():
            if isinstance(anchored.node, Scalar) and not anchored.used:
                message = f"YAML takes {said('&' + name)} for a label, so it is not part of the text"
                self.gathering.report("B029", anchored.position, message, "put the whole text in quotes")

    def _unreadable(self, error: yaml.YAMLError) -> Unreadable:
        context, problem = str(getattr(error, "context", "")), str(getattr(error, "problem", ""))
        mark = getattr(error, "problem_mark", None)
        # These are noticed far from where they begin.
        if "simple key" in context or ("quoted scalar" in context and not re.search("escape|hex", problem)):
            mark = getattr(error, "context_mark", None) or mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        return Unreadable(f"{context}: {problem}", min(self._first + line, len(self.source.lines) - 1), column)

    def _documents(self, depth: int) -> Node | None:
        root: Node | None = None
        begun = False
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if begun:
                    self.gathering.second_document(self.source.place(self._offset(event.start_mark))[0])
                    break
                begun = True
            elif isinstance(event, NodeEvent) and not _is_nothing(event):
                root = self._node(event, _Place(depth, -1, flow=False, key=""))
        return root

    def _node(self, event: _Event, place: _Place) -> Node | None:
        """Build the node that an event begins. None: it cannot be used, and a finding says why."""
        start = self._offset(event.start_mark)
        if place.depth > DEEPEST:
            raise self._too_deep(start)
        if isinstance(event, AliasEvent):
            return self._alias(str(event.anchor), start)
        before = self._size
        self._size += 1
        anchored = None
        if event.anchor is not None:
            anchored = self._anchors[event.anchor] = _Anchored(self.source.span(start, start + 1 + len(event.anchor)))
        if event.tag is not None:
            self.gathering.add(traps.tagged(self.source, start))
        node: Node | None
        if isinstance(event, ScalarEvent):
            node = self._value(event, place)
        elif isinstance(event, SequenceStartEvent):
            node = self._sequence(event, place)
        else:
            node = self._map(event, place)
        if anchored:
            anchored.node, anchored.size, anchored.done = node, self._size - before, True
        return node

    def _alias(self, name: str, start: int) -> Node | None:
        position = self.source.span(start, start + 1 + len(name))
        self._end = (position.end_line, position.end_column)
        anchored = self._anchors.get(name)
        if anchored and anchored.done:
            anchored.used = True
            self._size += anchored.size
            self._copies += anchored.size
            if self._copies > MOST_COPIES:
                message = f"the copies that * makes in this file grow beyond {MOST_COPIES:,} values"
                hint = "write out what you need instead of copying copies"
                found = traps.placed(self.source, "B011", position, message, hint)
                raise Unreadable("too many copies", found=found, fatal=True)
            return anchored.node
        self.gathering.lose()
        if anchored:
            message = f"{said('*' + name)} copies a part into itself"
            self.gathering.report("B011", position, message, "write out what you need")
        elif not (self.in_pieces and f"&{name}" in self.source.text):
            message = f"{said('*' + name)} asks for a copy of a part labelled {said('&' + name)}, and none stands above"
            hint = f"if this is text, put all of it in quotes: {said('*' + name + ' …')}"
            self.gathering.report("B011", position, message, hint)
        return None

    def _too_deep(self, start: int) -> Unreadable:
        position = self.source.span(start, start + 1)
        message = f"this is nested more than {DEEPEST} levels deep"
        found = traps.placed(self.source, "B009", position, message, "check for brackets or blanks that are too many")
        return Unreadable("too deep", position.line - 1, position.column - 1, found)

    def _scalar(self, event: _Event) -> Scalar:
        start, end = self._offset(event.start_mark), self._offset(event.end_mark)
        text = self.source.text
        if event.anchor is not None or event.tag is not None:
            found = _PROPERTIES.match(text, start, end)
            start = found.end() if found else start
        style = event.style or ""
        seen = start + len(text[start:end].rstrip(" \t\r\n")) if style in {"|", ">"} else end
        position = self.source.span(start, seen)
        self._end = (position.end_line, position.end_column)
        return Scalar(event.value, event.value, position, bool(style), self.source, (start, end), style)

    def _value(self, event: _Event, place: _Place) -> Scalar:
        scalar = self._scalar(event)
        if not scalar.quoted:
            scalar = msgspec.structs.replace(scalar, value=resolve(scalar.text)[0])
        flawed = event.tag is not None
        if flawed and not scalar.text:
            pass
        elif found := traps.value_trap(scalar, place.key, place.column, place.flow):
            self.gathering.add(found)
            flawed = True
        return msgspec.structs.replace(scalar, flawed=True) if flawed else scalar

    def _sequence(self, event: _Event, place: _Place) -> Sequence:
        start = self._offset(event.start_mark)
        inner = _Place(place.depth + 1, event.start_mark.column, place.flow or bool(event.flow_style), "")
        items: list[Node] = []
        while not isinstance(child := next(self._events), CollectionEndEvent):
            if (node := self._node(child, inner)) is not None:
                items.append(node)
        position = self._spanned(start, event, child)
        if event.flow_style:
            items = check_list(self.gathering, items)
        return Sequence(tuple(items), position)

    def _map(self, event: _Event, place: _Place) -> Map | None:
        start = self._offset(event.start_mark)
        flow = place.flow or bool(event.flow_style)
        entries: list[tuple[Scalar, Node]] = []
        top = place.depth == 0
        while not isinstance(child := next(self._events), CollectionEndEvent):
            if event.flow_style and self.source.text.startswith("{{", self._offset(child.start_mark) - 1):
                self._skip_rest(child)
                self.gathering.lose()
                self.gathering.add(traps.braces(self.source, start, place.key, place.flow))
                return None
            losses = self.gathering.losses
            key = self._key(child)
            below = next(self._events)
            if key is None:
                self._skip(below)
                continue
            if flow and _is_nothing(below) and traps.stands_alone(key):
                # What to say about it depends on its neighbours, so `check_map` says it.
                entries.append((key, key))
                continue
            node = self._node(below, _Place(place.depth + 1, event.start_mark.column, flow, key.text))
            if node is not None:
                entries.append((key, node))
            if top and self.gathering.losses > losses:
                self.gathering.lose(key.text)
        position = self._spanned(start, event, child)
        if flow:
            entries = check_map(self.gathering, entries, position)
        return Map(self.gathering.join(entries, top), position)

    def _key(self, event: _Event) -> Scalar | None:
        if isinstance(event, ScalarEvent):
            key = self._scalar(event)
            if event.anchor is None and event.tag is None and key.text:
                if not (found := traps.key_trap(key)):
                    return key
                self.gathering.lose()
                self.gathering.add(found)
                return None
        start = self._offset(event.start_mark)
        self._skip(event)
        self.gathering.lose()
        self.gathering.report(
            "B013",
            self.source.span(start, max(start + 1, self._offset(event.end_mark))),
            "a plain word is expected here, as the name of what follows the colon",
            "put the whole text in quotes if this is meant as text",
        )
        return None

    def _skip(self, event: _Event) -> None:
        """Pass over a node."""
        if isinstance(event, CollectionStartEvent):
            self._skip_rest(next(self._events))
            return
        position = self.source.place(self._offset(event.end_mark))
        self._end = (position[0] + 1, position[1] + 1)

    def _skip_rest(self, event: _Event) -> None:
        """Pass over the rest of a map or list, from this event to its end."""
        depth = 1
        while depth:
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > DEEPEST:
                raise self._too_deep(self._offset(event.start_mark))
            line, column = self.source.place(self._offset(event.end_mark))
            self._end = (line + 1, column + 1)
            event = next(self._events) if depth else event

    def _spanned(self, start: int, begin: _Event, end: _Event) -> Position:
        """The position of a map or list. In block style the parser notices its end only at what comes next."""
        if begin.flow_style:
            line, column = self.source.place(self._offset(end.end_mark))
            self._end = (line + 1, column + 1)
        line, column = self.source.place(start)
        return Position(self.source.file, line + 1, column + 1, *self._end)

    def _offset(self, mark: _Event) -> int:
        return self.source.offset(self._first + mark.line, mark.column)


def _is_nothing(event: _Event) -> bool:
    """Whether the parser made up this scalar where a file has none."""
    return isinstance(event, ScalarEvent) and not event.value and not event.style and event.anchor is event.tag is None
