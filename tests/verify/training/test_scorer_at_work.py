"""A trained model at work in a policy: it decides, it is left when its chances do not come true, and it comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from botopt.loading.models import encode, read_model
from botopt.model.click_model import ClickModel, ModelKind
from botopt.model.decision import Decision
from botopt.model.durations import DAY_US
from botopt.model.learning_policy import Scorer, ScorerUse
from botopt.model.policy import Policy
from botopt.model.trained_model import TrainingLog
from botopt.verify.training.rows import Rows
from botopt.verify.training.training import train
from botopt.verify.validate import load
from tests.verify.running import in_lines, plainly
from tests.verify.training.world import MODEL, START_US, Lived, live, policy, workspace

CHANGE = 25
"""The day on which people change."""


@pytest.fixture(scope="module")
def model(rows: Rows) -> ClickModel:
    """What the log of a world gives."""
    found = train(rows, policy(), (TrainingLog("log.jsonl", "00"),), name="clicks", kinds=(ModelKind.LOGISTIC,))
    assert found.model is not None
    assert found.gate is not None
    data = encode(found.model, found.training, found.gate)
    assert found.gate.passed
    from botopt.loading.models import decode

    return decode(data).model


def parts(decision: Decision) -> dict[str, float]:
    return {part.part: part.value for part in decision.parts}


def asked(lived: Lived, day: int, until: int) -> list[bool]:
    """Of each decision of these days, whether the scorer had a say."""
    bounds = (START_US + day * DAY_US, START_US + until * DAY_US)
    return [
        "scorer" in parts(each)
        for each in lived.decisions
        if each.parts and each.time_us is not None and bounds[0] <= each.time_us < bounds[1]
    ]


@pytest.mark.parametrize("use", list(ScorerUse))
def test_a_scorer_replaces_or_multiplies_what_the_history_says(model: ClickModel, use: ScorerUse) -> None:
    lived = live(policy(scorer=Scorer(model, use)), users=10, days=12)
    assert all(asked(lived, 0, 12))
    factors = {round(parts(each)["engagement"], 6) for each in lived.decisions if each.parts}
    assert (factors == {1.0}) is (use is ScorerUse.REPLACE)
    assert len({round(parts(each)["scorer"], 6) for each in lived.decisions if each.parts}) > 50


def test_when_people_change_the_scorer_is_left_and_when_they_change_back_it_is_asked_again(model: ClickModel) -> None:
    used = policy(scorer=Scorer(model), explore="20%")
    lived = live(used, seed=5, users=40, days=70, after={CHANGE: -4.0, CHANGE + 15: -1.0})
    assert all(asked(lived, 0, CHANGE))
    without = asked(lived, CHANGE + 12, CHANGE + 15)
    assert without
    assert not any(without)
    believed = dict(lived.trusted)
    assert set(believed.values()) == {True, False}
    left = [each for each in lived.decisions if each.parts and "scorer" not in parts(each)]
    assert any(parts(each)["engagement"] != 1 for each in left)  # the history decides
    assert all(asked(lived, 67, 70))


def test_another_model_is_judged_anew() -> None:
    from botopt.learning.learner import Learner

    used = policy(scorer=Scorer(MODEL))
    other = policy(scorer=Scorer(ClickModel("other", MODEL.kind, MODEL.features, 0, MODEL.weights, digest="def")))
    first = Learner(used)
    first.learned.recorder.lessons.add(((f"sn\0{MODEL.digest}", 400 << 20), (f"se\0{MODEL.digest}", 300 << 20)))
    first.turn(START_US)
    assert not first.learned.snapshot.scorer_ok
    second = Learner(other)
    second.restore(first.keep(), first.since())
    assert second.learned.snapshot.scorer_ok


def test_a_workspace_with_a_trained_model_decides_the_same_on_every_way(model: ClickModel, rows: Rows) -> None:
    used = policy(scorer=Scorer(model))
    from botopt.engine.build import build

    engine = build(used, "reference")
    events = [dict(event) for event in live(policy(), users=6, days=8).events]
    assert in_lines(engine, events).records == plainly(engine, events).records


def test_the_path_in_settings_leads_to_the_model(rows: Rows, tmp_path: Path) -> None:
    found = train(rows, policy(), (TrainingLog("log.jsonl", "00"),), name="clicks", kinds=(ModelKind.LOGISTIC,))
    assert found.model is not None
    assert found.gate is not None
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "clicks.json").write_bytes(encode(found.model, found.training, found.gate))
    loaded: Policy = load(workspace(tmp_path, scorer="{model: models/clicks.json, use: multiply}"))
    assert loaded.scorer is not None
    assert loaded.scorer.use is ScorerUse.MULTIPLY
    assert loaded.scorer.model == read_model(tmp_path / "models" / "clicks.json")
