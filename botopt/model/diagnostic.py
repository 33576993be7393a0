"""A finding about a workspace: a code, a place, plain words and a fix."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from botopt.model.position import Position


class Severity(StrEnum):
    """How much a finding matters: an error stops the policy from loading, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Diagnostic(msgspec.Struct, frozen=True):
    """One finding.

    `code` is a key of `botopt.model.codes.CODES`. `message` says what is wrong in the author's
    own words, `hint` what to type instead (empty where there is nothing to suggest).
    `source` is the text of the line at `position`, without its line break, for the caret view;
    it is not part of the finding's identity. `witness` is a rule test in one line that shows what
    the message says (empty where there is none).
    """

    code: str
    severity: Severity
    position: Position
    message: str
    hint: str = ""
    source: str = ""
    witness: str = ""


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort by place, then code, and drop repeats of one finding at one place."""
    unique = {(d.position, d.code, d.message): d for d in diagnostics}
    return tuple(unique[key] for key in sorted(unique))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any finding stops the policy from loading."""
    return any(d.severity is Severity.ERROR for d in diagnostics)
