"""Held messages of all users, in order of (until, user), a page of users at a time: no more are unpacked at once."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from botopt.engine.engine import Engine, Observer
from botopt.learning.learner import Learned
from botopt.model.decision import Decision
from botopt.model.ports import StateStore
from botopt.verify.population import Population

PAGE = 5_000
"""Users that are loaded and decided together."""

Due = tuple[int, str]
"""When the first held message of a user is due, and the user."""


class Released(NamedTuple):
    """A decision about a message that was held; they come in order of when each was due, and of users."""

    due_us: int
    user: str
    decision: Decision


def of_page(
    engine: Engine,
    population: Population,
    page: Sequence[Due],
    last: Due,
    observer: Observer | None = None,
    learned: Learned | None = None,
) -> Iterator[Released]:
    """Decide what these users have that is due, each at exactly its own time, and comes before `last` or is it.

    What is held anew is decided, too, if it is due by then.
    """
    population.load({user for _, user in page})
    heap = list(page)
    heapq.heapify(heap)
    while heap and heap[0] <= last:
        due_us, user = heapq.heappop(heap)
        state = population.states[user]
        for decision in engine.release(state, due_us, observer, learned=learned):
            yield Released(due_us, user, decision)
        next_us = state.due_us
        if next_us is not None:
            heapq.heappush(heap, (next_us, user))


def releases(
    engine: Engine,
    population: Population,
    store: StateStore,
    until_us: int,
    commit: Callable[[], None],
    observer: Observer | None = None,
    learned: Learned | None = None,
) -> Iterator[Decision]:
    """When the input has ended, decide everything that is held until `until_us` or earlier; `commit` is called after
    every page.
    """
    while due := store.due(until_us, PAGE):
        last = due[-1] if len(due) == PAGE else (until_us + 1, "")  # what is due later waits for the next page
        for one in of_page(engine, population, due, last, observer, learned):
            yield one.decision
        commit()
