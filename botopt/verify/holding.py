"""Messages that are held, while a run goes on: which users have some, and deciding those that are ripe."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from botopt.engine.engine import Engine, Observer
from botopt.learning.learner import Learned
from botopt.model.ports import StateStore
from botopt.model.user_state import UserState
from botopt.verify import releasing
from botopt.verify.population import Population
from botopt.verify.releasing import Released

_LAST_US = 1 << 62
_ALL = 1 << 31


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
        """Decide what is held until then or earlier, each at exactly its own time. Nothing can be committed in between,
        so the users who were not at hand are packed again, page by page.
        """
        heap = [(due_us, user) for user, due_us in self.due.items() if due_us <= until_us]
        heapq.heapify(heap)
        while heap:
            page = [heapq.heappop(heap) for _ in range(min(releasing.PAGE, len(heap)))]
            last = page[-1] if heap else (until_us + 1, "")
            brought = {user for _, user in page} - population.states.keys()
            yield from releasing.of_page(engine, population, page, last, observer, learned)
            for _, user in page:
                self.saw(user, population.states[user])
                next_us = self.due.get(user)
                if next_us is not None and next_us <= until_us:
                    heapq.heappush(heap, (next_us, user))
            population.rest(brought)


def held_in(store: StateStore) -> list[tuple[int, str]]:
    """When the first held message of each user is due, in a state from before."""
    return list(store.due(_LAST_US, _ALL))
