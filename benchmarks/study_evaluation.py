"""How good the intervals of `botopt evaluate` are on worlds nobody has seen, and whether its sums are those of others.

    python -m benchmarks.study_evaluation [--worlds 150] [--obp obp-0.4.1-py3-none-any.whl]

Coverage: a log of 2,000 decisions by a softmax that learns as it goes, with a floor of 5 %, in fresh worlds; the share
of 95 % intervals that hold what an even choice really gets. At least 90 % must.

With the wheel of obp 0.4.1 (`pip download obp==0.4.1 --no-deps`), the sample of the Open Bandit data in it (Saito et
al., arXiv 2008.07146) is read, and the estimates are compared with those of obp's formulas computed with numpy, to
1e-12. The wheel is opened as an archive: nothing of it is installed or kept. `open_bandit_thompson.json` are the counts
of 100,000 draws of the production policy (Bernoulli Thompson sampling from the priors in the package, seed 12345), by
item and position.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZipFile

from botopt.learning import evaluation
from tests.learning.test_evaluation import coverage

DRAWS = 100_000
LEAST = 0.90

KNOWN = {
    ("random", "all"): (0.00455288, 0.0047758330812309535, 1639.5018736079446),
    ("random", "men"): (0.00453356, 0.004604232164349611, 2467.4024180481542),
    ("random", "women"): (0.006813473999999999, 0.006810965194592501, 1954.2678342125853),
    ("bts", "all"): (0.0023596395168460037, 0.0023337138931618065, 340.3783411326392),
    ("bts", "men"): (0.003008626327256482, 0.003189423162277403, 655.7098495873269),
    ("bts", "women"): (0.00743757754192316, 0.0023730461434477677, 2.077822692483687),
}
"""By log and campaign: IPS, SNIPS and effective sample size. From the random log of the production policy, from the
production log (bts) of an even choice.
"""


def fresh(worlds: int) -> bool:
    """Coverage in fresh worlds."""
    first = secrets.randbelow(1 << 40)
    found = coverage(range(first, first + worlds))
    for name, share in found.items():
        print(f"{name:14} {share:6.1%} of {worlds} intervals hold the truth (worlds from seed {first})")
    return min(found.values()) >= LEAST


def open_bandit(wheel: Path) -> bool:
    """The sample in the wheel against known figures."""
    with ZipFile(wheel) as archive:
        fine = True
        counts = json.loads(Path(__file__).with_name("open_bandit_thompson.json").read_text("utf-8"))
        for (log, campaign), known in KNOWN.items():
            number = len(counts[campaign])
            chance = _chance(counts[campaign]) if log == "random" else _even(number)
            weights, rewards = [], []
            for item, place, click, propensity in _rows(archive, log, campaign):
                weights.append(chance(item, place) / propensity)
                rewards.append(click)
            inverse, normalised = evaluation.ips(weights, rewards), evaluation.snips(weights, rewards)
            effective = evaluation.effective_size(weights)
            agrees = all(
                abs(one - other) <= 1e-12 * max(1.0, other)
                for one, other in zip((inverse.value, normalised.value, effective), known, strict=True)
            )
            fine = fine and agrees
            refused = "" if effective >= evaluation.LEAST_EFFECTIVE else "; botopt evaluate refuses this"
            print(
                f"{log:6} {campaign:5} IPS {inverse.value:.5f} ({inverse.low:.5f} to {inverse.high:.5f})  SNIPS "
                f"{normalised.value:.5f} ({normalised.low:.5f} to {normalised.high:.5f})  effective {effective:,.0f}  "
                f"{'as known' if agrees else 'NOT as known'}{refused}"
            )
    return fine


def _chance(counts: list[list[int]]) -> Callable[[int, int], float]:
    return lambda item, place: counts[item][place] / DRAWS


def _even(number: int) -> Callable[[int, int], float]:
    return lambda item, place: 1 / number


def _rows(archive: ZipFile, log: str, campaign: str) -> Iterator[tuple[int, int, float, float]]:
    with archive.open(f"obp/dataset/obd/{log}/{campaign}/{campaign}.csv") as raw:
        for row in csv.DictReader(io.TextIOWrapper(raw, "utf-8")):
            place = int(row["position"]) - 1
            yield int(row["item_id"]), place, float(row["click"]), float(row["propensity_score"])


def main() -> int:
    """All of it; 1 where something is not as it must be."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--worlds", type=int, default=150)
    asked.add_argument("--obp", type=Path, help="the wheel of obp 0.4.1")
    options = asked.parse_args()
    fine = fresh(options.worlds)
    if options.obp is not None:
        fine = open_bandit(options.obp) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
