"""What learning costs a whole replay: lines read, decided and written, with none and with all learners.

`python -m benchmarks.learning_runs` prints events a second by the clock and by processor time of all processes, and the
most memory that one of them took, each run in a process of its own; and whether records are the same whatever the
number of workers. On a busy machine only processor time says something.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path

from benchmarks.learners import ALL, _applied
from benchmarks.workload import write_events, write_policy
from botopt.engine.build import build
from botopt.state.memory import MemoryStore
from botopt.verify.appending import Appending
from botopt.verify.inputs import Inputs
from botopt.verify.many_lanes import ManyLanes
from botopt.verify.one_lane import OneLane
from botopt.verify.outputs import Outputs
from botopt.verify.population import Population
from botopt.verify.run import Run
from botopt.verify.validate import load

_MEMORY = 1 << 30


def one(folder: Path, workers: int, out: Path, *, learns: bool) -> None:
    """One replay, and its figures on standard output."""
    policy = load(folder)
    if learns:
        policy = _applied(policy, ALL)
    events = str(folder / "events.jsonl")
    engine, store = build(policy), MemoryStore()
    began = time.perf_counter()
    with ExitStack() as held:
        inputs = held.enter_context(Inputs([events]))
        lanes = (
            held.enter_context(ManyLanes(engine, [events], None, workers, _MEMORY))
            if workers > 1
            else OneLane(engine, Population(engine, store, _MEMORY), [events])
        )
        file = Appending.create(out)
        run = Run(engine, lanes, store, Outputs(file, None, None))
        run.run(inputs)
        file.close()
    took = time.perf_counter() - began
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(each.ru_utime + each.ru_stime for each in used)
    print(run.summary.lines, took, seconds, max(each.ru_maxrss for each in used))


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning_runs", description=main.__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--one", nargs=4, metavar=("FOLDER", "WORKERS", "OUT", "LEARNS"), help="one run, for this program"
    )
    options = parser.parse_args()
    if options.one:
        folder, workers, out, learns = options.one
        one(Path(folder), int(workers), Path(out), learns=learns == "True")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_policy(folder)
        write_events(folder / "events.jsonl", options.events, options.users)
        print(f"{'':22} {'events/s':>9} {'a processor second':>19} {'MB':>6}  records")
        for learns in (False, True):
            for workers in (1, 2):
                found = [_apart(folder, workers, number, learns=learns) for number in range(options.rounds)]
                lines, _, seconds, size = min(found, key=lambda each: each[2])
                digest = blake2b((folder / f"{learns}{workers}0").read_bytes(), digest_size=4).hexdigest()
                named = f"{'all' if learns else 'no'} learners, {workers} worker{'s' * (workers > 1)}"
                fastest = min(each[1] for each in found)
                print(f"{named:22} {lines / fastest:9,.0f} {lines / seconds:19,.0f} {size / 1024:6.0f}  {digest}")


def _apart(folder: Path, workers: int, number: int, *, learns: bool) -> list[float]:
    out = folder / f"{learns}{workers}{number}"
    command = [sys.executable, "-m", "benchmarks.learning_runs", "--one"]
    command += [str(folder), str(workers), str(out), str(learns)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(word) for word in text.split()]


if __name__ == "__main__":
    main()
