"""A comparison of two policies for machines: what each edit did, at its line, and whether the limits hold."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.authoring.diff_words import Effect, Limit, effects, summary
from botopt.cli.formats.entry import Entry, Kind, Level
from botopt.cli.formats.github import workflow_commands
from botopt.cli.formats.junit import Case, Fault, Suite, junit
from botopt.cli.formats.places import Places
from botopt.cli.formats.sarif import sarif
from botopt.cli.options import ReportFormat
from botopt.model.position import NOWHERE
from botopt.verify.diff import Difference, Edit

_EDIT = Kind(
    "changed-behaviour",
    "An edit changes what users get",
    Level.NOTE,
    "Recorded events were replayed through the policy before and after. `botopt diff` shows each of them.",
)
_LIMIT = Kind(
    "limit",
    "The change goes beyond a limit",
    Level.ERROR,
    "`--max-change` and `--max-messages-per-user-day` say how much a change may do.",
)


def written(format: ReportFormat, found: Difference, limits: Sequence[Limit], old: Places, new: Places) -> str:
    """The whole output. What was removed stands in a file of the old policy, all else in one of the new.

    Raises:
        ValueError: the format is none of these.
    """
    match format:
        case ReportFormat.GITHUB:
            return "\n".join((*workflow_commands(_entries(found, limits, old, new)), *summary(found)))
        case ReportFormat.SARIF:
            return sarif([_EDIT, _LIMIT], _entries(found, limits, old, new))
        case ReportFormat.JUNIT:
            return junit([_suite(found, limits, old, new)])
        case _:
            raise ValueError(format)


def _entries(found: Difference, limits: Sequence[Limit], old: Places, new: Places) -> list[Entry]:
    listed, _ = effects(found)
    entries = [
        Entry(_EDIT, Level.NOTE, _places(one.edit, old, new).at(one.edit.position), _said(one), identity=one.edit.words)
        for one in listed
    ]
    where = entries[0].position if entries else NOWHERE  # the edit that did most
    broken = (limit for limit in limits if not limit.holds)
    return [*entries, *(Entry(_LIMIT, Level.ERROR, where, one.words, identity=one.option) for one in broken)]


def _suite(found: Difference, limits: Sequence[Limit], old: Places, new: Places) -> Suite:
    """One case for each edit, which only says what it did, and one for each limit, which fails where it is broken."""
    listed, idle = effects(found)
    known = {one.edit: _said(one) for one in listed} | {edit: f"{edit.words}: no effect" for edit in idle}
    edits = []
    for edit, said in known.items():
        place = _places(edit, old, new).at(edit.position)
        edits.append(Case(edit.words, place.file, place.line, said=said))
    cases = [
        Case(f"{one.option} {one.limit}", "botopt diff", faults=() if one.holds else (_fault(one),), said=one.found)
        for one in limits
    ]
    return Suite("botopt diff", (*cases, *edits, Case("summary", "botopt diff", said="\n".join(summary(found)))))


def _places(edit: Edit, old: Places, new: Places) -> Places:
    return old if edit.new is None and edit.old is not None else new


def _said(effect: Effect) -> str:
    return f"{effect.edit.words}: {'; '.join(effect.said) or 'other scores only'}"


def _fault(limit: Limit) -> Fault:
    return Fault(limit.found, "limit", limit.words)
