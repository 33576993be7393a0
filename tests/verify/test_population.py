"""How many users are in memory at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from botopt.engine.build import build
from botopt.model.user_state import UserState
from botopt.state.memory import MemoryStore
from botopt.verify.population import ALIVE, AT_WORK, Population
from botopt.verify.run import BATCH_LINES, LEAST_LINES, batch_for
from botopt.verify.validate import load

ROOT = Path(__file__).parents[2]
USERS = [f"u{number}" for number in range(40)]


@pytest.mark.parametrize(
    ("memory", "lines"), [(1, LEAST_LINES), (AT_WORK * 5_000, 5_000), (512 << 20, BATCH_LINES), (1 << 40, BATCH_LINES)]
)
def test_little_memory_makes_small_batches(memory, lines):
    assert batch_for(memory) == lines


def grown(memory: int) -> Population:
    """After a batch in which every user had an event."""
    population = Population(build(load(ROOT), "reference"), MemoryStore(), memory)
    population.load(set(USERS))
    for user in USERS:
        population.states[user].clock_us = 1
    population.forget(population.rows())
    return population


def test_users_stay_unpacked_while_there_is_memory():
    assert len(grown(ALIVE * AT_WORK).states) == len(USERS)
    assert len(grown(len(USERS) * AT_WORK).states) == len(USERS)
    assert len(grown((len(USERS) - 1) * AT_WORK).states) == 0


def test_a_packed_user_comes_back_as_they_were():
    population = grown(0)
    assert population.bring("u7") == UserState(clock_us=1)
