"""A rule test learns from its own steps, as far as time has passed in it, and from nobody else."""

from __future__ import annotations

import json

from botopt.engine.work import Work
from botopt.model.decision import Decision
from botopt.model.event import Event, Line
from botopt.model.user_state import Send
from botopt.verify.alone import Alone
from botopt.verify.ruletest.history import Story
from tests.engine.support import DAY, HOUR, at
from tests.learning.everything import engine, timeline


class Ids:
    """Which snapshots decisions had."""

    def __init__(self) -> None:
        self.seen: list[str | None] = []

    def decided(self, work: Work, decision: Decision) -> None:
        self.seen.append(decision.snapshot)

    def responded(self, event: Event, send: Send) -> None:
        pass


def story(user: str, users: int, seed: int = 2) -> Story:
    events = timeline(seed, 200, users, wild=False)
    told = Story(engine(), user, None, None)
    told.tell(Line(number, json.dumps(event).encode()) for number, event in enumerate(events, 1))
    return told


def test_a_recorded_story_learns_each_hour_in_which_something_happened():
    decisions = [moment.decision for moment in story("u0", 2).moments if moment.decision is not None]
    snapshots = {decision.snapshot for decision in decisions if decision.snapshot}
    assert len(snapshots) > 5


def test_it_knows_nothing_of_others():
    events = timeline(2, 200, 2, wild=False)
    mine = [event for event in events if event["user"] == "u0"]
    alone = Story(engine(), "u0", None, None)
    alone.tell(Line(number, json.dumps(event).encode()) for number, event in enumerate(mine, 1))
    scores = [moment.decision.score for moment in story("u0", 2).moments if moment.decision is not None]
    assert [moment.decision.score for moment in alone.moments if moment.decision is not None][: len(scores)] == scores


def test_time_that_only_a_test_moves_is_followed_at_once_however_far():
    from botopt.model.user_state import UserState

    one, state, begin = Alone(engine()), UserState(), at("2026-03-02T09:00:00Z")
    seen = []
    for step in (0, HOUR // 2, HOUR, 40 * DAY):
        one.follow(state, begin + step, Ids())
        seen.append(one.learned.snapshot.at_us)
    assert seen == [begin, begin, begin + HOUR, begin + 40 * DAY]
