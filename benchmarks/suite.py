"""How fast `botopt replay` is, beside what others are: whole processes, in turns, and all must write the same records.

`python -m benchmarks.suite --help` says what can be asked for; benchmarks/README.md says what is measured.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import orjson

from benchmarks.workload import EVENTS, TYPES, USERS, write_events, write_policy
from botopt.verify.validate import load

ROUNDS = 5
LARGE_EVENTS = 1_000_000
LARGE_USERS = 500_000
TRIAL = 100
RECORDS, STATE = "records.jsonl", "state.db"
ROOT = Path(__file__).parents[1]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
    "PYTHONHASHSEED": "0",
}
"""Nothing that makes Python start otherwise than it does for users: they have compiled modules, for example."""
PIECE = 1 << 20
SHOWN = 2_000  # bytes of a line that differs
STARTER = """
import os, sys, time
began = time.perf_counter()
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(process, 0)
print(time.perf_counter() - began, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""
"""A small process between: what Linux tells of a program's memory is never less than that of who started it."""
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Contestant:
    """A program. `arguments` come after `python -m`; botopt and the others are given the same files."""

    key: str
    name: str
    arguments: tuple[str, ...]
    optional: bool = False
    """Whether it needs a package that may be missing."""
    writes_records: bool = True
    large: bool = False
    """Whether it is fast enough for a million events."""

    def command(self, given: Workload, folder: Path) -> list[str]:
        """How it is started."""
        out = str(folder / RECORDS)
        files = [str(given.folder), str(given.events), out, given.revision]
        if self.arguments[0] == "botopt":
            files = [files[1], "--workspace", files[0], "--out", out, "--state", str(folder / STATE)]
        return [sys.executable, "-m", *self.arguments, *files]


def _botopt(workers: int) -> Contestant:
    name = f"botopt, {workers} worker{'s' if workers > 1 else ''}"
    return Contestant(f"botopt-{workers}", name, ("botopt", "replay", "--workers", str(workers)), large=True)


ENGINES = (
    ("zen-engine, expression list", "benchmarks.engines.zen_list"),
    ("zen-engine, decision table", "benchmarks.engines.zen_table"),
    ("durable_rules, its C engine", "benchmarks.engines.durable_c"),
    ("durable_rules, its Python host", "benchmarks.engines.durable_host"),
    ("rule-engine", "benchmarks.engines.rule_engine"),
    ("business-rules", "benchmarks.engines.business_rules"),
    ("json-logic", "benchmarks.engines.json_logic"),
    ("common-expression-language", "benchmarks.engines.cel"),
)
"""What matches conditions in the hand-written loop, in place of Python: name and module."""

REFERENCE = _botopt(1)
HAND = Contestant("straightforward", "written by hand", ("benchmarks.straightforward",), large=True)
TUNED = Contestant("handwritten", "written by hand, tuned", ("benchmarks.handwritten",), large=True)

CONTESTANTS = (
    REFERENCE,
    _botopt(2),
    HAND,
    TUNED,
    *(Contestant(module.rpartition(".")[2], name, (module,), optional=True) for name, module in ENGINES),
    Contestant("read", "floor: read lines", ("benchmarks.floors", "read"), writes_records=False),
    Contestant("decode", "floor: read, decode", ("benchmarks.floors", "decode"), writes_records=False),
    Contestant("encode", "floor: read, decode, encode", ("benchmarks.floors", "encode"), writes_records=False),
)


@dataclass(frozen=True)
class Workload:
    """What all are given."""

    folder: Path
    events: Path
    lines: int
    revision: str


@dataclass
class Result:
    """Seconds and peak bytes of a contestant's runs."""

    seconds: list[float] = field(default_factory=list)
    peak: int = 0


def run(contestant: Contestant, given: Workload, folder: Path) -> tuple[float, int]:
    """Run it once, in an empty folder; seconds and peak bytes.

    Raises:
        SystemExit: it failed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command = [sys.executable, "-I", "-S", "-c", STARTER, *contestant.command(given, folder)]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{contestant.name} failed:\n{done.stderr[-SHOWN:].rstrip()}")
    seconds, peak = done.stdout.split()
    return float(seconds), int(peak) * PEAK_UNIT


def check_same(contestant: Contestant, expected: Path, found: Path) -> None:
    """Both files are equal.

    Raises:
        SystemExit: they are not; the first line that differs is said.
    """
    with expected.open("rb") as first, found.open("rb") as second:
        while (piece := first.read(PIECE)) == second.read(PIECE):
            if not piece:
                return
    with expected.open("rb") as first, found.open("rb") as second:
        for number, (one, other) in enumerate(zip_longest(first, second, fillvalue=b"(no line)"), 1):
            if one != other:
                raise SystemExit(
                    f"{contestant.name} writes another record, line {number}\n"
                    f"  botopt: {one[:SHOWN].decode(errors='replace').rstrip()}\n"
                    f"  it:     {other[:SHOWN].decode(errors='replace').rstrip()}"
                )


def is_usable(contestant: Contestant, trial: Workload, folder: Path) -> bool:
    """Whether it can decide a few events; if not, its package is missing or too old, and a line says so."""
    try:
        run(contestant, trial, folder)
    except SystemExit as failure:
        if not contestant.optional:
            raise
        print(f"skipped: {contestant.name} ({str(failure).rpartition(chr(10))[2][:200]})", flush=True)
        return False
    return True


def measure(contestants: Sequence[Contestant], given: Workload, folder: Path, rounds: int) -> dict[str, Result]:
    """Run all in turn, as often as there are rounds, and compare what they write with what botopt wrote first."""
    expected = folder / "expected.jsonl"
    run(REFERENCE, given, folder / "run")
    (folder / "run" / RECORDS).rename(expected)
    print(f"outcomes: {mix(expected)}", flush=True)
    results = {contestant.key: Result() for contestant in contestants}
    for number in range(1, rounds + 1):
        for contestant in contestants:
            _progress(f"round {number} of {rounds}: {contestant.name}")
            seconds, peak = run(contestant, given, folder / "run")
            if contestant.writes_records:
                check_same(contestant, expected, folder / "run" / RECORDS)
            result = results[contestant.key]
            result.seconds.append(seconds)
            result.peak = max(result.peak, peak)
    _progress("")
    return results


def mix(records: Path) -> str:
    """Shares of outcomes, reasons in place of `suppressed`."""
    with records.open("rb") as lines:
        counts = Counter((record["reason"] or record["outcome"]) for record in map(orjson.loads, lines))
    return ", ".join(f"{name} {number / counts.total():.1%}" for name, number in counts.most_common())


def show(contestants: Sequence[Contestant], results: dict[str, Result], lines: int) -> None:
    """Print a table, for people and for README.md."""
    rates = {key: lines / statistics.median(result.seconds) for key, result in results.items()}
    hand = rates.get(HAND.key)
    print(f"\n| {'':<32} | {'lines/s':>9} | {'to by hand':>10} | {'slowest-fastest':>17} | {'peak MiB':>8} |")
    print(f"| {'-' * 32} | {'-' * 8}: | {'-' * 9}: | {'-' * 16}: | {'-' * 7}: |")
    for contestant in contestants:
        result = results[contestant.key]
        rate = rates[contestant.key]
        ratio = "" if hand is None else f"{rate / hand:.2f}"
        spread = f"{lines / max(result.seconds):,.0f}-{lines / min(result.seconds):,.0f}"
        print(f"| {contestant.name:<32} | {rate:>9,.0f} | {ratio:>10} | {spread:>17} | {result.peak / 2**20:>8,.0f} |")
    print(flush=True)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<70}\r", end="", file=sys.stderr, flush=True)


def workload(folder: Path, events: int, users: int, types: int) -> Workload:
    """Write what all are given."""
    _progress(f"writing {events:,} events")
    write_policy(folder, types)
    path = folder / "events.jsonl"
    write_events(path, events, users, types=types)
    return Workload(folder, path, events, load(folder).revision)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, help=f"measure this many only, in place of {EVENTS:,} and then a million")
    parser.add_argument(
        "--users", type=int, help=f"among this many users, in place of {USERS:,} and then half a million"
    )
    parser.add_argument("--types", type=int, default=TYPES, help="event types, with 4 rules each")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each is run")
    keys = ", ".join(contestant.key for contestant in CONTESTANTS)
    parser.add_argument("--only", metavar="NAME,…", default="", help=f"only these of {keys}")
    options = parser.parse_args(arguments)
    options.only = {name.strip() for name in options.only.split(",") if name.strip()}
    unknown = options.only - {contestant.key for contestant in CONTESTANTS}
    if unknown:
        parser.error(f"--only {', '.join(sorted(unknown))}: there are {keys}")
    return options


def main(options: argparse.Namespace) -> None:
    """Measure."""
    asked = [one for one in CONTESTANTS if not options.only or one.key in options.only]
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as name:
        trial = workload(Path(name) / "workspace", TRIAL, TRIAL, options.types)
        asked = [one for one in asked if is_usable(one, trial, Path(name) / "run")]
    large = [one for one in asked if one.large]
    if options.events or options.users:
        plan = [(options.events or EVENTS, options.users or USERS, asked)]
    else:
        plan = [(EVENTS, USERS, asked), (LARGE_EVENTS, USERS, large), (LARGE_EVENTS, LARGE_USERS, large)]
    for events, users, contestants in plan:
        if not contestants:
            continue
        print(f"\n{events:,} events, {users:,} users, {options.types} event types; median of {options.rounds}")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            given = workload(folder / "workspace", events, users, options.types)
            show(contestants, measure(contestants, given, folder, options.rounds), events)


if __name__ == "__main__":
    main(parsed())
