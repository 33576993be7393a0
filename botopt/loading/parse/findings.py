"""What gathers while a workspace is parsed."""

from __future__ import annotations

import msgspec

from botopt.loading.reader import Map, Node, Scalar, Sequence
from botopt.model.codes import finding
from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.position import Position


class Losses(msgspec.Struct, frozen=True):
    """What the reader could not read: in which files, and around which maps and lists (by identity)."""

    files: frozenset[str]
    nodes: frozenset[int]


class Findings:
    """The findings so far, and which parts the reader could not read whole.

    `faults` counts errors, also those that the reader has reported: whoever compares it before and after knows
    whether a part is sound.
    """

    def __init__(self, losses: Losses) -> None:
        self.all: list[Diagnostic] = []
        self.faults = 0
        self._partial = losses.files
        self._damaged = set(losses.nodes)
        self._said: set[str] = set()
        self.secrets: list[Position] = []

    def report(self, code: str, position: Position, message: str, hint: str = "") -> None:
        """Add a finding."""
        self.add(finding(code, position, message, hint))

    def add(self, found: Diagnostic) -> None:
        """Add a finding that somebody else has made."""
        self.all.append(found)
        self.faults += found.severity is Severity.ERROR

    def hide(self, position: Position) -> None:
        """Show nobody what stands there: the lines of findings are printed, logged and sent to other programs."""
        self.secrets.append(position)

    def fault(self) -> None:
        """Note an error that has a finding already."""
        self.faults += 1

    def first(self, what: str) -> bool:
        """Whether this is the first time that anybody asks this: for what needs saying only once."""
        known = what in self._said
        self._said.add(what)
        return not known

    def is_flawed(self, node: Node) -> bool:
        """Whether the reader has reported this very value, so that nothing more is said about it."""
        flawed = isinstance(node, Scalar) and node.flawed
        self.faults += flawed
        return flawed

    def is_partial(self, file: str) -> bool:
        """Whether something that the author wrote in this file was lost."""
        return file in self._partial

    def damage(self, node: Node) -> None:
        """Note that something which belongs to this node is missing from it, and has a finding already."""
        self._damaged.add(id(node))

    def fault_if_damaged(self, node: Map | Sequence) -> None:
        """Note an error where something was lost, so that nobody takes the rest for the whole."""
        self.faults += self.is_damaged(node)

    def is_damaged(self, node: Map | Sequence) -> bool:
        """Whether something that the author wrote here was lost, so that what is missing may not be missing."""
        return id(node) in self._damaged
