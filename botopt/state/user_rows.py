"""From a user's state to the row that stores keep, and back."""

from __future__ import annotations

import msgspec

from botopt.model.errors import StateCorrupt
from botopt.model.ports import UserRow
from botopt.model.user_state import Send, UserState, pack, unpack


def unpacked(user: str, blob: bytes) -> UserState:
    """The state that `pack` wrote for this user.

    Raises:
        StateCorrupt: the bytes are none.
    """
    try:
        return unpack(blob)
    except msgspec.MsgspecError as fault:
        raise damaged(user, fault) from fault


def damaged(user: str, fault: Exception) -> StateCorrupt:
    """The error for a state that is not as it was written."""
    return StateCorrupt(f'the state of user "{user}" is damaged: {fault}')


def row(user: str, state: UserState) -> UserRow:
    """A user's row for a store."""
    last: Send | None = state.sends[-1] if state.sends else None
    return UserRow(
        user,
        state.clock_us,
        None if last is None else last.time_us,
        None if last is None else last.event_type,
        len(state.held),
        state.due_us if state.held else None,
        pack(state),
    )
