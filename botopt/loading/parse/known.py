"""The names that a workspace declares, and what to say about one that it does not."""

from __future__ import annotations

from collections.abc import Iterable

from botopt.loading.parse.findings import Findings
from botopt.loading.parse.wording import listed, shown
from botopt.loading.reader import Scalar
from botopt.model.names import did_you_mean


class Known:
    """The names of one kind. If some may have been lost (`complete` is false), no name is called unknown."""

    def __init__(self, kind: str, names: Iterable[str], *, complete: bool = True, where: str = "") -> None:
        self.kind = kind
        self.names = frozenset(names)
        self.complete = complete
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def knows(self, findings: Findings, node: Scalar) -> bool:
        """Whether the name is declared; if it surely is not, there is a finding."""
        if node.text in self.names:
            return True
        if not self.complete:
            findings.fault()
            return False
        findings.report("B102", node.position, f"unknown {self.kind} {shown(node)}", self.hint(node.text))
        return False

    def hint(self, name: str) -> str:
        """The nearest name, or those there are."""
        if not self.names:
            return self._where
        few = f"there are {listed(sorted(self.names), 'and')}" if 1 < len(self.names) <= 8 else ""
        only = f"there is only {next(iter(self.names))}" if len(self.names) == 1 else ""
        return did_you_mean(name, self.names) or few or only or self._where
