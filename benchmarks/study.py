"""`make study`: the laws of learning on fresh seeds, and on outside data where it is present; benchmarks/learning.md.

    python -m benchmarks.study --first-seed 5000 --seeds 12 --users 120

A part that needs data which is not there is skipped with a line that says so. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import laws, study_hours, study_mailings
from benchmarks.laws import Beaten, Interval
from botopt.model.errors import InputError

SPREADS = (0.12, 0.05)
"""How much wordings differ in the confounded worlds, in log-odds."""

_HEAD = """\
# What learning does, on seeds that nobody had seen

Written by `make study` ({command}). Settings were
chosen on seeds 0 to 11. ± is half of a 95 % interval over seeds (Student's t). Simulated people say that learners work,
and foretell nothing about real ones. Clicks are those to expect by the hidden truth, where nothing else is said.
"""


def main() -> None:
    """Ask every law and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--users", type=int, default=120)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--people", type=int, default=480, help="how many a scorer is trained on")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=list(_PARTS), action="append")
    parser.add_argument("--changelogs", type=Path, default=Path("/usr/share/doc"))
    parser.add_argument(
        "--hillstrom", type=Path, default=os.environ.get("BOTOPT_HILLSTROM") or None, help="Hillstrom's data as CSV"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "learning.md")
    asked = parser.parse_args()
    command = (
        f"python -m benchmarks.study --first-seed {asked.first_seed} --seeds {asked.seeds} --users {asked.users} "
        f"--days {asked.days} --people {asked.people}"
    )
    parts = [_HEAD.format(command=f"`{command}`")]
    for name in asked.only or _PARTS:
        try:
            parts.append(_PARTS[name](asked))
        except InputError as fault:
            sys.exit(str(fault))
        print(parts[-1], flush=True)
    asked.out.write_text("\n".join(parts), encoding="utf-8")


def _seeds(asked: argparse.Namespace) -> range:
    return range(asked.first_seed, asked.first_seed + asked.seeds)


def _null(asked: argparse.Namespace) -> str:
    users = 2 * asked.users
    found = laws.null_world(_seeds(asked), users, asked.days, asked.workers, people=asked.people)
    beaten = laws.beaten(found, laws.STATIC, laws.drawn_rate)
    half = beaten.change.half or 1.0
    return (
        "## Nothing to learn\n\nLaw: the change in drawn clicks per message is not different from 0, and its "
        f"half-width at most 3 %. (True chances are all alike here.)\n\n{_gates(found)} A model that says the same of "
        "everybody foretells better here than rates with luck in them.\n\nAll learners against the static rule: "
        f"{_percent(beaten.change)}. {_verdict(beaten.change.has_zero and half <= 0.03)}\n"
    )


def _modest(asked: argparse.Namespace) -> str:
    found = laws.modest_world(_seeds(asked), asked.users, asked.days, asked.workers, people=asked.people)
    best, static = (laws.beaten(found, rival) for rival in (laws.HINDSIGHT, laws.STATIC))
    scored = [each for each in found if not each.refused]
    own = f" The scorer's own part, against the other four: {_gain(laws.beaten(scored, laws.FOUR))}." if scored else ""
    rows = ""
    for each in found:
        rates = [f"{each.trial.figures[name].true_rate:.2%}" for name in ("policy", *_COLUMNS)]
        oracle = f"{each.trial.figures['policy'].oracle_rate:.2%}"
        scorer = "no" if each.refused else "yes"
        rows += f"| {each.trial.seed} | {scorer} | {' | '.join(rates)} | {oracle} |\n"
    return (
        "## All five learners against the rule of somebody who knows the people\n\nLaw: better in at least 11 of 12 "
        f"fresh seeds.\n\n{_gates(found)}\n\nAgainst the hindsight rule {_gain(best)}; against the static rule "
        f"{_gain(static)}. {_verdict(best.better * 12 >= 11 * best.seeds)}{own}\n\nClicks per message to expect:\n\n"
        "| seed | scorer | all learners | four, no scorer | static | hindsight | oracle |\n"
        f"|---|---|---|---|---|---|---|\n{rows}"
    )


_COLUMNS = (laws.FOUR, laws.STATIC, laws.HINDSIGHT)


def _gates(found: Sequence[laws.Scored]) -> str:
    """How often there was a scorer, and why there was none."""
    groups = {each.trial.seed // laws.SHARED: each for each in found}
    trained = (
        f"Scorers were trained on logs of the static rule with other people, one for {laws.SHARED} seeds in a row: "
        f"{laws.scored(list(groups.values()))} of {len(groups)} passed their gate, so that "
        f"{laws.scored(found)} of {len(found)} seeds have one; the others go without."
    )
    reasons = dict.fromkeys(reason for each in groups.values() for reason in each.refused)
    return trained + "".join(f"\n- Refused: {reason}." for reason in reasons)


def _confounded(asked: argparse.Namespace) -> str:
    told, fine = "", True
    for spread in SPREADS:
        found = laws.confounded_variants(_seeds(asked), asked.workers, spread=spread)
        fine = fine and found.learned.change.mean > 0
        for name, gain in (("difference score (botopt)", found.learned), ("Thompson sampling on raw rates", found.raw)):
            if gain is not None:
                worse = f"{gain.seeds - gain.better} of {gain.seeds}"
                told += f"| {spread:.0%} | {name} | {_percent(gain.change)} | {worse} |\n"
        told_messages = f"{found.messages:,} messages a seed"
    return (
        "## A variant for warm users only\n\nLaw: the mean gain over uniform choice is above 0, about 20,000 messages, "
        "four variants. How much they differ is the standard deviation of their effects.\n\n| differ by | choice | "
        "gain over uniform | worse than uniform |\n|---|---|---|---|\n"
        f"{told}\n{told_messages}. {_verdict(fine)}\n"
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


def _mailings(asked: argparse.Namespace) -> str:
    return "## Two e-mails to real customers\n\n" + study_mailings.told(asked.hillstrom)


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
    "mailings": _mailings,
}

if __name__ == "__main__":
    main()
