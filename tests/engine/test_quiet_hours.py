"""Section 6: quiet while the clock on the user's wall shows a time in `[from, to)`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from botopt.model.zones import zone as zoned
from tests.engine.support import CALM, DAY, DAYS, HOUR, MINUTE, Workspace, around, at, base, clock, ev, tell

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zone(name: str) -> str:
    return f"{CALM}, timezone: {name}"


def quiet(start: str, end: str, more: str = "") -> str:
    return f'{{id: night, quiet_hours: {{from: "{start}", to: "{end}"{more}}}}}'


def test_from_is_quiet_and_to_is_not():
    rule = quiet("22:00", "08:00").replace("}}", "}, action: drop}")
    told = around("22:00", lambda us: tell(rule, ev("a", "u", us))[0])
    assert told == ["sent", "quiet_hours night until tue 08:00", "quiet_hours night until tue 08:00"]
    told = around("tue 08:00", lambda us: tell(rule, ev("a", "u", us))[0])
    assert told == ["quiet_hours night until tue 08:00", "sent", "sent"]


def test_hours_within_one_day():
    rule = quiet("12:00", "13:30")
    assert tell(rule, ev("a", "u", "12:15"), until="12:16") == ["held night until 13:30"]
    assert tell(rule, ev("a", "u", "13:30")) == ["sent"]
    assert tell(rule, ev("a", "u", "00:00")) == ["sent"]


def test_until_midnight():
    assert tell(quiet("20:00", "24:00"), ev("a", "u", "23:59:59.999999"), until="20:00") == [
        "held night until tue 00:00"
    ]
    assert tell(quiet("20:00", "00:00"), ev("a", "u", "23:59:59.999999"), until="20:00") == [
        "held night until tue 00:00"
    ]
    assert tell(quiet("20:00", "00:00"), ev("a", "u", "tue 00:00")) == ["sent"]
    assert tell(quiet("00:00", "06:00"), ev("a", "u", "00:00"), until="00:00") == ["held night until 06:00"]


def test_hold_is_the_default_and_drop_gives_the_message_up():
    held, dropped = (
        Workspace(base(quiet("22:00", "08:00"))),
        Workspace(base(quiet("22:00", "08:00")[:-1] + ", action: drop}")),
    )
    [one], [two] = (ws.run(ev("a", "u", "23:00")) for ws in (held, dropped))
    assert (one.outcome, one.reason, one.by, one.until_us) == ("held", "quiet_hours", "night", at("tue 08:00"))
    assert (two.outcome, two.reason, two.by, two.until_us) == ("suppressed", "quiet_hours", "night", at("tue 08:00"))
    assert one.message is two.message is None
    assert one.cause is two.cause is None
    assert dropped.tell(ev("paid", "u", "tue 09:00")) == []
    assert held.tell(ev("paid", "u", "tue 09:00")) == ["sent"]


def test_days_name_the_day_on_which_the_hours_begin():
    rule = quiet("22:00", "08:00", ", days: [fri, sat]")
    asked = ["fri 07:00", "fri 22:00", "sat 07:59", "sat 08:00", "sat 23:00", "sun 07:59", "sun 22:00", "+7 07:00"]
    told = [tell(rule, ev("a", "u", time), until="00:00")[0] for time in asked]
    assert told == [
        "sent",
        "held night until sat 08:00",
        "held night until sat 08:00",
        "sent",
        "held night until sun 08:00",
        "held night until sun 08:00",
        "sent",
        "sent",
    ]


def test_days_are_days_on_the_users_wall():
    rule = quiet("00:00", "02:00", ", days: [tue]")
    assert tell(rule, ev("a", "u", "18:30"), settings=zone("Asia/Kolkata"), until="18:30") == ["held night until 20:30"]
    assert tell(rule, ev("a", "u", "tue 18:30"), settings=zone("Asia/Kolkata")) == ["sent"]


def test_when_and_unless_choose_what_is_held():
    rule = quiet("22:00", "08:00")[:-1] + ", when: n > 5, unless: n > 8}"
    told = tell(rule, *(ev("a", "u", f"23:0{n}", n=n) for n in (5, 6, 9)))
    assert told == ["sent", "held night until tue 08:00", "sent"]


def test_the_scope_chooses_too():
    rule = quiet("22:00", "08:00")[:-1] + ", categories: [service]}"
    assert tell(rule, ev("fire", "u", "23:00"), ev("a", "u", "23:00")) == ["sent", "held night until tue 08:00"]


def test_of_several_the_one_that_ends_last_is_named_and_says_what_becomes_of_the_message():
    short, long = quiet("22:00", "06:00"), '{id: deep, quiet_hours: {from: "23:00", to: "07:00"}, action: drop}'
    assert tell(f"{short}\n{long}", ev("a", "u", "23:30")) == ["quiet_hours deep until tue 07:00"]
    assert tell(f"{short}\n{long}", ev("a", "u", "22:30"), until="22:30") == ["held night until tue 06:00"]
    told = tell(f"{short}\n{long}", ev("a", "u", "22:30"), until="tue 12:00")
    assert told == ["held night until tue 06:00", "quiet_hours deep until tue 07:00"]
    equal = '{id: also, quiet_hours: {from: "21:00", to: "06:00"}, action: drop}'
    assert tell(f"{short}\n{equal}", ev("a", "u", "23:30")) == ["quiet_hours also until tue 06:00"]


def test_a_user_who_moves_while_a_message_waits_is_asked_again_by_their_new_wall():
    rule = quiet("22:00", "08:00")
    events = [ev("a", "u", "23:00"), ev("user.updated", "u", "tue 07:00", timezone="America/New_York")]
    told = tell(rule, *events, until="wed 00:00")
    assert told == ["held night until tue 08:00", "held night until tue 13:00", "sent"]  # 08:00 there


def test_quiet_hours_hold_by_the_users_wall_clock():
    settings, rule = zone("Europe/Berlin"), quiet("22:00", "08:00")
    assert tell(rule, ev("a", "u", "20:59:59"), settings=settings) == ["sent"]
    assert tell(rule, ev("a", "u", "21:00"), settings=settings) == ["held night until tue 07:00"]


@pytest.mark.parametrize(
    ("where", "start", "end", "time", "until"),
    [
        # a spring gap swallows the end: 02:30 is 03:00
        ("Europe/Berlin", "22:00", "02:30", "2025-03-30T00:59:59Z", "2025-03-30T01:00:00Z"),
        ("America/New_York", "22:00", "02:30", "2025-03-09T06:00:00Z", "2025-03-09T07:00:00Z"),
        # it swallows the beginning: quiet from 03:00 on
        ("Europe/Berlin", "02:30", "04:00", "2025-03-30T01:00:00Z", "2025-03-30T02:00:00Z"),
        # the night is an hour shorter
        ("Europe/Berlin", "22:00", "08:00", "2025-03-29T22:00:00Z", "2025-03-30T06:00:00Z"),
        # in an overlap the first 02:30 ends it
        ("Europe/Berlin", "22:00", "02:30", "2025-10-25T22:00:00Z", "2025-10-26T00:30:00Z"),
        ("America/New_York", "22:00", "01:30", "2025-11-02T05:00:00Z", "2025-11-02T05:30:00Z"),
        # and once more when the same hour comes again
        ("Europe/Berlin", "22:00", "02:30", "2025-10-26T01:00:00Z", "2025-10-26T01:30:00Z"),
        # a night with an overlap that does not touch the end is an hour longer
        ("Europe/Berlin", "22:00", "08:00", "2025-10-25T21:00:00Z", "2025-10-26T07:00:00Z"),
        # hours that begin in the overlap end where the clock goes back behind their beginning
        ("Europe/Berlin", "02:30", "04:00", "2025-10-26T00:30:00Z", "2025-10-26T01:00:00Z"),
        ("Europe/Berlin", "02:30", "04:00", "2025-10-26T01:30:00Z", "2025-10-26T03:00:00Z"),
        # half an hour of summer
        ("Australia/Lord_Howe", "22:00", "02:15", "2025-10-04T15:29:00Z", "2025-10-04T15:30:00Z"),
        ("Australia/Lord_Howe", "22:00", "01:45", "2025-04-05T14:00:00Z", "2025-04-05T14:45:00Z"),
        ("Australia/Lord_Howe", "22:00", "01:45", "2025-04-05T15:00:00Z", "2025-04-05T15:15:00Z"),
        # midnight does not exist, or comes twice
        ("America/Havana", "22:00", "00:00", "2025-03-09T04:59:59Z", "2025-03-09T05:00:00Z"),
        ("America/Havana", "22:00", "00:30", "2025-03-09T04:59:59Z", "2025-03-09T05:00:00Z"),
        ("America/Havana", "22:00", "00:30", "2025-11-02T04:10:00Z", "2025-11-02T04:30:00Z"),
        ("America/Havana", "22:00", "00:30", "2025-11-02T05:10:00Z", "2025-11-02T05:30:00Z"),
        ("America/Havana", "22:00", "08:00", "2025-11-02T03:00:00Z", "2025-11-02T13:00:00Z"),
        # a day that never was: from 29 to 31 December
        ("Pacific/Apia", "22:00", "08:00", "2011-12-30T09:00:00Z", "2011-12-30T18:00:00Z"),
        ("Pacific/Apia", "22:00", "00:00", "2011-12-30T09:00:00Z", "2011-12-30T10:00:00Z"),
        # no summer time at all, and half hours
        ("Asia/Kolkata", "22:00", "08:00", "2025-03-03T16:30:00Z", "2025-03-04T02:30:00Z"),
    ],
)
def test_changes_of_the_clock(where, start, end, time, until):
    told = tell(quiet(start, end), ev("a", "u", time), settings=zone(where), until="2000-01-01T00:00:00Z")
    assert told == [f"held night until {clock(at(until))}"]


@pytest.mark.parametrize(
    ("where", "start", "end", "time"),
    [
        ("Europe/Berlin", "02:00", "03:00", "2025-03-30T01:00:00Z"),  # hours that do not exist that day
        ("Europe/Berlin", "02:30", "04:00", "2025-10-26T01:00:00Z"),  # 02:00 for the second time
        ("Europe/Berlin", "22:00", "02:30", "2025-10-26T00:30:00Z"),  # the first 02:30
        ("Europe/Berlin", "22:00", "02:30", "2025-10-26T00:59:59Z"),
        ("America/Havana", "23:00", "00:30", "2025-03-09T05:00:00Z"),  # 01:00 follows 23:59
    ],
)
def test_not_quiet_by_the_wall(where, start, end, time):
    assert tell(quiet(start, end), ev("a", "u", time), settings=zone(where)) == ["sent"]


def is_quiet(us: int, where: ZoneInfo, start: int, end: int, days: set[int]) -> bool:
    """The sentence itself: the wall's time lies in [from, to), on hours that began on a named day."""
    wall = (EPOCH + timedelta(microseconds=us)).astimezone(where)
    minute = wall.hour * 60 + wall.minute
    if start < end:
        inside, began = start <= minute < end, wall.date()
    else:
        inside, began = minute >= start or minute < end, wall.date() - timedelta(days=minute < end)
    return inside and (not days or began.weekday() in days)


CHANGES = {
    "Europe/Berlin": ["2025-03-30T01:00Z", "2025-10-26T01:00Z"],
    "America/New_York": ["2025-03-09T07:00Z", "2025-11-02T06:00Z"],
    "America/Havana": ["2025-03-09T05:00Z", "2025-11-02T05:00Z"],
    "Australia/Lord_Howe": ["2025-04-05T15:00Z", "2025-10-04T15:30Z"],
    "Africa/Cairo": ["2025-04-24T22:00Z", "2025-10-30T21:00Z"],
    "Asia/Kolkata": ["2025-03-30T01:00Z"],
    "Pacific/Apia": ["2011-12-30T10:00Z"],
}
quarters = st.integers(0, 95).map(lambda quarter: quarter * 15)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([(name, change) for name, changes in CHANGES.items() for change in changes]),
    st.integers(-30 * 60, 30 * 60),
    quarters,
    quarters,
    st.sets(st.integers(0, 6), max_size=6),
)
def test_until_is_the_first_later_instant_that_is_not_quiet(changed, minutes, start, end, days):
    assume(start != end)
    name, change = changed
    if name == "Pacific/Apia":  # on which day do hours begin that would have begun on a day that never was?
        days = set()
    named = f", days: [{', '.join(DAYS[day] for day in sorted(days))}]" if days else ""
    rule = quiet(f"{start // 60:02d}:{start % 60:02d}", f"{end // 60:02d}:{end % 60:02d}", named)
    now, where = at(change) + minutes * MINUTE, zoned(name)
    [decision] = Workspace(base(rule, zone(name))).run(ev("a", "u", now), until="2000-01-01T00:00:00Z")
    assert (decision.outcome == "held") is is_quiet(now, where, start, end, days)
    if decision.outcome == "held":
        until = now
        while is_quiet(until, where, start, end, days):
            until += MINUTE
        assert decision.until_us == until


def test_seconds_do_not_matter_to_the_end():
    told = tell(quiet("22:00", "08:00"), ev("a", "u", "23:17:42.123456"), until="00:00")
    assert told == ["held night until tue 08:00"]


def test_hours_that_touch_follow_each_other():
    rules = quiet("22:00", "06:00") + '\n{id: morning, quiet_hours: {from: "06:00", to: "09:00"}}'
    assert tell(rules, ev("a", "u", "23:00"), until="tue 12:00") == [
        "held night until tue 06:00",
        "held morning until tue 09:00",
        "sent",
    ]


def test_all_but_a_minute_of_the_day():
    rule = quiet("08:01", "08:00")
    assert tell(rule, ev("a", "u", "08:01"), until="00:00") == ["held night until tue 08:00"]
    assert tell(rule, ev("a", "u", "08:00:59.999999")) == ["sent"]


def test_named_days_may_make_a_long_silence_in_pieces():
    rule = '{id: weekend, quiet_hours: {from: "00:00", to: "24:00", days: [sat, sun]}}'
    held = tell(rule, ev("a", "u", "sat 10:00"), until="+10 00:00")
    assert held[-1] == "sent"
    found = Workspace(base(rule)).run(ev("a", "u", "sat 10:00"), until="+10 00:00")
    assert found[-1].time_us == at("+7 00:00")
    assert found[0].until_us == at("+7 00:00")  # the first later instant that is not quiet


def test_the_length_of_a_night_is_counted_on_the_wall():
    settings = zone("Europe/Berlin")
    found = Workspace(base(quiet("22:00", "08:00"), settings)).run(
        ev("a", "u", "2025-03-29T21:00:00Z"), until="2025-04-02T00:00:00Z"
    )
    assert [d.time_us for d in found] == [at("2025-03-29T21:00:00Z"), at("2025-03-29T21:00:00Z") + 9 * HOUR]
    assert found[0].until_us is not None
    assert found[0].until_us - at("2025-03-29T21:00:00Z") < 10 * HOUR < DAY
