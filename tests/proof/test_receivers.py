"""Receivers that hang, reset, refuse, babble, or take a message and die: then they are well again, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.delivery.peers import (
    Connection,
    Reply,
    Way,
    closing_in_the_body,
    garbage,
    hanging,
    resetting,
    resetting_in_the_head,
    with_status,
)
from tests.proof.world import SOAK, Receiver, World, account, event, receiving, until

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
        while (request := connection.read()) is not None:
            with lock:
                number[0] += 1
                turn = number[0] % 6
            if turn in {1, 3, 5}:
                connection.send(receiver.note(request).encoded())
            elif turn == 2:
                connection.send(Reply(503, b"", {"retry-after": "1"}).encoded())
            elif turn == 4:
                connection.send(Reply(429, b"", {"retry-after": "0"}).encoded())
            else:
                connection.send(Reply(500, b"oh").encoded())

    return way


def simple(way: Way) -> Callable[[Receiver], Way]:
    return lambda _: way


ILL: dict[str, Callable[[Receiver], Way]] = {
    "takes and dies": taking_and_dying,
    "takes and breaks off": taking_and_breaking_off,
    "flaps": flapping,
    "429": simple(with_status(429, {"retry-after": "1"})),
    "500": simple(with_status(500)),
    "resets": simple(resetting),
    "garbage": simple(garbage),
    "takes and hangs": taking_and_hanging,
    "hangs": simple(hanging),
    "502": simple(with_status(502)),
    "resets in the head": simple(resetting_in_the_head),
    "closes in the body": simple(closing_in_the_body),
}
SHORT = ("takes and dies", "flaps", "429", "500", "takes and hangs")


@pytest.mark.parametrize("ill", ILL if SOAK else SHORT)
def test_after_a_receiver_was_ill_everything_is_accounted_for(ill: str, tmp_path: Path):
    with receiving() as receiver:
        world = World(tmp_path / "world", receiver)
        world.start()
        receiver.way = ILL[ill](receiver)
        taken = {}
        for n in range(EVENTS):
            one = event(n, ("hooked", "texted")[n % 2])
            assert world.post(one)[0] == 202
            taken[str(one["id"])] = str(one["type"])
        until(lambda: any(row.attempts for row in world.rows()), "nothing was attempted", 30, world.log)
        until(lambda: any(row.detail for row in world.rows()) or not world.rows(), "nothing failed", 30, world.log)
        receiver.way = None
        until(world.quiet, "messages are still on their way", 120, world.log)
        assert world.stop() == 0
        found = account(world, taken)
    assert found.sent == EVENTS
    print(f"{ill}: {found}")
