"""Users of a store in words and times that people read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from botopt.engine.feedback import forget
from botopt.model.live import Changes, LiveStore
from botopt.model.ports import StateStore, UserRow
from botopt.model.user_state import UserState
from botopt.state.user_rows import row, unpacked
from botopt.state.user_view import UserView, view


def view_user(store: StateStore, user: str) -> UserView | None:
    """What is known about one user, or None."""
    blob = store.load([user]).get(user)
    return None if blob is None else view(user, unpacked(user, blob))


def views(store: StateStore) -> Iterator[UserView]:
    """Every user, ordered by id."""
    for user_row in store.users():
        yield view(user_row.user, unpacked(user_row.user, user_row.state))


def rows(store: StateStore, *, held_only: bool, limit: int | None) -> Iterator[UserRow]:
    """The users' rows, ordered by id."""
    chosen = (user_row for user_row in store.users() if user_row.held or not held_only)
    return chosen if limit is None else islice(chosen, limit)


def forget_user(store: LiveStore, user: str) -> None:
    """What `user.deleted` does, at the user's newest time; with all that the live service kept."""
    blob = store.load([user]).get(user)
    state = UserState() if blob is None else unpacked(user, blob)
    forget(state, max(state.clock_us, state.floor_us), deleted=True)
    store.commit_changes(Changes(users=[row(user, state)], erased=[user]))
