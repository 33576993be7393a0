"""Small logs: events decided by a policy, with clicks drawn by a seed."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from botopt.engine.build import build
from botopt.learning.learner import Learner
from botopt.model.decision import Decision, Outcome
from botopt.model.event import Line
from botopt.model.instants import instant_text, instant_us
from botopt.model.policy import Policy
from botopt.model.record import encode_line
from botopt.model.user_state import UserState
from botopt.sources.envelope import Decoder
from botopt.verify.validate import load

START = instant_us("2026-03-02T00:00:00Z")
MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000

RULES = """\
settings:
  threshold: 0.50
  ignored_after: 6h
  engagement: {effect: 0.5, explore: EXPLORE}
  fatigue: {per_message: 0}
channels:
  chat: {type: console}
events:
  news:
    description: Something new.
    fields:
      size: {type: number, min: 0}
    weight: 0.60  # most of them are worth it
    message: hello
    rules:
      - {id: large, when: size >= 5, score: +0.15}
  offer:
    description: Something to buy.
    fields:
      size: {type: number, min: 0}
    weight: 0.55
    message: buy
suppression:
  - {id: once, cooldown: 2h, per: [user, event]}
  - {id: many, limit: 6, within: 24h}
"""
TEMPLATES = """\
templates:
  hello:
    choose: CHOOSE
    variants:
      a: {text: "Size {{ size }}", weight: 1}
      b: {text: "New: {{ size }}", weight: 1}
    samples: [{size: 3}]
  buy:
    variants:
      only: {text: "Buy {{ size }}"}
    samples: [{size: 3}]
"""
CLICKS: Mapping[str, float] = {"a": 0.20, "b": 0.40, "only": 0.10}
"""The chance of a click, by the variant alone."""


def workspace(folder: Path, *, choose: str = "weighted", explore: str = "0%", edit: Callable[[str], str] = str) -> Path:
    """A policy of two event types; `edit` changes its rules and templates."""
    for name, text in (
        ("rules/r.yaml", RULES.replace("EXPLORE", explore)),
        ("templates/t.yaml", TEMPLATES.replace("CHOOSE", choose)),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(edit(text), "utf-8")
    return folder


def events(users: int, days: int, seed: int = 0) -> list[dict[str, object]]:
    """Each user meets some 6 events a day, in the order of time."""
    random = Random(seed)
    found = []
    for number in range(users * days * 6):
        kind = "news" if random.random() < 0.6 else "offer"
        at = START + round(random.random() * days * DAY)
        data = {"size": round(random.random() * 10, 2)}
        event = {"id": f"e{number}", "type": kind, "user": f"u{random.randrange(users)}", "data": data}
        found.append((at, {**event, "time": instant_text(at)}))
    return [event for _, event in sorted(found, key=lambda pair: pair[0])]


def chance_of(decision: Decision) -> float:
    """The chance of a click on a message that was sent."""
    return 0.0 if decision.message is None else CLICKS[decision.message.variant]


def write_log(
    folder: Path,
    policy: Policy,
    happened: list[dict[str, object]],
    seed: int = 0,
    clicks: Callable[[Decision], float] = chance_of,
) -> tuple[Path, Path]:
    """Decide events, and let users click five minutes later; a file of all events, and one of records."""
    random = Random(f"clicks {seed}")
    engine, decoder, learner = build(policy), Decoder(policy), Learner(policy)
    states: dict[str, UserState] = {}
    queue = [(instant_us(str(event["time"])), place, event) for place, event in enumerate(happened)]
    heapq.heapify(queue)
    lines, records, number = [], [], len(queue)
    while queue:
        time_us, _, wire = heapq.heappop(queue)
        raw = json.dumps(wire).encode()
        lines.append(raw)
        event = decoder.decode(raw, len(lines))
        found = []
        if learner.is_boundary(event.user, time_us, len(lines)):
            until = min(learner.ripe_us(time_us), time_us)
            for each in states.values():
                found += engine.release(each, until, learned=learner.learned)
            learner.turn(time_us)
        state = states.setdefault(event.user, UserState())
        found += engine.decide(state, event, Line(len(lines), raw), learned=learner.learned)
        for decision in found:
            records.append(encode_line(decision))
            if decision.outcome is Outcome.SENT and random.random() < clicks(decision):
                at = decision.time_us + 5 * MINUTE
                click = {"id": f"c{number}", "type": "message.clicked", "user": event.user, "time": instant_text(at)}
                heapq.heappush(queue, (at, number, {**click, "data": {"message_id": decision.message.id}}))
                number += 1
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "events.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    (folder / "decisions.jsonl").write_bytes(b"".join(records))
    return folder / "events.jsonl", folder / "decisions.jsonl"


def policy_of(folder: Path, **changes: object) -> Policy:
    """The policy of a workspace made by `workspace`."""
    return load(workspace(folder, **changes))
