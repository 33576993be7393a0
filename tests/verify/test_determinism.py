"""The same events, policy, state and seed give the same bytes: with any network, any number of processes, any Python.

The expected hashes stand here, so that every interpreter that runs this file is compared with all others
(`make other-pythons`).
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botopt.network.network import available
from tests.engine.support import Workspace, by_user
from tests.engine.test_laws import RULES, timelines
from tests.engine.timeline import Story
from tests.verify.running import in_lines

ROOT = Path(__file__).parents[2]
RECORDS = "99e35e80c13a9831a5b42143"
STATE = "a50c4e201017e1e48e02a86b"
"""Of a replay of examples/events.jsonl with the starter policy. They change when the policy, the events or the engine do:
`python -m tests.verify.test_determinism` prints the new ones."""

NETWORKS = ["reference", "durable_rules"] if available().name == "durable_rules" else ["reference"]


def botopt(folder: Path, *args: object) -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "botopt", *map(str, args)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    return done.stdout


def replayed(folder: Path, *options: object) -> tuple[str, str]:
    """The hashes of the records and of the exported state."""
    events = ROOT / "examples" / "events.jsonl"
    botopt(folder, "replay", events, "-w", ROOT, "--out", "out.jsonl", "--state", "state.db", *options)
    exported = botopt(folder, "state", "export", "--state", "state.db")
    return tuple(blake2b(data, digest_size=12).hexdigest() for data in ((folder / "out.jsonl").read_bytes(), exported))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    "options",
    [(), ("--workers", 2), ("--workers", 3, "--batch", 50), ("--workers", 8, "--batch", 7), ("--batch", 1)],
    ids=str,
)
def test_the_example_gives_these_very_bytes(tmp_path, network, options):
    assert replayed(tmp_path, "--network", network, *options) == (RECORDS, STATE)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(timelines(users=4), st.randoms(use_true_random=False))
def test_how_users_are_interleaved_does_not_matter_to_any_of_them(events, chance):
    lines = {user: [event for event in events if event["user"] == user] for user in {e["user"] for e in events}}
    order = [event["user"] for event in events]
    chance.shuffle(order)
    waiting = {user: iter(theirs) for user, theirs in lines.items()}
    mixed = [next(waiting[user]) for user in order]
    until = "2026-06-01T00:00:00Z"
    one, other = Story(RULES).run(events, until=until), Story(RULES).run(mixed, until=until)

    def seen(decisions: list[object]) -> dict[object, list[object]]:
        """Rejected lines have the number of their line; all else is the same."""
        return {
            user: [(d.event_id, d.outcome, d.reason, d.by, d.until_us, d.time_us, d.score, d.message) for d in theirs]
            for user, theirs in by_user(decisions).items()
        }

    assert seen(one) == seen(other)


def test_users_and_networks_and_processes_in_one_law():
    rules = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}}\n{id: cap, limit: 2, within: 24h}'
    from tests.engine.support import HOUR, at, base, ev

    events = [
        ev(kind, f"u{number % 5}", at("09:00") + number * HOUR, id=f"e{number}")
        for number, kind in zip(range(90), itertools.cycle(["a", "b", "message.clicked", "fire"]), strict=False)
    ]
    found = {
        (network, workers, block, batch): in_lines(
            Workspace(base(rules), network=network).engine, events, workers=workers, block=block, batch=batch
        )
        for network, workers, (block, batch) in itertools.product(NETWORKS, [1, 2, 3, 8], [(1, 1), (7, 20), (90, 90)])
    }
    assert len({(left.records, left.rejected, json.dumps(left.summary)) for left in found.values()}) == 1
    assert len({tuple(left.users.items()) for key, left in found.items() if key[1] == 1}) == 1


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        print(*replayed(Path(name)))
