"""People at work while events come in: silences, keys, the outbox, erasures, and other policies."""

from __future__ import annotations

import json
import threading
import time
from functools import partial

from botopt.model.live import OutboxStatus
from tests.delivery.peers import hanging
from tests.proof.books import account
from tests.proof.clients import Clients
from tests.proof.policies import RULES
from tests.proof.receiver import Receiver
from tests.proof.reporting import report
from tests.proof.world import SOAK, World, event, heard, until

ROUNDS = 6 if SOAK else 1


def outcomes(world: World, *events: dict[str, object]) -> list[tuple[str, str | None]]:
    status, said = world.post(*events, wait=True)
    assert status == 202, said
    return [(d["outcome"], d["reason"]) for one in json.loads(said)["events"] for d in one["decisions"]]


def test_silences_and_keys_come_and_go_under_load(make_world):
    world: World = make_world(options=())
    world.key = json.loads(
        world.botopt("keys", "add", "first", "--scope", "ingest", "--scope", "read", "--format", "json")
    )["key"]
    world.start()
    probe = 0
    with Clients(world, pause_s=0.02) as clients:
        for _ in range(ROUNDS):
            clients.progress()
            silence = world.botopt("silence", "add", "--events", "hooked", "--for", "1h", "--why", "proof").split()[0]

            def silenced() -> bool:
                nonlocal probe
                probe += 1
                one = event(probe, prefix="probe")
                clients.taken[str(one["id"])] = one
                return outcomes(world, one) == [("suppressed", "silenced")]

            until(silenced, "the silence is not heard", 30, world.log)
            clients.progress()
            world.kill()  # a silence outlives the service
            world.start()
            assert silenced()
            world.botopt("silence", "end", silence)
            until(lambda: not silenced(), "the silence does not end", 30, world.log)

            added = json.loads(world.botopt("keys", "add", "second", "--scope", "ingest", "--format", "json"))
            with_it = partial(world.ask, "POST", "/v1/events", b"[]", x_api_key=added["key"])
            until(lambda with_it=with_it: with_it()[0] == 202, "the key is not known", 30, world.log)
            world.botopt("keys", "revoke", added["id"])
            until(lambda with_it=with_it: with_it()[0] == 401, "the key goes on", 30, world.log)
        clients.progress()
    assert set(clients.statuses) <= {202, 503}
    until(world.quiet, "messages are still on their way", 120, world.log)
    world.close()
    found = account(world, clients.taken)
    silenced_ones = sum(1 for one in world.decisions() if one.reason == "silenced")
    assert silenced_ones
    report("silences and keys come and go under load, with kills", found, silenced=silenced_ones)


def test_a_user_who_is_erased_under_load_is_gone_and_stays_gone(world: World, receiver: Receiver):
    """Also from the outbox while a message is on its way, also after a kill, and to the last byte of the file."""
    receiver.ways = {"hook": hanging}
    world.start()
    erased = [f"erased-{n}" for n in range(4 * ROUNDS)]
    secret = "only-they-know"
    with Clients(world, pause_s=0.02) as clients:
        for number, user in enumerate(erased):
            own = [event(n, "hooked", prefix=f"own-{user}-{secret}-") | {"user": user} for n in range(6)]
            assert world.post(*own)[0] == 202
            held = event(99, "nightly", prefix=f"own-{user}-{secret}-") | {"user": user}
            assert world.post(held)[0] == 202
            going = threading.Thread(target=heard, args=(lambda user=user: world.ask("DELETE", f"/v1/users/{user}"),))
            going.start()
            if number % 2:
                time.sleep(0.01)
                world.kill()
                going.join(30)
                world.start()
                assert world.ask("DELETE", f"/v1/users/{user}")[0] in {200, 204, 404}
            going.join(30)
            status, said = world.post(event(1, prefix=f"late-{number}-") | {"user": user}, wait=True)
            assert (status, b"user was deleted" in said) == (422, True), said
        clients.progress()
    receiver.ways = {}
    until(world.quiet, "messages are still on their way", 120, world.log)
    for user in erased:
        status, said = world.get(f"/v1/decisions?user={user}")
        assert secret.encode() not in said
        status, said = world.get(f"/v1/users/{user}")
        assert status in {404, 410} or secret.encode() not in said, said
    world.close()
    world.botopt("state", "compact")  # SQLite leaves words in unused corners of the pages of an index
    assert secret.encode() not in world.state.read_bytes(), "the file still holds what was erased"
    assert secret not in json.dumps([row.key for row in world.rows() if row.user in erased])
    account_ = account_without(world, clients, erased)
    report("users erased under load, with kills", account_, erased=len(erased))


def account_without(world: World, clients: Clients, erased: list[str]):
    """What reached erased users before their erasure stands in no book any more."""
    known = {row.key for row in world.rows()} | {
        json.loads(row.record)["message"]["text"] for row in world.decisions() if row.outcome == "sent"
    }
    taken = world.receiver.taken
    for channel, key in [where for where in taken if where[1] not in known]:
        del taken[channel, key]
    return account(world, clients.taken, erased=erased)


def test_policies_come_and_go_under_load(world: World, receiver: Receiver):
    """Valid ones, one with errors, one without a channel that has messages on their way, and the first again."""
    world.start()
    revision = lambda: json.loads(world.get("/readyz")[1])["revision"]  # noqa: E731
    refused = lambda: json.loads(world.get("/readyz")[1])["refused"]  # noqa: E731
    without = RULES.replace("fallback: second", "").replace(
        RULES[RULES.index("  second:") : RULES.index("  brief:")], ""
    )
    without = without.replace("message: hooked, channel: first", "message: hooked, channel: hook")
    receiver.ways = {"first": hanging}
    with Clients(world, kinds=("hooked", "texted", "cooled", "limited", "seen", "passed_on"), pause_s=0.01) as clients:
        for round_ in range(ROUNDS):
            first = revision()
            world.write(RULES.replace("weight: 0.9", f"weight: 0.{81 + round_}"))
            until(lambda first=first: revision() != first, "another policy is not served", 60, world.log)
            clients.progress()
            good = revision()
            world.write(RULES.replace("weight: 0.9", "wieght: 0.9"))
            until(lambda: refused() is not None, "a policy with errors is not refused", 60, world.log)
            clients.progress()
            assert revision() == good
            waits = lambda: any(row.channel == "first" for row in world.rows(OutboxStatus.CLAIMED))  # noqa: E731
            until(waits, "nothing is on its way", 60, world.log)
            world.write(without)
            until(lambda good=good: revision() != good, "a policy without a channel is not served", 60, world.log)
            assert refused() is None
            clients.progress()
            gone = revision()
            world.write(RULES)
            until(lambda gone=gone: revision() != gone, "the first policy is not served", 60, world.log)
            clients.progress()
    receiver.ways = {}
    until(world.quiet, "messages are still on their way", 120, world.log)
    assert set(clients.statuses) == {202}, "a change of the policy was felt outside"
    world.close()
    found = account(world, clients.taken)
    report("policies come and go under load", found, policies=len(world.written))
