"""The machine's clock jumps, and nights in which the clocks on the wall do."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from botopt.model.live import OutboxStatus
from tests.proof.books import account
from tests.proof.house import MINUTE_US, Hands, house, instant, post
from tests.proof.receiver import Receiver, refusing
from tests.proof.reporting import report
from tests.proof.world import SOAK, World, event, until

HOUR_S = 3_600
HOUR_US = HOUR_S * 1_000_000


@pytest.mark.parametrize("jump_us", [HOUR_US, -HOUR_US])
def test_a_jump_of_an_hour_loses_nothing_and_repeats_nothing(world: World, receiver: Receiver, jump_us: int):
    clock = Hands("2026-11-29T12:00:00+00:00")
    taken = {}
    with house(world, clock) as composed:
        for n in range(60):
            one = event(n, ("hooked", "texted")[n % 2], users=7)
            assert post(composed, clock, one) == "sent"
            taken[str(one["id"])] = one
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
    clock = Hands("2026-11-29T12:00:00+00:00")
    receiver.way = refusing(500)
    one = event(1)
    with house(world, clock) as composed:
        assert post(composed, clock, one) == "sent"
        until(lambda: any(row.detail for row in world.rows()), "nothing failed", 30)
        receiver.way = None
        clock.us += jump_us

        def delivered() -> bool:
            clock.us += MINUTE_US
            return world.quiet()

        until(delivered, "it is never tried again", 60)
    assert account(world, {"e1": one}).delivered == 1


def test_the_clock_of_a_real_process_jumps_both_ways_while_receivers_are_ill(world: World, receiver: Receiver):
    """By an hour, forward and back, under load, with messages on their way, retries waiting, and a kill in between."""
    world.set_clock(0)
    world.start(clock=True)
    ahead, taken, n = 0, {}, 0

    def post_some(count: int) -> None:
        nonlocal n
        for _ in range(count):
            one = event(n, ("hooked", "texted", "cooled", "limited")[n % 4], users=9)
            one["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ahead))
            status, said = world.post(one)
            assert status == 202, said
            taken[str(one["id"])] = one
            n += 1

    jumps = [HOUR_S, -HOUR_S, 0, -HOUR_S, HOUR_S, 0, HOUR_S, 0]
    for number, next_ahead in enumerate(jumps if SOAK else jumps[:2]):
        receiver.ways = {"hook": refusing(500), "sms": refusing(503)}
        post_some(4)  # so few that no circuit opens
        until(lambda: any(r.attempts for r in world.rows(OutboxStatus.PENDING)), "nothing waits", 30, world.log)
        ahead = next_ahead
        world.set_clock(ahead)
        post_some(2)
        if number % 2:
            world.kill()
            world.start(clock=True)
        receiver.ways = {}
        post_some(6)
        until(world.quiet, f"messages are still on their way after a jump to {ahead}", 120, world.log)
    world.close()
    found = account(world, taken)
    assert found.delivered + found.unsure == found.sent  # a kill leaves an attempt in doubt
    times = [one.decided_us for one in world.decisions()]
    assert max(times) - min(times) > HOUR_US - MINUTE_US, "the clock did not jump"
    report("the clock of the process jumps by an hour, both ways", found)


NIGHTS = {
    "autumn, Berlin": ("Europe/Berlin", "2026-10-24T22:30:00+02:00", "2026-10-25T08:00:00+01:00"),
    "spring, Berlin": ("Europe/Berlin", "2027-03-27T22:30:00+01:00", "2027-03-28T08:00:00+02:00"),
    "spring, New York": ("America/New_York", "2027-03-13T23:30:00-05:00", "2027-03-14T08:00:00-04:00"),
    "autumn, Lord Howe (half an hour)": (
        "Australia/Lord_Howe",
        "2026-04-04T23:00:00+11:00",
        "2026-04-05T08:00:00+10:30",
    ),
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
    assert receiver.taken == Counter([("hook", sent[0].id)])
    assert json.loads(sent[0].record)["event_id"] == "e1"
    report(f"a night in which the clocks change: {night}", released=morning)
