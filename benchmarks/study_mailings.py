"""The choice of a variant on a real mailing: two e-mails and none, sent at random to a third of all customers each.

It is Kevin Hillstrom's challenge of 2008 ("MineThatData E-Mail Analytics and Data Mining Challenge"): 64,000 customers
of a shop. Nobody stated a licence, so the file is not part of the project and nothing fetches it. Who has it names it:

    BOTOPT_HILLSTROM=hillstrom.csv make study
    python -m benchmarks.study --only mailings --hillstrom hillstrom.csv

In each of 20 random halves the customers come one after another. botopt's choice between the two e-mails is drawn with
its exact chances; who was really sent what was drawn counts, and what was learned is brought up to date every 200 of
these. Then its chances are judged by the other half, of which nothing was seen: as each e-mail went to a random third,
the visits of its third are what it is worth.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec

from benchmarks.study_policies import written
from botopt.learning.lessons import EXPECTED, HITS, SENDS, whole
from botopt.learning.snapshots import arm
from botopt.learning.variants import FLOOR, chances, taken
from botopt.model.errors import InputError
from botopt.verify.simulation.comparing import Interval, interval

COLUMNS = (
    *("recency", "history_segment", "history", "mens", "womens", "zip_code", "newbie", "channel"),
    *("segment", "visit", "conversion", "spend"),
)
MAILS = ("Mens E-Mail", "Womens E-Mail")
NONE = "No E-Mail"
HALVES = 20
REFRESH = 200
BAR = 0.90
"""In so many of the halves, at least, the e-mail that is preferred must be the better one of the other half."""

_RULES = """\
settings: {threshold: 0}
channels: {mail: {type: console}}
events: {season: {weight: 0.5, message: mail, fields: {}}}
"""
_TEMPLATES = "templates: {mail: {choose: learn, variants: {mens: {text: For him}, womens: {text: For her}}}}\n"
_NAMES = ("mens", "womens")
_TEMPLATE = "mail"

Customer = tuple[int, float]
"""The place of what was sent among `MAILS`, or -1, and whether a visit came of it."""


class Mailings(msgspec.Struct, frozen=True):
    """`visits` by what was sent. `best` is the share of halves in which the preferred e-mail was the better one of the
    other half, `chance` what that one is sent with in the end. `learned`, `even` and `fixed` are visits per e-mail on
    the other halves: by what was learned, by an even choice, and by the better e-mail alone.
    """

    visits: dict[str, float]
    customers: int
    best: float
    chance: Interval
    learned: Interval
    even: Interval
    fixed: Interval

    @property
    def holds(self) -> bool:
        """Whether the law does."""
        return self.best >= BAR


def read(path: Path) -> list[Customer]:
    """The customers in a file, in its order.

    Raises:
        InputError: it cannot be read, or is not that data.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise InputError(f"{path} is not Hillstrom's data: it has no column {', '.join(missing)}")
            return [_customer(path, number, row) for number, row in enumerate(rows, 2)]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise InputError(f"{path}: {fault}") from fault


def _customer(path: Path, number: int, row: dict[str, str]) -> Customer:
    segment, visit = row["segment"], row["visit"]
    if segment not in (*MAILS, NONE) or visit not in ("0", "1"):
        raise InputError(
            f"{path}, line {number}: segment is {segment!r} and visit {visit!r}; it must be one of "
            f"{', '.join((*MAILS, NONE))}, and 0 or 1"
        )
    return MAILS.index(segment) if segment in MAILS else -1, float(visit)


def measured(customers: Sequence[Customer], halves: int = HALVES) -> Mailings:
    """Learn on a half, judge by the other, so many times.

    Raises:
        InputError: an e-mail was hardly sent to anybody.
    """
    rates = _rates(customers)
    if len(rates) < 3:
        raise InputError(f"each of {', '.join((*MAILS, NONE))} must have been sent to somebody in each half")
    right, given, learned, even, fixed = 0, [], [], [], []
    for number in range(halves):
        random = Random(number)
        mixed = list(customers)
        random.shuffle(mixed)
        middle = len(mixed) // 2
        odds, worth = _learned(mixed[:middle], random), _rates(mixed[middle:])
        if not all(place in worth for place in range(len(MAILS))):
            raise InputError(f"{len(customers)} customers are too few: a half has none with some e-mail")
        best = max(range(len(MAILS)), key=worth.__getitem__)
        right += odds[best] > 0.5
        given.append(odds[best])
        learned.append(sum(chance * worth[place] for place, chance in enumerate(odds)))
        even.append(sum(worth[place] for place in range(len(MAILS))) / len(MAILS))
        fixed.append(worth[best])
    visits = {name: rates[place] for place, name in enumerate(MAILS)} | {NONE: rates[-1]}
    parts = (interval(each) for each in (given, learned, even, fixed))
    return Mailings(visits, len(customers), right / halves, *parts)


def _learned(customers: Sequence[Customer], random: Random) -> list[float]:
    """The chances of the two e-mails after these customers, of whom those count who were sent what was drawn."""
    policy = written({"rules/all.yaml": _RULES, "templates/all.yaml": _TEMPLATES})
    template = policy.templates[_TEMPLATE]
    counts: dict[str, int] = {}
    odds, sends, hits = chances([0.0, 0.0]), 0, 0.0

    def count(kind: str, name: str, amount: float) -> None:
        key = f"{kind}\0{_TEMPLATE}\0{name}"
        counts[key] = counts.get(key, 0) + whole(amount)

    for place, visit in customers:
        if taken(odds, random.random()) != place:
            continue
        # What leads to expect a visit of people of whom nothing is known is what all did up to now
        expected = (hits + 1) / (sends + 2)
        for kind, amount in ((SENDS, 1.0), (HITS, visit), (EXPECTED, expected)):
            count(kind, _NAMES[place], amount)
        sends, hits = sends + 1, hits + visit
        if not sends % REFRESH:
            odds = chances([arm(counts, template, name).score for name in _NAMES])
    return odds


def _rates(customers: Sequence[Customer]) -> dict[int, float]:
    """Visits for each of those who were sent it, by its place among `MAILS`; -1 is none."""
    sums: dict[int, list[float]] = {}
    for place, visit in customers:
        pair = sums.setdefault(place, [0.0, 0.0])
        pair[0] += visit
        pair[1] += 1
    return {place: visits / number for place, (visits, number) in sums.items()}


def told(path: Path | None) -> str:
    """The part of the page about them.

    Raises:
        InputError: the file cannot be read, or is not that data.
    """
    if path is None:
        return "Skipped: BOTOPT_HILLSTROM (or --hillstrom) names no file with Hillstrom's data (hillstrom.csv).\n"
    found = measured(read(path))
    visits = ", ".join(f"{name} {rate:.2%}" for name, rate in found.visits.items())
    return (
        f"Law: in at least {BAR:.0%} of {HALVES} halves the e-mail that is preferred in the end is the better one of "
        f"the other half.\n\n{found.customers:,} customers; visits: {visits}.\n\nIt is in {found.best:.0%}, and sent "
        f"with a chance of {_share(found.chance)} (at most {1 - FLOOR:.0%}, for the floor). "
        f"{'**Holds.**' if found.holds else '**Does not hold.**'}\n\n| on the other half | visits per e-mail |\n"
        f"|---|---|\n| even choice | {_share(found.even)} |\n| learned | {_share(found.learned)} |\n"
        f"| the better e-mail only | {_share(found.fixed)} |\n\n± is over halves of the same customers: how much the "
        "split matters, not how sure the difference is.\n"
    )


def _share(found: Interval) -> str:
    return f"{found.mean:.2%}" + ("" if found.half is None else f" ± {found.half:.2%}")
