"""A policy that switches on every learner, and timelines on which each of them has something to do."""

from __future__ import annotations

import functools
import random

from msgspec.structs import replace

from botopt.engine.build import build
from botopt.engine.engine import Engine
from botopt.model.click_model import ClickModel, ModelKind
from botopt.model.condition import Comparison, Literal, Ref, Scope, ValueType
from botopt.model.durations import DAY_US
from botopt.model.learning_policy import Experiment, Pacing, Scorer, ScorerUse, SendTime
from botopt.model.policy import Choose, Policy, Rule, When
from tests.engine.support import HOUR, MINUTE, Wire, Workspace, at, base, ev

TEMPLATES = """\
templates:
  hello:
    choose: learn
    variants:
      warm: {text: "Hello"}
      cold: {text: "Good day"}
      long: {when: time.hour >= 15, text: "Hello again, how nice to see you"}
  other:
    choose: learn
    variants:
      one: {text: "Other"}
      two: {text: "Another"}
"""
SUPPRESSION = """\
{id: night, quiet_hours: {from: "22:00", to: "08:00"}}
{id: cool, cooldown: 2h, events: [b]}
"""
RULES = "[{id: big, when: n > 7, message: other, score: +0.1}]"
MODEL = ClickModel(
    "small",
    ModelKind.LOGISTIC,
    ("user_rate", "type_rate", "hour", "sent_24h"),
    -0.2,
    (0.4, 0.3, 0.2, -0.1),
    passed=True,
)


@functools.cache
def everything(
    settings: str = "timezone: Europe/Berlin, holdout: 5%, threshold: 0.75", use: ScorerUse = ScorerUse.MULTIPLY
) -> Policy:
    """Every learner at once."""
    text = base(SUPPRESSION, settings, rules=RULES, events="extra: {channel: chat, weight: 0.7, message: other}")
    policy = Workspace(text, TEMPLATES).engine.policy
    was = policy.settings
    arm = Ref(Scope.EXPERIMENT, "early", ValueType.TEXT, one_of=("now", "early"))
    early = Rule("early", When(Comparison("==", arm, Literal("early"))), score=0.05, threshold=-0.1)
    events = {
        name: replace(
            each,
            send_time=SendTime(12 * HOUR, 0.2) if name in ("b", "loose") else None,
            rules=(*each.rules, early) if each.decides and name != "fire" else each.rules,
        )
        for name, each in policy.events.items()
    }
    return replace(
        policy,
        settings=replace(
            was,
            engagement=replace(was.engagement, learn=True, explore=0.5),
            pacing=Pacing(0.8, DAY_US),
            control=0.15,
        ),
        categories={
            name: replace(each, pacing=Pacing(3.0, 7 * DAY_US) if name == "ads" else None)
            for name, each in policy.categories.items()
        },
        events=events,
        templates={name: replace(each, choose=Choose.LEARN) for name, each in policy.templates.items()},
        experiments={"early": Experiment("early", (("now", 0.5), ("early", 0.5)))},
        scorer=Scorer(MODEL, use),
        revision="everything",
    )


@functools.cache
def engine(network: str = "reference") -> Engine:
    """It, compiled."""
    return build(everything(), network)


KINDS = (
    *("a", "b", "loose", "fire", "extra", "ad") * 3,
    *("message.clicked",) * 7,
    "message.dismissed",
    "message.failed",
)
ABOUT_USERS = ("user.active", "user.active", "user.updated", "user.subscribed", "user.unsubscribed", "user.deleted")
GAPS = (0, MINUTE, 10 * MINUTE, 10 * MINUTE, HOUR // 2, HOUR, 5 * HOUR, 26 * HOUR, 80 * HOUR)
LATE = (0, 0, 0, 0, 0, 0, 0, HOUR, 30 * HOUR, -3 * HOUR, -20 * HOUR, -40 * HOUR)


def timeline(seed: int, length: int = 120, users: int = 9, *, wild: bool = True) -> list[Wire | bytes]:
    """Events of some days: some late, some early, some twice, some lines that are none, and a wrong clock.

    Without `wild` every event comes once, at its time.
    """
    chance = random.Random(seed)
    now = at("2026-03-02T06:00:00Z") + chance.randrange(24) * HOUR
    found: list[Wire | bytes] = []
    for number in range(length):
        now += chance.choice(GAPS[:-1]) // (1 if wild else 2)
        kind = chance.choice(KINDS if chance.random() < 0.85 else ABOUT_USERS)
        user = f"u{chance.randrange(users)}"
        data: dict[str, object] = {}
        if kind in ("a", "b"):
            data["n"] = chance.choice((1, 4, 6, 9))
        if kind == "user.updated":
            data["timezone"] = chance.choice(("Asia/Kolkata", "UTC"))
        if kind.endswith("subscribed") and chance.random() < 0.7:
            data["category"] = chance.choice(("service", "ads"))
        time_us = now - (chance.choice(LATE) if wild else 0)
        if wild and chance.random() < 0.01:
            time_us = at("2099-01-01T00:00:00Z") + number
        found.append(ev(kind, user, time_us, id=f"e{number}", **data))
        if wild and chance.random() < 0.08:
            found.append(chance.choice((b"{", b"", b'{"id": 1}', b'{"time":"2020-01-01T00:00:00Z"}', dict(found[-1]))))
        if wild and chance.random() < 0.03:
            found.append(b'{"id":"x%d","type":"a","user":"\\u00751","time":"2026-03-05T09:00:00+02:00"}' % number)
    return found
