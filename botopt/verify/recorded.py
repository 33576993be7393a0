"""Decision records read back from files."""

from __future__ import annotations

from collections.abc import Sequence

from botopt.model.decision import Decision
from botopt.model.errors import UsageError
from botopt.model.record import decode_line
from botopt.verify.inputs import Inputs


def decisions_in(names: Sequence[str], wanted: str | None, user: str | None) -> list[Decision] | None:
    """The wanted records, or None where the first file holds events and no records.

    Raises:
        UsageError: the files hold records, but none that is wanted, or more than one and none was named.
    """
    if not _holds_records(names):
        return None
    found = []
    with Inputs(names) as inputs:
        for line in inputs:
            if not line.raw.strip():
                continue
            try:
                decision = decode_line(line.raw)
            except ValueError as fault:
                raise UsageError(
                    f"{inputs.names[line.input_number]}, line {line.number}: no decision record"
                ) from fault
            if wanted in (None, decision.id, decision.event_id) and user in (None, decision.user):
                found.append(decision)
    if not found:
        raise UsageError(f'no record of "{wanted}" in {", ".join(names)}')
    if wanted is None and len(found) > 1:
        raise UsageError(f"there are {len(found):,} records: say which with --event ID")
    return found


def _holds_records(names: Sequence[str]) -> bool:
    if not names or names[0] == "-":
        return names == ["-"]
    with Inputs(names[:1]) as inputs:
        for line in inputs:
            if line.raw.strip():
                return _is_record(line.raw)
    return False


def _is_record(raw: bytes) -> bool:
    try:
        decode_line(raw)
    except ValueError:
        return False
    return True
