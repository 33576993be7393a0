"""Small random policies, as people might write them by mistake: rules that exclude each other, scores that do not add up."""

from __future__ import annotations

import random

from botopt.model.policy import Policy
from tests.loading.making import load_data

_FIELDS = {
    "n": [{"type": "integer", "min": 0, "max": 6}, {"type": "integer", "min": 0, "max": 6, "optional": True}],
    "x": [{"type": "number", "min": 0, "max": 10}, {"type": "number", "min": 0, "optional": True}],
    "t": [
        {"type": "text", "max_length": 4},
        {"type": "text", "one_of": ["ab", "abc", "b"], "default": "b"},
        {"type": "text", "optional": True},
    ],
    "b": [{"type": "boolean"}, {"type": "boolean", "optional": True}],
}
_USER = {"plan": {"type": "text", "one_of": ["free", "pro", "vip"], "default": "free"}}
_LEAVES = {
    "n": [
        "n >= {k}",
        "n < {k}",
        "n == {k}",
        "n != {k}",
        "n in [{k}, 5]",
        "n * 2 > {k}",
        "{k} <= n < 6",
        "n is defined",
    ],
    "x": ["x > {k}.5", "x <= {k}", "x >= {k}", "x == {k}", "x + 1 < {k}", "x / 2 > {k}", "x is defined"],
    "t": ["t == 'ab'", "t != 'abc'", "t in ['ab', 'b']", "'b' in t", "'abc' in t", "'c' not in t", "t == 'abcde'"],
    "b": ["b", "not b", "b is defined"],
    "plan": ["user.plan == 'free'", "user.plan != 'vip'", "user.plan in ['pro', 'vip']", "user.plan == 'pro'"],
    "time": [
        "time.hour >= {h}",
        "time.hour < {h}",
        "time.weekend",
        "time.weekday == 'mon'",
        "time.weekday in ['sat', 'sun']",
    ],
    "past": [
        "count('a', '1h') >= 2",
        "seen('z', '1h')",
        "sent('1h') >= 1",
        "engagement.clicks >= 1",
        "count('a', '1h') < 1",
    ],
}
_BOTH = {("n", "x"): ["n > x", "x - n > 2"], ("b", "n"): ["b == (n)"]}


def _leaf(chance: random.Random, names: list[str]) -> str:
    if "n" in names and "x" in names and chance.random() < 0.1:
        return chance.choice(_BOTH["n", "x"])
    text = chance.choice(_LEAVES[chance.choice(names)])
    return text.format(k=chance.randrange(0, 7), h=chance.choice([6, 8, 12, 20, 22]))


def _condition(chance: random.Random, names: list[str], depth: int = 0) -> str:
    kind = chance.random()
    if depth == 2 or kind < 0.4:
        return _leaf(chance, names)
    inner = [_condition(chance, names, depth + 1) for _ in range(2)]
    if kind < 0.75:
        return f"({inner[0]}) and ({inner[1]})"
    return f"({inner[0]}) or ({inner[1]})" if kind < 0.9 else f"not ({inner[0]})"


def _rule(chance: random.Random, number: int, names: list[str]) -> dict[str, object]:
    rule: dict[str, object] = {"id": f"r{number}", "when": _condition(chance, names)}
    for effect in chance.sample(
        ["score", "score", "threshold", "skip", "message", "channel"], 1 if chance.random() < 0.7 else 2
    ):
        if effect == "score":
            rule["score"] = chance.choice([0.05, 0.1, 0.2, 0.4, -0.1, -0.3, 1])
        elif effect == "threshold":
            rule["threshold"] = chance.choice([0.1, -0.1, -0.3, 0.4])
        elif effect == "skip":
            rule["skip"] = True
        else:
            rule[effect] = chance.choice(["hello", "other"] if effect == "message" else ["chat", "sms"])
    return rule


def _suppression(chance: random.Random, number: int, names: list[str]) -> dict[str, object]:
    kind = chance.choice(["mute", "mute", "drop", "hold", "cooldown", "limit", "tired"])
    found: dict[str, object] = {"id": f"s{number}"}
    if kind == "mute":
        found |= {"mute": "always", "when": _condition(chance, names), "events": ["a"]}
    elif kind == "tired":
        found |= {"mute": "1d", "when": _condition(chance, names), "events": ["a"]}
    elif kind in ("drop", "hold"):
        hours = chance.choice([("22:00", "08:00"), ("06:00", "22:00"), ("08:30", "12:00")])
        found |= {"quiet_hours": {"from": hours[0], "to": hours[1]}, "action": kind}
    elif kind == "cooldown":
        found |= {"cooldown": "2h"}
    else:
        found |= {"limit": 1, "within": "1h", "categories": ["c", "d"], "reserved": {chance.choice("cd"): 1}}
    if "when" not in found and chance.random() < 0.4:
        found[chance.choice(["when", "unless"])] = _condition(chance, names)
    if chance.random() < 0.15:
        found["channels"] = [chance.choice(["chat", "sms"])]
    return found


def _template(chance: random.Random, name: str, names: list[str]) -> object:
    if chance.random() < 0.5:
        return f"Text of {name}"
    variants = {
        f"v{number}": {"when": _condition(chance, names), "text": {"en": name}}
        for number in range(chance.randrange(1, 3))
    }
    return {"variants": {**variants, "last": {"text": {"en": name}}}}


def _data(chance: random.Random) -> tuple[object, object]:
    names = chance.sample(["n", "x", "t", "b", "plan", "time", "past"], 3)
    calm = chance.random() < 0.6
    settings: dict[str, object] = {"threshold": chance.choice([0.6, 0.5, 0.3, 0.8])}
    if calm:
        settings |= {"engagement": {"effect": 0}, "fatigue": {"per_message": 0}}
    elif chance.random() < 0.5:
        settings |= {"engagement": {"limits": [0.9, 1.1]}, "fatigue": {"per_message": 0.02, "limit": 0.04}}
    event: dict[str, object] = {
        "category": "c",
        "channel": "chat",
        "weight": chance.choice([0.2, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.9]),
        "message": "hello",
        "fields": {name: chance.choice(_FIELDS[name]) for name in names if name in _FIELDS},
        "rules": [_rule(chance, number, names) for number in range(chance.randrange(1, 5))],
    }
    if chance.random() < 0.15:
        event["engagement"] = "off"
    if chance.random() < 0.08:
        event["always"] = True
    if chance.random() < 0.4:
        event["expires_after"] = chance.choice(["30m", "3h", "6h"])
    rules = {
        "settings": settings,
        "categories": {"c": {"consent": chance.choice(["opt_out", "not_needed"])}, "d": {"consent": "opt_out"}},
        "user": _USER,
        "channels": {"chat": {"type": "console"}, "sms": {"type": "console"}},
        "events": {"a": event, "z": {"category": "d", "channel": "sms", "weight": 0.9, "message": "other"}},
        "suppression": [_suppression(chance, number, names) for number in range(chance.randrange(0, 3))],
    }
    return rules, {"templates": {name: _template(chance, name, names) for name in ("hello", "other")}}


def random_policy(seed: int) -> Policy:
    """The first policy without errors that this seed makes."""
    chance = random.Random(seed)
    while True:
        rules, templates = _data(chance)
        policy = load_data(rules, templates).policy
        if policy is not None:
            return policy
