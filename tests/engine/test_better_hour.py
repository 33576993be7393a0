"""`send_time`: a message that may wait goes at this person's better hour, once, and never where it must not."""

from __future__ import annotations

import math
import struct
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botopt.learning.lessons import ONE
from botopt.learning.send_time import UNIT, acts
from botopt.model.decision import Decision, Outcome
from botopt.model.instants import instant_us
from botopt.model.learning_policy import Pacing, SendTime
from botopt.model.user_state import Hours
from botopt.model.zones import zone
from tests.engine.learners import Course, choice, learning, written
from tests.engine.support import CALM, DAY, HOUR, MINUTE, at, ev, short

HALF_DAY = SendTime(12 * HOUR, 0.0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def course(suppression: str = "", time: SendTime = HALF_DAY, *, config: str = CALM, **learners: object) -> Course:
    return Course(learning(written(suppression, config), timed={"a": time}, **learners))


def likes(run: Course, hour: int, user: str = "u", number: int = 20) -> None:
    """A user who does everything within this hour of their own day, and never at another."""
    bins = [number * UNIT if each == hour else 0 for each in range(24)]
    run.state(user).hours = Hours(struct.pack("<24I", *bins), number * UNIT, at("00:00"))


def told(run: Course, *events: dict[str, object], until: str | None = None) -> list[str]:
    return [short(decision) for decision in run(*events, until=until)]


# ---------------------------------------------------------------- the better hour


def test_a_message_waits_for_the_better_hour_and_goes_then():
    run = course()
    likes(run, 18)
    assert told(run, ev("a", "u", "09:20"), until="wed 00:00") == ["held until 18:00", "sent"]


def test_the_record_says_from_what_and_with_which_chance():
    run = course()
    likes(run, 12)
    [decision] = run(ev("a", "u", "09:20"))
    drawn = choice(decision, "send_time")
    names = ("now", *(f"{hour}:00" for hour in range(10, 22)))
    assert decision.outcome is Outcome.HELD
    assert (drawn.eligible, drawn.chosen, drawn.propensity) == (names, "12:00", 1.0)
    assert decision.until_us == at("12:00")
    assert decision.message is None
    [release] = run(until="12:00")
    assert (short(release), release.time_us, release.choices) == ("sent", at("12:00"), ())


def test_now_may_be_the_better_hour():
    run = course()
    likes(run, 9)
    [decision] = run(ev("a", "u", "09:20"))
    assert (short(decision), choice(decision, "send_time").chosen) == ("sent", "now")


@pytest.mark.parametrize(
    ("time", "until"),
    [("05:59", "sent"), ("06:00", "held until 18:00"), ("06:01", "held until 18:00")],
)
def test_it_waits_no_longer_than_within_which_may_end_on_the_hour(time, until):
    run = course()
    likes(run, 18)
    assert told(run, ev("a", "u", time)) == [until]


def test_a_flat_day_is_no_reason_to_wait():
    assert told(course(), ev("a", "u", "09:20"), ev("a", "u", "23:59")) == ["sent", "sent"]


def test_what_everybody_does_stands_for_a_user_about_whom_little_is_known():
    run = course()
    for number in range(400):
        run(ev("user.active", f"v{number}", "08:15"))
    run(ev("user.active", "v", "10:00"))  # the boundary
    assert told(run, ev("a", "u", "22:30")) == ["held until tue 08:00"]
    likes(run, 6)
    assert told(run, ev("a", "u", "22:30")) == ["held until tue 06:00"]


def test_clicks_and_acts_make_a_users_own_hour():
    run = course()
    for day in range(3):
        run(ev("user.active", "u", f"+{day} 18:30"))
    assert acts(run.state().hours) == pytest.approx(3, abs=1e-3)
    run(ev("fire", "u", "+3 18:00"), ev("message.clicked", "u", "+3 18:10"), ev("message.clicked", "u", "+3 18:20"))
    assert acts(run.state().hours) == pytest.approx(5, abs=1e-3)
    assert told(run, ev("a", "u", "+4 09:00")) == ["held until fri 18:00"]


@pytest.mark.parametrize("fast", [False, True])
def test_one_user_is_active_once_an_hour_however_often_a_client_says_so(fast):
    """Else one client would set everybody's hours, and swamp the user's own clicks."""
    run = Course(course().policy, fast=fast)
    counted = run.learner.learned.recorder.lessons.counts
    for number in range(300):
        run(ev("user.active", "u", at("08:00") + number * MINUTE // 6))
    run(ev("user.active", "u", at("09:00") - 1), ev("user.active", "w", "08:30"))
    assert counted == {"h\x0008": 2 * ONE}
    assert acts(run.state().hours) == pytest.approx(1, abs=1e-3)
    run(ev("user.active", "u", "09:00"), ev("user.active", "u", at("08:00") + DAY))
    assert acts(run.state().hours) == pytest.approx(3, abs=1e-3)


@pytest.mark.parametrize("fast", [False, True])
def test_a_click_counts_whether_the_user_was_active_in_that_hour_or_not(fast):
    run = Course(course().policy, fast=fast)
    run(ev("user.active", "u", "18:00"), ev("fire", "u", "18:05"), ev("message.clicked", "u", "18:10"))
    run(ev("user.active", "u", "18:20"))
    assert run.learner.learned.recorder.lessons.counts["h\x0018"] == 3 * ONE
    assert acts(run.state().hours) == pytest.approx(3, abs=1e-3)


def test_putting_a_message_away_is_no_act():
    run = course()
    run(ev("fire", "u", "18:00"), ev("message.dismissed", "u", "18:10"), ev("message.failed", "u", "18:20"))
    assert run.state().hours is None


def test_what_is_done_counts_at_the_users_own_hour():
    run = course()
    run(ev("user.updated", "u", "00:00", timezone="Asia/Kolkata"))
    for day in range(5):
        run(ev("user.active", "u", f"+{day} 12:45"))  # 18:15 in Kolkata
    assert told(run, ev("a", "u", "+5 06:00")) == ["held until sat 12:30"]


def test_a_user_without_a_zone_has_the_workspaces():
    run = course(config=f"{CALM}, timezone: Asia/Kathmandu")  # 5:45 ahead
    likes(run, 18)
    assert told(run, ev("a", "u", "06:00")) == ["held until 12:15"]


# ---------------------------------------------------------------- which hours are allowed


def allowed(now: int, last: int, name: str, quiet: list[tuple[int, int, tuple[int, ...]]]) -> list[tuple[int, str]]:
    """Now, and each later minute at which the wall shows a whole hour, unless it is quiet then; minute by minute."""
    found = [(now, "now")]
    minute = now - now % MINUTE + MINUTE
    while minute <= last:
        wall = (EPOCH + timedelta(microseconds=minute)).astimezone(zone(name))
        if wall.minute == 0 and not any(_covers(hours, wall) for hours in quiet):
            found.append((minute, f"{wall.hour:02}:00"))
        minute += MINUTE
    return found


def _covers(hours: tuple[int, int, tuple[int, ...]], wall: datetime) -> bool:
    begin, end, days = hours
    minute = wall.hour * 60 + wall.minute
    if begin < end:
        return begin <= minute < end and (not days or wall.weekday() in days)
    if minute >= begin:
        return not days or wall.weekday() in days
    return minute < end and (not days or (wall - timedelta(days=1)).weekday() in days)


QUIET = (
    ("", []),
    ('{id: q, quiet_hours: {from: "22:00", to: "08:00"}}', [(1320, 480, ())]),
    ('{id: q, quiet_hours: {from: "22:30", to: "07:30", days: [sat, sun]}}', [(1350, 450, (5, 6))]),
    ('{id: q, quiet_hours: {from: "12:00", to: "13:01"}, action: drop}', [(720, 781, ())]),
    ('{id: q, quiet_hours: {from: "01:00", to: "03:00"}, unless: n > 5}', [(60, 180, ())]),
    (
        '{id: q, quiet_hours: {from: "20:00", to: "24:00"}}\n{id: r, quiet_hours: {from: "00:00", to: "06:30"}}',
        [(1200, 1440, ()), (0, 390, ())],
    ),
)
PLACES = (
    ("UTC", "2026-06-15T12:00:00Z"),
    ("Asia/Kolkata", "2026-06-15T12:00:00Z"),
    ("Asia/Kathmandu", "2026-06-15T12:00:00Z"),
    ("Europe/Berlin", "2026-03-29T00:30:00Z"),  # each of these about when its clocks are changed
    ("Europe/Berlin", "2026-10-25T00:30:00Z"),
    ("America/New_York", "2026-03-08T06:30:00Z"),
    ("America/St_Johns", "2026-11-01T04:20:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T14:20:00Z"),  # by half an hour
    ("Australia/Lord_Howe", "2026-10-03T15:20:00Z"),
    ("America/Havana", "2026-11-01T04:40:00Z"),  # at midnight
    ("Africa/Casablanca", "2026-02-15T02:30:00Z"),
    ("Antarctica/Troll", "2026-03-29T00:30:00Z"),  # by two hours
    ("Pacific/Apia", "2011-12-30T09:00:00Z"),  # by a day
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(PLACES),
    st.integers(-20 * 60, 4 * 60),
    st.sampled_from([0, 1, 59_999_999]),
    st.sampled_from([HOUR, 5 * HOUR + 20 * MINUTE, 12 * HOUR, 30 * HOUR]),
    st.sampled_from([None, 2 * HOUR, 10 * HOUR]),
    st.sampled_from(QUIET),
    st.sampled_from([0.0, 1.0]),
    st.integers(0, 20),
)
def test_hours_are_the_whole_hours_on_the_users_wall_that_are_not_quiet_and_not_too_late(
    place, minutes, rest, within, expires, quiet, explore, number
):
    """Also where the clock is changed, by an hour or by half of one, and where it stands at three quarters."""
    (name, change), (suppression, hours) = place, quiet
    now = instant_us(change) + minutes * MINUTE + rest
    run = course(suppression, SendTime(within, explore), expires={} if expires is None else {"a": expires})
    run(ev("user.updated", "u", now - 2 * DAY, timezone=name))
    likes(run, number)
    n = number % 2 * 9
    waived = n > 5 and "unless" in suppression
    [decision] = run(ev("a", "u", now, id=f"e{number}", n=n))
    if decision.reason == "quiet_hours":
        assert choice(decision, "send_time") is None
        return
    last = now + min(within, within if expires is None else expires)
    wanted = allowed(now, last, name, [] if waived else hours)
    drawn = choice(decision, "send_time")
    if len(wanted) == 1:
        assert drawn is None
        assert short(decision) == "sent"
        return
    assert drawn is not None
    assert list(drawn.eligible) == [named for _, named in wanted]
    sent_us = now if decision.outcome is Outcome.SENT else decision.until_us
    taken = next(number for number, (us, _) in enumerate(wanted) if us == sent_us)
    assert drawn.chosen == wanted[taken][1]
    if explore:
        assert taken == min(int(drawn.draw * len(wanted)), len(wanted) - 1)
        assert drawn.propensity == pytest.approx(1 / len(wanted), abs=1e-9)
    else:
        assert drawn.propensity == 1.0
        liked = [us for us, _ in wanted if wall_hour(us, name) == number]
        assert not liked or sent_us == liked[0]
    if sent_us > now:
        [release] = run(until=sent_us)
        assert (short(release), release.time_us) == ("sent", sent_us)


def wall_hour(us: int, name: str) -> int:
    return (EPOCH + timedelta(microseconds=us)).astimezone(zone(name)).hour


def test_a_message_that_came_late_waits_within_its_life_only():
    """Three hours may pass from the event's own time; two have when it comes."""
    run = course(expires={"a": 3 * HOUR})
    likes(run, 18)
    run(ev("paid", "u", "17:30"))
    assert told(run, ev("a", "u", "15:30")) == ["held until 18:00"]
    run = course(expires={"a": 3 * HOUR})
    likes(run, 18)
    run(ev("paid", "u", "17:30"))
    assert told(run, ev("a", "u", "14:59")) == ["sent"]


def test_exactly_as_old_as_it_may_be_it_is_still_sent():
    run = course(expires={"a": 3 * HOUR})
    likes(run, 18)
    assert told(run, ev("a", "u", "15:00"), until="18:00") == ["held until 18:00", "sent"]


# ---------------------------------------------------------------- exploring


@pytest.mark.parametrize("fast", [False, True])
def test_hours_that_are_explored_are_spread_evenly_and_every_chance_is_exact(fast):
    share, number = 0.4, 3_000
    policy = learning(
        written('{id: q, quiet_hours: {from: "14:00", to: "16:00"}}'), timed={"a": SendTime(9 * HOUR, share)}
    )
    run = Course(policy, fast=fast)
    found: Counter[str] = Counter()
    names: set[tuple[str, ...]] = set()
    for each in range(number):
        likes(run, 12, f"u{each}")
        [decision] = run(ev("a", f"u{each}", "09:20", id="same"))
        drawn = choice(decision, "send_time")
        names.add(drawn.eligible)
        found[drawn.chosen] += 1
        least = share / len(drawn.eligible)
        assert drawn.propensity == pytest.approx(1 - share + least if drawn.chosen == "12:00" else least, abs=1e-9)
    [eligible] = names
    assert eligible == ("now", "10:00", "11:00", "12:00", "13:00", "16:00", "17:00", "18:00")
    for name in eligible:
        chance = share / 8 + (1 - share) * (name == "12:00")
        assert abs(found[name] - number * chance) < 4 * math.sqrt(number * chance * (1 - chance))


def test_by_default_one_of_twenty_is_explored():
    assert SendTime(HOUR).explore == 0.05


# ---------------------------------------------------------------- once, and then as anything held


def test_it_is_put_off_only_once():
    """At its hour it goes, whatever was learned meanwhile of a better one."""
    run = course(time=SendTime(30 * HOUR, 0.0))
    likes(run, 12)
    assert told(run, ev("a", "u", "09:00")) == ["held until 12:00"]
    likes(run, 20)
    assert told(run, until="wed 00:00") == ["sent"]


def test_from_quiet_hours_it_may_be_put_off_further_but_not_longer_than_from_when_it_came():
    night = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}}'
    run = course(night)
    likes(run, 11)
    assert told(run, ev("a", "u", "22:30"), until="wed 00:00") == ["held night until tue 08:00", "sent"]
    run = course(night, SendTime(13 * HOUR, 0.0))
    likes(run, 11)
    assert told(run, ev("a", "u", "22:30"), until="wed 00:00") == [
        "held night until tue 08:00",
        "held until tue 11:00",
        "sent",
    ]


def test_put_off_once_and_then_held_by_quiet_hours_it_is_not_put_off_again():
    """The user has moved, and it is night where they are."""
    run = course('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}', SendTime(40 * HOUR, 0.0))
    likes(run, 18)
    assert told(run, ev("a", "u", "09:00"), ev("user.updated", "u", "10:00", timezone="Asia/Tokyo")) == [
        "held until 18:00"
    ]
    likes(run, 18)
    assert told(run, until="thu 00:00") == ["held night until 23:00", "sent"]


@pytest.mark.parametrize(
    ("meanwhile", "suppression", "becomes"),
    [
        ([ev("user.unsubscribed", "u", "12:00")], "", "no_consent"),
        ([ev("paid", "u", "12:00")], "{id: x, resolved_by: paid, within: 12h}", "resolved x"),
        ([ev("fire", "u", "17:30")], "{id: x, limit: 1, within: 24h}", "capped x until tue 17:30"),
        ([ev("fire", "u", "17:30")], "{id: x, cooldown: 2h, per: [user]}", "cooldown x until 19:30"),
        ([ev("fire", "u", "17:30")], "{id: x, inhibited_by: fire, within: 1h}", "inhibited x until 18:30"),
    ],
)
def test_at_its_hour_everything_is_asked_anew(meanwhile, suppression, becomes):
    run = course(suppression)
    likes(run, 18)
    found = run(ev("a", "u", "09:00"), *meanwhile, until="wed 00:00")
    mine = [short(decision) for decision in found if decision.event_type == "a"]
    assert mine[0] == "held until 18:00"
    assert mine[1].startswith(becomes)
    assert len(mine) == 2


def test_who_is_deleted_meanwhile_gets_nothing():
    run = course()
    likes(run, 18)
    assert told(run, ev("a", "u", "09:00"), ev("user.deleted", "u", "10:00"), until="wed 00:00") == ["held until 18:00"]
    assert run.state().hours is None


def test_a_budget_pays_at_the_hour_at_which_it_goes():
    run = course(pacing=Pacing(1.0), config=f"{CALM}, threshold: 0.2")
    likes(run, 18)
    found = told(run, ev("a", "u", "09:00"), ev("fire", "u", "17:00"), until="wed 00:00")
    assert found == ["held until 18:00", "sent", "paced until tue 17:00"]


def test_always_waits_for_nothing():
    run = course(always=["a"])
    likes(run, 18)
    [decision] = run(ev("a", "u", "09:00"))
    assert (short(decision), decision.choices) == ("sent", ())


def test_the_control_group_waits_for_nothing():
    run = course(control=1.0)
    likes(run, 18)
    [decision] = run(ev("a", "u", "09:00"))
    assert (short(decision), decision.choices) == ("sent", ())


def test_what_is_not_sent_anyway_is_not_put_off():
    run = course("{id: x, mute: always, when: n > 5}")
    likes(run, 18)
    [decision] = run(ev("a", "u", "09:00", n=6))
    assert (short(decision), decision.choices) == ("muted x", ())


def test_each_event_is_put_off_for_itself():
    run = course()
    likes(run, 18)
    found: list[Decision] = run(*(ev("a", "u", f"{hour:02}:30") for hour in range(7, 18)), until="wed 00:00")
    assert [short(decision) for decision in found] == ["held until 18:00"] * 11 + ["sent"] * 11
    assert [decision.event_id for decision in found[:11]] == [decision.event_id for decision in found[11:]]
