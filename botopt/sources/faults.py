"""Why a line is no event."""

from __future__ import annotations


class Fault(Exception):
    """Raised while a line is read, and turned into a `Rejected` by the decoder; it never leaves `sources`.

    `detail` is a sentence whose general part stands before its first colon. `by` is the key at fault, if there is one.
    """

    def __init__(self, detail: str, by: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.by = by
