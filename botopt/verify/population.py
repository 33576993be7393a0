"""Users' states while events are decided: unpacked for a batch, then packed, a bounded number of them kept at hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet

from botopt.engine.engine import Engine
from botopt.engine.windows import META_KEY
from botopt.model.ports import StateStore, UserRow
from botopt.model.user_state import UserState, pack
from botopt.state.opening import DEFAULT_MEMORY
from botopt.state.user_rows import row, unpacked

ALIVE = 30_000
"""Users whose states stay unpacked, if there is memory for them."""

AT_WORK = 2_500
"""Bytes that an unpacked state takes, about (`benchmarks/memory.py`)."""

_OVERHEAD = 250
"""What Python adds to a packed state in a dict, at most: measured with `benchmarks/memory.py`."""


class Population:
    """The users of a run. `states` holds those that `load` was asked for since the last `forget`, and perhaps others.

    The states of users that come again and again stay as they are, unless there are too many of them; those of others
    are packed.
    """

    def __init__(self, engine: Engine, store: StateStore, memory: int = DEFAULT_MEMORY, alive: int = ALIVE) -> None:
        self._engine = engine
        self._store = store
        self._memory = memory
        self._alive = min(alive, memory // AT_WORK)
        self.states: dict[str, UserState] = {}
        self.touched: list[str] = []
        """Whose states may have changed since the last `forget`; `load` adds to it, and so does who takes a state."""
        self._packed: dict[str, bytes] = {}  # least recently used first
        self._size = 0
        self._resting = 0
        self._uncommitted: deque[list[str]] = deque()
        self._complete = META_KEY not in store.meta()  # it was new, and nobody has left `_packed` since

    def bring(self, user: str) -> UserState | None:
        """The state of a user who is not in `states`; None where the store has to be asked: then `load` it."""
        blob = self._packed.pop(user, None)
        if blob is not None:
            self._size -= len(blob) + _OVERHEAD
            state = unpacked(user, blob)
        elif self._complete:
            state = UserState()
        else:
            return None
        self.states[user] = state
        return state

    def load(self, users: AbstractSet[str]) -> None:
        """Have these users' states in `states`; they are about to change."""
        self.touched.extend(users)
        missing = users - self.states.keys()
        if not missing:
            return
        states, packed = self.states, self._packed
        unknown = []
        for user in missing:
            blob = packed.pop(user, None)
            if blob is None:
                unknown.append(user)
            else:
                self._size -= len(blob) + _OVERHEAD
                states[user] = unpacked(user, blob)
        if unknown:
            known = self._store.load(sorted(unknown))
            for user in unknown:
                blob = known.get(user)
                states[user] = UserState() if blob is None else unpacked(user, blob)

    def rows(self) -> list[UserRow]:
        """The rows of all users that were loaded since `forget`, and about whom something is known, by user."""
        found = []
        for user in sorted(set(self.touched)):
            state = self.states.get(user)
            rests = state is None
            if state is None:
                state = unpacked(user, self._packed[user])
            self._engine.prune(state)
            if state != _UNKNOWN:
                made = row(user, state)
                found.append(made)
                if rests:
                    self._keep(user, made.state)
        return found

    def rest(self, users: Iterable[str]) -> None:
        """Pack these users, who were loaded, may have changed, and are not needed for now."""
        for user in users:
            self._resting += self._keep(user, pack(self.states.pop(user)))

    @property
    def crowded(self) -> bool:
        """Whether so many rest that their rows should soon be on their way into the store."""
        return self._resting > self._memory // 4

    def forget(self, rows: Collection[UserRow]) -> None:
        """These rows, all that `rows` gave, are on their way into the store."""
        self._uncommitted.append([one.user for one in rows])
        states, touched = self.states, set(self.touched)
        self.touched.clear()
        self._resting = 0
        if len(states) > self._alive:
            for user, state in states.items():
                if user not in touched:
                    self._keep(user, pack(state))
            for one in rows:
                self._keep(one.user, one.state)
            states.clear()

    def _keep(self, user: str, blob: bytes) -> int:
        """Keep it as the one that was used last; the bytes that it takes."""
        before = self._packed.pop(user, None)
        if before is not None:
            self._size -= len(before) + _OVERHEAD
        self._packed[user] = blob
        size = len(blob) + _OVERHEAD
        self._size += size
        return size

    def committed(self) -> None:
        """The oldest rows that `forget` was given are in the store: what does not fit into memory may go now."""
        if self._uncommitted:
            self._uncommitted.popleft()
        if self._size <= self._memory:
            return
        self._complete = False
        needed = {user for users in self._uncommitted for user in users}
        needed.update(self.touched)  # they may rest
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
