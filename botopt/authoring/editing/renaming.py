"""Another name for something, everywhere where it stands. Nothing changes where that would break anything."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from botopt.authoring.editing.occurrences import Kind, Occurrence, at, everywhere
from botopt.authoring.editing.scanning import own_names
from botopt.authoring.editing.workbench import Workbench
from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.errors import UsageError
from botopt.model.names import WORDS
from botopt.model.policy import RESERVED_TYPES
from botopt.model.position import Position
from botopt.verify.live import Live

_NAME = re.compile(r"[a-z][a-z0-9_.-]*")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FIXED = (Kind.FILTER, Kind.BUILT_IN)


class Change(msgspec.Struct, frozen=True):
    """What stands at a place becomes another text."""

    position: Position
    text: str


class Renaming(msgspec.Struct, frozen=True):
    """All changes, and the sentence that says what else they concern; empty where that goes without saying."""

    changes: tuple[Change, ...]
    note: str = ""


def renamable(bench: Workbench, file: str, line: int, column: int) -> Occurrence:
    """The name at a place, counted from 1, that may get another.

    Raises:
        UsageError: there is none.
    """
    found = at(bench.view, bench.declared, file, line, column)
    if found is None:
        raise UsageError("there is no name here that could be changed")
    if found.kind in _FIXED:
        raise UsageError(f'"{found.name}" is a word of botopt\'s own')
    if found.kind is Kind.EVENT and found.name in RESERVED_TYPES:
        raise UsageError(f'"{found.name}" is an event type of botopt\'s own')
    if found.kind in (Kind.FIELD, Kind.RULE, Kind.VARIANT) and not found.owners:
        raise UsageError(f'no {found.kind} "{found.name}" is declared here')
    return found


def rename(live: Live, bench: Workbench, file: str, line: int, column: int, name: str) -> Renaming:
    """The name at a place becomes `name` everywhere. A field that event types share changes in all of them.

    Raises:
        UsageError: it cannot be renamed so; the sentence says why.
    """
    found = renamable(bench, file, line, column)
    if name == found.name:
        return Renaming(())
    _refuse_ill_formed(found, name)
    _refuse_unreadable(bench)
    found = _grown(bench, found)
    _refuse_taken(bench, found, name)
    places = tuple(everywhere(bench.view, bench.declared, found))
    hidden = next((one for one in places if found.kind is Kind.FIELD and name in own_names(one.node.text)), None)
    if hidden is not None:
        raise UsageError(f'the text at {hidden.node.position} makes a value called "{name}" itself')
    changes = tuple(Change(one.position, name) for one in places)
    _refuse_what_breaks(live, bench, changes)
    others = ", ".join(found.owners)
    shared = found.kind is Kind.FIELD and len(found.owners) > 1
    note = f"{found.name} is now {name} in {others}: templates or suppressions use it for all of them" if shared else ""
    return Renaming(changes, note)


def _refuse_unreadable(bench: Workbench) -> None:
    """What cannot be read cannot be renamed, and would be left behind."""
    for file, document in bench.view.documents.items():
        if document.partial:
            raise UsageError(f"{file} cannot be read as a whole, and may use the name: mend it first")


def _refuse_ill_formed(found: Occurrence, name: str) -> None:
    if found.kind in (Kind.FIELD, Kind.ATTRIBUTE):
        if not _FIELD.fullmatch(name):
            raise UsageError(f'"{name}" cannot be a {found.kind}: letters, digits and _, beginning with a letter')
        if name in WORDS:
            raise UsageError(f'"{name}" is a word of conditions, and cannot be a {found.kind}')
    elif not _NAME.fullmatch(name):
        what = "small letters, digits, _, . and -, beginning with a letter"
        raise UsageError(f'"{name}" cannot be the name of a {found.kind}: {what}')


def _grown(bench: Workbench, found: Occurrence) -> Occurrence:
    """A field with all event types that must change together: those that one condition, text or list speaks about."""
    owners: dict[str, None] = dict.fromkeys(found.owners)
    while True:
        found = msgspec.structs.replace(found, owners=tuple(owners))
        for one in everywhere(bench.view, bench.declared, found):
            owners |= dict.fromkeys(one.owners)
        if found.kind is not Kind.FIELD or len(owners) == len(found.owners):
            return found


def _refuse_taken(bench: Workbench, found: Occurrence, name: str) -> None:
    declared = bench.declared
    match found.kind:
        case Kind.FIELD:
            having = declared.having(name, found.owners)
            if having:
                raise UsageError(f'{", ".join(having)} has a field "{name}" already')
        case Kind.RULE:
            taken = any((one, name) in declared.rules for one in found.owners) or name in declared.suppressions
            if taken:
                raise UsageError(f'another rule or suppression is called "{name}"')
        case Kind.VARIANT:
            if any((one, name) in declared.variants for one in found.owners):
                raise UsageError(f'this template has a variant "{name}" already')
        case Kind.EXPERIMENT:
            raise UsageError(
                "an experiment's name decides who is in which arm: under another all users would be dealt anew; "
                "end this one, and declare another"
            )
        case _:
            names: Mapping[Kind, Mapping[str, object]] = {
                Kind.EVENT: declared.events,
                Kind.TEMPLATE: declared.templates,
                Kind.CHANNEL: declared.channels,
                Kind.CATEGORY: declared.categories,
                Kind.ATTRIBUTE: declared.attributes,
                Kind.SUPPRESSION: declared.suppressions,
            }
            if name in names[found.kind]:
                raise UsageError(f'there is a {found.kind} "{name}" already')


def applied(text: str, changes: list[Change]) -> str:
    """A text after its changes, each on one line."""
    lines = text.split("\n")
    for change in sorted(changes, key=lambda one: one.position, reverse=True):
        place = change.position
        line = lines[place.line - 1]
        lines[place.line - 1] = line[: place.column - 1] + change.text + line[place.end_column - 1 :]
    return "\n".join(lines)


def _refuse_what_breaks(live: Live, bench: Workbench, changes: tuple[Change, ...]) -> None:
    """Look at the workspace as it would be: it must have no finding that it does not have now."""
    texts: dict[str, list[Change]] = {}
    for change in changes:
        texts.setdefault(change.position.file, []).append(change)
    sources = {file: bench.view.documents[file].source.text for file in texts}
    if any("\r" in text for text in sources.values()):
        sources = {file: text.replace("\r\n", "\n") for file, text in sources.items()}
    now = live.imagine({file: text.encode() for file, text in sources.items()})  # tests that are not open count, too
    then = live.imagine({file: applied(sources[file], these).encode() for file, these in texts.items()})
    broken = _more(now.diagnostics, then.diagnostics)
    first = next((one for one in broken if one.severity is Severity.ERROR), None)
    if first is not None:
        raise UsageError(f"nothing was renamed, because it would break {first.position}: {first.message}")


def _more(before: tuple[Diagnostic, ...], after: tuple[Diagnostic, ...]) -> Iterator[Diagnostic]:
    known = Counter((one.code, one.position.file) for one in before)
    for one in after:
        key = (one.code, one.position.file)
        known[key] -= 1
        if known[key] < 0:
            yield one
