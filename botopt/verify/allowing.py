"""Findings that a policy allows at one place, with a reason; and allowances that allow nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from botopt.loading.allowances import Allowance, allowances, heads
from botopt.loading.reader import SourceText
from botopt.model.codes import CODES, finding
from botopt.model.diagnostic import Diagnostic, Severity, has_errors, in_order

_FORM = "write: # botopt: allow B402 because …"


class Allowed(msgspec.Struct, frozen=True):
    """The findings that are left, and how many were allowed."""

    findings: tuple[Diagnostic, ...]
    count: int


def allow(found: tuple[Diagnostic, ...], sources: Mapping[str, SourceText], *, complete: bool = True) -> Allowed:
    """Take away what comments allow. A comment that allows nothing is a finding, unless errors hide what it is about,
    or `found` is not `complete`.

    A comment is about its own line, or, if it stands alone, about the next one. It allows a finding on that line, and
    one in the entry that begins there.
    """
    comments = [(file, one) for file, source in sources.items() for one in allowances(source)]
    if not comments:
        return Allowed(found, 0)
    usable = {(file, one.line, one.code): one for file, one in comments if _fault(one) is None}
    used: set[Allowance] = set()
    left: list[Diagnostic] = []
    for one in found:
        comment = None if one.severity is Severity.ERROR else _about(one, usable, sources)
        if comment is None:
            left.append(one)
        else:
            used.add(comment)
    whole = complete and not has_errors(found)
    wrong = _wrong([one for _, one in comments], used, whole=whole)
    placed = [msgspec.structs.replace(one, source=sources[one.position.file].line(one.position.line)) for one in wrong]
    return Allowed(in_order((*left, *placed)), len(found) - len(left))


def _about(
    found: Diagnostic, usable: Mapping[tuple[str, int, str], Allowance], sources: Mapping[str, SourceText]
) -> Allowance | None:
    source = sources.get(found.position.file)
    lines = () if source is None else heads(source, found.position.line)
    keys = ((found.position.file, line, found.code) for line in lines)
    return next((usable[key] for key in keys if key in usable), None)


def _wrong(comments: Sequence[Allowance], used: set[Allowance], *, whole: bool) -> Iterator[Diagnostic]:
    for one in comments:
        fault = _fault(one)
        if fault is None and whole and one not in used:
            fault = f"there is no {one.code} here, so this comment allows nothing", "delete the comment"
        if fault is not None:
            yield finding("B416", one.position, *fault)


def _fault(one: Allowance) -> tuple[str, str] | None:
    """What keeps a comment from allowing anything, whatever is found."""
    if not one.well_formed or not one.code:
        return "this comment speaks to botopt, and is not understood", _FORM
    code = CODES.get(one.code)
    if code is None:
        return f"there is no code {one.code}", _FORM
    if code.severity is Severity.ERROR:
        return f"{one.code} is an error, and no comment allows one", "mend what it is about"
    if not one.reason:
        return f"this comment allows {one.code} and gives no reason", f"write: # botopt: allow {one.code} because …"
    return None
