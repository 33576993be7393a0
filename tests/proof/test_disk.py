"""A disk that is full: nothing is acknowledged that is not safe, the service says so, and goes on when there is room."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from botopt.model.live import OutboxStatus
from tests.delivery.peers import hanging
from tests.proof.books import account
from tests.proof.receiver import Receiver
from tests.proof.reporting import report
from tests.proof.world import SOAK, World, event, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")

ENDLESS = resource.RLIM_INFINITY


def limit(world: World, most: int) -> None:
    """From now on the process can write no file beyond so many bytes: what is written fails as on a full disk."""
    resource.prlimit(world.pid, resource.RLIMIT_FSIZE, (most, ENDLESS))


def full(world: World) -> int:
    return max(Path(f"{world.state}-wal").stat().st_size, world.state.stat().st_size)


class Poster:
    def __init__(self, world: World) -> None:
        self.world = world
        self.taken: dict[str, dict[str, object]] = {}

    def __call__(self, n: int, kind: str | None = None) -> int:
        one = event(n, kind or ("hooked", "texted")[n % 2])
        status, _ = self.world.post(one)
        if status == 202:
            self.taken[str(one["id"])] = one
        return status


def test_on_a_full_disk_nothing_is_acknowledged_and_with_room_again_it_goes_on(world: World):
    world.start()
    post = Poster(world)
    for n in range(40):
        assert post(n) == 202
    limit(world, full(world))
    refused = [n for n in range(40, 400) if post(n) != 202]
    assert refused, "the limit was never met"
    assert {post(n) for n in refused[:5]} == {503}
    status, said = world.get("/readyz")
    assert status == 503
    assert "full" in json.dumps(json.loads(said)), said
    assert world.get("/healthz")[0] == 200
    limit(world, ENDLESS)
    until(lambda: post(refused[0]) == 202, "with room again it takes nothing", 30, world.log)
    for n in refused[1:30]:
        assert post(n) == 202
    until(world.ready, "with room again it is not ready", 30, world.log)
    until(world.quiet, "messages are still on their way", 120, world.log)
    world.close()
    report("a full disk under load", account(world, post.taken), refused=len(refused))


def test_the_disk_becomes_full_while_messages_are_on_their_way(world: World, receiver: Receiver):
    """What was attempted cannot be noted, and what waits cannot be claimed; then the process dies, too."""
    receiver.ways = {"hook": hanging, "sms": hanging}
    world.start()
    post = Poster(world)
    for n in range(80):
        assert post(n) == 202
    until(lambda: len(world.rows(OutboxStatus.CLAIMED)) >= 8, "nothing is on its way", 30, world.log)
    limit(world, 4_096)
    receiver.ways = {}
    until(lambda: world.get("/readyz")[0] == 503, "it does not notice", 60, world.log)
    assert post(1_000) == 503
    world.kill()
    world.start()
    until(world.quiet, "messages are still on their way", 120, world.log)
    world.close()
    found = account(world, post.taken)
    assert found.sent == 80
    report("the disk becomes full while messages are on their way, then a kill", found)


def test_a_start_on_a_full_disk_is_refused_in_words_or_succeeds_and_loses_nothing(world: World, receiver: Receiver):
    """With messages claimed and a -wal file left by a kill."""
    receiver.ways = {"hook": hanging, "sms": hanging}
    world.start()
    post = Poster(world)
    for n in range(60):
        assert post(n) == 202
    until(lambda: bool(world.rows(OutboxStatus.CLAIMED)), "nothing is on its way", 30, world.log)
    world.kill()
    receiver.ways = {}
    ends = []
    for most in (0, 4_096, 40_000, 200_000):
        world.start(wait=False, most_bytes=most)
        assert world.process is not None
        until(lambda: world.process.poll() is not None or _refuses(world), f"{most} bytes: no word", 60, world.log)
        ends.append(world.process.poll())
        world.end()
        assert "Traceback" not in world.log()
        if ends[-1] is not None:
            assert ends[-1] not in {0, 1}, world.log()
            assert "state.db" in world.log()
    assert any(end is not None for end in ends), "it never minded"
    world.start()
    until(world.quiet, "messages are still on their way", 120, world.log)
    world.close()
    found = account(world, post.taken)
    assert found.sent == 60
    report("starts on a full disk", found, ends=", ".join("serves" if end is None else str(end) for end in ends))


def _refuses(world: World) -> bool:
    """Whether it listens, and says how it is."""
    try:
        return world.get("/readyz")[0] in {200, 503}
    except OSError:
        return False


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes, where one may make such things."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    made = mount and os.geteuid() == 0
    if (
        not made
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "botopt-proof", place], check=False).returncode
    ):
        pytest.skip("no file system can be made here")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.skipif(not SOAK, reason="make soak: it makes a file system")
def test_a_file_system_without_room(small_disk: Path, world: World):
    """No limit of ours but the kernel's own word that there is no space left."""
    world.state = small_disk / "state.db"
    world.start()
    post = Poster(world)
    n = 0
    while (status := post(n)) == 202:
        n += 1
        assert n < 20_000
    assert status == 503  # what /readyz says may have changed already: a checkpoint makes room
    assert world.get("/healthz")[0] == 200
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    until(lambda: post(n) == 202, "with room again it takes nothing", 30, world.log)
    until(world.quiet, "messages are still on their way", 300, world.log)
    assert world.stop() == 0
    report("a file system without room, made larger", account(world, post.taken))
