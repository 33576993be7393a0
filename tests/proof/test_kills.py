"""The service is killed at random points under load, while it starts, while it takes another policy, and while it ends.
In the end nothing is lost, and nothing came twice.
"""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections.abc import Callable

from tests.proof.books import account
from tests.proof.clients import Clients, answers_are_repeated
from tests.proof.policies import RULES
from tests.proof.reporting import report
from tests.proof.world import SOAK, World, event, heard, until

OTHERS = 10 if SOAK else 1
KILLS = 30 if SOAK else 2
"""Of the plain kind, under load; beside them so many of each other kind."""


def under_load(world: World, chance: random.Random) -> None:
    time.sleep(chance.uniform(0.05, 1.2))
    world.kill()


def starting(world: World, chance: random.Random) -> None:
    """Killed, and killed again while it reads the policy, takes in the -wal file, or settles what was claimed."""
    under_load(world, chance)
    world.start(wait=False)
    time.sleep(chance.uniform(0.05, 1.5))
    world.kill()


def reloading(world: World, chance: random.Random) -> None:
    """Killed while it reads, compiles or swaps another policy."""
    world.write(RULES.replace("weight: 0.9", f"weight: 0.{chance.randrange(800, 999)}"))
    time.sleep(chance.uniform(0.05, 1.2))
    world.kill()


def draining(world: World, chance: random.Random) -> None:
    """Killed by an orchestrator that does not wait."""
    time.sleep(chance.uniform(0.05, 0.4))
    assert world.process is not None
    world.process.send_signal(signal.SIGTERM)
    time.sleep(chance.uniform(0.0, 0.3))
    world.kill()


Killing = Callable[[World, random.Random], None]


def test_killed_under_load_it_loses_nothing_and_sends_nothing_twice(world: World):
    chance = random.Random(20261129)
    others: list[Killing] = [starting, reloading, draining] * OTHERS
    killings: list[Killing] = [under_load] * KILLS + others
    chance.shuffle(killings)
    world.start()
    with Clients(world) as clients:
        for killing in killings:
            clients.progress(1)
            killing(world, chance)
            world.start()
        clients.progress()
    until(world.quiet, "messages are still on their way", 120, world.log)
    repeated = answers_are_repeated(world, clients)
    world.close()
    found = account(world, clients.taken)
    assert found.sent > 10 * len(killings)
    assert repeated
    report(
        f"killed {KILLS} times under load, {OTHERS} times each while starting, reloading, draining",
        found,
        requests_cut_off=clients.unheard,
        answers_repeated=repeated,
    )


def test_one_key_is_decided_once_whenever_the_service_dies(world: World):
    """A request is cut off by a kill at a random moment, and sent again: its events are decided once, and every answer
    to it is the same.
    """
    chance = random.Random(7)
    taken = {}
    cut = 0
    world.start()
    for round_ in range(12 if SOAK else 2):
        events = [event(100 * round_ + n, "hooked") for n in range(40)]
        body = json.dumps(events).encode()
        ask = lambda body=body, key=f"r{round_}": world.ask("POST", "/v1/events", body, idempotency_key=key)  # noqa: E731
        first: list[int] = []
        thread = threading.Thread(target=lambda ask=ask, first=first: first.append(heard(ask)))
        thread.start()
        time.sleep(chance.uniform(0.0, 0.03))
        world.kill()
        thread.join(30)
        cut += first != [202]
        world.start()
        answers = [ask() for _ in range(3)]
        assert answers[0][0] == 202
        assert len(set(answers)) == 1
        taken.update((str(one["id"]), one) for one in events)
    until(world.quiet, "messages are still on their way", 120, world.log)
    world.close()
    found = account(world, taken)
    assert (found.sent, found.duplicates) == (len(taken), 0)
    report("one Idempotency-Key, before and after a kill", found, requests_cut_off=cut)
