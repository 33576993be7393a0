"""A small world with hidden truth, lived through by the engine, and the log that it leaves behind."""

from __future__ import annotations

import heapq
import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from botopt.engine.build import build
from botopt.engine.features import bind
from botopt.engine.work import Work
from botopt.learning.learner import Learner
from botopt.model.click_model import ClickModel, ModelKind
from botopt.model.decision import Decision
from botopt.model.durations import DAY_US, HOUR_US
from botopt.model.event import Event, Line
from botopt.model.instants import instant_text, instant_us
from botopt.model.learning_policy import Scorer
from botopt.model.policy import Policy
from botopt.model.record import encode_line
from botopt.model.user_state import Send, UserState
from botopt.sources.envelope import Decoder
from tests.engine.timeline import load

START_US = instant_us("2026-03-02T00:00:00Z")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC")
OFFSETS = {"Europe/Berlin": 1, "America/New_York": -5, "Asia/Kolkata": 5}
RULES = """\
settings: {threshold: 0.3, fatigue: {per_message: 0.005, limit: 0.02}, MORE}
channels: {chat: {type: console}}
events:
  news: {weight: 0.6, message: hello, channel: chat, fields: {n: {type: number, default: 1}}, rules: [{id: big, when: n > 5, score: +0.1}]}
  parcel: {weight: 0.8, message: hello, channel: chat}
  offer: {weight: 0.5, message: both, channel: chat}
"""
TEMPLATES = """\
templates:
  hello: "Hello"
  both: {choose: learn, variants: {short: {text: "Hi"}, long: {text: "Hello there"}}}
"""
MODEL = ClickModel(
    "by hand",
    ModelKind.LOGISTIC,
    ("user_rate", "hour", "sent_24h", "days_since_sent", "raw_score"),
    0.3,
    (0.9, 0.2, -0.2, 0.01, 0.1),
    passed=True,
    digest="abc",
)
"""A model that somebody made up."""

TYPES = {"news": -0.4, "parcel": 0.9, "offer": -1.0}


def rules(*, explore: str = "5%", learn: bool = True, scorer: str = "", more: str = "") -> str:
    """A rules file: three event types, rates learned from all users, and perhaps a scorer."""
    settings = f"engagement: {{learn: {str(learn).lower()}, explore: {explore}}}"
    settings += f", scorer: {scorer}" if scorer else ""
    return RULES.replace("MORE", settings + (f", {more}" if more else ""))


def policy(*, explore: str = "5%", learn: bool = True, scorer: Scorer | None = None) -> Policy:
    """The policy of `rules`, perhaps with a scorer that somebody made up."""
    found = load(rules(explore=explore, learn=learn), TEMPLATES)
    return found if scorer is None else msgspec.structs.replace(found, scorer=scorer, revision="scored")


def workspace(folder: Path, **settings: Any) -> Path:
    """The same as files."""
    for kind, text in (("rules", rules(**settings)), ("templates", TEMPLATES)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / kind / "all.yaml").write_text(text, "utf-8")
    return folder


@dataclass
class Lived:
    """What a run left: records and events as lines, and what the engine looked at for each decision."""

    decisions: list[Decision] = field(default_factory=list)
    events: list[Mapping[str, object]] = field(default_factory=list)
    looks: dict[str, Sequence[float]] = field(default_factory=dict)
    trusted: list[tuple[int, bool]] = field(default_factory=list)

    def write(self, path: Path, *, events: bool = True, records: bool = True) -> Path:
        """The log as one file of JSON lines."""
        lines = [encode_line(each) for each in self.decisions] if records else []
        lines += [json.dumps(each).encode() + b"\n" for each in self.events] if events else []
        path.write_bytes(b"".join(lines))
        return path


class _Watching:
    def __init__(self, lived: Lived) -> None:
        self._lived = lived

    def decided(self, work: Work, decision: Decision) -> None:
        look = bind(work.plan.settings, work.event.type)
        snapshot = work.learned.snapshot
        self._lived.looks[decision.id] = look(work.state, work.now_us, snapshot, round(work.raw, 6))

    def responded(self, event: Event, send: Send) -> None:
        """Nothing."""


def live(
    policy: Policy,
    *,
    seed: int = 1,
    users: int = 30,
    days: int = 40,
    a_day: float = 2.0,
    tired: float = 0.5,
    taste: float = 1.0,
    truth: float = -1.0,
    after: Mapping[int, float] | None = None,
) -> Lived:
    """Let users live. A click's log-odds: `truth`, the user's taste, the type, the hour, and `tired` for each message
    of the last day. `after` changes `truth` from a day on.
    """
    rng = random.Random(seed)
    engine, learner, decode = build(policy, "reference"), Learner(policy), Decoder(policy)
    states: dict[str, UserState] = {}
    lived = Lived()
    queue: list[tuple[int, int, Mapping[str, object]]] = []
    ids = iter(range(10**9))

    def plan(time_us: int, type: str, user: str, **data: object) -> None:
        id = next(ids)
        wire = {"id": f"e{id}", "type": type, "user": user, "time": instant_text(time_us), "data": data}
        heapq.heappush(queue, (time_us, id, wire))

    tastes = {f"u{number}": rng.gauss(0, taste) for number in range(users)}
    peaks = {user: rng.choice((9, 13, 20)) for user in tastes}
    zones = {user: rng.choice(ZONES) for user in tastes}
    for user in tastes:
        plan(START_US + rng.randrange(HOUR_US), "user.updated", user, timezone=zones[user])
        for _ in range(round(days * a_day)):
            time_us = START_US + HOUR_US + rng.randrange(days * DAY_US)
            kind = rng.choice(tuple(TYPES))
            plan(time_us, kind, user, **({"n": rng.randrange(10)} if kind == "news" else {}))
        for day in range(days):
            plan(START_US + day * DAY_US + (peaks[user] * HOUR_US + rng.randrange(2 * HOUR_US)), "user.active", user)
    changes = [(0, truth), *(after or {}).items()]
    ordinal = 0
    while queue:
        time_us, _, wire = heapq.heappop(queue)
        ordinal += 1
        raw = json.dumps(wire).encode()
        event = decode.decode(raw, ordinal, 0)
        assert isinstance(event, Event), event
        lived.events.append(wire)
        if not learner.low_us <= time_us < learner.next_us and learner.is_boundary(event.user, time_us, ordinal):
            learner.turn(time_us)
            lived.trusted.append((time_us, learner.learned.snapshot.scorer_ok))
        state = states.setdefault(event.user, UserState())
        line = Line(ordinal, raw)
        for decision in engine.decide(state, event, line, _Watching(lived), learned=learner.learned):
            lived.decisions.append(decision)
            if decision.message is None or decision.user is None:
                continue
            base = max(((day, value) for day, value in changes if time_us >= START_US + day * DAY_US), default=(0, 0))[
                1
            ]
            recent = sum(1 for send in state.sends if send.time_us > time_us - DAY_US) - 1
            hour = (time_us // HOUR_US + OFFSETS.get(zones[event.user], 0)) % 24
            odds = base + tastes[event.user] + TYPES[decision.event_type or event.type] - tired * recent
            odds += 0.4 * math.cos((hour - peaks[event.user]) / 24 * 2 * math.pi)
            for kind, delay_us in _answer(odds, random.Random(f"{seed} {decision.id}")):
                plan(time_us + delay_us, kind, event.user, message_id=decision.id)
        engine.prune(state)
    return lived


def _answer(odds: float, own: random.Random) -> Iterator[tuple[str, int]]:
    """What a user does with a message, and how long that takes."""
    if own.random() < 1 / (1 + math.exp(-odds)):
        yield "message.clicked", own.randrange(1, 8 * HOUR_US)
    elif own.random() < 0.05:
        yield "message.dismissed", own.randrange(1, 8 * HOUR_US)
    elif own.random() < 0.02:
        yield "message.failed", 1_000_000
