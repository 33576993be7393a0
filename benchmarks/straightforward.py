"""What a skilled engineer would write for this one policy in a day: one loop over dictionaries.

`python -m benchmarks.straightforward FOLDER EVENTS OUT REVISION` writes the record lines of `botopt replay` from
orjson, a dictionary of users, compiled Jinja templates and conditions in Python. It is the yardstick of the suite, and
the loop that other engines are measured in: they replace its conditions only. `handwritten` is the same with
everything remembered that can be, and lines put together from text. What both leave out, benchmarks/README.md says.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

import orjson
from jinja2 import Environment

from benchmarks.handwritten import (
    BLOCK,
    COOLS,
    DEDUPE,
    EFFECT,
    FAULTY,
    HALF_LIFE,
    HIGH,
    LOW,
    MOST_FATIGUE,
    MOST_RECENT,
    NOTHING_SENT,
    PER_MESSAGE,
    PRIOR,
    RECENT,
    RESPONSES,
    SECOND,
    SHARE,
    STRENGTH,
    TAKEN,
    THRESHOLD,
    TOO_LATE,
    TOO_OLD,
    Data,
    Faults,
    Matcher,
    Send,
    User,
    instant,
    judge_of,
)
from benchmarks.workload import CAP, CHANNEL, COOLDOWN, LOCALE, SPECIFICATION, VARIANT, EventType, event_types


class Kind:
    """An event type, made ready."""

    __slots__ = ("judge", "name", "render", "rules", "weight")

    def __init__(self, event_type: EventType, matcher: Matcher | None, jinja: Environment) -> None:
        self.name = event_type.name
        self.weight = event_type.weight
        self.rules = tuple((1 << place, rule) for place, rule in enumerate(event_type.rules))
        self.judge = judge_of(event_type, matcher)
        self.render = jinja.from_string(event_type.text).render


def decimal(value: float) -> float:
    """As records have it: six decimals, and none for a whole number."""
    value = round(value, 6)
    return int(value) if value == int(value) else value


def part(name: str, id: str | None, value: float) -> Data:
    """A term of a score or a threshold."""
    return {"part": name, "id": id, "value": decimal(value)}


def faded(age: int) -> float:
    """What is left of an outcome."""
    return 2.0 ** (-age / HALF_LIFE)


def engagement(user: User, name: str, now: int) -> float:
    """What this user does with messages, as a factor of the score."""
    if not user.total.count:
        return 1.0
    fade = faded(now - user.total.time)
    rate = (user.total.clicks * fade + SHARE) / (user.total.outcomes * fade + STRENGTH)
    of_type = user.by_type.get(name)
    if of_type is not None and of_type.count:
        fade = faded(now - of_type.time)
        rate = (of_type.clicks * fade + STRENGTH * rate) / (of_type.outcomes * fade + STRENGTH)
    return min(max((rate / PRIOR) ** EFFECT, LOW), HIGH)


class Loop:
    """Decides one event after another."""

    def __init__(
        self, folder: Path, out: list[bytes], revision: str, matchers: Mapping[str, Matcher] | None = None
    ) -> None:
        types = event_types(orjson.loads((folder / SPECIFICATION).read_bytes())["types"])
        jinja = Environment()
        self.kinds = {
            found.name: Kind(found, None if matchers is None else matchers[found.name], jinja) for found in types
        }
        self.users: dict[str, User] = {}
        self.revision = revision
        self.out = out
        self.faults = Faults(
            folder, {found.name: found for found in types}, self._faulty, f',"revision":"{revision}"}}\n'
        )

    def _faulty(self, line: str) -> None:
        self.out.append(line.encode())

    def take(self, raw: bytes, line: int) -> None:  # noqa: C901, PLR0912 - one loop, as one writes it by hand
        """Decide the event of a line."""
        try:
            event = orjson.loads(raw)
            id, name, who, data = event["id"], event["type"], event["user"], event["data"]
            time = int(datetime.fromisoformat(event["time"]).timestamp() * SECOND)
            user = self.users.get(who)
            if user is None:
                user = self.users[who] = User(who)
        except (LookupError, TypeError, ValueError):
            self.faults.other(raw, line)
            return
        if type(id) is not str or not 0 < len(id) <= 256 or not id.isprintable() or type(data) is not dict:
            self.faults.other(raw, line)
            return
        kind = self.kinds.get(name)
        mask = 0
        if kind is not None:
            mask = kind.judge(data)
            if mask == FAULTY:
                self.faults.field(raw, line, event, data)
                return
        elif name not in RESPONSES:
            self.faults.undeclared(raw, line, event)
            return
        elif data:
            raise NotImplementedError(f"line {line}: feedback about a certain message")
        if time + DEDUPE <= user.clock:
            self.faults.record(raw, line, event, "time", TOO_OLD)
            return
        now = max(time, user.clock)
        if id in user.seen and now < user.seen[id] + DEDUPE:
            if kind is not None:
                number = user.repeats[id] = user.repeats.get(id, 0) + 1
                self.record(kind, user, event, now, "suppressed", reason="duplicate", turn=f"duplicate {number}")
            return
        if kind is None and (user.latest is None or now >= user.latest.time + TAKEN):
            detail = NOTHING_SENT if user.latest is None else TOO_LATE
            self.faults.record(raw, line, event, None, detail)
            return
        user.clock = now
        user.settle(now)
        if kind is None:
            user.respond(user.latest, RESPONSES[name], now)
        else:
            self.decide(kind, mask, user, event, now)
        user.seen[id] = now
        if len(user.seen) > user.prune_at:
            user.forget()

    def decide(self, kind: Kind, mask: int, user: User, event: Data, now: int) -> None:
        """Score it, and send or not."""
        score, needed = kind.weight, THRESHOLD
        parts, lowered = [part("base", None, score)], []
        for bit, rule in kind.rules:
            if mask & bit:
                score += rule.score
                parts.append(part("rule", rule.id, rule.score))
                if rule.threshold is not None:
                    needed += rule.threshold
                    lowered.append(part("threshold", rule.id, rule.threshold))
        factor = engagement(user, kind.name, now)
        fatigue = min(PER_MESSAGE * user.unanswered, MOST_FATIGUE)
        score = round(min(min(max(score, 0.0), 1.0) * factor, 1.0), 9)
        needed = round(min(max(needed + fatigue, 0.0), 1.0), 9)
        parts += [part("engagement", None, factor), *lowered, part("fatigue", None, fatigue)]
        worth = {"score": decimal(score), "threshold": decimal(needed), "parts": parts}
        if score <= needed:
            self.record(kind, user, event, now, "below_threshold", reason="below_threshold", **worth)
            return
        stop: Send | None = None
        for send in user.recent:
            if send.type == kind.name and send.time > now - COOLS:
                stop = send
        if stop is not None:
            until = instant(stop.time + COOLS)
            self.record(
                kind,
                user,
                event,
                now,
                "suppressed",
                reason="cooldown",
                by=COOLDOWN,
                until=until,
                cause=stop.id,
                **worth,
            )
        elif len(user.recent) >= MOST_RECENT:
            until, cause = instant(user.recent[0].time + RECENT), user.recent[-1].id
            self.record(
                kind, user, event, now, "suppressed", reason="capped", by=CAP, until=until, cause=cause, **worth
            )
        else:
            words = kind.render(event["data"]).strip()
            id = self.record(kind, user, event, now, "sent", text=words, **worth)
            user.latest = Send(id, kind.name, now)
            user.recent.append(user.latest)
            user.unanswered += 1

    def record(
        self,
        kind: Kind,
        user: User,
        event: Data,
        now: int,
        outcome: str,
        *,
        reason: str | None = None,
        by: str | None = None,
        until: str | None = None,
        score: float | None = None,
        threshold: float | None = None,
        parts: list[Data] | None = None,
        cause: str | None = None,
        text: str | None = None,
        turn: str = "0",
    ) -> str:
        """Write what was decided, and give its id."""
        id = blake2b(f"{event['user']}\0\0{event['id']}\0{turn}\0{now}".encode(), digest_size=12).hexdigest()
        message = text and {
            "id": id,
            "template": kind.name,
            "variant": VARIANT,
            "locale": LOCALE,
            "channel": CHANNEL,
            "text": text,
            "title": None,
            "buttons": [],
        }
        record = {
            "id": id,
            "event_id": event["id"],
            "event_type": kind.name,
            "user": event["user"],
            "time": instant(now),
            "line": None,
            "outcome": outcome,
            "reason": reason,
            "by": by,
            "detail": None,
            "until": until,
            "score": score,
            "threshold": threshold,
            "parts": parts or [],
            "cause": cause,
            "choices": [],
            "message": message,
            "revision": self.revision,
        }
        self.out.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        return id


def run(folder: Path, events: Path, out: Path, revision: str, matchers: Mapping[str, Matcher] | None = None) -> None:
    """Decide events of `benchmarks.workload`, and write their records: see `handwritten.run`."""
    gc.disable()  # nothing here has cycles
    lines: list[bytes] = []
    loop = Loop(folder, lines, revision, matchers)
    first = 1
    with events.open("rb") as source, out.open("wb") as target:
        while block := source.readlines(BLOCK):
            for number, raw in enumerate(block, first):
                loop.take(raw, number)
            first += len(block)
            target.write(b"".join(lines))
            lines.clear()


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
