"""`python -m benchmarks.service`: `botopt serve` under load, beside two yardsticks, in turns.

python -m benchmarks.service                    # everything: some five minutes
python -m benchmarks.service --rounds 1 --requests 4000 --known 100000
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from botopt.model.user_state import UserState
from botopt.state.sqlite import open_state
from botopt.state.user_rows import row

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


class Running:
    """A process that serves, and the key to it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, key: str, ready_s: float) -> None:
        self.process, self.port, self.key, self.ready_s = process, port, key, ready_s

    @property
    def memory_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, path: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as probe:
            probe.sendall(b"GET " + path + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            return probe.recv(12)[9:10] in {b"2", b"4"}  # the yardsticks know no /readyz
    except OSError:
        return False


@contextmanager
def serving(kind: str, folder: Path, workspace: Path) -> Iterator[Running]:
    port, key = free_port(), "none"
    state = folder / "state.db"
    if kind == "botopt":
        made = [sys.executable, "-m", "botopt", "keys", "add", "bench", "--scope", "ingest", "--state", str(state)]
        key = subprocess.run(made, check=True, capture_output=True, env=ENVIRONMENT).stdout.decode().strip()
        command = [sys.executable, "-m", "botopt", "serve", "-w", str(workspace), "--state", str(state)]
        command += ["--port", str(port), "--log-level", "warning"]
    else:
        command = [sys.executable, "-m", "benchmarks.service_plain", kind, str(port), str(folder / "plain.db")]
    began = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=ENVIRONMENT)
    try:
        while not answers(port, b"/readyz"):
            if process.poll() is not None:
                raise SystemExit((folder / "log").read_text(encoding="utf-8"))
            time.sleep(0.005)
        yield Running(process, port, key, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def load(running: Running, **options: object) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.service_load", "--port", str(running.port), "--key", running.key]
    for name, value in options.items():
        command += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=ENVIRONMENT).stdout
    found: dict[str, float] = json.loads(said)
    return found


def round_of(kind: str, workspace: Path, options: argparse.Namespace, number: int) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as name, serving(kind, Path(name), workspace) as running:
        found = {"idle": {"mib": running.memory_mib, "ready_s": running.ready_s}}
        load(running, requests=500, seed=1_000 + number)  # warm
        found["one"] = load(running, requests=options.requests, connections=64, seed=number)
        found["wait"] = load(running, requests=500 * options.seconds, rate=500, wait=True, seed=100 + number)
        if kind == "botopt":
            found["batch"] = load(running, requests=options.requests // 20, batch=50, connections=8, seed=200 + number)
        found["after"] = {"mib": running.memory_mib}
        return found


def copy_policy(workspace: Path) -> None:
    """The starter policy, for users whose clocks show noon: at night its messages would only be held."""
    for part in ("rules", "templates"):
        shutil.copytree(ROOT / part, workspace / part)
    ahead = 12 - time.gmtime().tm_hour
    settings = workspace / "rules" / "settings.yaml"
    text = settings.read_text(encoding="utf-8")
    assert "timezone: Europe/Berlin" in text
    noon = text.replace("timezone: Europe/Berlin", f"timezone: Etc/GMT{-ahead:+d}" if ahead else "timezone: UTC")
    settings.write_text(noon, encoding="utf-8")


def known(users: int, workspace: Path) -> dict[str, float]:
    """Start to ready, and memory, where so many users are known already."""
    with tempfile.TemporaryDirectory() as name:
        state = UserState(clock_us=1_700_000_000_000_000, attributes={"name": "A", "plan": "pro"})
        sample = row("u", state)
        with open_state(Path(name) / "state.db", create=True, read_only=False) as store:
            for start in range(0, users, 50_000):
                ids = range(start, min(start + 50_000, users))
                rows = [msgspec.structs.replace(sample, user=f"user{n}") for n in ids]
                store.commit(rows, meta={})
        with serving("botopt", Path(name), workspace) as running:
            return {"ready_s": running.ready_s, "mib": running.memory_mib}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=10, help="how long 500 a second are asked")
    parser.add_argument(
        "--known", type=int, default=1_000_000, help="users that are known when it starts; 0: leave out"
    )
    options = parser.parse_args(arguments)
    kinds = ("botopt", "straightforward", "empty")
    rounds: dict[str, list[dict[str, dict[str, float]]]] = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as name:
        workspace = Path(name) / "policy"
        copy_policy(workspace)
        for number in range(options.rounds):
            for kind in kinds:
                rounds[kind].append(round_of(kind, workspace, options, number))
        table(rounds)
        if options.known:
            found = known(options.known, workspace)
            print(f"\n{options.known:,} known users: ready after {found['ready_s']:.2f} s, {found['mib']:.0f} MiB")


def table(rounds: dict[str, list[dict[str, dict[str, float]]]]) -> None:
    def median(kind: str, what: str, key: str) -> float | None:
        values = [one[what][key] for one in rounds[kind] if what in one]
        return statistics.median(values) if values else None

    for one in (one for many in rounds.values() for one in many):
        for what in ("one", "wait", "batch"):
            if what in one and set(one[what]["statuses"]) != {"202"}:  # type: ignore[call-overload]
                print(f"not all were taken: {one[what]['statuses']}")
    print("medians of", len(rounds["botopt"]), "rounds in turns\n")
    heads = ("service", "events/s, one a request", "p99 of these", "events/s, 50 a request", "p50 at 500/s", "p99")
    heads += ("idle", "after", "ready")
    print("| " + " | ".join(heads) + " |")
    print("|" + " --- |" * len(heads))
    for kind in rounds:
        batch = median(kind, "batch", "events_per_s")
        cells = [
            kind,
            f"{median(kind, 'one', 'events_per_s'):,.0f}",
            f"{median(kind, 'one', 'p99_ms'):.1f} ms",
            "" if batch is None else f"{batch:,.0f}",
            f"{median(kind, 'wait', 'p50_ms'):.1f} ms",
            f"{median(kind, 'wait', 'p99_ms'):.1f} ms",
            f"{median(kind, 'idle', 'mib'):.0f} MiB",
            f"{median(kind, 'after', 'mib'):.0f} MiB",
            f"{median(kind, 'idle', 'ready_s'):.2f} s",
        ]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
