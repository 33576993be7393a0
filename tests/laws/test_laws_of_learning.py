"""What must hold of the learners, on fixed seeds; on fresh ones `make study` asks the same."""

from __future__ import annotations

import pytest

from benchmarks import laws


def test_where_there_is_nothing_to_learn_learning_changes_nothing() -> None:
    found = laws.null_world(range(12), users=100, days=40, workers=1, events=2.0, people=0)
    beaten = laws.beaten(found, laws.STATIC, laws.drawn_rate)

    assert beaten.change.has_zero
    assert beaten.change.half is not None
    assert beaten.change.half <= 0.03


def test_all_five_learners_beat_the_best_static_rule_of_somebody_who_knows_the_people() -> None:
    found = laws.modest_world(range(4), users=40, days=60, workers=1, people=120)

    assert laws.scored(found) == 4  # a scorer that learned from other people, and passed its gate
    assert all(each.trial.figures["policy"] != each.trial.figures[laws.FOUR] for each in found)
    assert laws.beaten(found, laws.HINDSIGHT).better == len(found)
    assert laws.beaten(found, laws.STATIC).better == len(found)


def test_a_variant_for_warm_users_does_not_fool_the_choice_of_variants() -> None:
    found = laws.confounded_variants(range(3), 1, raw=False)

    assert found.messages > 19_000
    assert found.learned.change.mean > 0


def test_a_budget_holds_through_a_surge_and_through_fading_scores() -> None:
    paced = laws.pacing(range(2), users=60, workers=1)

    assert paced.near["days 5-30"] >= 0.95
    assert paced.near["surge, days 30-33"] >= 0.80
    assert paced.near["days 34-45"] >= 0.95
    assert paced.near["days 49-60"] >= 0.95
    assert paced.messages["days 5-30"] == pytest.approx(laws.PACED, rel=0.05)


def test_the_better_hour_brings_more_clicks_per_message() -> None:
    assert laws.send_time(range(2), users=40, days=30, workers=1).better == 2
