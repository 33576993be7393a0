"""Where in a file a new entry goes: at the end of its section, and nothing else moves."""

from __future__ import annotations

from botopt.authoring.asking_entries import Entry
from botopt.loading.reader import Map, Scalar, Sequence, read_data
from botopt.model.diagnostic import has_errors
from botopt.model.errors import UsageError


def added(name: str, text: str, entry: Entry) -> str:
    """The text of a file with an entry at the end of its section, which is begun where it is missing.

    Raises:
        UsageError: the file cannot be read, or the section stands in `{ }` or `[ ]`.
    """
    document, found = read_data(name, text.encode("utf-8", "surrogateescape"))
    if has_errors(found):
        raise UsageError(f"{name} has mistakes: mend them first (botopt validate), or name another file with --file")
    lines = text.rstrip("\n").split("\n") if text.strip() else []
    root = document.root
    key = root.key(entry.section) if isinstance(root, Map) else None
    if key is None or not isinstance(root, Map):
        gap = [""] if lines else []
        return _text([*lines, *gap, f"{entry.section}:", *entry.indented(2)])
    node = root.get(entry.section)
    at = key.position.line
    line = lines[at - 1]
    empty = (isinstance(node, Map) and not node.entries) or (isinstance(node, Sequence) and not node.items)
    if empty or (isinstance(node, Scalar) and node.value is None):
        after = line[key.position.end_column - 1 :]
        head = line[: key.position.end_column - 1] + ":" + (f"  {after[after.index('#') :]}" if "#" in after else "")
        return _text([*lines[: at - 1], head, *entry.indented(2), *lines[at:]])
    column = _column(node)
    assert node is not None
    if column is None or lines[node.position.line - 1][node.position.column - 1] in "{[":
        raise UsageError(f"{name}: the section {entry.section} stands in {{ }} or [ ]: write it in lines first")
    end = _end(lines, at)
    gap = [""] if entry.apart else []
    return _text([*lines[:end], *gap, *entry.indented(column), *lines[end:]])


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _column(node: object) -> int | None:
    """How far the entries of a section are indented."""
    match node:
        case Map():
            return node.entries[0][0].position.column - 1
        case Sequence():
            return node.position.column - 1
        case _:
            return None


def _end(lines: list[str], at: int) -> int:
    """How many lines there are up to the last one of the section whose key stands on line `at`, counted from 1."""
    end = at
    while end < len(lines) and (not lines[end] or lines[end][0] in " #-"):
        end += 1
    while end > at and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return end
