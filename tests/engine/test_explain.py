"""Explanations: what would have sent a message is checked by sending it."""

from __future__ import annotations

import json

from botopt.engine.explain import Explainer
from botopt.model.decision import Reason
from botopt.model.event import Line
from botopt.sources.envelope import Decoder
from botopt.state.memory import MemoryStore
from botopt.verify.explaining import explain_event
from botopt.verify.replay import Replay
from tests.engine.timeline import Story, ev, load, policy

BASE = """\
settings: {fatigue: {per_message: 0}}
channels: {chat: {type: console}}
events:
  a:
    fields: {n: {type: number}, m: {type: number, default: 0}}
    weight: WEIGHT
    message: hi
    rules:
      - {id: up, when: n >= 100, score: +0.15}
      - {id: more, when: m >= 100, score: +0.15}
      - {id: down, when: n < 10, score: -0.2}
"""


def change(weight: str, **data: float) -> tuple[str, ...]:
    story = Story(load(BASE.replace("WEIGHT", weight), 'templates: {hi: "Hi"}'))
    decoder = Decoder(story.engine.policy)
    lines = [Line(1, json.dumps(ev("a", "09:00", id="x", **data)).encode())]
    [explanation] = explain_event(story.engine, decoder, MemoryStore(), lines, "x").explanations
    return explanation.change


def test_the_nearest_single_rule_is_named():
    assert change("0.7", n=9) == ("rule down would have to not match: n < 10 (n is 9)",)
    assert change("0.5", n=99) == ("rule up would have to match: n >= 100 (n is 99)",)
    assert change("0.5", n=20, m=99) == ("rule more would have to match: m >= 100 (m is 99)",)


def test_two_rules_are_named_where_one_is_not_enough():
    [sentence] = change("0.4", n=50, m=50)
    assert sentence == (
        "rule up would have to match: n >= 100 (n is 50); and rule more would have to match: m >= 100 (m is 50)"
    )


def test_a_weight_is_named_where_no_rules_are_enough():
    assert change("0.1", n=50) == ("the score is 0.5 too low: a weight of 0.61 would be enough",)


def test_every_reason_that_applies_is_listed_in_order():
    rules = policy(
        """
        {id: x, cooldown: 6h}
        {id: y, limit: 1, within: 24h}
        {id: z, quiet_hours: {from: "09:00", to: "10:00"}, unless: n > 5}
        """
    )
    story = Story(rules)
    explainer = Explainer(lambda decision: decision.event_id == "two")

    run = Replay(story.engine, Decoder(rules), story.store, observer=explainer)
    events = [ev("a", "09:00", n=9), ev("a", "09:30", id="two", n=1)]
    list(run.run([Line(i, json.dumps(event).encode()) for i, event in enumerate(events, 1)]))
    [explanation] = explainer.found
    applying = [stage.reason for stage in explanation.stages if stage.applies]
    assert applying == [Reason.COOLDOWN, Reason.CAPPED, Reason.QUIET_HOURS]
    assert explanation.decision.by == "x"
    assert [(s.id, s.stops) for s in explanation.suppressions] == [("x", True), ("y", True), ("z", True)]
    assert explanation.change == (
        "x stops it until 2026-03-02T15:00:00Z: at that time or later",
        "y stops it until 2026-03-03T09:00:00Z: at that time or later",
        "z stops it until 2026-03-02T10:00:00Z: at that time or later",
    )
