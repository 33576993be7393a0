"""`at_us`: the user's clock reads at least the time of receipt before an event is looked at."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botopt.engine.engine import Engine
from botopt.model.decision import Decision, Reason
from botopt.model.event import Event
from botopt.model.silence import Silence
from botopt.model.user_state import NEVER_US, UserState, pack, unpack
from botopt.sources.envelope import Decoder
from tests.engine.support import CALM, DAY, HOUR, Live, at, ev
from tests.engine.test_laws import RULES, timelines
from tests.engine.timeline import Story
from tests.engine.timeline import us as timeline_us

NIGHT = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}}'


@pytest.mark.parametrize(
    ("event", "received", "decided"),
    [("09:00", "09:00:02", "09:00:02"), ("09:00", "08:59", "09:00"), ("09:00", None, "09:00")],
)
def test_the_decision_time_is_the_later_one(event, received, decided):
    live = Live()
    [found] = live.decide(ev("a", "u", event), received)
    assert (found.time_us, live.state.clock_us) == (at(decided), at(decided))


def test_the_user_s_own_clock_may_be_later_still():
    live = Live()
    live.decide(ev("paid", "u", "09:04"), "09:00")
    assert live.decide(ev("a", "u", "09:01"), "09:02")[0].time_us == at("09:04")


@pytest.mark.parametrize(("shift", "said"), [(-1, "cooldown c until 15:00"), (0, "sent"), (1, "sent")])
def test_windows_are_looked_at_then(shift, said):
    live = Live("{id: c, cooldown: 6h}")
    live.decide(ev("a", "u", "09:00"), "09:00")
    assert live.tell(ev("a", "u", "10:00"), at("15:00") + shift) == [said]


@pytest.mark.parametrize(("shift", "reason"), [(-1, None), (0, Reason.REJECTED)])
def test_an_event_too_old_to_tell_from_a_duplicate_by_then_is_refused(shift, reason):
    live = Live(settings=CALM + ", dedupe_window: 2d")
    before = pack(live.state)
    [found] = live.decide(ev("a", "u", "09:00"), at("09:00") + 2 * DAY + shift)
    assert found.reason is reason
    assert found.by == (None if reason is None else "time")
    assert (pack(live.state) == before) is (reason is not None)


def test_a_duplicate_is_told_by_the_receipt():
    live = Live(settings=CALM + ", dedupe_window: 2d")
    live.decide(ev("a", "u", "09:00", id="x"), "09:00")
    assert live.tell(ev("a", "u", "+2 08:00", id="x"), at("09:00") + 2 * DAY - 1) == ["duplicate"]
    assert live.tell(ev("a", "u", "+2 08:00", id="x"), at("09:00") + 2 * DAY) == ["sent"]


def test_what_is_due_by_then_is_released_first_each_at_its_own_time():
    live = Live(NIGHT + "\n" + '{id: noon, quiet_hours: {from: "12:00", to: "13:00"}}')
    live.decide(ev("a", "u", "12:30"), "12:30")
    live.decide(ev("b", "u", "12:31"), "12:31")
    found = live.decide(ev("loose", "u", "12:40"), "13:00")
    assert [(one.event_type, one.time_us) for one in found] == [
        ("a", at("13:00")),
        ("b", at("13:00")),
        ("loose", at("13:00")),
    ]
    live.decide(ev("a", "u", "23:00"), "23:00")
    found = live.decide(ev("b", "u", "23:01"), at("tue 08:00") + 1)
    assert [one.time_us for one in found] == [at("tue 08:00"), at("tue 08:00") + 1]


def test_one_microsecond_earlier_nothing_is_due():
    live = Live(NIGHT)
    live.decide(ev("a", "u", "23:00"), "23:00")
    assert live.tell(ev("b", "u", "23:01"), at("tue 08:00") - 1) == ["held night until tue 08:00"]


def test_a_deletion_counts_from_its_receipt():
    live = Live()
    assert live.decide(ev("user.deleted", "u", "09:00"), "09:05") == []
    assert live.state.floor_us == at("09:05")
    [early] = live.decide(ev("user.subscribed", "u", at("09:05") - 1), "09:06")
    assert (early.reason, early.by) == (Reason.REJECTED, "user.deleted")
    assert live.decide(ev("user.subscribed", "u", "09:05"), "09:06") == []
    assert (live.state.deleted, live.state.clock_us, live.state.floor_us) == (False, at("09:06"), at("09:05"))
    assert live.tell(ev("a", "u", at("09:05") - 1), "09:07") == ["rejected user.deleted"]
    assert live.tell(ev("a", "u", "09:05"), "09:07") == ["sent"]


def _moved(
    engine: Engine, state: UserState, at_us: int, silences: tuple[Silence, ...]
) -> tuple[UserState, list[Decision]]:
    """A user whose clock was moved to this time: what is due by then was released."""
    moved = unpack(pack(state))
    found = engine.release(moved, at_us, silences=silences)
    moved.clock_us = max(moved.clock_us, at_us)
    return moved, found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    timelines(users=1),
    st.lists(
        st.sampled_from([NEVER_US, -HOUR, -1, 0, 1, HOUR, 6 * HOUR, 30 * HOUR, 50 * HOUR]), min_size=60, max_size=60
    ),
    st.sampled_from([(), (Silence("s", ("a",), 0, timeline_us("2026-03-02T12:00:00Z")),)]),
)
def test_it_is_deciding_with_a_clock_that_was_moved(timeline, shifts, silences):
    engine, state = Story(RULES).engine, UserState()
    for wire, shift in zip(timeline, shifts, strict=False):
        event = _event(engine, wire)
        at_us = NEVER_US if shift == NEVER_US else event.time_us + shift
        moved, released = _moved(engine, state, at_us, silences)
        before = copy.deepcopy(state)
        found = engine.decide(state, event, at_us=at_us, silences=silences)
        other = engine.decide(moved, event, silences=silences)
        before.repeats = state.repeats
        if pack(before) == pack(state):  # refused, or it came before: nothing was released, and the clock stands still
            assert found == other
        else:
            assert found == released + other
            assert pack(state) == pack(moved)


def _event(engine: Engine, wire: dict[str, object]) -> Event:
    """The event; where data is wrong, one that changes nothing but the clock."""
    found = Decoder(engine.policy).read(wire, received_us=timeline_us(str(wire["time"])))
    if isinstance(found, Event):
        return found
    return Event(str(wire["id"]), "", "paid", str(wire["user"]), timeline_us(str(wire["time"])))


def test_an_event_that_came_late_is_not_told_that_newer_ones_are_ahead():
    live = Live()
    [refused] = live.decide(ev("a", "u", "09:00"), received=at("09:00") + 9 * DAY)
    assert refused.detail == (
        "too old to tell from a duplicate: it came, or newer events of this user did, dedupe_window or more after its time"
    )
