"""Two services on one state; many messages that fall due at once; an end in the middle of work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from botopt.model.live import OutboxStatus
from tests.proof.books import account
from tests.proof.clients import Clients
from tests.proof.receiver import Receiver
from tests.proof.reporting import report
from tests.proof.world import ROOT, SOAK, World, event, until

HELD = 10_000 if SOAK else 1_500


def test_a_second_service_on_the_same_state_refuses_and_does_no_harm(world: World):
    world.start()
    with Clients(world) as clients:
        for _ in range(5 if SOAK else 1):
            clients.progress()
            second = subprocess.run(
                world.command(), cwd=world.folder, env=world.environment(), capture_output=True, timeout=60, check=False
            )
            assert second.returncode == 8
            words = (second.stdout + second.stderr).decode()
            assert "is in use" in words
            assert str(world.pid) in words
            assert "Traceback" not in words
        clients.progress()
    until(world.quiet, "messages are still on their way", 120, world.log)
    world.close()
    report("a second service on the state", account(world, clients.taken))


def test_many_held_messages_that_fall_due_at_once_go_out_once_and_new_events_need_not_wait(
    world: World, receiver: Receiver, tmp_path: Path
):
    lines = [{**event(n, "nightly", prefix="h", users=HELD), "time": "2026-06-01T23:00:00Z"} for n in range(HELD)]
    events = tmp_path / "events.jsonl"
    events.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    command = [sys.executable, "-m", "botopt", "replay", str(events), "-w", str(world.folder), "--state"]
    command += [str(world.state), "--out", str(tmp_path / "out.jsonl")]
    subprocess.run(command, cwd=ROOT, env=world.environment(), capture_output=True, check=True)
    world.start()
    taken = {}
    for n in range(50):
        one = event(n, users=HELD)
        status, said = world.post(one, wait=True)
        assert status == 202, said
        taken[str(one["id"])] = one
        assert receiver.sum < HELD or n > 0, "the first event had to wait for all that was held"
    released = lambda: len(world.rows()) >= HELD + 50  # noqa: E731  # asked again and again
    until(released, "not all were released", 300, world.log)
    until(world.quiet, "messages are still on their way", 600, world.log)
    world.close()
    found = account(world, taken, compare=False)  # the events of a replay stand in no record of the service
    assert found.delivered == HELD + 50
    assert set(receiver.taken.values()) == {1}
    report("held messages due at once", found, held=HELD)


def test_an_end_in_the_middle_of_work_leaves_nothing_half_done(world: World):
    world.start()
    with Clients(world) as clients:
        for _ in range(10 if SOAK else 3):
            clients.progress(60)
            world.close()
            assert not world.rows(OutboxStatus.CLAIMED)
            world.start()
        clients.progress()
    until(world.quiet, "messages are still on their way", 120, world.log)
    world.close()
    found = account(world, clients.taken)
    assert (found.delivered, found.unsure, found.repeated) == (found.sent, 0, 0)
    report("ended and started in the middle of work", found, requests_cut_off=clients.unheard)
