"""What is due when the input has ended: held messages of all users, in order of (until, user)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

from botopt.engine.engine import Engine, Observer
from botopt.learning.learner import Learned
from botopt.model.decision import Decision
from botopt.model.ports import StateStore
from botopt.verify.population import Population

PAGE = 5_000
"""Users that are loaded, decided and committed together."""


def releases(
    engine: Engine,
    population: Population,
    store: StateStore,
    until_us: int,
    commit: Callable[[], None],
    observer: Observer | None = None,
    learned: Learned | None = None,
) -> Iterator[Decision]:
    """Decide everything that is held until `until_us` or earlier; `commit` is called after every page."""
    while due := store.due(until_us, PAGE):
        last = due[-1] if len(due) == PAGE else (until_us + 1, "")  # what is due later waits for the next page
        population.load({user for _, user in due})
        heap = list(due)
        heapq.heapify(heap)
        while heap and heap[0] <= last:
            due_us, user = heapq.heappop(heap)
            state = population.states[user]
            yield from engine.release(state, due_us, observer, learned=learned)
            next_us = state.due_us
            if next_us is not None:
                heapq.heappush(heap, (next_us, user))
        commit()
