"""The machine's clock jumps, and nights in which the clocks on the wall do: the whole service, with a clock set by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
import structlog

from botopt.model.instants import instant_text
from botopt.server.composing import Composed, Plan
from botopt.server.site import Settings
from botopt.server.tracing import NO_TRACING
from botopt.sources.envelope import Decoder
from botopt.verify.validate import load
from tests.proof.world import Receiver, World, account, event, receiving, until

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000


def instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self, at: str) -> None:
        self.us = instant(at)

    def __call__(self) -> int:
        return self.us


@contextmanager
def house(world: World, clock: Hands) -> Iterator[Composed]:
    """The service in this process."""
    plan = Plan(
        workspace=world.folder,
        state=world.state,
        settings=Settings(),
        open_to_all=True,
        private_networks=True,
        watch=False,
    )
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    composed = Composed(
        plan, load, log=structlog.get_logger(), tracing=NO_TRACING, clock=clock, environment=world.environment()
    )
    try:
        yield composed
    finally:
        composed.close(20.0)


def post(composed: Composed, clock: Hands, one: dict[str, object]) -> str:
    """Post an event as of the clock's time; its outcome, or nothing."""
    import json

    decoder = Decoder(composed.running.policy)
    raw = json.dumps({**one, "time": instant_text(clock.us)}).encode()
    found = decoder.decode_live(raw, received_us=clock.us)
    (received,) = composed.running.receive([found], received_us=clock.us).result(30)
    return received.decisions[0].outcome.value if received.decisions else ""


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def world(tmp_path: Path, receiver: Receiver):
    return World(tmp_path / "world", receiver)


@pytest.mark.parametrize("jump_us", [HOUR_US, -HOUR_US])
def test_a_jump_of_an_hour_loses_nothing_and_repeats_nothing(world: World, receiver: Receiver, jump_us: int):
    clock = Hands("2026-11-29T12:00:00+00:00")
    taken = {}
    with house(world, clock) as composed:
        for n in range(60):
            one = event(n, ("hooked", "texted")[n % 2], users=7)
            assert post(composed, clock, one) == "sent"
            taken[str(one["id"])] = str(one["type"])
            clock.us += MINUTE_US // 10
            if n == 20:
                clock.us += jump_us
            if n == 40:
                clock.us -= jump_us
        until(world.quiet, "messages are still on their way", 60)
    found = account(world, taken)
    assert (found.sent, found.delivered, found.repeated) == (60, 60, 0)


@pytest.mark.parametrize("jump_us", [HOUR_US, -HOUR_US])
def test_what_was_to_be_tried_again_is_tried_again_after_a_jump(world: World, receiver: Receiver, jump_us: int):
    from tests.delivery.peers import with_status

    clock = Hands("2026-11-29T12:00:00+00:00")
    receiver.way = with_status(500)
    with house(world, clock) as composed:
        assert post(composed, clock, event(1)) == "sent"
        until(lambda: any(row.detail for row in world.rows()), "nothing failed", 30)
        receiver.way = None
        clock.us += jump_us

        def delivered() -> bool:
            clock.us += MINUTE_US
            return world.quiet()

        until(delivered, "it is never tried again", 60)
    assert account(world, {"e1": "hooked"}).delivered == 1


NIGHTS = {
    "autumn, Berlin": ("Europe/Berlin", "2026-10-24T22:30:00+02:00", "2026-10-25T08:00:00+01:00"),
    "spring, Berlin": ("Europe/Berlin", "2027-03-27T22:30:00+01:00", "2027-03-28T08:00:00+02:00"),
    "spring, New York": ("America/New_York", "2027-03-13T23:30:00-05:00", "2027-03-14T08:00:00-04:00"),
    "Kolkata, which has none": ("Asia/Kolkata", "2026-10-24T22:30:00+05:30", "2026-10-25T08:00:00+05:30"),
}


@pytest.mark.parametrize("night", NIGHTS)
def test_in_a_night_in_which_the_clocks_change_messages_wait_for_the_morning_on_the_wall(
    world: World, receiver: Receiver, night: str
):
    zone, evening, morning = NIGHTS[night]
    clock = Hands(evening)
    with house(world, clock) as composed:
        post(composed, clock, {"id": "z", "type": "user.updated", "user": "u1", "data": {"timezone": zone}})
        assert post(composed, clock, event(1, "nightly")) == "held"
    clock.us = instant(morning) - 1
    with house(world, clock) as composed:  # a restart in the night changes nothing
        assert post(composed, clock, event(2, "weak", users=5)) == "below_threshold"
        assert world.rows() == []
        clock.us += 1
        until(lambda: len(world.rows()) == 1, "it was not released in the morning", 30)
        until(world.quiet, "it is still on its way", 30)
    sent = [one for one in world.decisions() if one.outcome == "sent"]
    assert [one.time_us for one in sent] == [instant(morning)]
    assert receiver.taken == Counter([sent[0].id])
