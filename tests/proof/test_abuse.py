"""Strangers who send what is no request: never a 5xx, never a traceback, memory bounded, and afterwards all is well."""

from __future__ import annotations

import json
import random
import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.proof.books import account
from tests.proof.raw import conversation, talk
from tests.proof.reporting import report
from tests.proof.world import SOAK, World, event, until

ROUNDS = 6_000 if SOAK else 400
STRANGERS = 8
MOST_GROWTH_KB = 64 << 10

STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


def memory_kb(world: World) -> int:
    """What the process holds; 0 where nobody tells."""
    place = Path(f"/proc/{world.pid}/status")
    if not place.exists():
        return 0
    return int(re.findall(r"VmRSS:\s+(\d+) kB", place.read_text(encoding="ascii"))[0])


def works(world: World, n: int) -> None:
    """It takes an event, and delivers it."""
    one = event(n, prefix="after")
    status, said = world.post(one, wait=True)
    assert status == 202, said
    key = json.loads(said)["events"][0]["decision_ids"][0]
    until(lambda: world.receiver.taken["hook", key] == 1, "it delivers nothing", 30, world.log)
    assert world.get("/healthz")[0] == 200
    assert world.get("/readyz")[0] == 200


def test_whatever_strangers_send_there_is_no_5xx_no_traceback_and_no_end_of_memory(world: World):
    world.start("--log-level", "debug")
    port = world.port
    statuses: dict[int, int] = {}
    bad: list[tuple[int, list[bytes], bytes]] = []

    def stranger(number: int) -> None:
        said = conversation(random.Random(number))
        heard = talk(port, said)
        for status in map(int, STATUS.findall(heard)):
            statuses[status] = statuses.get(status, 0) + 1
            if status >= 500:
                bad.append((number, said, heard))
        if b"Traceback" in heard:
            bad.append((number, said, heard))

    with ThreadPoolExecutor(STRANGERS) as strangers:
        list(strangers.map(stranger, range(100)))
        works(world, 1)
        before = memory_kb(world)
        list(strangers.map(stranger, range(100, ROUNDS)))
        after = memory_kb(world)
    assert not bad, (
        f"{len(bad)}, the first: {bad[0][0]}: {[piece[:500] for piece in bad[0][1]]} was answered {bad[0][2][:500]!r}"
    )
    assert {200, 202, 400, 404, 405, 422, 415} <= statuses.keys(), f"the generator has lost its teeth: {statuses}"
    assert after - before < MOST_GROWTH_KB, f"{before} kB became {after} kB"
    works(world, 2)
    log = world.whole_log()
    for word in ("Traceback", "internal_error", "state_error"):
        assert word not in log, log[log.index(word) - 2_000 :][:4_000]
    until(world.quiet, "messages are still on their way", 120, world.log)
    world.close()
    report(
        "raw bytes at every endpoint",
        conversations=ROUNDS,
        answers=sum(statuses.values()),
        grew_by_kB=after - before,
        statuses=" ".join(f"{status}×{count:,}" for status, count in sorted(statuses.items())),
    )


def test_many_slow_ones_at_once_keep_nobody_from_being_served(world: World):
    """Hundreds of connections that say a part of a request and then nothing, while events come in."""
    world.start()
    before = memory_kb(world)
    head = b"POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 900000\r\n\r\n"
    taken = {}
    with ExitStack() as stack:
        slow = []
        for n in range(600 if SOAK else 200):
            slow.append(stack.enter_context(socket.create_connection(("127.0.0.1", world.port), timeout=20)))
            slow[-1].sendall((head + b"[" + b" " * 50_000) if n % 2 else head[: n % len(head)])
        for n in range(60):
            one = event(n)
            assert world.post(one)[0] == 202
            taken[str(one["id"])] = one
            with suppress(OSError):
                slow[n].sendall(b" ")
        grown = memory_kb(world) - before
    assert grown < 128 << 10
    until(world.quiet, "messages are still on their way", 120, world.log)
    world.close()
    report("slow bodies and heads, hundreds at once", account(world, taken), grew_by_kB=grown)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_without_files_left_to_open_it_refuses_and_comes_back(world: World):
    """A stranger who takes every connection there is; then they go."""
    import resource

    world.start()
    here, most = resource.prlimit(world.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(world.pid, resource.RLIMIT_NOFILE, (120, most))
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(socket.create_connection(("127.0.0.1", world.port), timeout=20))
    resource.prlimit(world.pid, resource.RLIMIT_NOFILE, (here, most))
    until(world.ready, "it does not come back", 60, world.log)
    works(world, 1)
    until(world.quiet, "messages are still on their way", 60, world.log)
    assert world.stop() == 0
    assert "Traceback" not in world.whole_log()
