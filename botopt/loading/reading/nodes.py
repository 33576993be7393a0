"""What a YAML file holds: texts, lists and maps that know where they stand."""

from __future__ import annotations

import msgspec

from botopt.loading.reading.source import SourceText
from botopt.loading.reading.spans import character_spans
from botopt.model.position import Position


class Scalar(msgspec.Struct, frozen=True):
    """One YAML scalar, or a key.

    `value` follows the narrowed YAML 1.2 rules; of a key it is always the text. An empty place (`weight:`) has the
    value None and the text ``, an explicit `null` has the text it was written with. `flawed`: a finding about this
    very scalar exists already, so what does not fit here needs no second one.
    """

    value: str | int | float | bool | None
    text: str
    position: Position
    quoted: bool
    source: SourceText
    raw: tuple[int, int]
    style: str = ""
    flawed: bool = False

    def span(self, start: int, end: int) -> Position:
        """The place in the file of `text[start:end]`, whatever quotes, escapes and folded lines lie between."""
        start = max(0, min(start, len(self.text)))
        end = max(start, min(end, len(self.text)))
        if not self.text:
            return self.position
        first, last = self.raw
        spans = character_spans(self.source.text[first:last], self.text, self.style)
        if spans is None:
            return self.position
        if start == end:
            at = spans[start][0] if start < len(spans) else spans[-1][1]
            return self.source.span(first + at, first + at)
        return self.source.span(first + spans[start][0], first + spans[end - 1][1])


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    position: Position


class Map(msgspec.Struct, frozen=True):
    """Keys with their values, in the order of the file; no key comes twice."""

    entries: tuple[tuple[Scalar, Node], ...]
    position: Position

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        return next((node for name, node in self.entries if name.text == key), None)

    def key(self, name: str) -> Scalar | None:
        """The key itself, for its position."""
        return next((key for key, _ in self.entries if key.text == name), None)


Node = Scalar | Sequence | Map


class Document(msgspec.Struct, frozen=True):
    """One file.

    `root` is None when the file is empty or holds nothing that could be read. `partial`: something that the author
    wrote is missing from `root`, and a finding says so; `broken` names the top-level blocks that it is missing from.
    """

    file: str
    root: Node | None
    source: SourceText
    partial: bool = False
    broken: tuple[str, ...] = ()
