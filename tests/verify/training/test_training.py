"""Training: which rows count, how the gate judges, and that the same log gives the same bytes."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from botopt.learning.fitting import boosting
from botopt.loading.models import encode
from botopt.model.click_model import ClickModel, ModelKind
from botopt.model.durations import DAY_US
from botopt.model.learning_policy import Scorer
from botopt.model.trained_model import TrainingLog
from botopt.verify.log import read_log
from botopt.verify.training import candidates, training
from botopt.verify.training.judging import compared, judged, lacking
from botopt.verify.training.losses import error_of_mean
from botopt.verify.training.rows import ENGAGEMENT, MOST_COUNT, NAMES, Row, Rows, rows_of, split
from botopt.verify.training.training import train
from tests.verify.training.world import Lived, live, policy

LOGS = (TrainingLog("log.jsonl", "ab" * 32),)
LOGISTIC, TREES = (ModelKind.LOGISTIC,), (ModelKind.TREES,)
DEFAULTS = {"objective": "binary:logistic", "nthread": 1, "seed": 0}
"""What XGBoost does when nobody tells it otherwise: 100 trees of depth 6, eta 0.3."""


def made(number: int, seed: int, *, days: int = 40, strength: float = 1.0) -> list[Row]:
    """Rows of a plain truth: the engagement rate is right, and `sent_24h` matters by `strength`."""
    rng = random.Random(seed)
    found = []
    for place in range(number):
        day = place * days // number
        values = [rng.gauss(0, 1) for _ in NAMES]
        values[NAMES.index("user_rate")] = rng.gauss(-1.2, 0.7)
        sent = values[NAMES.index("sent_24h")] = float(rng.randrange(4))
        odds = values[0] + 0.6 * strength - strength * 0.5 * sent
        clicked = float(rng.random() < 1 / (1 + math.exp(-odds)))
        date = f"2026-{3 + day // 28:02}-{1 + day % 28:02}"
        found.append(Row(place * DAY_US // 100, date, f"u{rng.randrange(50)}", tuple(values), clicked, 1.0))
    return found


def asked(rows: Sequence[Row] | Rows, kinds: Sequence[ModelKind] = LOGISTIC, **options: object) -> training.Outcome:
    """Train on these."""
    found = rows if isinstance(rows, Rows) else Rows(tuple(rows), len(rows), None)
    return train(found, policy(), LOGS, name="clicks", kinds=kinds, **options)  # type: ignore[arg-type]


def test_a_log_with_something_to_learn_gives_a_model_that_passes(rows: Rows) -> None:
    found = asked(rows, tuple(ModelKind))
    assert found.gate is not None
    assert found.gate.passed
    assert found.gate.gain > found.gate.error > 0
    assert 0.9 <= found.gate.ratio <= 1.1
    assert {each.kind for each in found.tried if each.loss is not None} == set(ModelKind)


@pytest.mark.parametrize("kind", list(ModelKind))
def test_the_same_log_gives_the_same_bytes(log_file: Path, rows: Rows, kind: ModelKind) -> None:
    again = rows_of(read_log([log_file]), policy(), "reference")
    assert again == rows
    one, other = asked(rows, (kind,)), asked(again, (kind,))
    assert one.model is not None
    assert other.model is not None
    assert one.gate is not None
    assert other.gate is not None
    assert encode(one.model, one.training, one.gate) == encode(other.model, other.training, other.gate)


def test_held_out_days_are_the_last_fifth_and_nothing_is_learned_from_them() -> None:
    rows = made(2_000, 1)
    learned, held_out = split(rows)
    assert max(row.day for row in learned) < min(row.day for row in held_out)
    assert len({row.day for row in held_out}) == 8
    assert asked(rows).model == asked([*learned, *(flipped(row) for row in held_out)]).model


def flipped(row: Row) -> Row:
    return msgspec.structs.replace(row, clicked=1 - row.clicked)


def test_messages_of_the_last_day_are_no_rows_for_only_quick_clicks_of_them_are_known(log_file: Path) -> None:
    log = read_log([log_file])
    assert log.until_us is not None
    rows = rows_of(log, policy(), "reference").rows
    assert max(row.time_us for row in rows) <= log.until_us - DAY_US
    assert any(
        each.decision.time_us is not None
        and each.decision.time_us > log.until_us - DAY_US
        and each.response is not None
        and each.response.name == "CLICKED"
        for each in log.decisions
    )


def test_explored_messages_count_for_those_that_were_held_back(rows: Rows) -> None:
    counts = [row.count for row in rows.rows]
    assert 10 < sum(count > 1 for count in counts) < len(counts) / 10
    assert max(counts) == min(1 / 0.05, MOST_COUNT)


@pytest.mark.parametrize("number", [100, 200, 300])
def test_with_few_rows_trees_are_refused(number: int) -> None:
    found = asked(made(number, 1), TREES)
    assert found.model is None
    assert "trees need at least 2,000 messages" in " ".join(found.reasons)


@pytest.mark.parametrize("number", [100, 200, 300])
@pytest.mark.parametrize("seed", range(3))
def test_with_few_rows_default_boosted_trees_would_fail_the_gate_too(number: int, seed: int) -> None:
    learned, held_out = split(made(number, seed))
    boosted = boosting.train(
        [row.values for row in learned],
        [row.clicked for row in learned],
        [1.0] * len(learned),
        rounds=100,
        parameters=DEFAULTS,
    )
    model = ClickModel("defaults", ModelKind.TREES, NAMES, boosted.intercept, trees=boosted.trees)
    gate = judged(model, ENGAGEMENT, learned, held_out)
    assert not gate.passed
    assert gate.reasons


def test_where_engagement_is_right_a_model_is_rarely_adopted() -> None:
    """Nothing is to be learned: what passes does so by luck. One standard error lets a sixth pass, at most."""
    passed = sum(bool((gate := asked(made(600, seed, strength=0.0)).gate) and gate.passed) for seed in range(16))
    assert passed <= 4


def test_where_there_is_something_to_learn_most_models_pass() -> None:
    gates = [asked(made(3_000, seed)).gate for seed in range(3)]
    assert sum(gate is not None and gate.gain > gate.error for gate in gates) == 3
    assert sum(gate is not None and gate.passed for gate in gates) >= 2


def test_a_model_whose_chances_do_not_come_true_is_refused() -> None:
    learned, held_out = split(made(4_000, 1))
    good = candidates.candidate(ModelKind.LOGISTIC, learned, {}).model
    assert judged(good, ENGAGEMENT, learned, held_out).passed
    twice = msgspec.structs.replace(good, intercept=good.intercept + 0.3)
    gate = judged(twice, ENGAGEMENT, learned, held_out)
    assert not gate.passed
    assert "did not come true" in gate.reasons[-1]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no message whose answer is known"),
        (made(500, 1, days=1), "all 500 messages are of one day"),
        (made(60, 1), "which judge, have 12 messages"),
        (made(299, 1), "at least 300 messages"),
    ],
    ids=["none", "one day", "few held out", "few"],
)
def test_too_little_is_refused_in_a_sentence(rows: list[Row], words: str) -> None:
    found = asked(rows)
    assert found.model is None
    assert words in " ".join(found.reasons)


def test_the_model_in_use_is_what_must_be_beaten(rows: Rows) -> None:
    first = asked(rows)
    assert first.model is not None
    used = policy(scorer=Scorer(first.model))
    again = train(rows, used, LOGS, name="clicks", kinds=LOGISTIC)
    assert again.gate is not None
    assert again.gate.incumbent == "clicks"
    assert again.gate.gain == 0
    assert not again.gate.passed


def test_a_sign_that_costs_nothing_is_kept_and_one_that_costs_is_dropped() -> None:
    rows = made(2_000, 3)
    signs = {"user_rate": 1, "sent_24h": -1, "raw_score": 1}
    found = asked(rows, LOGISTIC, signs=signs).training
    assert dict(found.monotone).items() >= {"user_rate": "+", "sent_24h": "-"}.items()
    assert {*dict(found.monotone), *dict(found.dropped_monotone)} == {*signs}
    wrong = asked(rows, LOGISTIC, signs={"sent_24h": 1})
    assert dict(wrong.training.dropped_monotone) == {"sent_24h": "+"}
    assert wrong.model is not None
    assert wrong.model == asked(rows, LOGISTIC).model


def test_trees_with_a_sign_never_go_the_other_way() -> None:
    rows = made(3_000, 4)
    model = candidates.fitted(ModelKind.TREES, rows, {"user_rate": 1})
    odds = candidates.odds_of(model)
    place = NAMES.index("user_rate")
    for row in rows[:100]:
        values = [odds((*row.values[:place], value / 4, *row.values[place + 1 :])) for value in range(-16, 8)]
        assert values == sorted(values)


def test_without_xgboost_auto_does_without_trees_and_trees_alone_say_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    from botopt.model.errors import UsageError

    monkeypatch.setitem(sys.modules, "xgboost", None)
    rows = made(3_000, 1)
    found = asked(rows, tuple(ModelKind))
    assert found.model is not None
    assert found.model.kind is ModelKind.LOGISTIC
    assert "pip install 'botopt[ml]'" in str(found.tried[1].why_not)
    with pytest.raises(UsageError, match="botopt\\[ml\\]"):
        asked(rows, TREES)


def test_the_error_of_a_mean_is_that_of_users_where_their_messages_are_alike() -> None:
    values = [1.0] * 50 + [-1.0] * 50
    alone = error_of_mean(values, [1.0] * 100, [str(place) for place in range(100)])
    alike = error_of_mean(values, [1.0] * 100, ["a"] * 50 + ["b"] * 50)
    assert alone == pytest.approx(0.1)
    assert alike == pytest.approx(math.sqrt(2 * 50**2) / 100)


def test_comparing_a_model_with_itself_finds_no_difference() -> None:
    found = compared(ENGAGEMENT, ENGAGEMENT, made(200, 1))
    assert (found.gain, found.error) == (0, 0)
    assert found.ratio == found.other_ratio


def test_minimum_data_are_those_of_the_documentation() -> None:
    assert lacking(ModelKind.LOGISTIC, made(5_000, 1)) is None
    assert lacking(ModelKind.TREES, made(5_000, 1)) is None
    assert lacking(ModelKind.TREES, made(1_999, 1)) is not None


def test_a_log_without_events_but_with_a_state_gives_rows_too(tmp_path: Path) -> None:
    """Answers that only records of a state tell are folded in at their own time."""
    lived: Lived = live(policy(), users=6, days=20)
    log = read_log([lived.write(tmp_path / "log.jsonl")])
    silent = msgspec.structs.replace(
        log, events=tuple(event for event in log.events if not event.type.startswith("message."))
    )
    full, quiet = rows_of(log, policy(), "reference").rows, rows_of(silent, policy(), "reference").rows
    assert [row.clicked for row in full] == [row.clicked for row in quiet]
    differing = sum(one.values != other.values for one, other in zip(full, quiet, strict=True))
    assert differing <= len(full) / 20  # a dismissal before a click is not in a state any more
