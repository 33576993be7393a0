"""Users' states at the writer's hand: a bounded number of them stay unpacked, least recently used first to go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from botopt.model.ports import StateStore, UserRow
from botopt.model.user_state import UserState, pack, unpack
from botopt.state.user_rows import row, unpacked

MOST_USERS = 10_000
MOST_BYTES = 25 << 20

_WEIGHT = 6
"""How much larger a state is unpacked than packed, about; and what it takes however little it holds."""
_LEAST = 1_000

_UNKNOWN = UserState()


class States:
    """States between the store and the engine.

    Between two calls of `committed` or `abandon` stands one group: what was taken in it may have changed, and nothing
    leaves. Whoever only looks at a state must not change it.
    """

    def __init__(self, store: StateStore, most_users: int = MOST_USERS, most_bytes: int = MOST_BYTES) -> None:
        self._store = store
        self._most_users = most_users
        self._most_bytes = most_bytes
        self._states: dict[str, UserState] = {}  # least recently used first
        self._weights: dict[str, int] = {}
        self._weight = 0
        self._taken: dict[str, None] = {}
        self._before: dict[str, bytes] | None = None

    def __len__(self) -> int:
        return len(self._states)

    @property
    def weight(self) -> int:
        """Bytes that they take, about."""
        return self._weight

    def bring(self, users: Iterable[str]) -> None:
        """Have these at hand: one question to the store instead of many.

        Raises:
            StateError: the store cannot be read.
        """
        missing = sorted({user for user in users if user not in self._states})
        if not missing:
            return
        known = self._store.load(missing)
        for user in missing:
            blob = known.get(user)
            self._states[user] = UserState() if blob is None else unpacked(user, blob)
            self._weigh(user, 0 if blob is None else len(blob))

    def look(self, user: str) -> UserState:
        """A user's state, to read."""
        state = self._states.pop(user, None)
        if state is None:
            self.bring((user,))
            return self._states[user]
        self._states[user] = state
        return state

    def take(self, user: str) -> UserState:
        """A user's state, to change."""
        state = self.look(user)
        if self._before is not None and user not in self._before:
            self._before[user] = pack(state)
        self._taken[user] = None
        return state

    @property
    def taken(self) -> Collection[str]:
        """Who may have changed in this group."""
        return self._taken.keys()

    def copy(self, user: str) -> bytes:
        """A user's state, to `put` it back."""
        return pack(self.look(user))

    def put(self, user: str, blob: bytes) -> None:
        """Let a user's state be this again."""
        self._states[user] = unpack(blob)

    def mark(self) -> None:
        """From here on, `undo` takes back."""
        self._before = {}

    def undo(self) -> None:
        """As it was when it was marked."""
        for user, blob in (self._before or {}).items():
            self._states[user] = unpack(blob)
        self._before = {}

    def rows(self, prune: Callable[[UserState], None]) -> list[UserRow]:
        """The rows of those that were taken, and about whom something is known."""
        found = []
        for user in self._taken:
            state = self._states[user]
            prune(state)
            if state != _UNKNOWN:
                made = row(user, state)
                self._weigh(user, len(made.state))
                found.append(made)
        return found

    def committed(self) -> None:
        """What `rows` gave is in the store."""
        self._taken.clear()
        self._before = None
        while self._states and (len(self._states) > self._most_users or self._weight > self._most_bytes):
            self._forget(next(iter(self._states)))

    def abandon(self) -> None:
        """What was taken counts as what the store holds, again."""
        for user in self._taken:
            if user in self._states:
                self._forget(user)
        self._taken.clear()
        self._before = None

    def _weigh(self, user: str, packed: int) -> None:
        weight = _LEAST + _WEIGHT * packed
        self._weight += weight - self._weights.get(user, 0)
        self._weights[user] = weight

    def _forget(self, user: str) -> None:
        del self._states[user]
        self._weight -= self._weights.pop(user)
