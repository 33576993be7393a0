"""`scorer`: a model's chance of a click in the place of the engagement factor, or beside it."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from botopt.learning.lessons import ONE
from botopt.model.click_model import FEATURES, ClickModel, ModelKind
from botopt.model.decision import Decision
from botopt.model.learning_policy import Scorer, ScorerUse
from tests.engine.learners import LIVELY, Course, explained, ignores, learning, term, written
from tests.engine.support import at, ev, short


def says(chance: float, use: ScorerUse = ScorerUse.REPLACE) -> Scorer:
    """A model that always says this."""
    return Scorer(ClickModel("m", ModelKind.LOGISTIC, (), math.log(chance / (1 - chance))), use)


def looks_at(feature: str, weight: float = 1.0, intercept: float = 0.0) -> Scorer:
    return Scorer(ClickModel("m", ModelKind.LOGISTIC, (feature,), intercept, (weight,)))


SILENT = looks_at("raw_score", math.inf)


def course(scorer: Scorer, events: str = "", **learners: object) -> Course:
    return Course(learning(written(settings=LIVELY, events=events), scorer=scorer, **learners))


def one(run: Course, kind: str = "a", time: str = "09:00", **data: object) -> Decision:
    [decision] = run(ev(kind, "u", time, **data))
    explained(decision)
    return decision


def seen(feature: str, run: Course, **event: object) -> float:
    """The value of a feature, read back from the chance that a model of nothing else finds."""
    run.engine = Course(replace(run.policy, scorer=looks_at(feature, 0.01))).engine
    factor = term(one(run, **event), "scorer")
    chance = 0.3 * factor**2
    return math.log(chance / (1 - chance)) / 0.01


def test_it_replaces_the_engagement_factor():
    run = course(says(0.48))
    ignores(run.state())
    decision = one(run)
    factor = math.sqrt(0.48 / 0.3)
    assert term(decision, "engagement") == 1
    assert term(decision, "scorer") == pytest.approx(factor, abs=1e-6)
    assert decision.score == pytest.approx(min(0.8 * factor, 1), abs=1e-6)


def test_or_it_multiplies_it():
    run = course(says(0.48, ScorerUse.MULTIPLY))
    ignores(run.state())
    decision = one(run)
    assert term(decision, "engagement") == 0.5
    assert term(decision, "scorer") == pytest.approx(math.sqrt(1.6), abs=1e-6)
    assert decision.score == pytest.approx(0.8 * 0.5 * math.sqrt(1.6), abs=1e-6)


def test_the_two_of_them_stand_in_the_record_in_their_order():
    decision = one(course(says(0.48)))
    assert [part.part for part in decision.parts] == ["base", "engagement", "scorer", "fatigue"]


@pytest.mark.parametrize(("chance", "factor"), [(1e-9, 0.5), (0.999, 1.5)])
def test_it_keeps_to_the_limits(chance, factor):
    assert term(one(course(says(chance))), "scorer") == factor


def test_where_it_has_nothing_to_say_the_engagement_factor_stands():
    for use in ScorerUse:
        run = course(replace(SILENT, use=use))
        ignores(run.state())
        run.state().clock_us = at("08:30")
        decision = one(run)
        assert (term(decision, "engagement"), term(decision, "scorer")) == (0.5, None)


def test_where_it_foretold_what_did_not_come_it_is_not_asked():
    run = course(says(0.48))
    ignores(run.state())
    run.learner.learned.snapshot = replace(run.learner.learned.snapshot, scorer_ok=False)
    run.learner.low_us, run.learner.next_us = -(2**62), 2**62
    decision = one(run)
    assert (term(decision, "engagement"), term(decision, "scorer")) == (0.5, None)
    assert run.state().sends == []


def test_a_model_that_foretells_too_much_is_not_asked_any_more_after_a_while():
    run = course(says(0.9))
    for number in range(150):
        [decision] = run(ev("a", f"u{number}", "09:00"))
        assert term(decision, "scorer") == 1.5
        run(ev("message.dismissed", f"u{number}", "09:01"))
    [before], [after] = run(ev("a", "v", "09:59")), run(ev("a", "w", "10:00"))
    assert (term(before, "scorer"), term(after, "scorer")) == (1.5, None)


def test_what_is_compared_is_what_it_foretold():
    run = course(says(0.4))
    for number in range(150):
        run(ev("a", f"u{number}", "09:00"))
        run(ev("message.clicked" if number % 10 < 4 else "message.dismissed", f"u{number}", "09:01"))
    [decision] = run(ev("a", "w", "10:00"))
    assert term(decision, "scorer") is not None


def test_what_it_foretold_is_remembered_with_the_message():
    run = course(says(0.4))
    one(run)
    assert run.state().sends[-1].lesson.scored == round(0.4 * ONE)


def test_an_event_type_without_engagement_is_not_scored():
    decision = one(course(says(0.48), "off: {weight: 0.8, message: hello, channel: chat, engagement: off}"), "off")
    assert (term(decision, "engagement"), term(decision, "scorer"), decision.score) == (1, None, 0.8)


def test_the_control_group_is_not_scored():
    decision = one(course(says(0.48), control=1.0))
    assert (term(decision, "engagement"), term(decision, "scorer"), decision.score) == (1, None, 0.8)


def test_what_it_keeps_back_may_be_explored():
    decision = one(course(says(0.01), engagement={"explore": 1.0}))
    assert (short(decision), decision.score) == ("sent", 0.8)
    assert term(decision, "explore") == pytest.approx(0.4)


# ---------------------------------------------------------------- what it looks at


def quiet(*before: dict[str, object]) -> Course:
    run = Course(learning(written(settings=LIVELY)))
    run(*before)
    return run


SENT = ev("fire", "u", "mon 09:00")
CLICK = ev("message.clicked", "u", "mon 21:00")


@pytest.mark.parametrize(
    ("feature", "before", "value"),
    [
        ("user_rate", [], math.log(0.3 / 0.7)),
        ("type_rate", [], math.log(0.3 / 0.7)),
        ("hour", [], 0.0),
        ("sent_24h", [], 0),
        ("sent_24h", [SENT], 1),
        ("sent_24h", [SENT, ev("message.failed", "u", "mon 09:01")], 0),
        ("sent_24h", [ev("fire", "u", at("mon 09:00") - 1)], 1),
        ("unanswered_7d", [SENT, ev("b", "u", "mon 10:00")], 2),
        ("unanswered_7d", [SENT, CLICK], 0),
        ("days_since_click", [], 30),
        ("days_since_click", [SENT], 30),
        ("days_since_click", [SENT, CLICK], 0.5),
        ("days_since_sent", [], 30),
        ("days_since_sent", [SENT], 1),
        ("days_since_sent", [SENT, ev("message.failed", "u", "mon 09:01")], 30),
        ("ignored_in_a_row", [], 0),
        ("ignored_in_a_row", [SENT, ev("b", "u", "mon 09:00")], 2),
        ("raw_score", [], 0.8),
    ],
)
def test_features_are_what_the_page_says(feature, before, value):
    time = "tue 09:00"
    if feature == "sent_24h" and before and before[0]["time"] != SENT["time"]:
        time = at("tue 09:00") - 2
    elif feature == "sent_24h":
        time = at("tue 09:00") - 1
    assert seen(feature, quiet(*before), time=time) == pytest.approx(value, abs=2e-2)


def test_every_feature_has_a_value_for_everybody():
    for feature in FEATURES:
        assert abs(seen(feature, quiet(), time="tue 09:00")) <= 30.01
