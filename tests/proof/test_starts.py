"""Two services on one state; many messages that fall due at once; an end in the middle of work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from botopt.model.live import OutboxStatus
from tests.proof.world import ROOT, SOAK, World, account, event, receiving, until

HELD = 10_000 if SOAK else 1_500


def test_a_second_service_on_the_same_state_refuses(tmp_path: Path):
    with receiving() as receiver:
        world = World(tmp_path / "world", receiver)
        world.start()
        command = world.command()
        command[command.index("--port") + 1] = "0"
        second = subprocess.run(
            command, cwd=world.folder, env=world.environment(), capture_output=True, timeout=60, check=False
        )
        assert second.returncode == 8
        words = (second.stdout + second.stderr).decode()
        assert "is in use" in words
        assert str(world.process.pid) in words
        assert "Traceback" not in words
        assert world.post(event(1), wait=True)[0] == 202
        assert world.stop() == 0


def test_many_held_messages_that_fall_due_at_once_go_out_once_and_new_events_need_not_wait(tmp_path: Path):
    with receiving() as receiver:
        world = World(tmp_path / "world", receiver)
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
            taken[str(one["id"])] = "hooked"
            assert sum(receiver.taken.values()) < HELD or n > 0
        released = lambda: len(world.rows()) >= HELD + 50  # noqa: E731  # asked again and again
        until(released, "not all were released", 300, world.log)
        until(world.quiet, "messages are still on their way", 600, world.log)
        assert world.stop() == 0
        found = account(world, taken)
    assert found.delivered == HELD + 50
    assert set(receiver.taken.values()) == {1}


def test_an_end_in_the_middle_of_work_leaves_nothing_half_done(tmp_path: Path):
    with receiving() as receiver:
        world = World(tmp_path / "world", receiver)
        world.start()
        taken = {}
        for round_ in range(3):
            for n in range(60):
                one = event(1_000 * round_ + n, ("hooked", "texted")[n % 2])
                assert world.post(one)[0] == 202
                taken[str(one["id"])] = str(one["type"])
            assert world.stop() == 0, world.log()
            assert not world.rows(OutboxStatus.CLAIMED)
            world.start()
        until(world.quiet, "messages are still on their way", 120, world.log)
        assert world.stop() == 0
        found = account(world, taken)
    assert (found.delivered, found.unsure, found.repeated) == (180, 0, 0)
