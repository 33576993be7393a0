"""What would mend a finding: the changes that `botopt fix` makes, one at a time, each tried before it is offered."""

from __future__ import annotations

import msgspec

from botopt.authoring.fixing import better
from botopt.authoring.fixing_edits import edits, without_tabs
from botopt.model.diagnostic import Diagnostic
from botopt.verify.live import Live, View


class Mending(msgspec.Struct, frozen=True):
    """A change of whole lines, from `first` to before `last`, counted from 0; what it does in words."""

    title: str
    first: int
    last: int
    lines: tuple[str, ...]


def mendings(live: Live, view: View, finding: Diagnostic) -> list[Mending]:
    """What would mend a finding, the best first. A change that brings a new mistake is not among them."""
    document = view.documents.get(finding.position.file)
    if document is None:
        return []
    lines = document.source.text.split("\n")
    number = finding.position.line - 1
    if number >= len(lines):
        return []
    found = []
    for edit in edits(finding, lines[number].removesuffix("\r")):
        after = edit.apply(lines)
        told = f"type {edit.text.strip()}" if edit.text.strip() else "delete it"
        if finding.code == "B007":
            after, told = [without_tabs(line) for line in after], "indent with spaces"
        then = live.imagine({finding.position.file: "\n".join(after).encode()})
        if better(finding, view.diagnostics, then.diagnostics, strictly=False):
            found.append(_mending(finding, told, lines, after))
    return found


def _mending(finding: Diagnostic, told: str, before: list[str], after: list[str]) -> Mending:
    """The lines that are different."""
    changed = [number for number, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    first, last = changed[0], changed[-1] + 1
    lines = tuple(line.removesuffix("\r") for line in after[first:last])
    return Mending(f"{finding.code}: {told}", first, last, lines)
