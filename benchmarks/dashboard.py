"""How long the dashboard takes to read a decision log, and how long each of its pages asks afterwards.

python -m benchmarks.dashboard 5000000 /tmp/log       # writes /tmp/log/*.jsonl if they are not there, by seed
"""

from __future__ import annotations

import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
DAYS = 60
TYPES = {
    "parcel_delayed": 0.34,
    "invoice_due": 0.21,
    "appointment_reminder": 0.42,
    "feature_tip": 0.06,
    "outage_over": 0.27,
}
VARIANTS = {"plain": 0.00, "short": 0.02, "friendly": 0.05}
ZONES = ("Europe/Berlin", "Europe/London", "Asia/Kolkata", "America/New_York")
LOCALES = ("en", "de", "hi", "fr")
REASONS = ("cooldown", "capped", "quiet_hours", "muted", "resolved", "paced", "no_consent", "send_time")
BY = {
    "cooldown": "same-order",
    "capped": "daily-cap",
    "quiet_hours": "night",
    "muted": "tired",
    "resolved": "paid-since",
}
REVISIONS = ("5d00e46c35e57a43", "9a1be07720c4f1d2", "c3f29e5518aa0b76")


def write_log(folder: Path, decisions: int, seed: int = 1, users: int | None = None) -> tuple[Path, Path]:
    """A log of made-up decisions and the events that answer them, the same for each seed: two files."""
    folder.mkdir(parents=True, exist_ok=True)
    log, events = folder / "decisions.jsonl", folder / "events.jsonl"
    if log.exists() and events.exists():
        return log, events
    chance = random.Random(seed)
    count = users or max(20, decisions // 100)
    step_us = DAYS * 86_400_000_000 // decisions
    taste = [chance.gauss(0, 0.08) for _ in range(count)]
    with log.open("w", encoding="utf-8") as records, events.open("w", encoding="utf-8") as answers:
        for number in range(count):
            answers.write(
                f'{{"id":"z{number}","type":"user.updated","user":"user-{number}","time":"{_text(START_US)}",'
                f'"data":{{"timezone":"{ZONES[number % 4]}"}}}}\n'
            )
        for place in range(decisions):
            record, answer = _one(chance, place, START_US + place * step_us, count, taste, place / decisions)
            records.write(record)
            answers.writelines(answer)
    return log, events


def _one(
    chance: random.Random, place: int, at_us: int, count: int, taste: list[float], share: float
) -> tuple[str, list[str]]:
    user = int(count * chance.random() ** 2)
    kind = chance.choice(tuple(TYPES))
    at = _text(at_us)
    revision = REVISIONS[0 if share < 0.35 else 1 if share < 0.8 else 2]
    head = f'{{"id":"{place:024x}","event_id":"e{place}","event_type":"{kind}","user":"user-{user}","time":"{at}","line":null'
    score, needed = round(chance.betavariate(5, 3), 3), 0.45
    parts = (
        f'"score":{score},"threshold":{needed},"parts":[{{"part":"base","id":null,"value":0.7}},'
        f'{{"part":"rule","id":"large-amount","value":{round(score - 0.7, 3)}}},'
        '{"part":"engagement","id":null,"value":1},{"part":"fatigue","id":null,"value":0}],"cause":null'
    )
    arm = "early" if user % 2 else "as-now"
    choices = f'{{"purpose":"experiment early-nudge","eligible":["as-now","early"],"chosen":"{arm}","draw":null,"propensity":0.5}}'
    events = [
        f'{{"id":"e{place}","type":"{kind}","user":"user-{user}","time":"{at}","data":{{"order_id":"O-{place}"}}}}\n'
    ]
    tail = f'"snapshot":"ea17abe69677","revision":"{revision}"}}\n'
    luck = chance.random()
    if score <= needed:
        outcome = f'"outcome":"below_threshold","reason":"below_threshold","by":null,"detail":null,"until":null,{parts}'
        return f'{head},{outcome},"choices":[{choices}],"message":null,{tail}', events
    if luck < 0.35 + 0.1 * (revision == REVISIONS[1]):
        reason = chance.choice(REASONS)
        by = f'"{BY[reason]}"' if reason in BY else "null"
        outcome = "held" if reason in {"quiet_hours", "send_time"} else "suppressed"
        middle = f'"outcome":"{outcome}","reason":"{reason}","by":{by},"detail":null,"until":"{_text(at_us + 3_600_000_000)}",{parts}'
        return f'{head},{middle},"choices":[{choices}],"message":null,{tail}', events
    variant = chance.choice(tuple(VARIANTS))
    choices += f',{{"purpose":"variant","eligible":["plain","short","friendly"],"chosen":"{variant}","draw":{luck:.6f},"propensity":0.333333}}'
    message = (
        f'{{"id":"{place:024x}","template":"{kind}","variant":"{variant}","locale":"{LOCALES[user % 4]}","channel":'
        f'"{"email" if user % 5 == 0 else "chat"}","text":"Something happened to order O-{place}. Shall we look at it together?",'
        '"title":null,"buttons":[]}'
    )
    sent = f'{head},"outcome":"sent","reason":null,"by":null,"detail":null,"until":null,{parts},"choices":[{choices}],"message":{message},{tail}'
    hour = (at_us // 3_600_000_000) % 24
    rate = TYPES[kind] + VARIANTS[variant] + taste[user] + (0.06 if 15 <= hour <= 19 else -0.03)
    said = chance.random()
    answer = "clicked" if said < rate else "dismissed" if said < rate + 0.05 else "failed" if said > 0.99 else None
    if answer is not None:
        later = _text(at_us + chance.randrange(60_000_000, 7_200_000_000))
        events.append(
            f'{{"id":"a{place}","type":"message.{answer}","user":"user-{user}","time":"{later}","data":{{"message_id":"{place:024x}"}}}}\n'
        )
    return sent, events


def _text(us: int) -> str:
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def questions() -> Iterator[tuple[str, Callable[..., object]]]:
    """What each page asks, with the arguments connection and filter."""
    from botopt.dashboard.queries import learning, overview, people, reasons, volume

    yield "filters", lambda con, _: (overview.bounds(con), overview.names(con))
    yield (
        "overview",
        lambda con, f: [ask(con, f) for ask in (overview.totals, overview.funnel, overview.by_day, overview.revisions)],
    )
    for dimension in volume.Dimension:
        yield f"volume by {dimension}", lambda con, f, d=dimension: volume.by(con, f, d)
    yield "reasons", lambda con, f: [ask(con, f) for ask in (reasons.over_time, reasons.totals, reasons.near_misses)]
    yield (
        "people",
        lambda con, f: [ask(con, f) for ask in (people.engagement, people.messages_per_user, people.busiest)],
    )
    yield "one user", lambda con, f: people.timeline(con, "user-7", f)
    yield "arms and draws", lambda con, f: [ask(con, f) for ask in (learning.arms, learning.draws)]
    yield "hours", learning.hours
    yield "pacing", lambda con, f: (learning.pacing(con, f), learning.budget(con, f, 1.5))
    yield "experiments", learning.experiments


def main() -> None:
    from botopt.dashboard.asked import Asked
    from botopt.dashboard.queries.asking import Filter
    from botopt.dashboard.store.opening import open_source

    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    os.environ["BOTOPT_CACHE_DIR"] = str(folder / "cache")
    log, events = write_log(folder, count)
    size = (log.stat().st_size + events.stat().st_size) / 1e6
    asked = Asked(files=(log,), events=(events,))
    for name in ("read", "opened again"):
        begin = time.perf_counter()
        opened = open_source(asked)
        print(f"{name:24} {time.perf_counter() - begin:8.2f} s   ({size:,.0f} MB)")
        if name == "read":
            opened.close()
    con = opened.cursor()
    some = Filter(first=date(2026, 1, 10), last=date(2026, 2, 10), event_types=("invoice_due", "feature_tip"))
    for name, question in questions():
        times = []
        for chosen in (Filter(), some):
            begin = time.perf_counter()
            question(con, chosen)
            times.append(time.perf_counter() - begin)
        print(f"{name:24} {times[0]:8.2f} s   filtered {times[1]:6.2f} s")
    print(f"{'most memory':24} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")
    print(f"{'cache':24} {sum(f.stat().st_size for f in (folder / 'cache').rglob('*.duckdb')) / 1e6:8.0f} MB")
    opened.close()
    begin = time.perf_counter()
    with log.open("a", encoding="utf-8") as file:
        file.writelines(_one(random.Random(9), count + n, START_US, 20, [0.0] * 20, 0.9)[0] for n in range(1000))
    open_source(asked).close()
    print(f"{'1,000 lines more':24} {time.perf_counter() - begin:8.2f} s")


if __name__ == "__main__":
    main()
