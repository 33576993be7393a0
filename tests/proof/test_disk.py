"""A disk that is full: nothing is acknowledged that is not safe, the service says so, and goes on when there is room."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import pytest

from tests.proof.world import World, account, event, receiving, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")


def test_on_a_full_disk_nothing_is_acknowledged_and_with_room_again_it_goes_on(tmp_path: Path):
    with receiving() as receiver:
        world = World(tmp_path / "world", receiver)
        world.start()
        taken = {}

        def post(n: int) -> int:
            one = event(n, ("hooked", "texted")[n % 2])
            status, _ = world.post(one)
            if status == 202:
                taken[str(one["id"])] = str(one["type"])
            return status

        for n in range(40):
            assert post(n) == 202
        assert world.process is not None
        wal = Path(f"{world.state}-wal")
        full = max(wal.stat().st_size, world.state.stat().st_size)
        endless = resource.RLIM_INFINITY
        resource.prlimit(world.process.pid, resource.RLIMIT_FSIZE, (full, endless))
        refused = [n for n in range(40, 400) if post(n) != 202]
        assert refused, "the limit was never met"
        assert {world.post(event(n))[0] for n in refused[:5]} == {503}
        status, said = world.get("/readyz")
        assert status == 503
        assert "full" in json.dumps(json.loads(said)), said
        assert world.get("/healthz")[0] == 200
        resource.prlimit(world.process.pid, resource.RLIMIT_FSIZE, (endless, endless))
        until(lambda: post(refused[0]) == 202, "with room again it takes nothing", 30, world.log)
        for n in refused[1:30]:
            assert post(n) == 202
        until(world.ready, "with room again it is not ready", 30, world.log)
        until(world.quiet, "messages are still on their way", 120, world.log)
        assert world.stop() == 0
        found = account(world, taken)
    assert found.taken == len(taken)
    print(f"full disk: {found}, refused {len(refused)}")
