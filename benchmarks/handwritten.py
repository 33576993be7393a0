"""What an engineer would write by hand for this one policy, in one file and as fast as they can.

`python -m benchmarks.handwritten FOLDER EVENTS OUT REVISION` writes the very record lines of `botopt replay`, from
orjson, a dictionary of users, compiled Jinja templates and conditions in Python. It keeps users in memory only, does
not look for keys that stand twice in a line, does not count undeclared fields, and knows of feedback only what the
workload has: about the latest message, without any data. Other engines are measured in this loop, too: they replace
the conditions only.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from json.encoder import encode_basestring as quoted
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from jinja2 import Environment

from benchmarks.workload import (
    CAP,
    CHANNEL,
    COOLDOWN,
    HIGHEST_INTEGER,
    LOCALE,
    LONGEST_REFERENCE,
    SPECIFICATION,
    VARIANT,
    EventType,
    event_types,
)

if TYPE_CHECKING:
    from botopt.sources.envelope import Decoder

Data = dict[str, object]
Matcher = Callable[[Data], int]

SECOND = 1_000_000
DAY = 86_400 * SECOND
DEDUPE = 7 * DAY
COOLS = 6 * DAY // 24
RECENT = DAY
"""Messages of so long ago count for the cap and for fatigue, and then are ignored: one list serves all three."""
MOST_RECENT = 5
TAKEN = 30 * DAY  # feedback

THRESHOLD = 0.60
PER_MESSAGE, MOST_FATIGUE = 0.05, 0.20
PRIOR, STRENGTH, HALF_LIFE, EFFECT, LOW, HIGH = 0.30, 10.0, 30 * DAY, 0.5, 0.5, 1.5
SHARE = STRENGTH * PRIOR

RESPONSES = {"message.clicked": True, "message.converted": True, "message.dismissed": False}
"""Whether feedback is a click."""
NOTHING_SENT = "no message to take this for: nothing was sent to this user"
TOO_LATE = "feedback comes too late: the message was sent 30 days ago or more"
TOO_OLD = "too old to tell from a duplicate: newer events of this user are dedupe_window ahead"

PENDING, CLICKED, DISMISSED, IGNORED = range(4)
BLOCK = 1 << 16
MOST_MINUTES = 20_000
FAULTY = -1

_decision = blake2b(digest_size=12).copy  # quicker than a new one
_jinja = Environment()
_jinja.globals.clear()  # they would be copied for each message


class Send:
    """A message that was sent."""

    __slots__ = ("id", "responded", "response", "time", "type")

    def __init__(self, id: str, type: str, time: int) -> None:
        self.id = id
        self.type = type
        self.time = time
        self.response = PENDING
        self.responded = 0


class Tally:
    """Decayed sums of outcomes as of a time, and how many there were."""

    __slots__ = ("click_count", "clicks", "count", "outcomes", "time")

    def __init__(self) -> None:
        self.clicks = self.outcomes = 0.0
        self.time = self.click_count = self.count = 0

    def add(self, time: int, clicked: bool) -> None:
        if time > self.time:
            fade = 2.0 ** (-(time - self.time) / HALF_LIFE)
            self.clicks *= fade
            self.outcomes *= fade
            self.time = time
        share = 2.0 ** (-(self.time - time) / HALF_LIFE)
        self.outcomes += share
        self.count += 1
        if clicked:
            self.clicks += share
            self.click_count += 1

    def remove(self, time: int) -> None:
        """Take back what was no click."""
        share = 2.0 ** (-(self.time - time) / HALF_LIFE)
        self.count -= 1
        self.outcomes = max(self.outcomes - share, 0.0) if self.count else 0.0
        self.clicks = max(self.clicks, 0.0) if self.click_count else 0.0


class User:
    """What is known about a user. `seen` has the times of their events by id, `by_type` their tallies."""

    __slots__ = ("by_type", "clock", "latest", "prune_at", "quoted", "recent", "repeats", "seen", "total", "unanswered")

    def __init__(self, name: str) -> None:
        if not 0 < len(name) <= 256 or not name.isprintable():
            raise ValueError(name)
        self.quoted = quoted(name)
        self.clock = -1
        self.seen: dict[str, int] = {}
        self.repeats: dict[str, int] = {}
        self.prune_at = 64
        self.recent: list[Send] = []
        self.unanswered = 0  # of the recent ones, those without a click
        self.latest: Send | None = None
        self.total = Tally()
        self.by_type: dict[str, Tally] = {}

    def forget(self) -> None:
        """Forget events that are too old to have a duplicate."""
        since = self.clock - DEDUPE
        self.seen = {id: time for id, time in self.seen.items() if time > since}
        self.repeats = {id: number for id, number in self.repeats.items() if id in self.seen}
        self.prune_at = 2 * len(self.seen) + 64

    def settle(self, now: int) -> None:
        """Messages that are no longer recent are ignored, unless there was a response."""
        recent = self.recent
        while recent and recent[0].time + RECENT <= now:
            send = recent.pop(0)
            if send.response != CLICKED:
                self.unanswered -= 1
            if send.response == PENDING:
                send.response, send.responded = IGNORED, send.time + RECENT
                self.count(send, False)

    def count(self, send: Send, clicked: bool) -> None:
        self.total.add(send.responded, clicked)
        of_type = self.by_type.get(send.type)
        if of_type is None:
            of_type = self.by_type[send.type] = Tally()
        of_type.add(send.responded, clicked)

    def respond(self, send: Send, clicked: bool, now: int) -> None:
        before = send.response
        if before == CLICKED or (before != PENDING and not clicked):
            return
        if before != PENDING:
            self.total.remove(send.responded)
            self.by_type[send.type].remove(send.responded)
        if clicked and self.recent:  # the latest message is recent if any is
            self.unanswered -= 1
        send.response, send.responded = CLICKED if clicked else DISMISSED, now
        self.count(send, clicked)


class Kind:
    """An event type: its words, and what follows from the rules that hold."""

    __slots__ = ("by_mask", "event_type", "judge", "middle", "name", "words")

    def __init__(self, event_type: EventType, matcher: Matcher | None) -> None:
        self.event_type = event_type
        self.name = event_type.name
        self.judge = judge_of(event_type, matcher)
        self.middle = f',"event_type":"{event_type.name}","user":'
        self.words = _jinja.from_string(event_type.text).render
        self.by_mask: dict[int, Matched] = {}

    def matched(self, mask: int) -> Matched:
        matched = self.by_mask[mask] = Matched(self.event_type, mask)
        return matched


class Matched:
    """Score and threshold where certain rules hold, and how records write them."""

    __slots__ = ("bars", "begin", "raw", "score", "score_text")

    def __init__(self, event_type: EventType, mask: int) -> None:
        raw, threshold = event_type.weight, THRESHOLD
        parts, lowered = [_part("base", None, raw)], ""
        for place, rule in enumerate(event_type.rules):
            if mask >> place & 1:
                raw += rule.score
                parts.append(_part("rule", rule.id, rule.score))
                if rule.threshold is not None:
                    threshold += rule.threshold
                    lowered += _part("threshold", rule.id, rule.threshold) + ","
        self.raw = min(max(raw, 0.0), 1.0)
        self.score = round(self.raw, 9)
        self.score_text = _decimal(self.score)
        self.begin = f',"parts":[{",".join(parts)},{{"part":"engagement","id":null,"value":'
        self.bars: list[tuple[float, str, str]] = []
        for unanswered in range(MOST_RECENT + 1):
            fatigue = min(PER_MESSAGE * unanswered, MOST_FATIGUE)
            needed = round(min(max(threshold + fatigue, 0.0), 1.0), 9)
            self.bars.append((needed, _decimal(needed), f"}},{lowered}{_part('fatigue', None, fatigue)}]"))


def _part(part: str, id: str | None, value: float) -> str:
    return f'{{"part":"{part}","id":{"null" if id is None else quoted(id)},"value":{_decimal(value)}}}'


def _decimal(value: float) -> str:
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def judge_of(event_type: EventType, matcher: Matcher | None) -> Matcher:
    """Check the fields, then tell which rules hold; `FAULTY` where a field is wrong or missing."""
    number, share, integer, choice, flag, reference = names = event_type.fields
    required = [name for name in names if name != integer]
    if matcher is None:
        masks = (f"({1 << place} if {rule.when} else 0)" for place, rule in enumerate(event_type.rules))
        answer = " | ".join(masks)
    else:
        answer = "match(data)"
    source = f"""
def judge(data):
    try:
        {"; ".join(f"{name} = data['{name}']" for name in required)}
    except KeyError:
        return {FAULTY}
    {integer} = data.get('{integer}')
    if {integer} is None:
        {integer} = data['{integer}'] = 1
    if (
        (type({number}) is float or type({number}) is int) and 0 <= {number} <= {event_type.most}
        and (type({share}) is float or type({share}) is int) and 0 <= {share} <= 1
        and type({integer}) is int and 1 <= {integer} <= {HIGHEST_INTEGER}
        and type({choice}) is str and {choice} in {event_type.options}
        and type({flag}) is bool
        and type({reference}) is str and len({reference}) <= {LONGEST_REFERENCE}
    ):
        return {answer}
    return {FAULTY}
"""
    space: dict[str, object] = {"match": matcher}
    exec(compile(source, f"<{event_type.name}>", "exec"), space)
    return space["judge"]  # type: ignore[return-value]


class Minutes(dict[str, int]):
    """Microseconds since 1970 of minutes such as `2026-03-01T09:00`, each worked out once."""

    def __missing__(self, text: str) -> int:
        moment = datetime.fromisoformat(f"{text}:00+00:00")
        if not moment.isoformat().startswith(text) or not 2000 <= moment.year <= 2100:
            raise ValueError(text)
        if len(self) >= MOST_MINUTES:
            self.clear()
        found = self[text] = int(moment.timestamp()) * SECOND
        return found


SECONDS = {f":{second:02}Z": second * SECOND for second in range(60)}


def instant(us: int) -> str:
    """`2026-03-01T09:00:00Z`."""
    return datetime.fromtimestamp(us // SECOND, UTC).isoformat()[:19] + "Z"


class Faults:
    """Lines that are no events: the workload's own are told here, others are left to botopt."""

    def __init__(self, folder: Path, types: Mapping[str, EventType], append: Callable[[str], object], end: str) -> None:
        self.folder = folder
        self.types = types
        self.append = append
        self.end = end
        self.hints: dict[str, str] = {}
        self.decoder: Decoder | None = None

    def undeclared(self, raw: bytes, line: int, event: Data) -> None:
        """Nobody declared its type."""
        name = str(event["type"])
        hint = self.hints.get(name)
        if hint is None:
            from botopt.model.names import did_you_mean
            from botopt.model.policy import RESERVED_TYPES

            near = did_you_mean(name, (*self.types, *RESERVED_TYPES))
            hint = self.hints[name] = f" - {near}" if near else ""
        self.record(raw, line, event, "type", f'an event type that is not declared: "{name}"{hint}')

    def field(self, raw: bytes, line: int, event: Data, data: Data) -> None:
        """A field is missing or wrong."""
        event_type = self.types[str(event["type"])]
        names = event_type.fields
        value = data.get(event_type.number)
        if isinstance(value, str) and value.isascii() and value.split() == [value] and len(value) <= 60:
            detail = f'a field has the wrong type: {event_type.number} must be a number, not "{value}"'
            self.record(raw, line, event, event_type.number, detail)
        elif len(data) == len(names) - 1 and event_type.choice not in data and data.keys() < set(names):
            detail = f"a required field is missing: {event_type.choice}"
            self.record(raw, line, event, event_type.choice, detail)
        else:
            self.other(raw, line)

    def other(self, raw: bytes, line: int) -> None:
        """Anything else, said by botopt itself."""
        from botopt.model.event import Rejected
        from botopt.model.instants import instant_text
        from botopt.sources.envelope import Decoder
        from botopt.verify.validate import load

        if self.decoder is None:
            self.decoder = Decoder(load(self.folder))
        found = self.decoder.decode(raw.rstrip(b"\n"), line)
        if isinstance(found, Rejected):
            time = None if found.time_us is None else instant_text(found.time_us)
            known = {"id": found.event_id, "type": found.event_type, "user": found.user, "time": time}
            self.record(raw, line, known, found.by, found.detail)
        elif found is not None:
            raise NotImplementedError(f"line {line}: the workload has nothing of this kind")

    def record(self, raw: bytes, line: int, event: Mapping[str, object], by: str | None, detail: str) -> None:
        """Write the record of a rejected line."""
        digest = blake2b(b"0:%d:" % line + raw.rstrip(b"\n"), digest_size=16).hexdigest()[:24]
        id, name, who, time = (_or_null(event[key]) for key in ("id", "type", "user", "time"))
        self.append(
            f'{{"id":"{digest}","event_id":{id},"event_type":{name},"user":{who},"time":{time},"line":{line},'
            f'"outcome":"rejected","reason":"rejected","by":{_or_null(by)},"detail":{quoted(detail)},"until":null,'
            f'"score":null,"threshold":null,"parts":[],"cause":null,"choices":[],"message":null{self.end}'
        )


def _or_null(text: object) -> str:
    return "null" if text is None else quoted(str(text))


def run(  # noqa: C901, PLR0912, PLR0915 - one long loop is what is measured: calls are what it saves
    folder: Path, events: Path, out: Path, revision: str, matchers: Mapping[str, Matcher] | None = None
) -> None:
    """Decide events of `benchmarks.workload`, and write their records; `folder` is the workspace of that.

    `matchers`: for each event type, from its data, with defaults, to a mask of the rules that hold (bit 0 is the
    first rule). Without them conditions are Python.
    """
    gc.disable()  # nothing here has cycles
    types = {found.name: found for found in event_types(orjson.loads((folder / SPECIFICATION).read_bytes())["types"])}
    kinds = {name: Kind(found, None if matchers is None else matchers[name]) for name, found in types.items()}
    users: dict[str, User] = {}
    minutes, seconds, loads, begun = Minutes(), SECONDS, orjson.loads, _decision
    lines: list[str] = []
    append = lines.append
    end = f',"revision":"{revision}"}}\n'
    faults = Faults(folder, types, append, end)
    low = '","line":null,"outcome":"below_threshold","reason":"below_threshold","by":null,"detail":null,"until":null'
    sent = '","line":null,"outcome":"sent","reason":null,"by":null,"detail":null,"until":null'
    stopped = '","line":null,"outcome":"suppressed","reason":'
    duplicate = (
        f'{stopped}"duplicate","by":null,"detail":null,"until":null,"score":null,"threshold":null,"parts":[],'
        f'"cause":null,"choices":[],"message":null{end}'
    )
    low_end = f',"cause":null,"choices":[],"message":null{end}'
    sent_end = f'","title":null,"buttons":[]}}{end}'
    stopped_end = f'","choices":[],"message":null{end}'
    line = 0
    with events.open("rb") as source, out.open("wb") as target:
        while block := source.readlines(BLOCK):
            for raw in block:
                line += 1
                try:
                    event = loads(raw)
                    id, name, who, text, data = event["id"], event["type"], event["user"], event["time"], event["data"]
                    time = minutes[text[:16]] + seconds[text[16:]]
                    user = users.get(who)
                    if user is None:
                        user = users[who] = User(who)
                except (LookupError, TypeError, ValueError):
                    faults.other(raw, line)
                    continue
                if type(id) is not str or not 0 < len(id) <= 256 or not id.isprintable() or type(data) is not dict:
                    faults.other(raw, line)
                    continue
                kind = kinds.get(name)
                mask = 0
                if kind is not None:
                    mask = kind.judge(data)
                    if mask < 0:
                        faults.field(raw, line, event, data)
                        continue
                elif name not in RESPONSES:
                    faults.undeclared(raw, line, event)
                    continue
                elif data:
                    raise NotImplementedError(f"line {line}: feedback about a certain message")
                clock = user.clock
                if time >= clock:
                    now = time
                else:
                    now, text = clock, instant(clock)
                    if time + DEDUPE <= clock:
                        faults.record(raw, line, event, "time", TOO_OLD)
                        continue
                seen = user.seen
                if id in seen:
                    if now >= seen[id] + DEDUPE:
                        del seen[id]  # it is an event like any other, and the newest
                    elif kind is not None:
                        user.repeats[id] = number = user.repeats.get(id, 0) + 1
                        digest = begun()
                        digest.update(f"{who}\0\0{id}\0duplicate {number}\0{now}".encode())
                        append(
                            f'{{"id":"{digest.hexdigest()}","event_id":{quoted(id)}{kind.middle}{user.quoted},'
                            f'"time":"{text}{duplicate}'
                        )
                        continue
                    else:
                        continue
                recent = user.recent
                if kind is None:
                    send = user.latest
                    if send is None or now >= send.time + TAKEN:
                        faults.record(raw, line, event, None, NOTHING_SENT if send is None else TOO_LATE)
                        continue
                    user.clock = now
                    if recent and recent[0].time + RECENT <= now:
                        user.settle(now)
                    user.respond(send, RESPONSES[name], now)
                    seen[id] = now
                    continue

                user.clock = now
                if recent and recent[0].time + RECENT <= now:
                    user.settle(now)
                matched = kind.by_mask.get(mask) or kind.matched(mask)
                total = user.total
                if total.count:
                    fade = 2.0 ** (-(now - total.time) / HALF_LIFE)
                    rate = (total.clicks * fade + SHARE) / (total.outcomes * fade + STRENGTH)
                    of_type = user.by_type.get(name)
                    if of_type is not None and of_type.count:
                        fade = 2.0 ** (-(now - of_type.time) / HALF_LIFE)
                        rate = (of_type.clicks * fade + STRENGTH * rate) / (of_type.outcomes * fade + STRENGTH)
                    factor = (rate / PRIOR) ** EFFECT
                    factor = LOW if factor < LOW else min(factor, HIGH)
                    score = matched.raw * factor
                    score = round(min(score, 1.0), 9)
                    score_text = f"{score:.6f}".rstrip("0").rstrip(".")
                    factor_text = f"{factor:.6f}".rstrip("0").rstrip(".")
                else:
                    score, score_text, factor_text = matched.score, matched.score_text, "1"
                needed, needed_text, bar_end = matched.bars[user.unanswered]
                digest = begun()
                digest.update(f"{who}\0\0{id}\x000\0{now}".encode())
                decided = digest.hexdigest()
                head = f'{{"id":"{decided}","event_id":{quoted(id)}{kind.middle}{user.quoted},"time":"{text}'
                terms = f',"score":{score_text},"threshold":{needed_text}{matched.begin}{factor_text}{bar_end}'
                if score <= needed:
                    append(f"{head}{low}{terms}{low_end}")
                else:
                    stop: Send | None = None
                    for send in recent:
                        if send.type == name and send.time > now - COOLS:
                            stop = send
                    if stop is not None:
                        append(
                            f'{head}{stopped}"cooldown","by":"{COOLDOWN}","detail":null,'
                            f'"until":"{instant(stop.time + COOLS)}"{terms},"cause":"{stop.id}{stopped_end}'
                        )
                    elif len(recent) >= MOST_RECENT:
                        append(
                            f'{head}{stopped}"capped","by":"{CAP}","detail":null,'
                            f'"until":"{instant(recent[0].time + RECENT)}"{terms},"cause":"{recent[-1].id}{stopped_end}'
                        )
                    else:
                        words = quoted(kind.words(data).strip())[1:-1]
                        append(
                            f'{head}{sent}{terms},"cause":null,"choices":[],"message":{{"id":"{decided}",'
                            f'"template":"{name}","variant":"{VARIANT}","locale":"{LOCALE}","channel":"{CHANNEL}",'
                            f'"text":"{words}{sent_end}'
                        )
                        user.latest = send = Send(decided, name, now)
                        recent.append(send)
                        user.unanswered += 1
                seen[id] = now
                if len(seen) > user.prune_at:
                    user.forget()
            target.write("".join(lines).encode())
            lines.clear()


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
