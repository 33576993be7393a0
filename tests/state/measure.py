"""How large and how fast a state file is. Run: `.venv/bin/python -m tests.state.measure` in the repository's folder.

100 batches of 2,000 users make a file of 200,000; then 50 more batches change a tenth of it at random.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from botopt.model.ports import UserRow
from botopt.state.sqlite import open_state

USERS = 200_000
BATCH = 2_000
STATE_BYTES = 400


def row(number: int, chance: random.Random) -> UserRow:
    due_us = 1_772_355_600_000_000 + number if chance.random() < 0.02 else None
    state = chance.randbytes(round(STATE_BYTES * chance.uniform(0.5, 1.5)))
    at_us = 1_772_355_600_000_000 + number
    return UserRow(f"user-{number:07}", at_us, at_us, "payment_failed", int(due_us is not None), due_us, state)


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    chance = random.Random(1)
    order = list(range(USERS))
    chance.shuffle(order)
    inserts = [[row(n, chance) for n in sorted(order[at : at + BATCH])] for at in range(0, USERS, BATCH)]
    updates = [[row(n, chance) for n in sorted(chance.sample(order, BATCH))] for _ in range(50)]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = Path(folder) / "state.db"
        store = open_state(path, create=True, read_only=False)

        def commit(batches: Iterable[list[UserRow]]) -> None:
            for batch in batches:
                store.commit(batch, meta={"newest": "5"})

        print(f"new users     {USERS / timed(lambda: commit(inserts)):12,.0f} a second")
        print(f"changed users {50 * BATCH / timed(lambda: commit(updates)):12,.0f} a second")
        loads = [[user.user for user in batch] for batch in updates]
        print(f"loaded users  {50 * BATCH / timed(lambda: [store.load(users) for users in loads]):12,.0f} a second")
        print(
            f"one at a time {10_000 / timed(lambda: [store.load([u]) for b in loads[:5] for u in b]):12,.0f} a second"
        )
        print(f"held()        {timed(store.held) * 1e3:12.2f} ms")
        print(f"check()       {timed(store.check):12.2f} s")
        print(f"close         {timed(store.close) * 1e3:12.0f} ms")
        size = path.stat().st_size
        print(f"file          {size / 1e6:12.0f} MB, {size / USERS:.0f} bytes a user for {STATE_BYTES} bytes of state")
        begin = time.perf_counter()
        open_state(path, create=False, read_only=False).close()
        print(f"open, close   {(time.perf_counter() - begin) * 1e3:12.0f} ms")


if __name__ == "__main__":
    main()
