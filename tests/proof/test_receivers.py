"""Receivers that hang, reset, refuse, babble, or take a message and die: then they are well again, and nothing is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from botopt.model.live import OutboxStatus
from tests.delivery.peers import (
    Connection,
    Reply,
    Way,
    closing_in_the_body,
    garbage,
    hanging,
    resetting,
    resetting_in_the_head,
)
from tests.proof.books import account
from tests.proof.clients import Clients
from tests.proof.receiver import Receiver, refusing
from tests.proof.reporting import report
from tests.proof.world import SOAK, World, event, until

EVENTS = 60 if SOAK else 20


def taking_and_dying(receiver: Receiver) -> Way:
    """Takes the message, so its user has it, and dies before it says so."""

    def way(connection: Connection) -> None:
        if (request := connection.read()) is not None:
            receiver.note(request)
            connection.reset()

    return way


def taking_and_breaking_off(receiver: Receiver) -> Way:
    """Takes the message, and breaks off in the middle of its answer."""

    def way(connection: Connection) -> None:
        if (request := connection.read()) is not None:
            receiver.note(request)
            connection.send(b"HTTP/1.1 2")
            connection.reset()

    return way


def taking_and_hanging(receiver: Receiver) -> Way:
    def way(connection: Connection) -> None:
        if (request := connection.read()) is not None:
            receiver.note(request)
            connection.wait()

    return way


def flapping(receiver: Receiver) -> Way:
    """Every second request is refused, now in this way, now in that."""
    lock, number = threading.Lock(), [0]

    def way(connection: Connection) -> None:
        if (request := connection.read()) is not None:
            with lock:
                number[0] += 1
                turn = number[0] % 6
            refusal = {
                2: Reply(503, b"", {"retry-after": "1"}),
                4: Reply(429, b"", {"retry-after": "0"}),
                0: Reply(500),
            }
            reply = refusal.get(turn) or receiver.note(request)
            connection.send(reply.encoded(close=True))

    return way


def simple(way: Way) -> Callable[[Receiver], Way]:
    return lambda _: way


ILL: dict[str, Callable[[Receiver], Way]] = {
    "takes and dies": taking_and_dying,
    "takes and breaks off": taking_and_breaking_off,
    "flaps": flapping,
    "429": simple(refusing(429, {"retry-after": "1"})),
    "500": simple(refusing(500)),
    "resets": simple(resetting),
    "garbage": simple(garbage),
    "takes and hangs": taking_and_hanging,
    "hangs": simple(hanging),
    "502": simple(refusing(502)),
    "resets in the head": simple(resetting_in_the_head),
    "closes in the body": simple(closing_in_the_body),
}
SHORT = ("takes and dies", "flaps", "takes and hangs")
KINDS = ("hooked", "texted")


@pytest.mark.parametrize("ill", ILL if SOAK else SHORT)
def test_after_a_receiver_was_ill_everything_is_accounted_for(ill: str, world: World, receiver: Receiver):
    world.start()
    receiver.way = ILL[ill](receiver)
    taken = {}
    for n in range(EVENTS):
        one = event(n, KINDS[n % 2])
        assert world.post(one)[0] == 202
        taken[str(one["id"])] = one
    until(lambda: any(row.attempts for row in world.rows()), "nothing was attempted", 30, world.log)
    until(lambda: any(row.detail for row in world.rows()) or not world.rows(), "nothing failed", 30, world.log)
    receiver.way = None
    until(world.quiet, "messages are still on their way", 120, world.log)
    world.close()
    found = account(world, taken)
    assert found.sent == EVENTS
    report(f"all receivers: {ill}", found)


def test_several_channels_are_ill_at_once_each_in_its_way_and_the_service_dies_too(world: World, receiver: Receiver):
    """What one channel suffers from does not hold up another, and another one takes over where the policy says so."""
    receiver.ways = {
        "hook": flapping(receiver),
        "sms": taking_and_dying(receiver),
        "first": refusing(500),
        "second": taking_and_breaking_off(receiver),
    }
    world.start()
    with Clients(world, 3, kinds=("hooked", "texted", "passed_on", "passed_on"), pause_s=0.05) as clients:
        for _ in range(6 if SOAK else 2):
            clients.progress(40)
            before = receiver.sum
            until(lambda before=before: receiver.sum > before + 5, "the ill hold up the others", 60, world.log)
            world.kill()
            world.start()
        handed = lambda: any(row.channel == "second" for row in world.rows())  # noqa: E731
        until(handed, "nothing was handed over", 60, world.log)
    receiver.ways = {"first": refusing(500)}
    until(world.quiet, "messages are still on their way", 120, world.log)
    world.close()
    found = account(world, clients.taken, compare=False)
    over = [row for row in world.rows(OutboxStatus.DELIVERED) if row.channel == "second"]
    assert over
    assert found.repeated
    report("several receivers ill at once, one hands over, two kills or more", found, handed_over=len(over))


def test_what_was_given_up_is_sent_when_a_person_says_so(world: World, receiver: Receiver):
    """A receiver is down for longer than `retry_for`: dead letters, and once it is well, `botopt outbox retry`."""
    receiver.ways = {"hook": refusing(500)}
    world.start()
    taken = {}
    for round_ in range(4 if SOAK else 1):
        for n in range(4 * round_, 4 * round_ + 4):  # fewer than open the circuit: then the others would wait for it
            one = event(n, "brief")
            assert world.post(one)[0] == 202
            taken[str(one["id"])] = one
        until(world.quiet, "nothing is given up", 120, world.log)
        world.close()
        world.start()
    count = len(taken)
    given_up = {row.key for row in world.rows(OutboxStatus.DEAD)}
    assert len(given_up) == count
    listed = world.botopt("outbox", "list", "--status", "dead", "--limit", "1000", "--format", "json")
    assert {json.loads(line)["key"] for line in listed.splitlines()} == given_up
    dead = account(world, taken)
    assert (dead.dead, dead.delivered) == (count, 0)
    receiver.ways = {}
    world.botopt("outbox", "retry", "--all", "--status", "dead", "--yes")
    until(lambda: len(world.rows(OutboxStatus.DELIVERED)) == count, "they were not sent again", 120, world.log)
    world.close()
    found = account(world, taken)
    assert (found.dead, found.delivered) == (0, count)
    assert {came for (channel, _), came in receiver.taken.items() if channel == "brief"} == {1}
    report("a receiver down for longer than retry_for, then outbox retry", found, dead_before=count)
