"""`make study`: the laws of learning on fresh seeds, and on outside data where it is present; benchmarks/learning.md.

    python -m benchmarks.study --first-seed 5000 --seeds 12 --users 120

A part that needs data which is not there is skipped with a line that says so. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from benchmarks import laws, study_hours
from benchmarks.laws import Beaten, Interval

_HEAD = """\
# What learning does, on seeds that nobody had seen

Written by `make study` ({command}). Settings were chosen on seeds 0 to 11. ± is half of a 95 % interval over seeds
(Student's t). These are simulated people: the figures say that learners work, and foretell nothing about real ones.
"""


def main() -> None:
    """Ask every law and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--users", type=int, default=120)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=list(_PARTS), action="append")
    parser.add_argument("--changelogs", type=Path, default=Path("/usr/share/doc"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "learning.md")
    asked = parser.parse_args()
    command = (
        f"python -m benchmarks.study --first-seed {asked.first_seed} --seeds {asked.seeds} --users {asked.users} "
        f"--days {asked.days}"
    )
    parts = [_HEAD.format(command=f"`{command}`")]
    for name in asked.only or _PARTS:
        parts.append(_PARTS[name](asked))
        print(parts[-1], flush=True)
    asked.out.write_text("\n".join(parts), encoding="utf-8")


def _seeds(asked: argparse.Namespace) -> range:
    return range(asked.first_seed, asked.first_seed + asked.seeds)


def _null(asked: argparse.Namespace) -> str:
    found = laws.null_world(_seeds(asked), 2 * asked.users, asked.days, asked.workers)
    half = found.change.half or 1.0
    return (
        "## Nothing to learn\n\nLaw: the change in clicks per message is not different from 0, and its half-width at "
        f"most 3 %.\n\nAll learners against the static rule: {_percent(found.change)}. "
        f"{_verdict(found.change.has_zero and half <= 0.03)}\n"
    )


def _modest(asked: argparse.Namespace) -> str:
    found = laws.modest_world(_seeds(asked), asked.users, asked.days, asked.workers)
    best, static = laws.beaten(found, laws.HINDSIGHT), laws.beaten(found, laws.STATIC)
    rows = "".join(
        f"| {each.seed} | {each.figures['policy'].click_rate:.2%} | {each.figures[laws.STATIC].click_rate:.2%} "
        f"| {each.figures[laws.HINDSIGHT].click_rate:.2%} | {each.figures['policy'].oracle_rate:.2%} |\n"
        for each in found
    )
    return (
        "## All learners against the rule of somebody who knows the people\n\nLaw: better in at least 11 of 12 fresh "
        f"seeds.\n\nAgainst the hindsight rule {_gain(best)}; against the static rule {_gain(static)}. "
        f"{_verdict(best.better * 12 >= 11 * best.seeds)}\n\n"
        f"| seed | all learners | static | hindsight | oracle |\n|---|---|---|---|---|\n{rows}"
    )


def _confounded(asked: argparse.Namespace) -> str:
    found = laws.confounded_variants(_seeds(asked), asked.workers)
    raw = "" if found.raw is None else _percent(found.raw)
    return (
        "## A variant for warm users only\n\nLaw: the mean gain over uniform choice is above 0, about 20,000 messages, "
        f"four variants.\n\n| choice | gain over uniform | worse than uniform |\n|---|---|---|\n"
        f"| difference score (botopt) | {_percent(found.learned)} | {found.learned_worse} of {asked.seeds} |\n"
        f"| Thompson sampling on raw rates | {raw} | {found.raw_worse} of {asked.seeds} |\n\n"
        f"{found.messages:,} messages a seed. {_verdict(found.learned.mean > 0)}\n"
    )


def _pacing(asked: argparse.Namespace) -> str:
    found = laws.pacing(_seeds(asked), asked.users, asked.workers)
    bars = {"surge, days 30-33": 0.80}
    rows = "".join(
        f"| {name} | {share:.1%} | {bars.get(name, 0.95):.0%} | {found.messages[name]:.2f} |\n"
        for name, share in found.near.items()
    )
    holds = all(share >= bars.get(name, 0.95) for name, share in found.near.items())
    return (
        "## A budget of 1.5 messages a day\n\nThree times as many events from day 30 on; scores half as large from day "
        f"45 on. Users within 20 % of the budget:\n\n| | share | law | messages a day |\n|---|---|---|---|\n{rows}\n"
        f"{_verdict(holds)}\n"
    )


def _send_time(asked: argparse.Namespace) -> str:
    found = laws.send_time(_seeds(asked), asked.users, min(asked.days, 40), asked.workers)
    told = (
        f"## The better hour\n\nOnly `send_time`, against the static rule, true clicks per message: {_gain(found)}.\n"
    )
    return told + "\n" + study_hours.told(asked.changelogs)


def _percent(change: Interval) -> str:
    return f"{change.mean:+.1%}" + ("" if change.half is None else f" ± {change.half:.1%}")


def _gain(found: Beaten) -> str:
    return f"{_percent(found.change)}, better in {found.better} of {found.seeds}"


def _verdict(holds: bool) -> str:
    return "**Holds.**" if holds else "**Does not hold.**"


_PARTS: dict[str, Callable[[argparse.Namespace], str]] = {
    "null": _null,
    "modest": _modest,
    "confounded": _confounded,
    "pacing": _pacing,
    "send-time": _send_time,
}

if __name__ == "__main__":
    main()
