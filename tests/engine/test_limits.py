"""Section 6: at most N sends in scope, in a rolling window or in a day or week of the user's calendar."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botopt.model.decision import Decision
from botopt.model.zones import zone as zoned
from tests.engine.support import CALM, DAY, HOUR, Workspace, around, at, base, clock, ev, tell

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_a_send_leaves_the_window_exactly_at_its_end_though_one_out_of_scope_came_later():
    def told(end):
        events = (ev("a", "u", "09:00"), ev("b", "u", "14:00"), ev("a", "u", end))
        return tell("{id: x, limit: 1, within: 6h, events: [a]}", *events)[2]

    assert around("15:00", told) == ["capped x until 15:00", "sent", "sent"]


def test_a_send_leaves_a_rolling_window_exactly_at_its_end():
    rule = "{id: x, limit: 2, within: 24h}"
    before = [ev("a", "u", "09:00"), ev("b", "u", "10:00")]
    later = around("tue 09:00", lambda us: tell(rule, *before, ev("a", "u", us))[2])
    assert later == ["capped x until tue 09:00", "sent", "sent"]


def test_it_ends_when_the_oldest_send_that_must_leave_does():
    rule = "{id: x, limit: 2, within: 24h, unless: n > 0}"
    events = [*(ev("a", "u", f"{hour:02d}:00", n=1) for hour in (9, 10, 11, 12)), ev("a", "u", "13:00")]
    assert tell(rule, *events)[-1] == "capped x until tue 11:00"  # four are in it, three of them must leave


def test_every_send_in_scope_counts_and_no_other():
    rule = "{id: x, limit: 2, within: 24h, categories: [service]}"
    events = [ev("fire", "u", "09:00"), ev("loose", "u", "09:01"), ev("a", "u", "09:02"), ev("b", "v", "09:03")]
    told = tell(rule, *events, ev("b", "u", "09:04"), ev("a", "u", "09:05"), ev("fire", "u", "09:06"))
    assert told == [*["sent"] * 5, "capped x until tue 09:02", "sent"]


def test_the_channel_a_message_went_to_counts():
    rules = "[{id: by-sms, when: n > 0, channel: sms}]"
    ws = Workspace(base("{id: x, limit: 1, within: 24h, channels: [sms]}", rules=rules))
    told = ws.tell(*(ev("a", "u", f"09:0{minute}", n=n) for minute, n in enumerate((0, 1, 0, 1))))
    assert told == ["sent", "sent", "sent", "capped x until tue 09:01"]


def test_the_newest_send_that_counts_filled_it():
    found = Workspace(base("{id: x, limit: 2, within: 24h}")).run(*(ev("a", "u", f"09:0{m}") for m in range(3)))
    assert found[2].cause == found[1].id


def test_failed_and_unsent_messages_do_not_count():
    rules = "{id: x, limit: 1, within: 24h}\n{id: y, mute: always, when: n == 1}"
    events = [
        ev("a", "u", "09:00", n=1),
        ev("a", "u", "09:01"),
        ev("message.failed", "u", "09:02"),
        ev("a", "u", "09:03"),
    ]
    assert tell(rules, *events, ev("a", "u", "09:04")) == ["muted y", "sent", "sent", "capped x until tue 09:03"]


def test_messages_that_always_go_count_and_may_go_over_it():
    must = "must: {channel: chat, weight: 0, message: hello, always: true}"
    ws = Workspace(base("{id: x, limit: 1, within: 24h}", events=must))
    told = ws.tell(ev("must", "u", "09:00"), ev("must", "u", "10:00"), ev("a", "u", "10:01"))
    assert told == ["sent", "sent", "capped x until tue 10:00"]


def test_a_release_counts_from_its_own_time():
    rules = '{id: x, limit: 1, within: 2h}\n{id: night, quiet_hours: {from: "22:00", to: "08:00"}, events: [a]}'
    told = tell(
        rules, ev("a", "u", "23:00"), ev("b", "u", "23:30"), ev("b", "u", "tue 09:59"), ev("b", "u", "tue 10:00")
    )
    assert told == ["held night until tue 08:00", "sent", "sent", "capped x until tue 10:00", "sent"]


@pytest.mark.parametrize(
    ("x", "y", "z", "named"),
    [
        ("2, within: 24h", "2, within: 25h", "1, within: 2h", "y until tue 10:00"),
        ("2, within: 24h", "2, within: 24h", "1, within: 2h", "x until tue 09:00"),
        ("1, within: 2h", "2, within: day", "2, within: 15h", "y until tue 00:00"),  # equal ends
        ("3, within: week", "2, within: day", "2, within: 14h", "y until tue 00:00"),  # three are not full
    ],
)
def test_of_several_the_one_that_ends_last_is_named(x, y, z, named):
    rules = "\n".join(
        f"{{id: {name}, limit: {limit}, unless: n > 0}}" for name, limit in (("z", z), ("y", y), ("x", x))
    )
    told = tell(rules, ev("a", "u", "09:00"), ev("a", "u", "10:00", n=1), ev("a", "u", "10:30"))
    assert told[2] == f"capped {named}"


def test_of_several_calendars_the_one_that_ends_last_is_named():
    rules = "{id: x, limit: 1, within: day}\n{id: y, limit: 1, within: week}\n{id: w, limit: 1, within: 7d}"
    assert tell(rules, ev("a", "u", "09:00"), ev("a", "u", "10:00"))[1] == "capped w until 2026-03-09T09:00:00Z"
    assert tell(rules.replace("7d", "1h"), ev("a", "u", "sun 09:00"), ev("a", "u", "sun 09:30"))[1] == (
        "capped x until 2026-03-09T00:00:00Z"
    )


# ---------------------------------------------------------------- calendars


def utc(local: str, zone: str, fold: int = 0) -> int:
    """The instant at which the clock on this zone's wall shows a time."""
    moment = datetime.fromisoformat(local).replace(tzinfo=zoned(zone), fold=fold).astimezone(UTC)
    return (moment - EPOCH) // timedelta(microseconds=1)


def in_zone(zone: str) -> str:
    return f"{CALM}, timezone: {zone}"


@pytest.mark.parametrize(
    ("zone", "day", "next_day"),
    [
        ("UTC", "2025-03-05T00:00", "2025-03-06T00:00"),
        ("Europe/Berlin", "2025-03-30T00:00", "2025-03-31T00:00"),  # 23 hours
        ("Europe/Berlin", "2025-10-26T00:00", "2025-10-27T00:00"),  # 25 hours
        ("America/New_York", "2025-03-09T00:00", "2025-03-10T00:00"),
        ("Asia/Kolkata", "2025-03-09T00:00", "2025-03-10T00:00"),
        ("Australia/Lord_Howe", "2025-04-06T00:00", "2025-04-07T00:00"),  # 24.5 hours
        ("America/Havana", "2025-03-09T01:00", "2025-03-10T00:00"),  # there is no midnight: the day begins at 01:00
        ("America/Havana", "2025-11-02T00:00", "2025-11-03T00:00"),  # midnight comes twice: the day begins at the first
        ("Africa/Cairo", "2025-10-30T00:00", "2025-10-31T00:00"),  # at midnight it is 23:00 once more
        ("Asia/Beirut", "2025-03-30T01:00", "2025-03-31T00:00"),
    ],
)
def test_a_day_begins_and_ends_on_the_users_wall(zone, day, next_day):
    start, end = utc(day, zone), utc(next_day, zone)
    rule, settings = "{id: x, limit: 1, within: day}", in_zone(zone)

    def after(first: int, second: int) -> str:
        return tell(rule, ev("a", "u", first), ev("a", "u", second), settings=settings)[1]

    assert after(start - 1, start) == "sent"
    assert after(start, start + 1) == f"capped x until {clock(end)}"
    assert after(start, end - 1) == f"capped x until {clock(end)}"
    assert after(start, end) == "sent"
    assert after(end - 1, end) == "sent"


def test_a_week_begins_on_the_users_monday():
    rule, settings = "{id: x, limit: 1, within: week}", in_zone("Asia/Kolkata")
    monday = utc("2025-03-10T00:00", "Asia/Kolkata")
    events = [
        ev("a", "u", monday - DAY),
        ev("a", "u", monday - 1),
        ev("a", "u", monday),
        ev("a", "u", monday + 7 * DAY - 1),
    ]
    until = [clock(monday), clock(monday + 7 * DAY)]
    assert tell(rule, *events, ev("a", "u", monday + 7 * DAY), settings=settings) == [
        "sent",
        f"capped x until {until[0]}",
        "sent",
        f"capped x until {until[1]}",
        "sent",
    ]


def test_a_week_with_a_change_of_the_clock():
    rule, settings = "{id: x, limit: 1, within: week}", in_zone("Europe/Berlin")
    monday, next_monday = utc("2025-03-24T00:00", "Europe/Berlin"), utc("2025-03-31T00:00", "Europe/Berlin")
    assert next_monday - monday == 7 * DAY - HOUR
    told = tell(rule, ev("a", "u", monday), ev("a", "u", next_monday - 1), ev("a", "u", next_monday), settings=settings)
    assert told == ["sent", f"capped x until {clock(next_monday)}", "sent"]


def test_the_calendar_is_the_one_of_the_users_present_zone():
    rule = "{id: x, limit: 1, within: day}"
    move = ev("user.updated", "u", "23:30", timezone="Asia/Kolkata")  # 23:00 UTC is already Tuesday there
    assert tell(rule, ev("a", "u", "23:00"), ev("a", "u", "tue 00:30")) == ["sent", "sent"]
    told = tell(rule, ev("a", "u", "23:00"), move, ev("a", "u", "tue 00:30"), ev("a", "u", "tue 18:30"))
    assert told == ["sent", "capped x until tue 18:30", "sent"]
    back = ev("user.updated", "u", "23:45", timezone=None)
    assert tell(rule, ev("a", "u", "23:00"), move, back, ev("a", "u", "tue 00:30")) == ["sent", "sent"]


def test_a_move_may_take_a_send_out_of_today():
    rule = "{id: x, limit: 1, within: day}"
    move = ev("user.updated", "u", "19:30", timezone="Asia/Kolkata")  # 18:00 UTC was 23:30, 20:00 UTC is the day after
    assert tell(rule, ev("a", "u", "18:00"), move, ev("b", "u", "20:00")) == ["sent", "sent"]


def test_a_day_that_never_was():
    """On Apia's wall 30 December 2011 does not exist: the 29th ends where the 31st begins."""
    end = utc("2011-12-31T00:00", "Pacific/Apia")
    rule, settings = "{id: x, limit: 1, within: day}", in_zone("Pacific/Apia")
    told = tell(rule, ev("a", "u", end - 2), ev("a", "u", end - 1), ev("a", "u", end), settings=settings)
    assert told == ["sent", f"capped x until {clock(end)}", "sent"]


# ---------------------------------------------------------------- reserved slots

KINDS = {"a": "service", "ad": "ads", "fire": "alarm", "loose": None}


def test_others_leave_reserved_slots_free():
    rule = "{id: x, limit: 3, within: 24h, reserved: {service: 1}}"
    fires = [ev("fire", "u", f"09:0{minute}") for minute in range(3)]
    assert tell(rule, *fires, ev("a", "u", "09:10")) == ["sent", "sent", "capped x until tue 09:00", "sent"]


def test_a_category_uses_its_reserved_slots_first():
    rule = "{id: x, limit: 3, within: 24h, reserved: {service: 1}}"
    told = tell(rule, ev("a", "u", "09:00"), *(ev("fire", "u", f"09:0{minute}") for minute in (1, 2, 3)))
    assert told == ["sent", "sent", "sent", "capped x until tue 09:01"]


def test_a_category_may_use_more_than_its_reserved_slots():
    rule = "{id: x, limit: 3, within: 24h, reserved: {service: 1}}"
    told = tell(rule, *(ev("a", "u", f"09:0{minute}") for minute in range(4)), ev("fire", "u", "09:10"))
    assert told == ["sent", "sent", "sent", "capped x until tue 09:00", "capped x until tue 09:00"]


def test_with_every_slot_reserved_nobody_else_may_send_at_all():
    rule = "{id: x, limit: 2, within: 24h, reserved: {service: 2}}"
    [decision] = Workspace(base(rule)).run(ev("fire", "u", "09:00"))
    assert (decision.reason, decision.by, decision.cause) == ("capped", "x", None)


def test_messages_without_a_category_are_others():
    rule = "{id: x, limit: 2, within: 24h, reserved: {service: 1}}"
    assert tell(rule, ev("loose", "u", "09:00"), ev("loose", "u", "09:01"))[1].startswith("capped")


def test_reserved_slots_of_a_calendar_day():
    rule = "{id: x, limit: 2, within: day, reserved: {service: 1}}"
    told = tell(
        rule, ev("fire", "u", "09:00"), ev("fire", "u", "09:01"), ev("a", "u", "09:02"), ev("fire", "u", "tue 00:00")
    )
    assert told == ["sent", "capped x until tue 00:00", "sent", "sent"]


def may_send(kind: str, sends: list[str], limit: int, reserved: dict[str, int]) -> bool:
    """Sends so far, and the slots that are kept for others and not used yet, are fewer than the limit."""
    used = Counter(KINDS[sent] for sent in sends)
    kept = sum(max(slots - used[name], 0) for name, slots in reserved.items() if name != KINDS[kind])
    return len(sends) + kept < limit


some_sends = st.lists(
    st.tuples(st.sampled_from([0, HOUR, 5 * HOUR, 24 * HOUR]), st.sampled_from(list(KINDS))), max_size=25
)
slots = st.dictionaries(st.sampled_from(["service", "ads", "alarm"]), st.integers(1, 2), max_size=2)
slow = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(some_sends, st.integers(0, 3), slots)
def test_reserved_slots_by_the_sentence(timeline, extra, reserved):
    limit = max(sum(reserved.values()) + extra, 1)
    kept = f", reserved: {{{', '.join(f'{name}: {count}' for name, count in reserved.items())}}}" if reserved else ""
    ws = Workspace(base(f"{{id: x, limit: {limit}, within: 24h{kept}}}"))
    ws.run(ev("user.subscribed", "u", "00:00"))
    now, sent = at("09:00"), []
    for gap, kind in timeline:
        now += gap
        [decision] = ws.run(ev(kind, "u", now))
        inside = [(when, what) for when, what in sent if now < when + DAY]
        assert (decision.outcome == "sent") is may_send(kind, [what for _, what in inside], limit, reserved)
        if decision.outcome == "sent":
            sent.append((now, kind))
        else:
            assert decision.until_us == _free(kind, inside, limit, reserved)


def _free(kind: str, inside: list[tuple[int, str]], limit: int, reserved: dict[str, int]) -> int | None:
    """When so many of the oldest sends have left that this kind may send, if no other is sent meanwhile."""
    for when, _ in inside:
        if may_send(kind, [what for other, what in inside if other > when], limit, reserved):
            return when + DAY
    return None


@slow
@given(some_sends, st.integers(1, 4), st.sampled_from(["5h", "24h", "day", "week"]))
def test_a_cap_ends_exactly_when_it_says(timeline, limit, window):
    rule, now = f"{{id: x, limit: {limit}, within: {window}}}", at("09:00")
    events = [ev("user.subscribed", "u", "00:00")]
    for gap, kind in timeline:
        now += gap
        events.append(ev(kind, "u", now))
    ws = Workspace(base(rule, in_zone("America/Havana")))
    last = _last(ws.run(*events))
    if last is not None and last.reason == "capped":
        assert last.until_us is not None
        again = [_after(ws, ev("fire", "u", last.until_us + shift)) for shift in (-1, 0)]
        assert again == ["capped", "sent"]


def _last(found: list[Decision]) -> Decision | None:
    return found[-1] if found else None


def _after(ws: Workspace, event: dict[str, object]) -> str:
    [told] = ws.tell(event)
    return told.split()[0]
