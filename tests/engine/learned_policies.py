"""Random policies with any of the learners, and random lives under them: everything follows from one seed."""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from botopt.model.click_model import ClickModel, ModelKind, Tree
from botopt.model.durations import DAY_US
from botopt.model.instants import instant_text
from botopt.model.learning_policy import Experiment, Pacing, Recency, Scorer, ScorerUse, SendTime
from botopt.model.policy import Policy
from tests.engine.learners import learning, written
from tests.engine.support import DAY, HOUR, MINUTE, Wire, at, ev

TEMPLATES = """\
templates:
  hello:
    choose: learn
    variants:
      one: {text: {en: "One {{ n | default(0) }}"}}
      two: {text: {en: "Two", de: "Zwei"}, buttons: [{label: Go, link: "https://x.example/{{ n | default(0) }}"}]}
      three: {text: {en: "\\"Three\\""}}
  other:
    choose: learn
    variants:
      warm: {when: "engagement.clicks > 0", text: {en: "Again {{ user.plan }}"}}
      busy: {when: "sent('6h') > 0", text: {en: "Once more"}}
      all: {text: {en: "All"}}
"""
EVENTS = """
old: {category: service, channel: chat, weight: 0.7, message: hello, expires_after: 5h, fields: {n: {type: number, default: 0}}}
dull: {channel: chat, weight: 0.7, message: hello, engagement: off, fields: {n: {type: number, default: 0}}}
must: {channel: chat, weight: 0.5, message: hello, always: true, fields: {n: {type: number, default: 0}}}
"""
SUPPRESSIONS = (
    "{id: c, cooldown: 2h}",
    "{id: c, cooldown: 1h, per: [user]}",
    "{id: l, limit: 3, within: 24h}",
    "{id: l, limit: 2, within: day}",
    '{id: q, quiet_hours: {from: "22:00", to: "08:00"}}',
    '{id: q, quiet_hours: {from: "13:00", to: "15:30", days: [mon, tue]}, unless: n > 5}',
    "{id: r, resolved_by: paid, within: 6h}",
    "{id: i, inhibited_by: fire, within: 1h}",
    "{id: m, mute: 12h, when: engagement.ignored_in_a_row >= 3}",
    "{id: t, in_conversation: 30m}",
)
RULES = (
    "{id: r1, when: n > 5, score: +0.15}",
    "{id: r2, when: engagement.rate < 0.25, threshold: +0.1}",
    "{id: r3, when: n == 99, threshold: -0.15}",
    "{id: r4, when: n == 98, score: -0.2, message: other}",
    "{id: r5, when: engagement.clicks >= 1, message: other}",
    "{id: r6, when: time.hour < 9, skip: true}",
)
KINDS = ("a", "b", "ad", "fire", "loose", "old", "dull", "must")
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe")
FEATURES = (
    *("user_rate", "type_rate", "hour", "sent_24h", "unanswered_7d", "days_since_click", "days_since_sent"),
    *("ignored_in_a_row", "raw_score"),
)


def scorer(random: Random) -> Scorer:
    """A model of either kind, as wild as may be, now and then one that has nothing to say."""
    use = random.choice(list(ScorerUse))
    if random.random() < 0.5:
        weights = [random.uniform(-0.3, 0.3) for _ in FEATURES]
        if random.random() < 0.1:
            weights[0] = float("inf")
        return Scorer(ClickModel("m", ModelKind.LOGISTIC, FEATURES, -1.0, tuple(weights)), use)
    stumps = tuple(
        Tree(
            (place, -1, -1), (1.0, 0.0, 0.0), (1, 0, 0), (2, 0, 0), (0.0, random.uniform(-1, 1), random.uniform(-1, 1))
        )
        for place in range(len(FEATURES))
    )
    return Scorer(ClickModel("t", ModelKind.TREES, FEATURES, -1.0, trees=stumps), use)


def policy_of(random: Random) -> Policy:
    """Each learner is there or not."""

    def some(share: float = 0.5) -> bool:
        return random.random() < share

    def pacing() -> Pacing:
        return Pacing(random.choice([0.4, 1.5, 3.0]), random.choice([DAY_US, 7 * DAY_US, 6 * HOUR]))

    limits = random.choice(["[0.5, 1.5]", "[0.2, 3]", "[1, 1]"])
    tired = random.choice(["{per_message: 0}", "{per_message: 0.05, within: 24h, limit: 0.2}"])
    settings = (
        f"fatigue: {tired}, engagement: {{prior: 0.3, strength: 3, half_life: {random.choice(['2d', '30d'])}, "
        f"effect: {random.choice([0.0, 0.5, 1.0])}, limits: {limits}}}, threshold: {random.choice([0.2, 0.5, 0.6])}, "
        f"timezone: {random.choice(ZONES)}, ignored_after: {random.choice(['2h', '24h'])}, seed: {random.randrange(99)}"
    )
    names: set[str] = set()
    stops = []
    for stop in random.sample(SUPPRESSIONS, random.randrange(5)):
        if stop[5] not in names:
            names.add(stop[5])
            stops.append(stop)
    rules = f"[{', '.join(random.sample(RULES, random.randrange(len(RULES))))}]"
    policy = written("\n".join(stops), settings, EVENTS, rules, TEMPLATES)
    recency = Recency(random.choice([0.0, 0.15]), random.choice([HOUR, 3 * DAY_US]))
    policy = replace(
        policy, templates={name: replace(each, recency=recency) for name, each in policy.templates.items()}
    )
    arms = (("now", 0.3), ("early", 0.5), ("late", 0.2))
    return learning(
        policy,
        engagement={"learn": some(), "explore": random.choice([0.0, 0.3, 1.0])},
        pacing=pacing() if some() else None,
        paced={name: pacing() for name in ("service", "alarm") if some(0.3)},
        timed={
            name: SendTime(random.choice([HOUR, 5 * HOUR, 30 * HOUR]), random.choice([0.0, 0.3]))
            for name in KINDS
            if some(0.3)
        },
        scorer=scorer(random) if some(0.4) else None,
        experiments=[Experiment("early", arms)] if some() else (),
        split={"r3": ("early", "early"), "r4": ("early", "late")},
        control=random.choice([0.0, 0.0, 0.3]),
        holdout=random.choice([0.0, 0.1]),
        refresh_us=random.choice([HOUR, 6 * HOUR]),
    )


def life(random: Random, number: int, users: int = 3) -> list[Wire]:
    """So many events; feedback is about the newest message, or one of a type."""
    now = at("2026-03-27T06:00:00Z")
    found: list[Wire] = []
    for step in range(number):
        now += random.choice([0, 1, MINUTE, 20 * MINUTE, HOUR, HOUR, 3 * HOUR, 9 * HOUR, DAY])
        kind = random.choice(
            [
                *KINDS,
                "a",
                "a",
                "b",
                "paid",
                *["message.clicked", "user.active"] * 2,
                "message.dismissed",
                random.choice(RARE),
            ]
        )
        data: dict[str, object] = {}
        if kind in ("a", "b", "old", "dull", "must"):
            data = {"n": random.choice([0, 0, 6])}
        elif kind == "user.updated":
            data = random.choice([{"timezone": random.choice(ZONES)}, {"plan": "pro"}, {"locale": "de"}])
        elif kind.endswith("subscribed"):
            data = random.choice([{}, {"category": "ads"}, {"category": "service"}])
        elif kind == "message.failed" and random.random() < 0.3:
            data = {"capped_until": instant_text(now + 5 * HOUR)}
        elif kind.startswith("message.") and random.random() < 0.3:
            data = {"event_type": random.choice(KINDS)}
        late = random.choice([0] * 15 + [HOUR, 2 * DAY, 40 * DAY, -1 * DAY])
        found.append(ev(kind, f"u{random.randrange(users)}", now - late, id=f"e{step}", **data))
        if random.random() < 0.03:
            found.append(dict(random.choice(found)))
    return found


RARE = ("user.updated", "user.subscribed", "user.unsubscribed", "user.deleted", "message.failed", "message.converted")
