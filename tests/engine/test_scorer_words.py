"""Which inputs moved a scorer's chance most, in explanations: the first three in words, all of them as numbers."""

from __future__ import annotations

import json
import math

import pytest
from msgspec.structs import replace

from botopt.engine.build import build
from botopt.engine.explain import Explanation
from botopt.engine.explained import explanation_plain
from botopt.engine.scorer_words import Moved, moved_words
from botopt.model.click_model import FEATURES, ClickModel, ModelKind, Tree
from botopt.model.event import Line
from botopt.model.learning_policy import Scorer
from botopt.sources.envelope import Decoder
from botopt.state.memory import MemoryStore
from botopt.verify.explaining import explain_event
from tests.engine.timeline import ev, load

RULES = """\
settings: {threshold: 0.1, fatigue: {per_message: 0}}
channels: {chat: {type: console}}
events:
  news: {weight: 0.6, message: hello, channel: chat}
"""
LINE = ClickModel(
    "by hand",
    ModelKind.LOGISTIC,
    ("user_rate", "unanswered_7d", "raw_score"),
    0.3,
    (0.2, -0.9, 0.5),
    passed=True,
    digest="abc",
    middles=(-1.0, 1.0, 0.4),
)
TREES = ClickModel(
    "by hand",
    ModelKind.TREES,
    ("unanswered_7d", "hour"),
    trees=(Tree((0, -1, -1), (1.5, 0.0, 0.0), (1, 0, 0), (2, 0, 0), (0.1, 0.4, -0.2)),),
    passed=True,
    digest="abc",
)


def explained(model: ClickModel) -> Explanation:
    """The fourth message of a day, of which none was clicked."""
    policy = replace(load(RULES, "templates: {hello: Hello}"), scorer=Scorer(model))
    wires = [ev("news", f"{hour:02}:00", id=f"n{hour}") for hour in (6, 8, 10, 12)]
    lines = [Line(number, json.dumps(wire).encode()) for number, wire in enumerate(wires, 1)]
    engine = build(policy, "reference")
    [found] = explain_event(engine, Decoder(policy), MemoryStore(), lines, "n12").explanations
    return found


def test_the_inputs_that_moved_it_most_stand_in_its_sentence() -> None:
    [sentence] = [each for each in explained(LINE).learned if each.startswith("scorer")]
    assert sentence == (
        "scorer: it gives a click a chance of 9.4%, which makes × 0.559; against a usual message it is lowered most by "
        "messages of the last 7 days without a click (3), then raised by the score of the rules (0.6), "
        "then raised by what this user clicked and ignored (30%)"
    )


def test_all_inputs_are_in_the_json_the_most_important_first() -> None:
    found = explained(LINE)
    assert [each["feature"] for each in explanation_plain(found)["moved"]] == [
        "unanswered_7d",
        "raw_score",
        "user_rate",
    ]
    first = found.moved[0]
    assert (first.value, first.by) == (3.0, pytest.approx(-0.9 * (3 - 1)))


def test_trees_are_held_against_the_mean_of_their_leaves() -> None:
    found = explained(TREES)
    assert [(each.feature, each.by) for each in found.moved] == [("unanswered_7d", pytest.approx(-0.3)), ("hour", 0.0)]
    [sentence] = [each for each in found.learned if each.startswith("scorer")]
    assert sentence.endswith("it is lowered by messages of the last 7 days without a click (3)")


def test_a_line_without_its_middle_values_cannot_say_what_moved_it() -> None:
    found = explained(replace(LINE, middles=()))
    assert found.moved == ()
    assert any(each.startswith("scorer: it gives") and "usual" not in each for each in found.learned)


def test_every_feature_has_words() -> None:
    for feature in FEATURES:
        assert moved_words([Moved(feature, 0.5, 1.0)]).startswith("; against a usual message it is raised by ")
    assert "(73%)" in moved_words([Moved("user_rate", 1.0, 1.0)])
    assert "(2 times as active as on average)" in moved_words([Moved("hour", math.log(2), 1.0)])
