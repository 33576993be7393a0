"""Findings in every format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from botopt.cli.findings import findings_json
from botopt.cli.formats.entry import Entry, Kind, Level
from botopt.cli.formats.github import workflow_commands
from botopt.cli.formats.junit import Case, Fault, Suite, junit
from botopt.cli.formats.places import Places
from botopt.cli.formats.sarif import sarif
from botopt.cli.options import ReportFormat
from botopt.model.codes import CODES, Code
from botopt.model.data_files import data_dir
from botopt.model.diagnostic import Diagnostic, Severity

_LEVELS = {Severity.ERROR: Level.ERROR, Severity.WARNING: Level.WARNING, Severity.INFO: Level.NOTE}


def written(format: ReportFormat, found: Sequence[Diagnostic], files: Iterable[str], places: Places) -> str:
    """The whole output. `files` are all that were read; `text` is the command's own affair.

    Raises:
        ValueError: the format is text.
    """
    match format:
        case ReportFormat.JSON:
            return findings_json(found)
        case ReportFormat.GITHUB:
            return "\n".join(workflow_commands(entries(found, places)))
        case ReportFormat.SARIF:
            return sarif(kinds(), entries(found, places))
        case ReportFormat.JUNIT:
            return junit([suite(found, files, places)])
        case _:
            raise ValueError(format)


def entries(found: Iterable[Diagnostic], places: Places) -> list[Entry]:
    """Each finding as an entry; its identity is the text of its line."""
    return [
        Entry(
            _bare(CODES[one.code]),
            _LEVELS[one.severity],
            places.at(one.position),
            one.message,
            one.hint,
            " ".join(one.source.split()) or one.message,
        )
        for one in found
    ]


def kinds() -> list[Kind]:
    """Every code with the page that explains it."""
    try:
        pages = data_dir("codes")
    except FileNotFoundError:
        return [_bare(code) for code in CODES.values()]
    found = []
    for code in CODES.values():
        page = pages / f"{code.id}.md"
        text = page.read_text("utf-8") if page.is_file() else ""
        found.append(Kind(code.id, code.title, _LEVELS[code.severity], text.strip()))
    return found


def _bare(code: Code) -> Kind:
    return Kind(code.id, code.title, _LEVELS[code.severity])


def suite(found: Sequence[Diagnostic], files: Iterable[str], places: Places) -> Suite:
    """One case for each file: it fails with its errors, and says its warnings."""
    names = dict.fromkeys((*files, *(one.position.file for one in found)))
    cases = []
    for name in names:
        ours = [one for one in found if one.position.file == name]
        errors = tuple(_fault(one) for one in ours if one.severity is Severity.ERROR)
        said = "\n".join(_words(one) for one in ours if one.severity is not Severity.ERROR)
        cases.append(Case(name, places.name(name), faults=errors, said=said))
    return Suite("botopt validate", tuple(cases))


def _fault(found: Diagnostic) -> Fault:
    return Fault(found.message, found.code, _words(found))


def _words(found: Diagnostic) -> str:
    fix = f"\n  fix: {found.hint}" if found.hint else ""
    return f"{found.position} {found.code} {found.severity}: {found.message}{fix}"
