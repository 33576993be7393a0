"""The documents of a workspace -> its sections, whatever files they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from botopt.loading.parse import scalars
from botopt.loading.parse.findings import Findings, Losses
from botopt.loading.parse.settings import SETTINGS_KEYS
from botopt.loading.parse.wording import listed, shown
from botopt.loading.reader import Document, Map, Node, Scalar
from botopt.loading.reader import Sequence as ListNode
from botopt.model.diagnostic import Diagnostic
from botopt.model.names import did_you_mean
from botopt.model.position import Position

RULES = ("settings", "categories", "user", "channels", "events", "suppression", "experiment")
TEMPLATES = ("templates",)
_HINTS = {
    "rules": "rules stand in their event type: events: {NAME: {rules: […]}}",
    "attributes": "type user:",
    "experiments": "type experiment:",
    "cooldowns": "type suppression: [{id: …, cooldown: 6h}]",
    "types": "type events:",
    "in_conversation": "type suppression: [{id: …, in_conversation: 5m}]",
    "quiet_hours": "type suppression: [{id: …, quiet_hours: {from: …, to: …}}]",
}
_STRUCTURAL = frozenset({"B004", "B007", "B008", "B021", "B030", "B032"})
"""Mistakes after which lines may have moved to where they do not belong."""

Entry = tuple[Scalar, Node]


class Section(msgspec.Struct, frozen=True):
    """Everything of one kind. `complete`: no part of it was lost while its files were read."""

    entries: tuple[Entry, ...] = ()
    items: tuple[Node, ...] = ()
    complete: bool = True

    def names(self) -> Iterator[str]:
        """The names that it declares."""
        return (key.text for key, _ in self.entries)


class Sections(msgspec.Struct, frozen=True):
    """The sections of a workspace. `settings` is None where no file has any."""

    settings: tuple[Map, Position] | None
    settings_complete: bool
    categories: Section
    user: Section
    channels: Section
    events: Section
    suppression: Section
    templates: Section
    experiment: Section = Section()


class _Part(msgspec.Struct, frozen=True):
    key: Scalar
    node: Node


def gather(findings: Findings, documents: Sequence[tuple[Document, str]]) -> Sections:
    """Merge the sections of all files; each document comes with the folder it lies in, `rules` or `templates`."""
    parts: dict[str, list[_Part]] = {name: [] for name in (*RULES, *TEMPLATES)}
    lost: set[str] = set()
    for document, folder in documents:
        lost.update(_lost(findings, document, folder))
        for part in _parts(findings, document, folder, lost):
            parts[part.key.text].append(part)
            if isinstance(part.node, (Map, ListNode)) and findings.is_damaged(part.node):
                lost.add(part.key.text)
    if any(findings.is_partial(document.file) for document, _ in documents):
        lost.update(name for name, found in parts.items() if not found)

    def merged(name: str) -> Section:
        return _merged(findings, name, parts[name], complete=name not in lost)

    return Sections(
        _settings(findings, parts["settings"]),
        "settings" not in lost,
        merged("categories"),
        merged("user"),
        merged("channels"),
        merged("events"),
        _listed(findings, parts["suppression"], complete="suppression" not in lost),
        merged("templates"),
        merged("experiment"),
    )


def _lost(findings: Findings, document: Document, folder: str) -> Iterable[str]:
    """The sections of which a file may have held more than could be read."""
    if not findings.is_partial(document.file):
        return ()
    if document.broken and isinstance(document.root, Map):
        return document.broken
    return RULES if folder == "rules" else TEMPLATES


def _parts(findings: Findings, document: Document, folder: str, lost: set[str]) -> Iterator[_Part]:
    """The sections of one file. What stands under an unknown name is lost: it may belong to any section."""
    root = document.root
    if root is None:
        return
    own = RULES if folder == "rules" else TEMPLATES
    if not isinstance(root, Map):
        hint = f"begin with {listed(f'{name}:' for name in own)}"
        findings.report("B104", root.position, f"a file must be a map of sections, not {shown(root)}", hint)
        lost.update(own)
        return
    for key, node in root.entries:
        if key.text in own:
            yield _Part(key, node)
        elif key.text in RULES or key.text in TEMPLATES:
            right = "rules" if key.text in RULES else "templates"
            message = f"{key.text} stands in {folder}/"
            findings.report("B117", key.position, message, f"move it to a file in {right}/")
            yield _Part(key, node)
        elif key.text == "tests":
            message = "tests stand in a file that is read as a part of the policy"
            findings.report("B117", key.position, message, "give the file a name that ends in .test.yaml")
        else:
            near = did_you_mean(key.text, own) or did_you_mean(key.text, (*RULES, *TEMPLATES))
            inside = "indent it, so that it stands below settings:" if key.text in SETTINGS_KEYS else ""
            hint = near or _HINTS.get(key.text) or inside or f"there are {listed(own, 'and')}"
            findings.report("B101", key.position, f"unknown section {shown(key)}", hint)
            lost.update((*RULES, *TEMPLATES))


def _settings(findings: Findings, parts: Sequence[_Part]) -> tuple[Map, Position] | None:
    for part in parts[1:]:
        message = f"settings are already there at {parts[0].key.position}"
        findings.report("B108", part.key.position, message, "a workspace has them once: move all into one place")
    if not parts:
        return None
    node = scalars.entries(findings, parts[0].node, "settings")
    return None if node is None else (node, parts[0].key.position)


def _merged(findings: Findings, name: str, parts: Sequence[_Part], *, complete: bool) -> Section:
    found: dict[str, Entry] = {}
    for part in parts:
        node = scalars.entries(findings, part.node, name)
        if node is None:
            complete = False
            continue
        for entry in node.entries:
            key = entry[0]
            first = found.setdefault(key.text, entry)[0]
            if first is not key:
                message = f"{shown(key)} is already defined at {first.position}"
                hint = "an event type lives in one file: join the two" if name == "events" else "delete one of the two"
                findings.report("B108", key.position, message, hint)
    return Section(entries=tuple(found.values()), complete=complete)


def _listed(findings: Findings, parts: Sequence[_Part], *, complete: bool) -> Section:
    items: list[Node] = []
    for part in parts:
        if isinstance(part.node, Map):
            hint = "begin each with a dash: - {id: …, cooldown: 6h}"
            findings.report("B104", part.node.position, "suppression must be a list, not a map", hint)
            complete = False
        else:
            items += scalars.items(findings, part.node, "suppression", empty=True) or ()
    return Section(items=tuple(items), complete=complete)


def losses(documents: Iterable[Document], found: Iterable[Diagnostic]) -> Losses:
    """Where the reader lost something."""
    lines: dict[str, list[int]] = {}
    structural: set[str] = set()
    for diagnostic in found:
        lines.setdefault(diagnostic.position.file, []).append(diagnostic.position.line)
        if diagnostic.code in _STRUCTURAL:
            structural.add(diagnostic.position.file)
    marked: set[int] = set()
    files: set[str] = set()
    for document in documents:
        if document.partial or document.file in structural:
            files.add(document.file)
            if document.root is not None:
                _mark(document.root, 1, len(document.source.lines) + 1, lines.get(document.file, []), marked)
    return Losses(frozenset(files), frozenset(marked))


def _mark(node: Node, first: int, last: int, lines: Sequence[int], marked: set[int]) -> None:
    """Mark a node whose lines, up to the line before `last`, hold a loss; then look into it.

    What is lost between two entries of a list may belong to either, so their lines overlap there.
    """
    within = [line for line in lines if first <= line < last]
    if isinstance(node, Scalar) or not within:
        return
    marked.add(id(node))
    if isinstance(node, ListNode):
        children = [(item.position.line, item) for item in node.items]
    else:
        children = [(key.position.line, value) for key, value in node.entries]
    before = first
    for number, (start, child) in enumerate(children):
        after = children[number + 1][0] if number + 1 < len(children) else last
        begin = min(before, start) if isinstance(node, ListNode) else start
        _mark(child, begin, max(after, start + 1), within, marked)
        before = child.position.end_line + 1
