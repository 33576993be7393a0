"""What an author changed between two workspaces: places in the YAML files, with the old and the new words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from botopt.loading.reader import Map, Node, Scalar, Sequence, read_data
from botopt.loading.snapshot import take
from botopt.model.position import NOWHERE, Position

_WITHOUT_MEANING = frozenset({"description", "samples"})
_WHOLE = frozenset(
    "when unless same per events categories channels reserved resolved_by inhibited_by limits accepts buttons"
    " send_time pacing recency".split()
)
"""Keys whose value is one change, however much of it changed."""

_ORDERED = frozenset({"rules", "variants", "arms"})
"""Where the order of entries means something."""

_PLAIN = frozenset({"choose", "weight", "when", "buttons"})
"""Keys of templates that hold no text to read."""

_LONGEST = 60

_ALWAYS_THERE = (
    *((section,) for section in "settings categories user channels events suppression experiment templates".split()),
    ("settings", "engagement"),
    ("settings", "fatigue"),
)
"""Maps that mean the same whether they are written or not: what is in them was added, not they."""


class Edit(msgspec.Struct, frozen=True):
    """One change of the policy. `old` is None for what was added, `new` for what was removed.

    `path` are the keys that lead there, such as `("events", "payment_failed", "rules", "large-amount", "score")`.
    `position` is in the new files, for what was removed in the old ones.
    """

    path: tuple[str, ...]
    old: str | None
    new: str | None
    position: Position = NOWHERE

    @property
    def place(self) -> str:
        """`rules/payments.yaml:31`."""
        return f"{self.position.file}:{self.position.line}"

    @property
    def words(self) -> str:
        """`payment_failed, rule large-amount: score +0.15 → +0.25`."""
        subject, key = named([part for part in self.path if part != _ORDER])
        thing = f"{subject}: {key}" if key else subject
        match self.old, self.new:
            case None, None:
                return f"{thing}: another order"
            case None, new:
                return " ".join((thing, *self._shown(new), "added"))
            case old, None:
                return " ".join((thing, *self._shown(old), "removed"))
            case old, new:
                return " ".join((thing, *self._shown(old), "→", *self._shown(new)))

    def _shown(self, text: str | None) -> tuple[str, ...]:
        """In quotes where it is a text that users read; nothing for what has no words of its own."""
        if not text:
            return ()
        return (
            (f'"{_short(text)}"',) if self.path[0] == "templates" and self.path[-1] not in _PLAIN else (_short(text),)
        )


class _Leaf(msgspec.Struct, frozen=True):
    value: object
    text: str
    position: Position


class _Tree(msgspec.Struct):
    """All leaves of a workspace by path; `entries` are the places of maps, which may come or go as a whole."""

    leaves: dict[tuple[str, ...], _Leaf] = {}
    entries: dict[tuple[str, ...], Position] = {}


def edits(old: Path, new: Path) -> tuple[Edit, ...]:
    """What differs in meaning between the files of two workspaces, by file and line."""
    before, after = _tree(old), _tree(new)
    found = [*_entries(before, after), *_leaves(before, after)]
    return tuple(sorted(found, key=lambda edit: (edit.position.file, edit.position.line, edit.path)))


def _entries(before: _Tree, after: _Tree) -> Iterator[Edit]:
    for tree, other, added in ((after, before, True), (before, after, False)):
        for path, position in tree.entries.items():
            if path not in other.entries and path not in other.leaves and _parent_in(path, other):
                yield Edit(path, None if added else "", "" if added else None, position)


def _leaves(before: _Tree, after: _Tree) -> Iterator[Edit]:
    for path in dict.fromkeys((*before.leaves, *after.leaves)):
        old, new = before.leaves.get(path), after.leaves.get(path)
        if old is not None and new is not None:
            if old.value != new.value:
                order = path[-1] == _ORDER
                yield Edit(path, None if order else old.text, None if order else new.text, new.position)
        elif path[-1] != _ORDER:
            if new is not None and _parent_in(path, before):
                yield Edit(path, None, new.text, new.position)
            elif old is not None and _parent_in(path, after):
                yield Edit(path, old.text, None, old.position)


def _parent_in(path: tuple[str, ...], other: _Tree) -> bool:
    """Whether what this belongs to is on the other side, too: else the parent came or went, and that says it."""
    return len(path) <= 1 or path[:-1] in other.entries


_ORDER = " order"


def _tree(folder: Path) -> _Tree:
    tree = _Tree(entries=dict.fromkeys(_ALWAYS_THERE, NOWHERE))
    for file in take(folder).files:
        document, _ = read_data(file.name, file.data)
        if isinstance(document.root, Map):
            for key, node in document.root.entries:
                _walk(tree, (key.text,), node, key.position)
    return tree


def _walk(tree: _Tree, path: tuple[str, ...], node: Node, position: Position) -> None:
    if path == ("settings", "tuned_until"):  # decides nothing
        return
    at_key = len(path) in (3, 5) or path[0] == "settings"  # elsewhere stand names, which may be any word
    if at_key and path[-1] in _WITHOUT_MEANING:
        return
    field = (len(path) == 4 and path[2] == "fields") or (len(path) == 2 and path[0] == "user")
    if isinstance(node, Scalar) or field or (at_key and path[-1] in _WHOLE):
        tree.leaves[path] = _Leaf(_value(node), _text(node), position)
    elif isinstance(node, Map):
        if path not in _ALWAYS_THERE:
            tree.entries[path] = position
        for key, inner in node.entries:
            _walk(tree, (*path, key.text), inner, key.position)
        if path[-1] in _ORDERED:
            _order(tree, path, [key.text for key, _ in node.entries], position)
    else:
        _walk_list(tree, path, node, position)


def _walk_list(tree: _Tree, path: tuple[str, ...], node: Sequence, position: Position) -> None:
    names = [_id_of(item) for item in node.items]
    if any(name is None for name in names):
        tree.leaves[path] = _Leaf(_value(node), _text(node), position)
        return
    if path not in _ALWAYS_THERE:
        tree.entries[path] = position
    for name, item in zip(names, node.items, strict=True):
        if name is not None and isinstance(item, Map):
            at = item.key("id")
            tree.entries[*path, name] = at.position if at is not None else item.position
            for key, inner in item.entries:
                if key.text != "id":
                    _walk(tree, (*path, name, key.text), inner, key.position)
    if path[-1] in _ORDERED:
        _order(tree, path, [name for name in names if name is not None], position)


def _order(tree: _Tree, path: tuple[str, ...], names: list[str], position: Position) -> None:
    tree.leaves[*path, _ORDER] = _Leaf(tuple(names), "", position)


def _id_of(item: Node) -> str | None:
    found = item.get("id") if isinstance(item, Map) else None
    return found.text if isinstance(found, Scalar) else None


def _value(node: Node) -> object:
    match node:
        case Scalar():
            return node.value
        case Sequence(items):
            return tuple(map(_value, items))
        case Map(entries):
            return tuple(sorted((key.text, repr(_value(inner))) for key, inner in entries))


def _text(node: Node) -> str:
    match node:
        case Scalar():
            return node.text
        case Sequence(items):
            return f"[{', '.join(map(_text, items))}]"
        case Map(entries):
            return "{" + ", ".join(f"{key.text}: {_text(inner)}" for key, inner in entries) + "}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


_SINGULAR = {"categories": "category", "channels": "channel", "experiment": "experiment"}


def named(path: list[str]) -> tuple[str, str]:
    """What a place in the policy belongs to, and the key there, in words."""
    match path:
        case ["events" | "user" as kind, name]:
            return (f"event type {name}" if kind == "events" else f"attribute user.{name}"), ""
        case ["events", name, "rules", rule, *rest]:
            return f"{name}, rule {rule}", " ".join(rest)
        case ["events", name, "fields", *rest]:
            return name, " ".join(("field", *rest))
        case ["events", name, *rest]:
            return name, " ".join(rest)
        case ["suppression", name, *rest]:
            return f"suppression {name}", " ".join(rest)
        case ["templates", name, "variants", variant, *rest]:
            return f"template {name}, variant {variant}", " ".join(rest)
        case ["templates", name, *rest]:
            return f"template {name}", " ".join(rest)
        case ["experiment", name, "arms", arm]:
            return f"experiment {name}, arm {arm}", ""
        case ["categories" | "channels" | "experiment" as kind, name, *rest]:
            return f"{_SINGULAR[kind]} {name}", " ".join(rest)
        case [section, *rest]:
            return section, " ".join(rest)
        case _:
            return "", ""
