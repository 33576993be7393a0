"""Turned numbers as changes of the author's files: only the numbers change, and comments stay where they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import unified_diff

import msgspec

from botopt.authoring.fixing_edits import Edit
from botopt.authoring.tuning.knobs import Knob, Sort, Turned, written
from botopt.loading.reader import Document, Map, Node, Scalar, Sequence, read_data
from botopt.loading.snapshot import File, Snapshot
from botopt.model.diagnostic import Diagnostic
from botopt.model.errors import UsageError
from botopt.model.instants import instant_text


class Change(msgspec.Struct, frozen=True):
    """One number: where it stands, and its words before and after; `before` is empty where nothing stood."""

    knob: Knob
    file: str
    line: int
    before: str
    after: str


class Patch(msgspec.Struct, frozen=True):
    """Changes, the workspace with them, and all of it as `diff -u` shows it."""

    changes: tuple[Change, ...]
    after: Snapshot
    text: str


class _Place(msgspec.Struct, frozen=True):
    file: int
    edit: Edit
    before: str
    after: str


def patch(snapshot: Snapshot, turned: Turned, tuned_until_us: int) -> Patch:
    """The files of a workspace with these numbers, and with `settings.tuned_until`.

    Raises:
        UsageError: a number does not stand in the files as a plain number (an anchor stands for it, say).
    """
    documents = [(number, _document(file)) for number, file in enumerate(snapshot.files) if file.kind == "rules"]
    places = {knob: _place(documents, knob, value) for knob, value in sorted(turned.items())}
    edits = [*places.values(), _tuned_until(documents, tuned_until_us)]
    files = list(snapshot.files)
    for number in sorted({place.file for place in edits}):
        files[number] = _edited(snapshot.files[number], [place.edit for place in edits if place.file == number])
    changes = tuple(
        Change(knob, snapshot.files[place.file].name, place.edit.line, place.before, place.after)
        for knob, place in places.items()
    )
    after = Snapshot(snapshot.folder, tuple(files), snapshot.findings)
    return Patch(changes, after, "".join(_difference(snapshot, after)))


def _document(file: File) -> Document:
    return read_data(file.name, file.data)[0]


def _place(documents: list[tuple[int, Document]], knob: Knob, value: float) -> _Place:
    for number, document in documents:
        node = _node(document.root, knob)
        if isinstance(node, Scalar) and node.position.line == node.position.end_line:
            before = node.source.text[slice(*node.raw)]
            after = written(knob, value, before)
            at = node.position
            return _Place(number, Edit(at.line, at.column - 1, at.end_column - 1, after), before, after)
    if knob.sort == Sort.BAR:
        after = written(knob, value)
        number, edit = _inserted(documents, f"threshold: {after}")
        return _Place(number, edit, "", after)
    raise UsageError(f"{knob} stands in no file as a plain value: type it out where it is meant, and tune again")


def _node(root: Node | None, knob: Knob) -> Node | None:
    match knob.sort:
        case Sort.BAR:
            return _at(root, "settings", "threshold")
        case Sort.WEIGHT | Sort.THRESHOLD:
            return _at(root, "events", knob.owner, knob.sort)
        case Sort.RULE_SCORE | Sort.RULE_THRESHOLD:
            return _at(_with_id(_at(root, "events", knob.owner, "rules"), knob.rule), knob.sort.removeprefix("rule "))
        case _:
            return _at(_with_id(_at(root, "suppression"), knob.owner), knob.sort)


def _at(node: Node | None, *names: str) -> Node | None:
    for name in names:
        node = node.get(name) if isinstance(node, Map) else None
    return node


def _with_id(node: Node | None, id: str) -> Node | None:
    items = node.items if isinstance(node, Sequence) else ()
    return next((item for item in items if isinstance(found := _at(item, "id"), Scalar) and found.text == id), None)


def _tuned_until(documents: list[tuple[int, Document]], us: int) -> _Place:
    text = instant_text(-(-us // 1_000_000) * 1_000_000)  # a whole second, and not before the log's end
    for number, document in documents:
        node = _at(document.root, "settings", "tuned_until")
        if isinstance(node, Scalar):
            at = node.position
            return _Place(number, Edit(at.line, at.column - 1, at.end_column - 1, text), node.text, text)
    number, edit = _inserted(documents, f"tuned_until: {text}")
    return _Place(number, edit, "", text)


def _inserted(documents: list[tuple[int, Document]], entry: str) -> tuple[int, Edit]:
    """A new first entry of `settings`; where no file has any, at the very beginning of the first."""
    for number, document in documents:
        settings = _at(document.root, "settings")
        if not isinstance(settings, Map) or not settings.entries:
            continue
        first = settings.entries[0][0].position
        line = document.source.line(first.line)
        before = line[: first.column - 1]
        flow = before.strip(" ")
        return number, Edit(
            first.line, first.column - 1, first.column - 1, f"{entry}, " if flow else f"{entry}\n{before}"
        )
    if not documents:
        raise UsageError("the workspace has no rules")
    return documents[0][0], Edit(1, 0, 0, f"settings:\n  {entry}\n")


def _edited(file: File, edits: list[Edit]) -> File:
    assert not isinstance(file.data, Diagnostic)
    text = file.data.decode()
    lines = text.split("\n")
    bom = 1 if text.startswith("\ufeff") else 0
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.start), reverse=True):
        shift = bom if edit.line == 1 else 0
        moved = Edit(edit.line, edit.start + shift, edit.end + shift, edit.text)
        lines = moved.apply(lines)
    return File(file.kind, file.name, "\n".join(lines).encode())


def _difference(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """As `git apply` takes it."""
    for old, new in zip(before.files, after.files, strict=True):
        if old.data == new.data or isinstance(old.data, Diagnostic) or isinstance(new.data, Diagnostic):
            continue
        lines, others = (re.findall(r"[^\n]*\n|[^\n]+", data.decode()) for data in (old.data, new.data))
        for line in unified_diff(lines, others, f"a/{old.name}", f"b/{new.name}"):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
