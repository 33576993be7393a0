"""Real processes, killed at random moments: what they leave in the end is what an undisturbed one leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIES = 24
KILLS = 200 if os.environ.get("BOTOPT_SOAK") else 20


def write_events(path: Path) -> None:
    """The example events, for many times as many users."""
    lines = (ROOT / "examples" / "events.jsonl").read_bytes().splitlines()
    with path.open("wb") as file:
        for line in lines:
            for copy in range(COPIES):
                text = line.replace(b'"user": "', b'"user": "%d-' % copy).replace(b'"user":"', b'"user":"%d-' % copy)
                file.write(text + b"\n")


class Place:
    """A folder in which a run dies and goes on."""

    def __init__(self, folder: Path, workers: int) -> None:
        folder.mkdir()
        self.folder = folder
        self.workers = workers
        write_events(folder / "events.jsonl")

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "botopt", "replay", "events.jsonl", "-w", str(ROOT), "--format", "json"]
        command += ["--state", "state.db", "--out", "out.jsonl", "--rejects", "rejects.jsonl", "--batch", "150"]
        command += ["--workers", str(self.workers), *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def finish(self, *options: str) -> bytes:
        process = self.start(*options)
        summary, words = process.communicate(timeout=120)
        assert process.returncode == 0, words.decode()
        return summary

    def left(self, summary: bytes) -> Mapping[str, bytes]:
        export = subprocess.run(
            [sys.executable, "-m", "botopt", "state", "export", "--state", "state.db"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        )
        found = {name: (self.folder / name).read_bytes() for name in ("out.jsonl", "rejects.jsonl")}
        return {**found, "state": export.stdout, "summary": summary}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, bytes], float]:
    place = Place(tmp_path_factory.mktemp("whole") / "run", workers=1)
    begun = time.monotonic()
    summary = place.finish()
    return place.left(summary), time.monotonic() - begun


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_again_and_again_a_run_ends_as_if_it_never_was(tmp_path, whole, workers):
    wanted, seconds = whole
    chance = random.Random(workers)
    kills = rounds = 0
    while kills < KILLS // 2:
        place = Place(tmp_path / f"run{rounds}", workers)
        rounds += 1
        while True:
            process = place.start("--resume")
            try:
                process.wait(chance.uniform(0.1, 1.1) * seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                kills += 1
            else:
                summary, words = process.communicate()
                assert process.returncode == 0, words.decode()
                break
            if kills >= KILLS // 2:
                summary = place.finish("--resume")
                break
        assert place.left(summary) == wanted


def test_a_second_process_is_refused_and_told_who_has_the_state(tmp_path):
    place = Place(tmp_path / "run", workers=1)
    first = place.start()
    second = None
    try:
        while not (place.folder / "out.jsonl").exists():
            assert first.poll() is None
            time.sleep(0.005)
        second = place.start("--resume")
        _, words = second.communicate(timeout=60)
        if first.poll() is None:
            assert second.returncode == 8
            assert f"process {first.pid} on".encode() in words
    finally:
        first.communicate(timeout=120)
    assert second is not None
    assert first.returncode == 0


def test_ctrl_c_leaves_a_run_that_goes_on(tmp_path, whole):
    place = Place(tmp_path / "run", workers=2)
    process = place.start()
    while not (place.folder / "out.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=60)
    assert process.returncode in (0, 130), words.decode()  # 0: it was quicker
    assert b"Traceback" not in words
    assert place.left(place.finish("--resume")) == whole[0]


def test_no_worker_outlives_the_process_that_started_it(tmp_path):
    place = Place(tmp_path / "run", workers=3)
    process = place.start()
    while not (place.folder / "out.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.005)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("this system does not tell a process's children")
    workers = [int(number) for number in children.read_text().split()]
    process.kill()
    process.communicate()
    for _ in range(1_000):
        if not any(Path(f"/proc/{worker}").exists() for worker in workers):
            return
        time.sleep(0.005)
    pytest.fail("a worker is still alive")


def test_a_worker_that_is_killed_ends_the_run_with_words(tmp_path, whole):
    place = Place(tmp_path / "run", workers=2)
    process = place.start()
    while not (place.folder / "out.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.005)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("this system does not tell a process's children")
    for number in children.read_text().split():
        os.kill(int(number), signal.SIGKILL)
    _, words = process.communicate(timeout=60)
    if process.returncode != 0:  # else it was quicker
        assert process.returncode == 1
        assert b"a worker process ended" in words
        assert b"Traceback" not in words
    assert place.left(place.finish("--resume")) == whole[0]
