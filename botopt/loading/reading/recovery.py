"""Reading a file that is no YAML: piece by piece, so that one mistake hides no other and no good part is lost."""

from __future__ import annotations

import re
from collections import Counter

from botopt.loading.reading.broken import diagnose, no_colon, tab_indented
from botopt.loading.reading.gathering import Gathering
from botopt.loading.reading.lines import indentation, is_content, take_apart
from botopt.loading.reading.nodes import Map, Node, Scalar, Sequence
from botopt.loading.reading.traps import placed
from botopt.loading.reading.tree import DEEPEST, Tree, Unreadable
from botopt.loading.reading.wording import said
from botopt.model.diagnostic import Diagnostic
from botopt.model.position import Position

_DOCUMENT = re.compile(r"(?:---|\.\.\.)(?:[ \t]|$)")
_LIST_ITEM = re.compile(r" *-(?:[ \t]|$)")
_CONTINUES = re.compile(r" *(?:[\]},]|\t)")


class Recovery:
    """Splits what the parser refuses at its keys and list entries, and reads each on its own."""

    def __init__(self, gathering: Gathering, tree: Tree) -> None:
        self.gathering, self.tree, self.source = gathering, tree, gathering.source
        # A dash in front of an entry becomes a blank, so that its keys can be read as a map.
        self.lines = list(self.source.lines)
        tree.in_pieces = True

    def read(self, why: Unreadable) -> Node | None:
        """Read the whole file, which the parser refused."""
        before = len(self.gathering.findings)
        first, last = self._document()
        return self._pieces(first, last, 0, why, before)

    def _document(self) -> tuple[int, int]:
        """The lines of the first document; a second one is reported."""
        first, last, begun = 0, len(self.lines), False
        for number, line in enumerate(self.lines):
            if _DOCUMENT.match(line):
                if begun:
                    self.gathering.second_document(number)
                    last = number
                    break
                first, begun = number + 1, True
            elif line.startswith("%") and not begun:
                first = number + 1
            elif is_content(line):
                begun = True
        return first, last

    def _region(self, first: int, last: int, depth: int) -> Node | None:
        """Read the lines below a key or in a list entry."""
        try:
            return self.tree.read("\n".join(self.lines[first:last]) + "\n", first, depth)
        except Unreadable as why:
            if why.fatal:
                raise
            return self._pieces(first, last, depth, why, len(self.gathering.findings))

    def _pieces(self, first: int, last: int, depth: int, why: Unreadable, before: int) -> Node | None:
        """Read a block key by key or entry by entry; `before`: how many findings there were without it."""
        cuts = self._cut(first, last)
        if not cuts or depth > DEEPEST:
            self._give_up(first, last, why)
            return None
        start = cuts[0]
        if found := tab_indented(self.source, start):
            self.gathering.add(found)
            self.gathering.lose()
            return None
        listed = bool(_LIST_ITEM.match(self.lines[start]))
        entries: list[tuple[Scalar, Node]] = []
        items: list[Node] = []
        misplaced = False
        neighbour = self.lines[start]  # as it is now: a dash in it may become a blank below
        for begin, end in zip(cuts, [*cuts[1:], last], strict=True):
            losses = self.gathering.losses
            if (found := self._out_of_line(begin, start, neighbour, listed)) and not misplaced:
                self.gathering.add(found)
                misplaced = True
            if listed and not _LIST_ITEM.match(self.lines[begin]):
                self.gathering.lose()
                continue
            node = self._piece(begin, end, depth)
            if isinstance(node, Map):
                entries += node.entries
            elif isinstance(node, Sequence):
                items += node.items
            if not depth and not listed and self.gathering.losses > losses:
                self.gathering.lose(take_apart(self.source.lines[begin]).key)
        if len(self.gathering.findings) == before:
            self._give_up(first, last, why)
        return self._node(entries, items, listed, depth)

    def _node(self, entries: list[tuple[Scalar, Node]], items: list[Node], listed: bool, depth: int) -> Node | None:
        if listed:
            return Sequence(tuple(items), _around(items[0].position, items[-1].position)) if items else None
        if not entries:
            return None
        kept = self.gathering.join(entries, top=not depth)
        return Map(kept, _around(kept[0][0].position, kept[-1][1].position))

    def _cut(self, first: int, last: int) -> list[int]:
        """The lines on which the keys or entries of a block begin."""
        content = [number for number in range(first, last) if is_content(self.lines[number])]
        if not content:
            return []
        lead = self.lines[content[0]]
        indent, listed = indentation(lead), bool(_LIST_ITEM.match(lead))
        cuts = content[:1]
        for number in content[1:]:
            line = self.lines[number]
            if indentation(line) > indent or _CONTINUES.match(line):
                continue
            # Entries of a list may stand right below their key, without more indentation.
            if not listed and indentation(line) == indent and _LIST_ITEM.match(line):
                continue
            cuts.append(number)
        return self._without_brackets(cuts, last)

    def _without_brackets(self, cuts: list[int], last: int) -> list[int]:
        """Brackets may reach over lines that are not indented, as in pasted JSON: these lines are no cuts."""
        kept: list[int] = []
        inside_until = 0
        for index, cut in enumerate(cuts):
            if cut < inside_until:
                continue
            kept.append(cut)
            if not take_apart(self.lines[cut]).value.startswith(("{", "[")):
                continue
            for end in [*cuts, last][index + 2 : index + 52]:
                final = next((number for number in range(end - 1, cut, -1) if is_content(self.lines[number])), cut)
                if self.lines[final].lstrip(" ").startswith(("}", "]")):
                    brackets = Counter("\n".join(self.lines[cut : final + 1]))
                    if brackets["{"] == brackets["}"] and brackets["["] == brackets["]"]:
                        inside_until = end
                    break
        return kept

    def _out_of_line(self, number: int, first: int, neighbour: str, listed: bool) -> Diagnostic | None:
        """The finding for a line that begins further left than its neighbours, or is no list entry among entries."""
        line, source = self.lines[number], self.source
        column, indent = indentation(line), indentation(neighbour)
        start = source.starts[number] + column
        position = source.span(start, source.starts[number] + len(line.rstrip(" \t")))
        if column != indent:
            message = (
                f"this line begins at column {column + 1}, its neighbour {said(neighbour, 30)} in line {first + 1}"
            )
            message += f" at column {indent + 1}"
            hint = "line up what belongs together: the same number of spaces in front of each"
        elif listed and not _LIST_ITEM.match(line):
            message = f"this is no entry of the list that begins in line {first + 1}"
            hint = "type a dash and a space in front, or indent it so that it belongs to the entry above"
        else:
            return None
        return placed(source, "B008", position, message, hint)

    def _piece(self, first: int, last: int, depth: int) -> Node | None:
        """Read one key with what belongs to it, or one entry of a list."""
        try:
            node = self.tree.read("\n".join(self.lines[first:last]) + "\n", first, depth)
        except Unreadable as why:
            if why.fatal:
                raise
            return self._refused(first, last, depth, why)
        if isinstance(node, Scalar):
            self.gathering.lose()
            if not node.flawed:
                self.gathering.add(no_colon(self.source, node.raw[0], node.text.partition("\n")[0]))
            return None
        return node

    def _refused(self, first: int, last: int, depth: int, why: Unreadable) -> Node | None:
        line = take_apart(self.lines[first])
        if _LIST_ITEM.match(self.lines[first]):
            inner = self.lines[first].replace("-", " ", 1)
            if take_apart(inner).key or _LIST_ITEM.match(inner) or not is_content(inner):
                self.lines[first] = inner
                item = self._region(first, last, depth + 1)
                return Sequence((item,), item.position) if item is not None else None
        elif line.key and line.opens and any(is_content(below) for below in self.lines[first + 1 : last]):
            header = self._header(first)
            below = self._region(first + 1, last, depth + 1)
            if header is None or below is None:
                self.gathering.lose()
                return None
            return Map(((header, below),), _around(header.position, below.position))
        self._give_up(first, last, why)
        return None

    def _header(self, number: int) -> Scalar | None:
        """Read a key on a line of its own."""
        mark = self.gathering.mark()
        try:
            node = self.tree.read(self.lines[number], number)
        except Unreadable:
            return None
        self.gathering.take_back(mark)
        return node.entries[0][0] if isinstance(node, Map) and node.entries else None

    def _give_up(self, first: int, last: int, why: Unreadable) -> None:
        self.gathering.lose()
        self.gathering.add(diagnose(self.source, first, last, why))


def _around(first: Position, last: Position) -> Position:
    return Position(first.file, first.line, first.column, last.end_line, last.end_column)
