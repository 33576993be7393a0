"""Users' states while events are decided: unpacked for a batch, then packed, a bounded number of them kept at hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

from botopt.engine.engine import Engine
from botopt.model.ports import StateStore, UserRow
from botopt.model.user_state import Send, UserState, pack, unpack

DEFAULT_MEMORY = 512 << 20
"""Bytes that packed states may take in memory, if nobody says otherwise."""

_OVERHEAD = 250
"""What Python adds to a packed state in a dict: measured with `benchmarks/memory.py`."""


class Population:
    """The users of a run. `states` holds those that `load` was asked for since the last `forget`."""

    def __init__(self, engine: Engine, store: StateStore, memory: int = DEFAULT_MEMORY) -> None:
        self._engine = engine
        self._store = store
        self._memory = memory
        self.states: dict[str, UserState] = {}
        self._packed: dict[str, bytes] = {}  # least recently used first
        self._size = 0
        self._uncommitted: deque[list[str]] = deque()

    def load(self, users: Iterable[str]) -> None:
        """Have these users' states in `states`."""
        states, packed = self.states, self._packed
        unknown = []
        for user in users:
            if user in states:
                continue
            blob = packed.pop(user, None)
            if blob is None:
                unknown.append(user)
            else:
                self._size -= len(blob) + _OVERHEAD
                self._unpack(user, blob)
        if unknown:
            unknown.sort()
            known = self._store.load(unknown)
            for user in unknown:
                blob = known.get(user)
                if blob is None:
                    states[user] = UserState()
                else:
                    self._unpack(user, blob)

    def _unpack(self, user: str, blob: bytes) -> None:
        state = self.states[user] = unpack(blob)
        self._engine.settle(state)

    def rows(self) -> list[UserRow]:
        """The rows of all users in `states` about whom something is known, by user."""
        found = []
        for user in sorted(self.states):
            state = self.states[user]
            self._engine.prune(state)
            if state != _UNKNOWN:
                found.append(row(user, state))
        return found

    def forget(self, rows: Collection[UserRow]) -> None:
        """Keep these rows, all that `rows` gave, only packed."""
        self.states.clear()
        if not self._store.worth_caching:
            return
        packed = self._packed
        for one in rows:
            packed[one.user] = one.state
            self._size += len(one.state) + _OVERHEAD
        self._uncommitted.append([one.user for one in rows])

    def committed(self) -> None:
        """The oldest rows that `forget` was given are in the store: what does not fit into memory may go now."""
        if self._uncommitted:
            self._uncommitted.popleft()
        if self._size <= self._memory:
            return
        needed = {user for users in self._uncommitted for user in users}
        packed, gone = self._packed, []
        for user, blob in packed.items():
            if self._size <= self._memory * 3 // 4:
                break
            if user not in needed:
                self._size -= len(blob) + _OVERHEAD
                gone.append(user)
        for user in gone:
            del packed[user]


_UNKNOWN = UserState()


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
