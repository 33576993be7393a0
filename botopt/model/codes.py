"""The closed set of diagnostic codes. Each has a page in `docs/codes/` and a good and a bad fixture.

B0xx reading files and YAML · B1xx structure, names and values · B2xx conditions ·
B3xx templates · B4xx valid but probably wrong · B5xx the rules network.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from botopt.model.diagnostic import Diagnostic, Severity
from botopt.model.position import Position


class Code(msgspec.Struct, frozen=True):
    """One kind of finding: its name, its usual severity, and its title (the docs page's heading)."""

    id: str
    severity: Severity
    title: str


ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

_ALL: tuple[Code, ...] = (
    # B0xx: files and YAML (botopt/loading/reader.py)
    Code("B001", ERROR, "A file cannot be read"),
)

CODES: Mapping[str, Code] = {code.id: code for code in _ALL}


def finding(code: str, position: Position, message: str, hint: str = "", source: str = "") -> Diagnostic:
    """A diagnostic with the severity that its code has.

    Raises:
        KeyError: `code` is not in `CODES` (a programmer's fault, so it is not caught).
    """
    return Diagnostic(code, CODES[code].severity, position, message, hint, source)
