"""What a log is folded into is what the engine knew when it decided."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from botopt.engine.build import build
from botopt.engine.features import bind
from botopt.model.click_model import FEATURES
from botopt.model.learning_policy import Scorer, ScorerUse
from botopt.model.policy import Policy
from botopt.verify.log import read_log
from botopt.verify.training.moments import Moment, fold
from tests.engine.timeline import load
from tests.verify.training.world import MODEL, TEMPLATES, Lived, live, policy, rules

NIGHT = """\
suppression:
  - {id: night, quiet_hours: {from: "19:00", to: "11:00"}}
"""
POLICIES = {
    "rates": policy(),
    "a scorer that replaces": policy(scorer=Scorer(MODEL)),
    "a scorer that multiplies": policy(scorer=Scorer(MODEL, ScorerUse.MULTIPLY), learn=False),
    "messages that wait for the same moment": load(rules() + NIGHT, TEMPLATES),
}


@pytest.fixture(scope="module", params=POLICIES)
def case(request: pytest.FixtureRequest) -> tuple[Policy, Lived]:
    """A policy, and what came of it."""
    found = POLICIES[request.param]
    return found, live(found, users=12, days=30)


def folded(policy: Policy, path: Path) -> tuple[dict[str, Sequence[float]], list[bool | None]]:
    """What the engine must have looked at, says the log."""
    engine = build(policy, "reference")
    looks, same = {}, []

    def look(moment: Moment) -> None:
        work = moment.work
        assert work is not None
        features = bind(engine.policy.settings, work.event.type)
        looks[moment.decision.id] = features(work.state, moment.now_us, moment.snapshot, moment.raw)
        same.append(moment.same)

    fold(read_log([path]), engine, look)
    return looks, same


def test_features_from_the_log_are_those_that_the_engine_looked_at(case: tuple[Policy, Lived], tmp_path: Path) -> None:
    policy, lived = case
    looks, same = folded(policy, lived.write(tmp_path / "log.jsonl"))
    assert len(looks) == len(lived.looks) > 500
    assert looks == lived.looks
    assert all(same)


def test_the_order_of_lines_and_files_does_not_matter(case: tuple[Policy, Lived], tmp_path: Path) -> None:
    policy, lived = case
    path = lived.write(tmp_path / "log.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    random.Random(3).shuffle(lines)
    path.write_bytes(b"".join(lines))
    assert folded(policy, path)[0] == lived.looks


def test_every_feature_varies_or_the_tests_above_say_little(case: tuple[Policy, Lived]) -> None:
    policy, lived = case
    for place, name in enumerate(FEATURES):
        values = {look[place] for look in lived.looks.values()}
        assert len(values) > (2 if name in ("raw_score", "hour") else 4) or (name == "hour" and not policy.scorer), name
