"""The language once more, as slowly and plainly as it reads: every decision looks through the whole history.

Nothing is forgotten, nothing is summed up ahead, nothing of the engine is used. Where the language is silent the
answers of docs/adr/0004 hold. A policy here is a few choices; `yaml` writes it down, `User` decides by it.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from botopt.model.zones import zone
from tests.engine.support import DAY, HOUR, MINUTE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = -(2**62)
FOREVER = 2**62
CATEGORIES = {
    "a": "service",
    "b": "service",
    "ad": "ads",
    "fire": "alarm",
    "loose": None,
    "old": "service",
    "must": None,
}
CHANNELS = {kind: "sms" if kind == "ad" else "chat" for kind in CATEGORIES}


def wall(us: int, name: str) -> datetime:
    """What the clock on the wall shows."""
    return (EPOCH + timedelta(microseconds=us)).astimezone(zone(name))


def dawn(us: int, name: str, *, week: bool) -> int:
    """When the next day (or week) begins: the first later instant of another date (on a Monday)."""
    monday = functools.partial(_week, week=week)
    now, later = monday(wall(us, name)), us - us % MINUTE
    step = HOUR
    while step >= MINUTE:
        while monday(wall(later + step, name)) == now:
            later += step
        step //= 60
    return later + MINUTE


def _week(moment: datetime, *, week: bool) -> tuple[int, ...]:
    return moment.isocalendar()[:2] if week else (moment.toordinal(),)


@dataclass
class Event:
    """What came in; `counted` is the time at which it counts."""

    id: str
    kind: str
    time: int
    data: dict[str, object]
    counted: int = 0
    number: int = 0


@dataclass
class Sent:
    """A message that was sent."""

    record: int
    kind: str
    channel: str
    time: int
    data: dict[str, object]
    clicked: int | None = None
    dismissed: int | None = None
    failed: bool = False


@dataclass
class Muted:
    """A mute that may have begun."""

    start: int = NEVER
    armed: bool = True
    record: int | None = None


@dataclass
class Answer:
    """A record, as far as the language fixes it. `cause` is the number of another record."""

    event: str
    time: int | None
    reason: str
    by: str | None = None
    until: int | None = None
    cause: int | None = None
    score: float | None = None
    needed: float | None = None
    channel: str | None = None
    template: str | None = None


Test = Callable[["View"], bool]


@dataclass(frozen=True)
class Condition:
    """The same question in both languages."""

    text: str
    holds: Test


@dataclass(frozen=True)
class Rule:
    """A rule of event type `a`."""

    id: str
    when: Condition
    effect: str
    score: float = 0.0
    threshold: float = 0.0
    skip: bool = False
    channel: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Stop:
    """A suppression; `kind` is its key, `words` the rest of its kind as they are written."""

    id: str
    kind: str
    words: str
    window: int = 0
    calendar: str = ""
    limit: int = 0
    reserved: tuple[tuple[str, int], ...] = ()
    per: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    quiet: tuple[int, int] = (0, 0)
    days: tuple[int, ...] = ()
    drop: bool = False
    events: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    when: Condition | None = None
    unless: Condition | None = None

    def covers(self, kind: str, channel: str) -> bool:
        """Whether a message is in scope."""
        return (
            (not self.events or kind in self.events)
            and (not self.categories or CATEGORIES[kind] in self.categories)
            and (not self.channels or channel in self.channels)
        )

    def yaml(self) -> str:
        """As an author writes it."""
        parts = [f"id: {self.id}", self.words]
        scope = ((key, getattr(self, key)) for key in ("events", "categories", "channels"))
        parts.extend(f"{key}: [{', '.join(names)}]" for key, names in scope if names)
        conditions = (("when", self.when), ("unless", self.unless))
        parts += [f'{key}: "{condition.text}"' for key, condition in conditions if condition is not None]
        return f"{{{', '.join(parts)}}}"


@dataclass(frozen=True)
class Rules:
    """A whole policy."""

    stops: tuple[Stop, ...] = ()
    rules: tuple[Rule, ...] = ()
    zone: str = "UTC"
    dedupe: int = 7 * DAY
    ignored: int = DAY
    per_message: float = 0.0
    within: int = 6 * HOUR
    effect: float = 0.0

    def yaml(self) -> str:
        """The rules file."""
        tired = f"{{per_message: {self.per_message}, within: {self.within // HOUR}h, limit: 0.1}}"
        rules = ", ".join(f'{{id: {rule.id}, when: "{rule.when.text}", {rule.effect}}}' for rule in self.rules)
        stops = "".join(f"  - {stop.yaml()}\n" for stop in self.stops)
        return _FILE.format(
            zone=self.zone,
            dedupe=self.dedupe // HOUR,
            ignored=self.ignored // HOUR,
            tired=tired,
            effect=self.effect,
            rules=rules,
            stops=f"suppression:\n{stops}" if stops else "",
        )


_FIELDS = "fields: {{n: {{type: number, default: 0}}, order: {{type: text, optional: true}}}}"
_FILE = (
    """\
settings:
  timezone: {zone}
  dedupe_window: {dedupe}h
  ignored_after: {ignored}h
  fatigue: {tired}
  engagement: {{prior: 0.3, strength: 2, half_life: 3d, effect: {effect}, limits: [0.5, 1.5]}}
categories:
  service: {{consent: opt_out}}
  ads: {{consent: opt_in}}
  alarm: {{consent: not_needed}}
user: {{plan: {{type: text, one_of: [free, pro], default: free}}}}
channels: {{chat: {{type: console}}, sms: {{type: console}}}}
events:
  paid: {{fields: {{order: {{type: text, optional: true}}}}}}
  a: {{category: service, channel: chat, weight: 0.8, message: hello, FIELDS, rules: [{rules}]}}
  b: {{category: service, channel: chat, weight: 0.8, message: hello, FIELDS}}
  ad: {{category: ads, channel: sms, weight: 0.8, message: hello, FIELDS}}
  fire: {{category: alarm, channel: chat, weight: 0.8, message: hello, FIELDS}}
  loose: {{channel: chat, weight: 0.8, message: hello, FIELDS}}
  old: {{category: service, channel: chat, weight: 0.8, message: hello, expires_after: 2h, FIELDS}}
  must: {{channel: chat, weight: 0.8, message: hello, always: true, FIELDS}}
{stops}"""
).replace("FIELDS", _FIELDS)


class View:
    """What a condition can see: one event of one user at one time."""

    def __init__(self, user: User, event: Event, now: int) -> None:
        self.user, self.event, self.now = user, event, now
        self.n = event.data.get("n", 0.0)
        self.order = event.data.get("order")
        self.plan = user.attributes.get("plan", "free")
        self.wall = wall(now, user.zone)

    def count(self, kind: str, window: int) -> int:
        return sum(event.kind == kind and self.now < event.counted + window for event in self.user.events)

    def seen(self, kind: str, window: int) -> bool:
        past = (event for event in self.user.events if event is not self.event)
        return any(event.kind == kind and self.now < event.counted + window for event in past)

    def sent(self, window: int) -> int:
        return len(self.user.within(self.now, window))

    @property
    def ignored_in_a_row(self) -> int:
        run = 0
        for message in self.user.sent:
            if message.failed:
                continue
            if message.clicked is not None or message.dismissed is not None:
                run = 0
            elif self.now >= message.time + self.user.rules.ignored:
                run += 1
        return run

    @property
    def clicks(self) -> int:
        return sum(message.clicked is not None and not message.failed for message in self.user.sent)


@dataclass
class Verdict:
    """What applies to a message, before one is picked."""

    found: list[tuple[int, str, int | None, Stop]] = field(default_factory=list)

    def add(self, stop: Stop, until: int | None, cause: int | None = None) -> None:
        self.found.append((-(FOREVER if until is None else until), stop.id, cause, stop))

    def pick(self) -> tuple[str, int | None, int | None, Stop] | None:
        """The one that ends last; of equal ends the alphabetically first."""
        if not self.found:
            return None
        end, name, cause, stop = min(self.found, key=lambda one: one[:2])
        return name, None if -end == FOREVER else -end, cause, stop


class User:
    """Everything that happened to one user."""

    def __init__(self, rules: Rules, records: list[Answer]) -> None:
        self.rules = rules
        self.records = records
        self.floor = NEVER
        self.deleted = False
        self.forget()

    def forget(self) -> None:
        self.clock = NEVER
        self.attributes: dict[str, object] = {}
        self.words: list[tuple[bool, str | None, str | None]] = []
        self.identities: dict[str, int] = {}
        self.events: list[Event] = []
        self.sent: list[Sent] = []
        self.held: list[tuple[int, Event]] = []
        self.mutes: dict[str, Muted] = {}
        self.caps: list[tuple[str, int, int]] = []

    @property
    def zone(self) -> str:
        return str(self.attributes.get("timezone", self.rules.zone))

    def within(self, now: int, window: int) -> list[Sent]:
        return [message for message in self.sent if not message.failed and now < message.time + window]

    # ------------------------------------------------------------ events

    def take(self, event: Event) -> None:
        """One line."""
        if self.deleted and event.kind != "user.subscribed":
            return self.reject(event, "user.deleted")
        if event.time + self.rules.dedupe <= self.clock:
            return self.reject(event, "time")
        now = max(event.time, self.clock)
        if event.id in self.identities and now < self.identities[event.id] + self.rules.dedupe:
            if event.kind in CATEGORIES:
                self.records.append(Answer(event.id, None, "duplicate"))
            return None
        if event.time < self.floor:
            return self.reject(event, "user.deleted")
        before = copy.deepcopy(self.__dict__ | {"records": None}), len(self.records)
        if self.deleted:
            self.deleted, self.floor = False, event.time
            now = event.time
        self.release(now)
        if event.kind.startswith("message.") and not self.respond(event, now):
            records = self.records[: before[1]]
            self.records[:] = records
            self.__dict__.update(before[0] | {"records": self.records})
            return self.reject(event, "message_id" if "message_id" in event.data else None)
        self.clock = now
        if event.kind == "user.deleted":
            self.forget()
            self.deleted, self.floor = True, max(now, self.floor)
            return None
        event.counted = now
        self.events.append(event)
        self.identities[event.id] = now
        if event.kind == "user.updated":
            self.attributes.update(event.data)
            self.attributes = {name: value for name, value in self.attributes.items() if value is not None}
        elif event.kind in ("user.subscribed", "user.unsubscribed"):
            word = event.kind == "user.subscribed", event.data.get("category"), event.data.get("channel")
            self.words.append(word)
        elif event.kind in CATEGORIES:
            self.decide(event, now)
        return None

    def reject(self, event: Event, by: str | None) -> None:
        self.records.append(Answer(event.id, None, "rejected", by))

    def release(self, until: int) -> None:
        """What is due, by time, then in the order in which it was held."""
        while self.held:
            due, event = min(self.held, key=lambda one: one[0])
            if due > until:
                break
            self.held.remove((due, event))
            self.clock = max(self.clock, due)
            self.decide(event, due)

    def respond(self, event: Event, now: int) -> bool:
        """Feedback; whether there is a message that it is about."""
        candidates = [message for message in self.sent if now < message.time + 30 * DAY]
        if "message_id" in event.data:
            candidates = [message for message in candidates if message.record == event.data["message_id"]]
        else:
            kind = event.data.get("event_type")
            candidates = [m for m in candidates if not m.failed and kind in (None, m.kind)]
        if not candidates:
            return False
        message = candidates[-1]
        until = event.data.get("capped_until", NEVER)
        assert isinstance(until, int)
        where = str(event.data.get("channel", message.channel))
        if all(other < until for channel, other, _ in self.caps if channel == where):
            self.caps.append((where, until, message.record))
        if message.failed or event.data.get("handed_over"):
            return True
        if event.kind == "message.failed":
            message.failed = True
        elif event.kind == "message.dismissed":
            if message.clicked is None and now < message.time + self.rules.ignored and message.dismissed is None:
                message.dismissed = now
        elif message.clicked is None:
            message.clicked = now
        return True

    # ------------------------------------------------------------ one message

    def decide(self, event: Event, now: int) -> None:
        """Sections 5 and 6 in their order."""
        view = View(self, event, now)
        matching = [rule for rule in self.rules.rules if event.kind == "a" and rule.when.holds(view)]
        channel, template = CHANNELS[event.kind], "hello"
        for rule in matching:
            channel, template = rule.channel or channel, rule.message or template
        factor = self.factor(event.kind, now)
        score = clamp(clamp(0.8 + sum(rule.score for rule in matching)) * factor)
        unclicked = sum(message.clicked is None for message in self.within(now, self.rules.within))
        tired = min(self.rules.per_message * unclicked, 0.1)
        needed = clamp(0.6 + sum(rule.threshold for rule in matching) + tired)
        answer = Answer(event.id, now, "sent", score=_rounded(score, 6), needed=_rounded(needed, 6))
        number = len(self.records)
        self.records.append(answer)
        self.look(event.kind, channel, view, number)
        skips = [rule.id for rule in matching if rule.skip]
        if event.kind == "old" and now - event.time > 2 * HOUR:
            answer.reason = "expired"
        elif not self.consents(event.kind, channel):
            answer.reason = "no_consent"
        elif skips:
            answer.reason, answer.by = "skipped", skips[0]
        elif event.kind == "must":
            pass
        elif not _rounded(score, 9) > _rounded(needed, 9):
            answer.reason = "below_threshold"
        else:
            self.comfort(event, channel, view, answer)
        if answer.reason == "sent":
            answer.channel, answer.template = channel, template
            self.sent.append(Sent(number, event.kind, channel, now, event.data))
            for stop in self.rules.stops:
                if stop.id in self.mutes and stop.covers(event.kind, channel):
                    self.mutes[stop.id].armed = True
        elif answer.reason == "held":
            assert answer.until is not None
            self.held.append((answer.until, event))

    def comfort(self, event: Event, channel: str, view: View, answer: Answer) -> None:
        """The first kind that stops the message."""
        for reason, kind in ORDER:
            verdict = Verdict()
            for stop in self.rules.stops:
                if stop.kind != kind or not stop.covers(event.kind, channel):
                    continue
                if stop.when is not None and not (kind == "mute" and stop.window) and not stop.when.holds(view):
                    continue
                if stop.unless is not None and stop.unless.holds(view):
                    continue
                getattr(self, f"ask_{kind}")(stop, event, channel, view, verdict)
            if reason == "capped":
                for where, until, record in self.caps:
                    if where == channel and view.now < until:
                        verdict.add(PROVIDER, until, record)
            picked = verdict.pick()
            if picked is not None:
                answer.reason = reason
                answer.by, answer.until, answer.cause, stop = picked
                if reason == "quiet_hours" and not stop.drop:
                    answer.reason = "held"
                return

    def look(self, kind: str, channel: str, view: View, number: int) -> None:
        """Mutes with a length look at every message in scope."""
        for stop in self.rules.stops:
            if stop.kind != "mute" or not stop.window or not stop.covers(kind, channel) or stop.when is None:
                continue
            mute = self.mutes.setdefault(stop.id, Muted())
            if not stop.when.holds(view):
                mute.armed = True
            elif mute.armed and view.now >= mute.start + stop.window:
                mute.start, mute.armed, mute.record = view.now, False, number

    def ask_mute(self, stop: Stop, event: Event, channel: str, view: View, verdict: Verdict) -> None:
        if not stop.window:
            verdict.add(stop, None)
            return
        mute = self.mutes.get(stop.id, Muted())
        if view.now < mute.start + stop.window:
            mine = mute.record == len(self.records) - 1
            verdict.add(stop, mute.start + stop.window, None if mine else mute.record)

    def ask_resolved_by(self, stop: Stop, event: Event, channel: str, view: View, verdict: Verdict) -> None:
        causes = [
            other.counted
            for other in self.events
            if other.kind in stop.by
            and other is not event
            and event.time < other.counted + stop.window
            and all(other.data.get(name) == event.data.get(name) is not None for name in stop.same)
        ]
        if causes:
            verdict.add(stop, max(causes) + stop.window, -1)

    def ask_inhibited_by(self, stop: Stop, event: Event, channel: str, view: View, verdict: Verdict) -> None:
        causes = [m for m in self.within(view.now, stop.window) if m.kind in stop.by and m.kind != event.kind]
        if causes:
            verdict.add(stop, causes[-1].time + stop.window, causes[-1].record)

    def ask_in_conversation(self, stop: Stop, event: Event, channel: str, view: View, verdict: Verdict) -> None:
        times = [
            other.counted
            for other in self.events
            if other.kind == "user.active"
            and view.now < other.counted + stop.window
            and (not stop.channels or "channel" not in other.data or other.data["channel"] in stop.channels)
        ]
        if times:
            verdict.add(stop, max(times) + stop.window, -1)

    def ask_cooldown(self, stop: Stop, event: Event, channel: str, view: View, verdict: Verdict) -> None:
        def key(kind: str, data: dict[str, object]) -> list[object]:
            return [kind if name == "event" else data.get(name) for name in stop.per if name != "user"]

        mine = key(event.kind, event.data)
        causes = [
            m
            for m in self.within(view.now, stop.window)
            if stop.covers(m.kind, m.channel) and key(m.kind, m.data) == mine
        ]
        if causes:
            verdict.add(stop, causes[-1].time + stop.window, causes[-1].record)

    def ask_limit(self, stop: Stop, event: Event, channel: str, view: View, verdict: Verdict) -> None:
        if stop.calendar:
            today = _week(view.wall, week=stop.calendar == "week")
            counted = [m for m in self.sent if _week(wall(m.time, self.zone), week=stop.calendar == "week") == today]
            counted = [m for m in counted if not m.failed]
        else:
            counted = self.within(view.now, stop.window)
        counted = [m for m in counted if stop.covers(m.kind, m.channel)]
        if self.fits(stop, event.kind, counted):
            return
        if stop.calendar:
            until: int | None = dawn(view.now, self.zone, week=stop.calendar == "week")
        else:
            until = next(
                (m.time + stop.window for m in counted if self.fits(stop, event.kind, _after(counted, m))), None
            )
        verdict.add(stop, until, counted[-1].record if counted else None)

    @staticmethod
    def fits(stop: Stop, kind: str, counted: list[Sent]) -> bool:
        used = [CATEGORIES[message.kind] for message in counted]
        others = [(name, slots) for name, slots in stop.reserved if name != CATEGORIES[kind]]
        return len(used) + sum(max(slots - used.count(name), 0) for name, slots in others) < stop.limit

    def ask_quiet_hours(self, stop: Stop, event: Event, channel: str, view: View, verdict: Verdict) -> None:
        if is_quiet(stop, view.now, self.zone):
            verdict.add(stop, waking(stop, view.now - view.now % MINUTE, self.zone))

    def consents(self, kind: str, channel: str) -> bool:
        """Two questions, each answered by the latest word on it."""
        category = CATEGORIES[kind]
        if category == "alarm":
            return True
        of_category, of_channel = category != "ads", True
        for granted, named, where in self.words:
            if named is None and where is None:
                of_category, of_channel = granted, of_channel or granted
            elif (named, where) in ((category, None), (category, channel)) and category is not None:
                of_category = granted
            if (named, where) in ((None, channel), (category, channel)) and where is not None:
                of_channel = granted
        return of_category and of_channel

    # ------------------------------------------------------------ engagement

    def outcomes(self, now: int) -> Iterator[tuple[str, int, bool]]:
        for message in self.sent:
            if message.failed:
                continue
            if message.clicked is not None:
                yield message.kind, message.clicked, True
            elif message.dismissed is not None:
                yield message.kind, message.dismissed, False
            elif now >= message.time + self.rules.ignored:
                yield message.kind, message.time + self.rules.ignored, False

    def factor(self, kind: str, now: int) -> float:
        found = [(type, 2.0 ** (-(now - when) / (3 * DAY)), click) for type, when, click in self.outcomes(now)]
        if not found:
            return 1.0
        of_user = (sum(w for _, w, click in found if click) + 2 * 0.3) / (sum(w for _, w, _ in found) + 2)
        mine = [(w, click) for type, w, click in found if type == kind]
        rate = (sum(w for w, click in mine if click) + 2 * of_user) / (sum(w for w, _ in mine) + 2)
        return min(max((rate / 0.3) ** self.rules.effect, 0.5), 1.5)


ORDER = (
    ("muted", "mute"),
    ("resolved", "resolved_by"),
    ("inhibited", "inhibited_by"),
    ("in_conversation", "in_conversation"),
    ("cooldown", "cooldown"),
    ("capped", "limit"),
    ("quiet_hours", "quiet_hours"),
)


PROVIDER = Stop("provider", "limit", "")


def _rounded(value: float, decimals: int) -> float:
    return int(value * 10**decimals + 0.5) / 10**decimals


def clamp(value: float) -> float:
    """Between 0 and 1."""
    return min(max(value, 0.0), 1.0)


def _after(counted: list[Sent], last: Sent) -> list[Sent]:
    return [message for message in counted if message.time > last.time]


@functools.lru_cache(maxsize=100_000)
def is_quiet(stop: Stop, us: int, name: str) -> bool:
    """Whether the wall shows a time in the hours that began on one of the days."""
    moment, (start, end) = wall(us, name), stop.quiet
    minute = moment.hour * 60 + moment.minute
    began = moment.weekday()
    if start < end:
        inside = start <= minute < end
    else:
        inside, began = minute >= start or minute < end, (began - (minute < end)) % 7
    return inside and (not stop.days or began in stop.days)


@functools.lru_cache(maxsize=100_000)
def waking(stop: Stop, us: int, name: str) -> int:
    """The first later whole minute that is not quiet."""
    while is_quiet(stop, us, name):
        us += MINUTE
    return us
