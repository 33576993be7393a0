"""`botopt fmt`: one look for every file, and not a word of it changed."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import msgspec

from botopt.authoring.formatting_layout import Rules, Unusual, comments, laid_out
from botopt.loading.files import find_files, read_bytes
from botopt.loading.reader import Map, Node, Scalar, Sequence, read_data
from botopt.model.diagnostic import Diagnostic, has_errors

_BOM = "\ufeff"
_LEVELS = (Rules(), Rules(indent=False), Rules(indent=False, blank_lines=False))
"""From all that can be settled to the least; the first that changes nothing else is taken."""


class Tidied(msgspec.Struct, frozen=True):
    """A file before and after; `findings` say why it was left alone."""

    name: str
    path: Path
    before: str
    after: str
    findings: tuple[Diagnostic, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is different."""
        return self.before != self.after

    def diff(self) -> str:
        """What is different, as `diff -u` shows it."""
        return difference(self.name, self.before, self.after)


def difference(name: str, before: str, after: str, word: str = "tidy") -> str:
    """What is different between two texts, as `diff -u` shows it."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = unified_diff(old, new, name, f"{name} ({word})", n=2)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def workspace_files(workspace: Path) -> Iterator[tuple[Path, str]]:
    """Every file below rules/ and templates/, rule tests included, with its name in findings."""
    for kind in ("rules", "templates"):
        files = {name: path for path, name in find_files(workspace, kind).files}
        for suffix in ("yaml", "yml"):
            for path in (workspace / kind).rglob(f"*.test.{suffix}"):
                files[path.relative_to(workspace).as_posix()] = path
        yield from ((path, name) for name, path in sorted(files.items()))


def tidied(path: Path, name: str) -> Tidied:
    """A file as it should be; one with errors in its YAML stays as it is."""
    data = read_bytes(path, name)
    document, findings = read_data(name, data)
    if isinstance(data, Diagnostic) or has_errors(findings):
        placed = (msgspec.structs.replace(one, source=document.source.line(one.position.line)) for one in findings)
        return Tidied(name, path, "", "", tuple(placed))
    text = data.decode()
    return Tidied(name, path, text, tidy(text))


def tidy(text: str) -> str:
    """A text without errors, tidy: it means the same, and every comment is still there."""
    plain = text.removeprefix(_BOM).replace("\r\n", "\n")
    for rules in _LEVELS:
        try:
            after = laid_out(plain, rules)
            if means_the_same(text, after) and comments(after) == comments(plain):
                return after
        except Unusual:
            continue
    return text


def means_the_same(before: str, after: str) -> bool:
    """Whether two texts hold the same tree: keys and lists in the same order, texts and quotes letter by letter."""
    (old, found), (new, found_after) = (read_data("", text.encode()) for text in (before, after))
    return len(found) == len(found_after) and _same(old.root, new.root)


def _same(one: Node | None, other: Node | None) -> bool:
    match one, other:
        case Map(entries), Map(others):
            return len(entries) == len(others) and all(
                _same(key, name) and _same(value, node)
                for (key, value), (name, node) in zip(entries, others, strict=True)
            )
        case Sequence(items), Sequence(others):
            return len(items) == len(others) and all(map(_same, items, others))
        case Scalar(), Scalar():
            return (one.value, one.text, one.quoted) == (other.value, other.text, other.quoted)
        case _:
            return one is other is None
