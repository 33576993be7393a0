"""Messages that are held, while a run goes on: which users have some, and deciding those that are ripe."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from botopt.engine.engine import Engine, Observer
from botopt.learning.learner import Learned
from botopt.model.decision import Decision
from botopt.model.ports import StateStore
from botopt.model.user_state import UserState
from botopt.verify.population import Population

_LAST_US = 1 << 62
_ALL = 1 << 31


class Released(NamedTuple):
    """A decision about a message that was held; they come in order of when each was due, and of users."""

    due_us: int
    user: str
    decision: Decision


class Holding:
    """Which users have messages that are held, and when the first of each is due.

    Only a policy that learns asks for it. There, what was held must be decided before messages of its time count for
    what is learned, whether the user comes by or not.
    """

    def __init__(self) -> None:
        self.due: dict[str, int] = {}

    def add(self, due: Iterable[tuple[int, str]]) -> None:
        """These users have some."""
        self.due.update((user, due_us) for due_us, user in due)

    def saw(self, user: str, state: UserState) -> None:
        """This is the user's state by now."""
        held = state.held
        if held:
            self.due[user] = held[0].until_us if len(held) == 1 else min(each.until_us for each in held)
        elif user in self.due:
            del self.due[user]

    def release(
        self, engine: Engine, population: Population, until_us: int, learned: Learned, observer: Observer | None = None
    ) -> Iterator[Released]:
        """Decide what is held until then or earlier, each at exactly its own time."""
        heap = [(due_us, user) for user, due_us in self.due.items() if due_us <= until_us]
        if not heap:
            return
        population.load({user for _, user in heap})
        heapq.heapify(heap)
        states: Mapping[str, UserState] = population.states
        while heap:
            due_us, user = heapq.heappop(heap)
            state = states[user]
            for decision in engine.release(state, due_us, observer, learned=learned):
                yield Released(due_us, user, decision)
            self.saw(user, state)
            next_us = self.due.get(user)
            if next_us is not None and next_us <= until_us:
                heapq.heappush(heap, (next_us, user))


def held_in(store: StateStore) -> list[tuple[int, str]]:
    """When the first held message of each user is due, in a state from before."""
    return list(store.due(_LAST_US, _ALL))
