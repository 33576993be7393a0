"""What gathers while one file is read: findings, and what could not be kept."""

from __future__ import annotations

from botopt.loading.reading.nodes import Node, Scalar
from botopt.loading.reading.source import SourceText
from botopt.loading.reading.wording import said
from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic
from botopt.model.position import Position


class Gathering:
    """Findings and losses of one file. Taking back to a mark forgets what an attempt has gathered."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.findings: list[Diagnostic] = []
        self.broken: dict[str, None] = {}
        self.losses = 0

    def add(self, found: Diagnostic) -> None:
        self.findings.append(found)

    def report(self, code: str, position: Position, message: str, hint: str = "") -> None:
        """Add a finding, with the line it is about."""
        self.findings.append(finding(code, position, message, hint, self.source.line(position.line)))

    def lose(self, block: str = "") -> None:
        """Note that something written in the file, in this top-level block, is missing from its tree."""
        self.losses += 1
        if block:
            self.broken[block] = None

    def mark(self) -> tuple[int, int]:
        return len(self.findings), self.losses

    def take_back(self, mark: tuple[int, int]) -> None:
        del self.findings[mark[0] :]
        self.losses = mark[1]

    def join(self, entries: list[tuple[Scalar, Node]], top: bool) -> tuple[tuple[Scalar, Node], ...]:
        """Keep the first of each key, and report the others."""
        unique: dict[str, tuple[Scalar, Node]] = {}
        for key, node in entries:
            first = unique.setdefault(key.text, (key, node))[0]
            if first is key:
                continue
            self.lose(key.text if top else "")
            line = first.position.line
            where = f"in line {line}" if line != key.position.line else f"at column {first.position.column}"
            hint = f"move its lines under the first {said(key.text)}" if top else "delete one of the two, or rename it"
            self.report("B005", key.position, f"{said(key.text)} is already there {where}", hint)
        return tuple(unique.values())

    def second_document(self, line: int) -> None:
        """Report the line, counted from 0, on which a second document begins."""
        self.lose()
        start = self.source.starts[line]
        self.report(
            "B006",
            self.source.span(start, start + len(self.source.lines[line])),
            "a second document begins here, and a file holds only one",
            "delete this line, or move what follows it into a file of its own",
        )
