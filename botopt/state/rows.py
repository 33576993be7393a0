"""Users as rows of the table `users`, and back; what comes back is never trusted blindly."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from botopt.model.errors import StateCorrupt
from botopt.model.instants import instant_text, instant_us
from botopt.model.ports import UserRow
from botopt.model.user_state import NEVER_US

COLUMNS = "user, clock, last_message, last_message_type, held, due_us, state, checksum"


def columns(row: UserRow) -> tuple[object, ...]:
    """A row's values, in the order of `COLUMNS`."""
    return (
        row.user,
        _text(row.clock_us),
        _text(row.last_message_us),
        row.last_message_type,
        row.held,
        row.due_us,
        row.state,
        _checksum(row.user, row.state),
    )


def row_of(path: Path, values: tuple[object, ...]) -> UserRow:
    """The row with these values.

    Raises:
        StateCorrupt: they are not what `columns` wrote.
    """
    match values:
        case (
            str(user),
            str() | None as clock,
            str() | None as last,
            str() | None as last_type,
            int(held),
            int() | None as due_us,
            bytes(state),
            int(checksum),
        ) if checksum == _checksum(user, state):
            try:
                clock_us = NEVER_US if clock is None else instant_us(clock)
                last_us = None if last is None else instant_us(last)
            except ValueError as fault:
                raise damaged(path, user) from fault
            return UserRow(user, clock_us, last_us, last_type, held, due_us, state)
        case _:
            raise damaged(path, values[0])


def state_of(path: Path, user: object, state: object, checksum: object) -> tuple[str, bytes]:
    """A user and the packed state.

    Raises:
        StateCorrupt: they are not what was written together.
    """
    if isinstance(user, str) and isinstance(state, bytes) and checksum == _checksum(user, state):
        return user, state
    raise damaged(path, user)


def damaged(path: Path, user: object) -> StateCorrupt:
    """The error for a row that is not as it was written."""
    return StateCorrupt(
        f"{path} is damaged: the row of user {str(user)[:256]!r} is not as it was written. "
        "Restore it from a copy, or start with another file."
    )


def _checksum(user: str, state: bytes) -> int:
    return crc32(state, crc32(user.encode()))


def _text(us: int | None) -> str | None:
    return None if us is None or us == NEVER_US else instant_text(us)
