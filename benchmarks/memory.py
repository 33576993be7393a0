"""What users take in memory and in the state file after a week, in bytes: `python -m benchmarks.memory`.

It decides the events of `benchmarks.workload` and looks at the state that is left. *Packed* is what a replay keeps of a
user who is not at work, with what Python adds to it in a dict; *unpacked* is a user at work.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from benchmarks.workload import EVENTS, USERS, write_events, write_policy
from botopt.model.user_state import unpack
from botopt.state.opening import read_store


def each(make: Callable[[str, bytes], object], blobs: dict[str, bytes]) -> float:
    """Bytes that a user takes in a dict of `make`'s values, with the copy of the id that is its key."""
    tracemalloc.start()
    held = {f"{user[:-1]}{user[-1:]}": make(user, blob) for user, blob in blobs.items()}
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(held)


def main() -> None:
    """Measure one workload."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=main.__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--users", type=int, default=USERS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_policy(folder)
        write_events(folder / "events.jsonl", options.events, options.users)
        files = [str(folder / "events.jsonl"), "--out", str(folder / "out"), "--state", str(folder / "state.db")]
        command = [sys.executable, "-m", "botopt", "replay", "-w", str(folder), *files]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        size = (folder / "state.db").stat().st_size
        with read_store(folder / "state.db") as store:
            blobs = {row.user: row.state for row in store.users()}
    lengths = [len(blob) for blob in blobs.values()]
    packed = each(lambda _, blob: bytes(bytearray(blob)), blobs)
    print(f"{options.events:,} events, {len(blobs):,} users; bytes for each user")
    print(f"  state, packed:      median {statistics.median(lengths):,.0f}, mean {statistics.mean(lengths):,.0f}")
    print(f"  in the state file:  mean {size / len(blobs):,.0f}")
    print(f"  in memory, packed:  mean {packed:,.0f}; {packed - statistics.mean(lengths):,.0f} more than the state")
    print(f"  in memory, at work: mean {each(lambda _, blob: unpack(blob), blobs):,.0f}")


if __name__ == "__main__":
    main()
