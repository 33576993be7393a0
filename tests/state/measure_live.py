"""How fast the live service's tables are. Run: `.venv/bin/python -m tests.state.measure_live` in the repository's folder.

Groups of 20 and 100 decisions, each with its user and its message, committed one after the other; then claims and
receipts of those messages, as the dispatcher writes them; then what readers ask.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from botopt.model.live import Changes, DecisionQuery, OutboxRow, OutboxStatus
from botopt.state.sqlite import open_state
from tests.state.helpers import T, decision, parcel, row, sending
from tests.state.measure import timed

TOTAL = 40_000
RECORD = b'{"id":"%s"' + b"x" * 700 + b"}"


def group(size: int, start: int, chance: random.Random) -> Changes:
    ids = [f"{chance.randrange(16**24):024x}" for _ in range(size)]
    users = [f"user-{chance.randrange(1_000_000):07}" for _ in range(size)]
    packed = parcel("x" * 200)
    return Changes(
        users=[row(user, state=chance.randbytes(400)) for user in dict.fromkeys(users)],
        decisions=[
            decision(id, user, record=RECORD % id.encode(), at_us=T + start)
            for id, user in zip(ids, users, strict=True)
        ],
        outbox=[sending(id, user, at_us=T + start, parcel=packed) for id, user in zip(ids, users, strict=True)],
    )


def deliver(rows: Sequence[OutboxRow]) -> tuple[Changes, Changes]:
    claims = [replace(one, status=OutboxStatus.CLAIMED, attempts=1, address=f"+49{one.user}") for one in rows]
    ends = [replace(one, status=OutboxStatus.DELIVERED, provider_id=one.key[::-1]) for one in claims]
    return Changes(outbox=claims), Changes(outbox=ends)


def main() -> None:
    chance = random.Random(1)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = Path(folder) / "state.db"
        with open_state(path, create=True, read_only=False) as store:
            for size in (1, 20, 100):
                total = TOTAL if size > 1 else 1_000
                groups = [group(size, number, chance) for number in range(total // size)]
                took = timed(lambda groups=groups: [store.commit_changes(one) for one in groups])
                print(f"groups of {size:3}  {total / took:10,.0f} decisions with user and message a second")
                steps = [step for one in groups for step in deliver(list(one.outbox))]
                took = timed(lambda steps=steps: [store.commit_changes(one) for one in steps])
                print(f"               {total / took:10,.0f} messages claimed and delivered a second")
            users = [one.user for one in store.decisions(DecisionQuery(limit=1_000))]
            took = timed(lambda: [store.decisions(DecisionQuery(user=user)) for user in users])
            print(f"decisions of a user      {took * 1e3:8.1f} µs")
            took = timed(lambda: [store.outbox_due(T, "chat", 20) for _ in range(1_000)])
            print(f"outbox_due, nothing      {took * 1e3:8.1f} µs")
            took = timed(lambda: [store.control_version() for _ in range(1_000)])
            print(f"control_version          {took * 1e3:8.1f} µs")
            took = timed(lambda: store.tidy(2**62, 1_000))
            print(f"tidy, 1,000 of each      {took * 1e3:8.0f} ms")
            took = timed(lambda: [store.commit_changes(Changes(erased=[user])) for user in users[:100]])
            print(f"erasing a user           {took * 10:8.1f} ms")
            size = path.stat().st_size
            print(f"file                     {size / 1e6:8.0f} MB")
            print(f"compact                  {timed(store.compact):8.1f} s")


if __name__ == "__main__":
    main()
