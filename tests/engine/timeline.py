"""A policy in YAML and events as short calls: tests that read like a story."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.engine.build import build
from botopt.engine.engine import Engine
from botopt.loading.policy import load_policy
from botopt.model.decision import Decision
from botopt.model.event import Line
from botopt.model.instants import instant_text, instant_us
from botopt.model.policy import Policy
from botopt.model.ports import StateStore
from botopt.model.user_state import UserState, unpack
from botopt.sources.envelope import Decoder
from botopt.state.memory import MemoryStore
from botopt.verify.replay import Decided, Replay

BASE = """\
settings: {fatigue: {per_message: 0}, engagement: {effect: 0}, SETTINGS}
categories:
  service: {consent: opt_out}
  ads: {consent: opt_in}
  alarm: {consent: not_needed}
user:
  plan: {type: text, one_of: [free, pro], default: free}
channels:
  chat: {type: console}
  sms: {type: console}
events:
  paid: {fields: {order: {type: text, optional: true}}}
  a: &type
    category: service
    channel: chat
    fields: {n: {type: number, default: 1}, order: {type: text, optional: true}}
    weight: 0.8
    message: hello
  b: *type
  c: {category: ads, channel: sms, weight: 0.8, message: hi, fields: {n: {type: number, default: 1}}}
  d: {category: alarm, channel: chat, weight: 0.8, message: hi, fields: {n: {type: number, default: 1}}}
"""
TEMPLATES = """\
templates:
  hello: "Hello {{ n }}"
  hi: "Hi"
"""

_ids = itertools.count(1)


def load(rules: str, templates: str = TEMPLATES) -> Policy:
    """The policy of these two texts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, text in (("rules", rules), ("templates", templates)):
            (folder / kind).mkdir()
            (folder / kind / "x.yaml").write_text(text, "utf-8")
        loaded = load_policy(folder, channel_types=CHANNEL_TYPES)
    assert loaded.policy is not None, loaded.diagnostics
    return loaded.policy


def policy(suppression: str = "", settings: str = "locale: en", extra: str = "") -> Policy:
    """The base policy with suppressions (one a line) and settings."""
    text = BASE.replace("SETTINGS", settings) + extra
    lines = [line for line in suppression.strip().splitlines() if line.strip()]
    return load(text + ("suppression:\n" + "".join(f"  - {line.strip()}\n" for line in lines) if lines else ""))


def us(text: str | int) -> int:
    """`09:00` is 2026-03-02T09:00Z, a Monday; `+1 09:00` the day after; anything longer is taken as it is."""
    if isinstance(text, int):
        return text
    if text.startswith("20"):
        return instant_us(text)
    day, _, clock = text.rpartition(" ")
    clock = clock + ":00" * (2 - clock.count(":"))
    return instant_us(f"2026-03-02T{clock}Z") + int(day or 0) * 86_400_000_000


def ev(type: str, at: str | int, user: str = "u", id: str | None = None, **data: object) -> dict[str, object]:
    """An event as a native envelope."""
    return {"id": id or f"e{next(_ids)}", "type": type, "user": user, "time": instant_text(us(at)), "data": data}


class Story:
    """An engine with a store; each call of `run` is a replay over some events."""

    def __init__(self, policy: Policy, network: str = "reference", batch: int = 2_000) -> None:
        self.engine: Engine = build(policy, network)
        self.store: StateStore = MemoryStore()
        self.batch = batch
        self.line = 0

    def run(self, events: Iterable[Mapping[str, object]], until: str | None = None) -> list[Decision]:
        """The records of a replay."""
        decoder = Decoder(self.engine.policy)
        replay = Replay(self.engine, decoder, self.store, batch=self.batch)
        lines = [Line(number, json.dumps(event).encode()) for number, event in enumerate(events, 1)]
        found = replay.run(lines, until_us=None if until is None else us(until))
        return [item.decision for item in found if isinstance(item, Decided)]

    def state(self, user: str = "u") -> UserState:
        """A user's state as it was committed."""
        return unpack(self.store.load([user])[user])


def tell(policy: Policy, *events: Mapping[str, object], until: str | None = None) -> list[Decision]:
    """The records of one replay with a fresh store."""
    return Story(policy).run(events, until)


def short(decisions: Iterable[Decision]) -> list[str]:
    """`sent`, or reason and name, with the end where there is one: `cooldown x until 2026-03-02T15:00:00Z`."""
    lines = []
    for decision in decisions:
        words = [decision.reason.value if decision.reason else decision.outcome.value]
        if decision.by:
            words.append(decision.by)
        if decision.until_us is not None:
            words.append(f"until {instant_text(decision.until_us)}")
        lines.append(" ".join(words))
    return lines
