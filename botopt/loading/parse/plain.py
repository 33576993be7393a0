"""YAML data without positions."""

from __future__ import annotations

from botopt.loading.parse.findings import Findings
from botopt.loading.reader import Map, Node, Scalar, Sequence


def plain(findings: Findings, node: Node) -> object:
    """Texts, numbers, lists and dicts, as JSON would hold them."""
    match node:
        case Scalar():
            findings.is_flawed(node)
            return node.value
        case Sequence():
            return [plain(findings, item) for item in node.items]
        case Map():
            return {key.text: plain(findings, value) for key, value in node.entries}
