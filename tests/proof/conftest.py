"""What the proof shares: receivers, and services that are never left running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.proof.receiver import Receiver, receiving
from tests.proof.world import World


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def make_world(tmp_path: Path, receiver: Receiver) -> Iterator[Callable[..., World]]:
    """Makes worlds, and ends what a failed test left running."""
    made: list[World] = []

    def making(**named: object) -> World:
        made.append(World(tmp_path / f"world-{len(made)}", receiver, **named))  # type: ignore[arg-type]
        return made[-1]

    yield making
    for world in made:
        world.end()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
