"""What a file declares, as an outline."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from botopt.authoring.editing.declared import child, entries, items
from botopt.loading.reader import Map, Node, Scalar, Sequence
from botopt.model.position import Position
from botopt.verify.live import View


class Entry(msgspec.Struct, frozen=True):
    """A name, its sort (`section`, `event`, `rule` …), its place, all lines that belong to it, and what is inside."""

    name: str
    sort: str
    position: Position
    whole: Position
    inner: tuple[Entry, ...] = ()


def outline(view: View, file: str) -> list[Entry]:
    """The sections of a file with what they declare."""
    document = view.documents.get(file)
    return [] if document is None else [_section(key, node) for key, node in entries(document.root)]


def _section(key: Scalar, node: Node) -> Entry:
    match key.text:
        case "events":
            inner = tuple(_entry(name, event, "event", _rules(event)) for name, event in entries(node))
        case "templates":
            inner = tuple(
                _entry(name, one, "template", [_entry(v, w, "variant") for v, w in entries(child(one, "variants"))])
                for name, one in entries(node)
            )
        case "suppression":
            inner = tuple(_items(node, "id", "suppression"))
        case "tests":
            inner = tuple(_items(node, "name", "test"))
        case _:
            inner = tuple(_entry(name, one, "entry") for name, one in entries(node))
    return _entry(key, node, "section", inner)


def _rules(event: Node) -> Iterator[Entry]:
    yield from (_entry(name, spec, "field") for name, spec in entries(child(event, "fields")))
    yield from _items(child(event, "rules"), "id", "rule")


def _items(node: Node | None, key: str, sort: str) -> Iterator[Entry]:
    for item in items(node):
        named = child(item, key)
        if isinstance(named, Scalar) and named.text:
            yield _entry(named, item, sort)


def _entry(key: Scalar, node: Node, sort: str, inner: list[Entry] | tuple[Entry, ...] | Iterator[Entry] = ()) -> Entry:
    end = _end(node, key.position)
    start = min((key.position, node.position), key=lambda one: (one.line, one.column))
    whole = Position(start.file, start.line, start.column, end.end_line, end.end_column)
    return Entry(key.text, sort, key.position, whole, tuple(inner))


def _end(node: Node, otherwise: Position) -> Position:
    """The last place of a part."""
    places = [otherwise, node.position]
    match node:
        case Map(entries=parts) if parts:
            places.append(_end(parts[-1][1], parts[-1][0].position))
        case Sequence(items=parts) if parts:
            places.append(_end(parts[-1], parts[-1].position))
        case _:
            pass
    return max(places, key=lambda one: (one.end_line, one.end_column))
