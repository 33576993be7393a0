"""A run that learns, and dies at any moment, goes on exactly: also what it has learned is as if it had never died."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from botopt.learning.keeping import read
from botopt.model.errors import BotoptError
from botopt.state.sqlite import open_state
from tests.learning.everything import engine, timeline
from tests.verify import test_kills, test_resume
from tests.verify.test_resume import Faulty, PowerCut

ROOT = Path(__file__).parents[2]


def learned(state: Path) -> object:
    with open_state(state, create=False, read_only=True) as store:
        found = read(store.meta())
    assert found is not None
    return msgspec.to_builtins(found)


class Place(test_resume.Place):
    """A folder with one run of a policy that learns everything."""

    def __init__(self, folder: Path, *, behind: bool = False) -> None:
        super().__init__(folder, engine(), behind=behind)
        lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in timeline(5, 150)]
        self.events.write_bytes(b"\n".join(lines) + b"\n")

    def left(self) -> tuple[bytes, bytes, str, object]:
        records, rejected, users, counts = super().left()
        return records, rejected, users, (counts, learned(self.state))


@pytest.mark.parametrize(("how", "behind"), [("power", False), ("io", True)])
def test_whatever_call_fails_the_run_goes_on_with_what_it_had_learned(tmp_path, how, behind):
    whole = Place(tmp_path / "whole")
    whole.run(again=False)
    wanted = whole.left()
    failed = 0
    for fail_at in range(4, 200, 17):
        place, disk = Place(tmp_path / f"{how}{fail_at}", behind=behind), Faulty(fail_at, how)
        try:
            place.run(disk, again=False)
        except (BotoptError, PowerCut):
            failed += 1
        place.run(again=True)
        assert place.left() == wanted
        if not disk.failed:
            break
    assert failed > 5


# ---------------------------------------------------------------- real processes


class Killed(test_kills.Place):
    """The example of a shop that learns, with events of three weeks."""

    def __init__(self, folder: Path, workers: int) -> None:
        super().__init__(folder, workers)
        shutil.copytree(ROOT / "examples" / "learning", folder / "shop")
        write_events(folder / "events.jsonl")

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        return super().start("-w", "shop", *options)

    def left(self, summary: bytes) -> Mapping[str, object]:
        return {**super().left(summary), "learned": learned(self.folder / "state.db")}


def write_events(path: Path) -> None:
    chance = random.Random(3)
    hour = 3_600_000_000
    now = test_resume.at("2026-03-02T06:00:00Z")
    kinds = [
        ("parcel_late", {"tracking": "A", "days": 4}),
        ("parcel_news", {"tracking": "B"}),
        ("last_chance", {"product": "a chair"}),
        ("offer_made", {"product": "a lamp", "percent": 30}),
        ("message.clicked", {}),
        ("user.active", {}),
        ("user.subscribed", {"category": "offers"}),
    ]
    with path.open("w") as file:
        for number in range(4_000):
            now += chance.randrange(hour // 10)
            kind, data = chance.choice(kinds)
            event = test_resume.ev(kind, f"u{chance.randrange(300)}", now, id=f"e{number}", **data)
            file.write(json.dumps(event) + "\n")


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_again_and_again_a_run_has_learned_the_same(tmp_path, workers):
    whole = Killed(tmp_path / "whole", 1)
    began = time.monotonic()
    wanted = whole.left(whole.finish())
    took = time.monotonic() - began
    assert b'"snapshot":"' in wanted["out.jsonl"]
    chance = random.Random(workers)
    place = Killed(tmp_path / "run", workers)
    kills = 0
    for _ in range(6):
        process = place.start("--resume")
        try:
            process.wait(took * chance.uniform(0.2, 0.7) * (1 + kills / 4))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
        else:
            process.communicate()
            break
    assert kills
    assert place.left(place.finish("--resume")) == wanted
