"""`botopt fix`: the mechanical mistakes of a workspace, mended one after another and checked after each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from botopt.authoring.fixing_edits import edits, without_tabs
from botopt.loading.snapshot import File, Snapshot, take
from botopt.model.diagnostic import Diagnostic, Severity, in_order

MOST_FIXES = 200


class Fixed(msgspec.Struct, frozen=True):
    """What can be mended. `mended` are the findings that are gone by it, `left` those that stay."""

    before: Snapshot
    after: Snapshot
    mended: tuple[Diagnostic, ...]
    left: tuple[Diagnostic, ...]

    def changed(self) -> Iterator[tuple[str, str, str]]:
        """Each file that is different: its name, its text before and after."""
        for old, new in zip(self.before.files, self.after.files, strict=True):
            if old.data != new.data:
                yield old.name, _text(old) or "", _text(new) or ""


def fix(workspace: Path) -> Fixed:
    """Mend what can be mended in the workspace of this folder; nothing is written."""
    before = take(workspace)
    fixing = _Fixing(before)
    while len(fixing.mended) < MOST_FIXES and fixing.step():
        pass
    return Fixed(before, fixing.snapshot, tuple(fixing.mended), fixing.found)


class _Fixing:
    """The workspace as it would be by now."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.found = findings(snapshot)
        self.mended: list[Diagnostic] = []
        self._refused: set[tuple[str, str, str]] = set()

    def step(self) -> bool:
        """Mend the first finding that can be; False if there is none."""
        for finding in self.found:
            key = (finding.code, finding.position.file, finding.message)
            if key in self._refused:
                continue
            if self._mend(finding):
                return True
            self._refused.add(key)
        return False

    def _mend(self, finding: Diagnostic) -> bool:
        tried = [(after, findings(after)) for after in self._alternatives(finding)]
        for strictly in (True, False):
            for after, found in tried:
                if better(finding, self.found, found, strictly=strictly):
                    self.snapshot, self.found = after, found
                    self.mended.append(finding)
                    return True
        return False

    def _alternatives(self, finding: Diagnostic) -> Iterator[Snapshot]:
        for index, file in enumerate(self.snapshot.files):
            text = _text(file)
            if file.name != finding.position.file or text is None:
                continue
            lines = text.split("\n")
            if finding.position.line > len(lines):
                continue
            if finding.code == "B007":
                yield from (_with(self.snapshot, index, some) for some in _indented(lines, finding.position.line - 1))
            for edit in edits(finding, lines[finding.position.line - 1].removesuffix("\r")):
                changed = edit.apply(lines)
                if finding.code == "B007":  # lines that are indented alike belong together
                    yield _with(self.snapshot, index, [without_tabs(line) for line in changed])
                yield _with(self.snapshot, index, changed)


def _indented(lines: list[str], at: int) -> Iterator[list[str]]:
    """A line whose tabs become the spaces of a line before it: of its neighbour, or of one that is less deep."""
    rest = lines[at].lstrip(" \t")
    if not rest or "\t" not in lines[at][: len(lines[at]) - len(rest)]:
        return
    tried: set[int] = set()
    for line in reversed(lines[:at]):
        before = line.lstrip(" ")
        depth = len(line) - len(before)
        if before and not before.startswith(("#", "\t")) and depth not in tried:
            tried.add(depth)
            yield [*lines[:at], " " * depth + rest, *lines[at + 1 :]]


def _with(snapshot: Snapshot, index: int, lines: list[str]) -> Snapshot:
    file = snapshot.files[index]
    data = "\n".join(lines).encode()
    files = (*snapshot.files[:index], File(file.kind, file.name, data), *snapshot.files[index + 1 :])
    return Snapshot(snapshot.folder, files, snapshot.findings)


def _text(file: File) -> str | None:
    if isinstance(file.data, Diagnostic):
        return None
    try:
        return file.data.decode()
    except UnicodeDecodeError:
        return None


def better(
    mended: Diagnostic, before: tuple[Diagnostic, ...], after: tuple[Diagnostic, ...], *, strictly: bool
) -> bool:
    """Whether the finding is gone and nothing worse came.

    What can be read at last may show mistakes that nobody could see before. So when not `strictly`, after a mistake in
    the YAML (or in the words of a condition or a text) only new mistakes of that sort in that very line count.
    """
    if _count(after, mended) >= _count(before, mended):
        return False
    known = Counter(_said(one) for one in before)
    new = [one for one in after if one.severity is Severity.ERROR and not _known(known, one)]
    if strictly or not _is_reading(mended):
        return not new
    place = (mended.position.file, mended.position.line)
    return not any(_is_reading(one) and (one.position.file, one.position.line) == place for one in new)


def _known(known: Counter[tuple[str, str, str]], one: Diagnostic) -> bool:
    known[_said(one)] -= 1
    return known[_said(one)] >= 0


def _said(one: Diagnostic) -> tuple[str, str, str]:
    return one.code, one.position.file, one.message


def _count(found: tuple[Diagnostic, ...], wanted: Diagnostic) -> int:
    return sum(_said(one) == _said(wanted) for one in found)


def _is_reading(one: Diagnostic) -> bool:
    return one.code.startswith("B0") or one.code in ("B201", "B301")


def findings(snapshot: Snapshot) -> tuple[Diagnostic, ...]:
    """Every finding about files that need not be on the disk."""
    from botopt.delivery.registry import CHANNEL_TYPES
    from botopt.loading.policy import read_policy
    from botopt.verify.checks import CHECKS

    loaded = read_policy(snapshot, channel_types=CHANNEL_TYPES)
    checks = (check for check in CHECKS if loaded.policy is not None or not check.whole)
    checked = (found for check in checks for found in check.findings(loaded.partial))
    placed = (msgspec.structs.replace(found, source=loaded.line(found.position)) for found in checked)
    return in_order((*loaded.diagnostics, *placed))
