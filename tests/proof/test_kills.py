"""The service is killed at random points under load; in the end nothing is lost, and nothing came twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.proof.world import SOAK, Clients, World, account, receiving, until

KILLS = 30 if SOAK else 4


def test_killed_under_load_it_loses_nothing_and_sends_nothing_twice(tmp_path: Path, record_property):
    chance = random.Random(20261129)
    with receiving() as receiver:
        world = World(tmp_path / "world", receiver)
        world.start()
        with Clients(world) as clients:
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.05, 1.2))
                world.kill()
                world.start()
            before = len(clients.taken)
            until(lambda: len(clients.taken) > before + 20, "it takes nothing any more", 60, world.log)
        until(world.quiet, "messages are still on their way", 120, world.log)
        assert world.stop() == 0
        found = account(world, clients.taken)
    assert found.starts == KILLS + 1
    assert found.sent > 20 * KILLS
    record_property("account", str(found))
    print(f"killed {KILLS} times: {found}")
