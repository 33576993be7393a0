"""The account itself: it must not balance when something is lost, came twice, or was decided otherwise."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from tests.proof.books import account
from tests.proof.reporting import table
from tests.proof.world import World, event, until


def test_the_account_balances_and_notices_each_kind_of_loss(world: World):
    world.start()
    events = [event(n, ("hooked", "texted", "cooled", "limited", "weak", "seen")[n % 6], users=3) for n in range(24)]
    assert world.post(*events)[0] == 202
    assert world.post(*events[:5])[0] == 202
    until(world.quiet, "messages are still on their way", 60, world.log)
    world.close()
    taken = {str(one["id"]): one for one in events}
    found = account(world, taken)
    assert (found.taken, found.decided, found.duplicates, found.starts) == (24, 20, 5, 1)
    assert found.sent == found.delivered == sum(world.receiver.taken.values())

    def refused(words: str, events: dict[str, dict[str, object]] = taken) -> None:  # type: ignore[assignment]
        with pytest.raises(AssertionError, match=words):
            account(world, events)

    refused("taken, and never decided", {**taken, "new": event(99) | {"id": "new"}})
    refused("is forgotten", {**taken, "new": event(99, "seen") | {"id": "new", "user": "u1"}})
    refused("the plain engine says", {**taken, "e0": taken["e0"] | {"data": {"n": 77}}})
    before = Counter(world.receiver.taken)
    sms = next(where for where in before if where[0] == "sms")
    hook = next(where for where in before if where[0] == "hook")
    world.receiver.taken[sms] += 1
    refused("came 2 times to a receiver that cannot tell")
    world.receiver.taken = Counter(before)
    world.receiver.bodies[hook].add(b"other words")
    refused("its repeats differ")
    world.receiver.bodies[hook].remove(b"other words")
    del world.receiver.taken[hook]
    refused("counts as delivered, and never came")
    world.receiver.taken = Counter(before)
    world.receiver.taken["hook", "nobody knows it"] += 1
    refused("came, and was never decided")
    world.receiver.taken = Counter(before)
    account(world, taken)
    for words, change in {
        "is still on its way": "UPDATE outbox SET status = 'pending' WHERE number = 1",
        "sent, and never attempted": "UPDATE outbox SET status = 'delivered', attempts = 0 WHERE number = 1",
        "the outbox does not hold what was sent": "DELETE FROM outbox WHERE number = 1",
    }.items():
        with closing(sqlite3.connect(world.state)) as connection, connection:
            connection.execute(change)
        refused(words)


def test_the_report_is_two_tables():
    numbers = dict.fromkeys("taken decided sent delivered dead unsure repeated duplicates starts".split(), 1_234)
    said = table([{"what": "b", "tried": 5_000}, {"what": "a", **numbers, "held": 7}])
    assert "| a (held: 7) | 1,234 |" in said
    assert "| b | tried: 5,000 |" in said
