"""A policy and a timeline, and what the language says about them, each in a few words."""

from __future__ import annotations

import functools
import itertools
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import dedent, indent

from botopt.delivery.registry import CHANNEL_TYPES
from botopt.engine.build import build
from botopt.engine.engine import Engine
from botopt.engine.explain import Explanation
from botopt.loading.policy import load_policy
from botopt.model.decision import Decision, Outcome
from botopt.model.event import Event, Line
from botopt.model.instants import instant_text, instant_us
from botopt.model.silence import Silence
from botopt.model.user_state import NEVER_US, UserState, unpack
from botopt.sources.envelope import Decoder
from botopt.state.memory import MemoryStore
from botopt.verify.explaining import explain_event
from botopt.verify.replay import Decided, Replay

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONDAY = instant_us("2026-03-02T00:00:00Z")
TEMPLATES = 'templates: {hello: "Hello", other: "Other"}'
CALM = "fatigue: {per_message: 0}, engagement: {effect: 0}"
Wire = dict[str, object]
_ids = itertools.count(1)


_BASE = """\
settings: {SETTINGS}
categories:
  service: {consent: opt_out}
  ads: {consent: opt_in}
  alarm: {consent: not_needed}
user:
  plan: {type: text, one_of: [free, pro], default: free}
  nick: {type: text, optional: true}
channels: {chat: {type: console}, sms: {type: console}}
events:
  paid: {fields: {order: {type: text, optional: true}}}
  a:
    category: service
    channel: chat
    weight: 0.8
    message: hello
    fields: &fields {n: {type: number, default: 0}, order: {type: text, optional: true}}
    rules: RULES
  b: {category: service, channel: chat, weight: 0.8, message: hello, fields: *fields}
  ad: {category: ads, channel: sms, weight: 0.8, message: hello}
  fire: {category: alarm, channel: chat, weight: 0.8, message: hello}
  loose: {channel: chat, weight: 0.8, message: hello}
"""


def base(suppression: str = "", settings: str = CALM, events: str = "", rules: str = "[]") -> str:
    """A rules file: categories that may be refused or not, two channels, a few event types with messages.

    `suppression` has one flow mapping a line, `events` adds event types, `rules` are those of type `a`.
    Scores are 0.8 and 0.6 is needed, and nothing else moves them, unless `settings` say otherwise.
    """
    text = _BASE.replace("SETTINGS", settings).replace("RULES", rules) + indent(dedent(events), "  ") + "\n"
    stops = [line.strip() for line in suppression.splitlines() if line.strip()]
    return text + ("suppression:\n" + "".join(f"  - {line}\n" for line in stops) if stops else "")


def at(text: str | int) -> int:
    """`09:00` on Monday 2 March 2026, `tue 09:00` in that week, `+9 09:00` so many days later, or a whole time."""
    if isinstance(text, int):
        return text
    if text[:2] in ("19", "20") and text[4:5] == "-":
        return instant_us(text)
    day, _, clock = text.rpartition(" ")
    days = DAYS.index(day) if day in DAYS else int(day or 0)
    return instant_us(f"2026-03-02T{clock}{':00' * (2 - clock.count(':'))}Z") + days * DAY


def clock(us: int) -> str:
    """The reverse of `at`: as short as it can be."""
    days, rest = divmod(us - MONDAY, DAY)
    if not 0 <= days < 7:
        return instant_text(us)
    time = instant_text(MONDAY + rest)[11:-1]
    return f"{DAYS[days]} {time}".removeprefix("mon ").removesuffix(":00")


def ev(type: str, user: str, time: str | int, /, *, id: str | None = None, **data: object) -> Wire:
    """An event in the native form; a fresh id unless one is given."""
    return {"id": id or f"e{next(_ids)}", "type": type, "user": user, "time": instant_text(at(time)), "data": data}


def cloud(type: str, user: str, time: str | int, /, *, id: str, source: str, **data: object) -> Wire:
    """The same as a CloudEvent."""
    head = {"specversion": "1.0", "id": id, "source": source, "type": type, "subject": user}
    return {**head, "time": instant_text(at(time)), "data": data}


@functools.lru_cache(maxsize=256)
def _engine(rules: str, templates: str, network: str) -> Engine:
    with tempfile.TemporaryDirectory() as name:
        for kind, text in (("rules", rules), ("templates", templates)):
            (Path(name) / kind).mkdir()
            (Path(name) / kind / "all.yaml").write_text(text, "utf-8")
        loaded = load_policy(Path(name), channel_types=CHANNEL_TYPES)
    assert loaded.policy is not None, "\n".join(f"{d.code} {d.position} {d.message}" for d in loaded.diagnostics)
    return build(loaded.policy, network=network)


class Workspace:
    """A policy at work on one store; `run` may be called again and goes on where it stopped."""

    def __init__(self, rules: str, templates: str = TEMPLATES, network: str = "reference", batch: int = 2_000) -> None:
        self.engine = _engine(rules, templates, network)
        self.store = MemoryStore()
        self.batch = batch

    def run(self, *events: Wire | bytes, until: str | int | None = None) -> list[Decision]:
        """The records of one replay over these events."""
        replay = Replay(self.engine, Decoder(self.engine.policy), self.store, batch=self.batch)
        found = replay.run(lines(events), until_us=None if until is None else at(until))
        return [item.decision for item in found if isinstance(item, Decided)]

    def tell(self, *events: Wire | bytes, until: str | int | None = None) -> list[str]:
        """The same in short."""
        return [short(decision) for decision in self.run(*events, until=until)]

    def explain(self, *events: Wire, about: str) -> list[Explanation]:
        """What is said about the event of this id; nothing is remembered of it."""
        decoder, store = Decoder(self.engine.policy), MemoryStore()
        store.commit(self.store.users(), meta=self.store.meta())
        return list(explain_event(self.engine, decoder, store, lines(events), about).explanations)

    def state(self, user: str = "u") -> UserState:
        """What is remembered about a user."""
        return unpack(self.store.load([user])[user])

    def packed(self) -> dict[str, bytes]:
        """All users, as they are stored."""
        return {row.user: row.state for row in self.store.users()}


class Live:
    """A user of a live service: events come with the time of their receipt, and operators may silence."""

    def __init__(self, suppression: str = "", settings: str = CALM, events: str = "", rules: str = "[]") -> None:
        self.engine = Workspace(base(suppression, settings, events, rules)).engine
        self.state = UserState()

    def event(self, wire: Wire) -> Event:
        """What is read from an envelope."""
        found = Decoder(self.engine.policy).decode(json.dumps(wire).encode(), 1)
        assert isinstance(found, Event), found
        return found

    def decide(self, wire: Wire, received: str | int | None = None, silences: Sequence[Silence] = ()) -> list[Decision]:
        """What is decided about one event that comes at this time."""
        at_us = NEVER_US if received is None else at(received)
        return self.engine.decide(self.state, self.event(wire), at_us=at_us, silences=silences)

    def tell(self, wire: Wire, received: str | int | None = None, silences: Sequence[Silence] = ()) -> list[str]:
        """The same in short."""
        return [short(decision) for decision in self.decide(wire, received, silences)]


def lines(events: Iterable[Wire | bytes]) -> list[Line]:
    """Numbered lines of one file."""
    raw = (event if isinstance(event, bytes) else json.dumps(event).encode() for event in events)
    return [Line(number, line) for number, line in enumerate(raw, 1)]


def tell(suppression: str, *events: Wire, until: str | int | None = None, settings: str = CALM) -> list[str]:
    """What becomes of these events under the base policy and these suppressions."""
    return Workspace(base(suppression, settings)).tell(*events, until=until)


def short(decision: Decision) -> str:
    """`sent`, `held night until tue 08:00`, `cooldown x until 15:00`: reason, name, end."""
    reason = "held" if decision.outcome is Outcome.HELD else decision.reason.value if decision.reason else "sent"
    until = "" if decision.until_us is None else f" until {clock(decision.until_us)}"
    return f"{reason}{' ' + decision.by if decision.by else ''}{until}"


def by_user(decisions: Iterable[Decision]) -> Mapping[str | None, list[Decision]]:
    """The records of each user."""
    found: dict[str | None, list[Decision]] = {}
    for decision in decisions:
        found.setdefault(decision.user, []).append(decision)
    return found


def parts(decision: Decision) -> list[tuple[str, str | None, float]]:
    """The parts of a record as plain tuples."""
    return [(part.part, part.id, part.value) for part in decision.parts]


def around(end: str | int, make: Callable[[int], str]) -> list[str]:
    """What happens one microsecond before an instant, exactly at it, and one after."""
    return [make(at(end) + shift) for shift in (-1, 0, 1)]
