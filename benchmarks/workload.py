"""The benchmark's policy and its events, the same in every run: `python -m benchmarks.workload FOLDER`.

A condition's text is an expression of the policy language and, letter by letter, one of Python over the event's
fields. So `benchmarks.handwritten` and the workspace cannot mean different things.
"""

from __future__ import annotations

import argparse
import json
import random
from bisect import bisect
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

TYPES = 20
EVENTS = 200_000
USERS = 20_000

COOLDOWN = "one-kind-at-a-time"
CAP = "five-a-day"
CHANNEL = "chat"
VARIANT = "only"
LOCALE = "en"
SPECIFICATION = "workload.json"
"""Beside rules/ and templates/: how many event types there are. botopt does not read it."""

_FEEDBACK = 0.10
_DUPLICATES = 0.005
_REJECTED = 0.002
_DISMISSED = 0.15  # of feedback; the rest are clicks
_ENOUGH = 4  # events after which a user may click: hardly anybody has no message by then
_BEGIN = datetime(2026, 3, 1, 9, tzinfo=UTC)
_WEEK = timedelta(days=7)

_SUBJECTS = ("payment", "parcel", "invoice", "order", "trip", "router", "meter", "ticket", "account", "lesson")
_HAPPENINGS = ("failed", "delayed", "changed", "waiting", "expired", "renewed", "paused", "closed", "opened", "moved")
_NUMBERS = ("amount", "price", "balance", "distance", "usage", "credit", "weight", "delay")
_SHARES = ("risk", "load", "progress", "discount", "quality")
_INTEGERS = ("attempts", "items", "days", "steps", "repeats")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "plan": ("free", "basic", "pro", "vip"),
    "currency": ("EUR", "USD", "INR", "GBP", "JPY"),
    "region": ("north", "south", "east", "west"),
    "kind": ("new", "used", "rented"),
}
_FLAGS = ("first", "urgent", "business", "abroad")
_IDS = ("order_id", "tracking", "case_id", "reference")

# Each takes a type's number, share, integer, choice and flag, its bounds, and three of its options.
_CONDITIONS = (
    "{number} >= {much} and {choice} in ['{a}', '{b}']",
    "{flag} or ({integer} >= {few} and {share} > {half})",
    "not ({choice} == '{c}' or {number} < {little})",
    "{share} < {low} and not {flag}",
    "{choice} == '{a}' and ({number} > {much} or {integer} == 1)",
    "not {flag} and {integer} < {few}",
    "({share} >= {half} or {choice} == '{b}') and not {number} > {much}",
    "{integer} >= {few} and {choice} not in ['{a}', '{c}'] or {share} > {high}",
)


@dataclass(frozen=True)
class Rule:
    """A condition, and what it adds where it holds."""

    id: str
    when: str
    score: float
    threshold: float | None


@dataclass(frozen=True)
class EventType:
    """An event type with its fields, which are all required but `integer`: that one is 1 where it is absent."""

    name: str
    number: str
    most: float
    share: str
    integer: str
    choice: str
    options: tuple[str, ...]
    flag: str
    reference: str
    weight: float
    rules: tuple[Rule, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of all fields, in order of declaration."""
        return (self.number, self.share, self.integer, self.choice, self.flag, self.reference)

    @property
    def text(self) -> str:
        """The message, for Jinja."""
        subject, happening = self.name.split("_")[:2]
        return (
            f"Your {subject} {{{{ {self.reference} }}}} was {happening} "
            f"({{{{ {self.choice} }}}}, {{{{ {self.integer} }}}}). We are looking after it."
        )


HIGHEST_INTEGER = 10
LONGEST_REFERENCE = 40


def event_types(count: int) -> tuple[EventType, ...]:
    """The first `count` event types; the same for every count."""
    return tuple(_event_type(number) for number in range(count))


def _event_type(place: int) -> EventType:
    chance = random.Random(f"event type {place}")
    subject, rest = _SUBJECTS[place % 10], place // 10
    name = f"{subject}_{_HAPPENINGS[(place + rest) % 10]}" + ("" if rest < 10 else f"_{rest}")
    choice = _pick(chance, tuple(_CHOICES))
    options = _CHOICES[choice]
    words = {
        "number": _pick(chance, _NUMBERS),
        "share": _pick(chance, _SHARES),
        "integer": _pick(chance, _INTEGERS),
        "choice": choice,
        "flag": _pick(chance, _FLAGS),
    }
    most = _pick(chance, (100.0, 500.0, 1000.0, 5000.0))
    first = int(chance.random() * len(_CONDITIONS))
    rules = []
    for number in range(4):
        bounds = {
            "much": round(most * (0.45 + 0.35 * chance.random()), 1),
            "little": round(most * (0.10 + 0.20 * chance.random()), 1),
            "few": 2 + int(chance.random() * 4),
            "low": round(0.2 + 0.2 * chance.random(), 2),
            "half": round(0.45 + 0.2 * chance.random(), 2),
            "high": round(0.8 + 0.1 * chance.random(), 2),
        }
        turn = int(chance.random() * len(options))
        named = {letter: options[(turn + step) % len(options)] for step, letter in enumerate("abc")}
        # Steps of three are prime to the eight conditions: no type has one of them twice.
        when = _CONDITIONS[(first + 3 * number) % len(_CONDITIONS)].format(**words, **bounds, **named)
        score = round(0.05 + 0.20 * chance.random(), 2) * (-1 if number == 3 else 1)
        threshold = _pick(chance, (-0.06, -0.04, -0.02, 0.02)) if number in {1, 2} else None
        rules.append(Rule(f"rule-{number + 1}", when, score, threshold))
    return EventType(
        name=name,
        most=most,
        options=options,
        reference=_pick(chance, _IDS),
        weight=round(0.38 + 0.18 * chance.random(), 2),
        rules=tuple(rules),
        **words,
    )


_T = TypeVar("_T")


def _pick(chance: random.Random, options: Sequence[_T]) -> _T:
    return options[int(chance.random() * len(options))]


def write_policy(folder: Path, types: int = TYPES) -> None:
    """Write the workspace."""
    for name in ("rules", "templates"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / SPECIFICATION).write_text(json.dumps({"types": types}), encoding="utf-8")
    (folder / "rules" / "settings.yaml").write_text(_SETTINGS, encoding="utf-8")
    found = event_types(types)
    events = "".join(_event_yaml(event_type) for event_type in found)
    (folder / "rules" / "events.yaml").write_text(f"events:\n{events}", encoding="utf-8")
    texts = "".join(f"  {event_type.name}: {json.dumps(event_type.text)}\n" for event_type in found)
    (folder / "templates" / "texts.yaml").write_text(f"templates:\n{texts}", encoding="utf-8")


_SETTINGS = f"""\
channels:
  {CHANNEL}: {{type: console}}
suppression:
  - {{id: {COOLDOWN}, cooldown: 6h, per: [user, event]}}
  - {{id: {CAP}, limit: 5, within: 24h}}
"""


def _event_yaml(event_type: EventType) -> str:
    rules = "".join(_rule_yaml(rule) for rule in event_type.rules)
    return f"""\
  {event_type.name}:
    fields:
      {event_type.number}: {{type: number, min: 0, max: {event_type.most:g}}}
      {event_type.share}: {{type: number, min: 0, max: 1}}
      {event_type.integer}: {{type: integer, min: 1, max: {HIGHEST_INTEGER}, default: 1}}
      {event_type.choice}: {{type: text, one_of: [{", ".join(event_type.options)}]}}
      {event_type.flag}: {{type: boolean}}
      {event_type.reference}: {{type: text, max_length: {LONGEST_REFERENCE}}}
    weight: {event_type.weight}
    message: {event_type.name}
    channel: {CHANNEL}
    rules:
{rules}"""


def _rule_yaml(rule: Rule) -> str:
    threshold = "" if rule.threshold is None else f", threshold: {rule.threshold:+}"
    return f"      - {{id: {rule.id}, when: {json.dumps(rule.when)}, score: {rule.score:+}{threshold}}}\n"


def write_events(path: Path, events: int = EVENTS, users: int = USERS, seed: int = 1, types: int = TYPES) -> None:
    """Write the events of a week as JSON lines in order of time; repeated lines come a few lines after the first."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(random.Random(seed), events, users, event_types(types)))


def _lines(chance: random.Random, events: int, users: int, types: Sequence[EventType]) -> Iterator[str]:
    weights = list(accumulate(1 / place for place in range(1, users + 1)))
    recent: deque[str] = deque(maxlen=20)
    events_of: Counter[int] = Counter()
    frequent: list[int] = []  # a user for each event after their first few: whoever has more events clicks more
    for number in range(events):
        kind = chance.random()
        if kind < _DUPLICATES and recent:
            yield _pick(chance, recent)
            continue
        time = (_BEGIN + _WEEK * number / events).strftime("%Y-%m-%dT%H:%M:%SZ")
        if frequent and kind > 1 - _FEEDBACK:
            name, data = _feedback(chance)
            user = _pick(chance, frequent)
        else:
            user = bisect(weights, chance.random() * weights[-1])
            name, data = _event(chance, types)
            if kind < _DUPLICATES + _REJECTED:
                name, data = _spoiled(chance, name, data, types)
            events_of[user] += 1
            if events_of[user] >= _ENOUGH:
                frequent.append(user)
        event = {"id": f"e-{number:08}", "type": name, "user": f"u-{user:06}", "time": time, "data": data}
        line = json.dumps(event, separators=(",", ":")) + "\n"
        recent.append(line)
        yield line


_Data = dict[str, object]


def _event(chance: random.Random, types: Sequence[EventType]) -> tuple[str, _Data]:
    event_type = _pick(chance, types)
    data: _Data = {
        event_type.number: round(event_type.most * chance.random(), 2),
        event_type.share: round(chance.random(), 3),
        event_type.integer: 1 + int(HIGHEST_INTEGER * chance.random() ** 2),
        event_type.choice: _pick(chance, event_type.options),
        event_type.flag: chance.random() < 0.4,
        event_type.reference: f"{event_type.reference[:2].upper()}-{int(chance.random() * 10**8):08}",
    }
    if chance.random() < 0.1:
        del data[event_type.integer]
    return event_type.name, data


def _feedback(chance: random.Random) -> tuple[str, _Data]:
    return "message.dismissed" if chance.random() < _DISMISSED else "message.clicked", {}


def _spoiled(chance: random.Random, name: str, data: _Data, types: Sequence[EventType]) -> tuple[str, _Data]:
    """What is rejected: a number as text, a field less, or a type that nobody declared."""
    event_type = next(event_type for event_type in types if event_type.name == name)
    match int(chance.random() * 3):
        case 0:
            data[event_type.number] = str(data[event_type.number])
        case 1:
            del data[event_type.choice]
        case _:
            name = "heartbeat"
    return name, data


def main() -> None:
    """Write a workspace and its events into a folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workload", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--types", type=int, default=TYPES)
    options = parser.parse_args()
    write_policy(options.folder, options.types)
    write_events(options.folder / "events.jsonl", options.events, options.users, types=options.types)


if __name__ == "__main__":
    main()
