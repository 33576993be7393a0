"""Section 4: count, seen and sent, and what else conditions may ask for."""

from __future__ import annotations

import pytest

from tests.engine.support import CALM, DAY, DAYS, HOUR, Wire, Workspace, around, at, base, ev

NIGHT = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}, events: [a]}'


def asks(
    condition: str, *events: Wire, suppression: str = "", settings: str = CALM, until: str | int | None = None
) -> list[bool]:
    """Whether the condition held, at each decision about an `a`."""
    rules = f'- {{id: asked, when: "{condition}", score: +0.1}}'
    found = Workspace(base(suppression, settings, rules=f"\n      {rules}")).run(*events, until=until)
    return [any(part.id == "asked" for part in d.parts) for d in found if d.event_type == "a" and d.score is not None]


def a(time: str | int, user: str = "u", **data: object):
    return ev("a", user, time, **data)


def test_count_includes_this_event_where_the_type_is_its_own():
    assert asks("count('a', '1h') == 1", a("09:00")) == [True]
    assert asks("count('a', '1h') == 2", a("09:00"), a("09:30"), a("09:40")) == [False, True, False]
    assert asks("count('b', '1h') == 1", ev("b", "u", "09:00"), a("09:01")) == [True]
    assert asks("count('b', '1h') == 0", a("09:01")) == [True]


@pytest.mark.parametrize("other", ["a", "b", "paid"])
def test_count_ends_exactly_after_its_window(other):
    number = 2 if other == "a" else 1
    later = around(
        "10:00", lambda us: str(asks(f"count('{other}', '1h') == {number}", ev(other, "u", "09:00"), a(us))[-1])
    )
    assert later == ["True", "False", "False"]


@pytest.mark.parametrize("other", ["a", "b", "paid"])
def test_seen_ends_exactly_after_its_window(other):
    later = around("10:00", lambda us: str(asks(f"seen('{other}', '1h')", ev(other, "u", "09:00"), a(us))[-1]))
    assert later == ["True", "False", "False"]


def test_sent_ends_exactly_after_its_window():
    later = around("10:00", lambda us: str(asks("sent('1h') == 1", ev("b", "u", "09:00"), a(us))[-1]))
    assert later == ["True", "False", "False"]


def test_seen_looks_only_at_what_came_before_this_event():
    assert asks("seen('a', '1h')", a("09:00"), a("09:00")) == [False, True]


def test_sent_looks_only_at_what_came_before_this_event():
    assert asks("sent('1h') == 0", a("09:00"), a("09:00")) == [True, False]


def test_what_comes_later_at_the_same_instant_is_not_seen():
    assert asks("seen('b', '1h') or count('b', '1h') > 0", a("09:00"), ev("b", "u", "09:00")) == [False]


def test_only_this_users_events_count():
    assert asks(
        "count('a', '1h') > 1 or seen('paid', '1h') or sent('1h') > 0",
        a("09:00", "v"),
        ev("paid", "v", "09:01"),
        a("09:02"),
    ) == [
        False,
        False,
    ]


def test_events_count_whatever_became_of_their_message():
    stops = "{id: m, mute: always, when: n == 1}"
    events = [
        a("09:00", n=1),
        ev("user.unsubscribed", "u", "09:01"),
        a("09:02"),
        ev("user.subscribed", "u", "09:03"),
        a("09:04"),
    ]
    assert asks("count('a', '1h') == 3 and seen('a', '1h') and sent('1h') == 0", *events, suppression=stops)[-1]


def test_messages_count_only_when_they_were_sent():
    events = [ev("b", "u", "09:00"), ev("b", "u", "09:10"), ev("message.failed", "u", "09:11"), a("09:12")]
    assert asks("sent('1h') == 1", *events) == [True]


def test_all_types_and_channels_count_as_sent():
    events = [ev("user.subscribed", "u", "08:00"), ev("ad", "u", "09:00"), ev("fire", "u", "09:01"), a("09:02")]
    assert asks("sent('1h') == 2", *events) == [True]


@pytest.mark.parametrize(
    "kind", ["user.updated", "user.subscribed", "user.unsubscribed", "message.clicked", "message.failed"]
)
def test_reserved_types_may_be_asked_for(kind):
    events = [
        ev("fire", "u", "08:59"),
        ev(kind, "u", "09:00", **({"channel": "sms"} if "scribed" in kind else {})),
        a("09:01"),
    ]
    assert asks(f"count('{kind}', '1h') == 1 and seen('{kind}', '1h')", *events) == [True]
    assert asks(f"seen('{kind}', '1h')", a("09:01")) == [False]


def test_rejected_and_duplicate_events_are_not_remembered():
    click, pay = ev("message.clicked", "u", "09:00"), ev("paid", "u", "09:01")
    condition = "seen('message.clicked', '1h') or count('paid', '1h') != 1"
    assert asks(condition, click, pay, pay, ev("paid", "u", "09:02", order=1), a("09:03")) == [False]


def test_a_type_that_is_switched_off_is_remembered_and_gives_no_record():
    events = "off: {enabled: false, weight: 0.8, message: hello, channel: chat}"
    rules = "[{id: asked, when: \"count('off', '1h') == 1\", score: +0.1}]"
    ws = Workspace(base(events=events, rules=rules))
    one = ev("off", "u", "09:00")
    found = ws.run(one, one, a("09:01"))
    assert [(d.event_type, d.score) for d in found] == [("a", 0.9)]


def test_windows_that_are_long_are_kept_long():
    events = [ev("b", "u", "+0 09:00"), *(ev("paid", "u", f"+{day} 09:00") for day in range(10, 360, 25))]
    later = around(at("09:00") + 365 * DAY, lambda us: str(asks("count('b', '365d') == 1", *events, a(us))[-1]))
    assert later == ["True", "False", "False"]


def test_several_windows_over_one_type():
    events = [ev("b", "u", "09:00"), ev("b", "u", "11:00"), a("11:30")]
    assert asks("count('b', '1h') == 1 and count('b', '3h') == 2 and count('b', '30m') == 0", *events) == [True]


def test_a_held_message_is_asked_again_as_of_its_release():
    held, due = a("23:00"), at("tue 08:00")

    def at_release(condition: str, *events: Wire) -> bool:
        return asks(condition, held, *events, suppression=NIGHT, until=due)[1]

    assert at_release("count('a', '9h') == 0 or n > 0")  # 9 hours are over: the event itself has left the window
    assert at_release("count('a', '10h') == 1")
    assert at_release("count('b', '1h') == 1", ev("b", "u", "tue 07:00")) is False
    assert at_release("count('b', '1h') == 1", ev("b", "u", "tue 07:00:00.000001"))
    assert at_release("sent('1h') == 1", ev("b", "u", "tue 07:30"))
    assert at_release("sent('1h') == 0")
    assert at_release("seen('paid', '1h')", ev("paid", "u", "tue 07:30"))
    assert at_release("seen('paid', '1h')", ev("paid", "u", "tue 08:00")) is False


def test_time_is_that_of_the_users_wall():
    zone = ev("user.updated", "u", "00:00", timezone="Asia/Kolkata")  # 5 hours and 30 minutes ahead
    assert asks("time.hour == 14", zone, a("09:00"), a("09:29:59"), a("09:30")) == [True, True, False]
    assert asks("time.weekday == 'mon'", zone, a("18:29:59"), a("18:30")) == [True, False]
    assert asks("time.weekend", zone, a("fri 18:29:59"), a("fri 18:30"), a("sun 18:29:59"), a("sun 18:30")) == [
        False,
        True,
        True,
        False,
    ]
    assert asks("time.hour == 0", a("00:00"), a("00:59"), a("01:00")) == [True, True, False]


def test_the_workspace_has_a_zone_for_users_without_one():
    settings = f"{CALM}, timezone: America/New_York"
    assert asks("time.hour == 4", a("09:00"), settings=settings) == [True]


@pytest.mark.parametrize(("number", "name"), list(enumerate(DAYS)))
def test_weekdays(number, name):
    condition = f"time.weekday == '{name}' and {'' if number > 4 else 'not '}time.weekend"
    assert asks(condition, a(f"+{number} 12:00")) == [True]


def test_the_user_is_named_by_id():
    assert asks("user.id == 'u'", a("09:00"), a("09:01", "v")) == [True, False]


def test_attributes_have_their_defaults():
    assert asks(
        "user.plan == 'free' and user.nick is not defined and user.timezone == 'UTC' and user.locale == 'en'",
        a("09:00"),
    ) == [True]


def test_clicks_are_whole_messages_of_all_types_and_do_not_decay():
    settings = "threshold: 0, engagement: {effect: 0, half_life: 1h}"
    events = [
        ev("b", "u", "09:00"),
        ev("message.clicked", "u", "09:01"),
        ev("message.converted", "u", "09:02"),
        ev("fire", "u", "10:00"),
    ]
    condition = "engagement.clicks == 2"
    assert asks(condition, *events, ev("message.clicked", "u", "10:01"), a("+90 09:00"), settings=settings) == [True]


def test_the_rate_is_the_prior_before_there_is_any_outcome():
    assert asks("0.2999 < engagement.rate < 0.3001", a("09:00")) == [True]


def test_ignored_in_a_row_begins_exactly_when_the_time_is_over():
    settings = f"{CALM}, ignored_after: 1h"
    later = around(
        "10:00",
        lambda us: str(asks("engagement.ignored_in_a_row == 1", ev("b", "u", "09:00"), a(us), settings=settings)[-1]),
    )
    assert later == ["False", "True", "True"]


@pytest.mark.parametrize(("word", "number"), [("clicked", 1), ("converted", 1), ("dismissed", 1), ("failed", 2)])
def test_a_click_or_dismissal_ends_the_run_and_a_failure_does_not(word, number):
    settings = f"{CALM}, ignored_after: 1h"
    events = [
        ev("b", "u", "09:00"),
        ev("b", "u", "09:10"),
        ev(f"message.{word}", "u", "09:11"),
        ev("b", "u", "09:20"),
        a("12:00"),
    ]
    assert asks(f"engagement.ignored_in_a_row == {number}", *events, settings=settings) == [True]


def test_a_window_of_a_second_and_one_of_weeks():
    assert asks("count('b', '1s') == 1", ev("b", "u", "09:00"), a("09:00:00.999999")) == [True]
    assert asks("count('b', '1s') == 1", ev("b", "u", "09:00"), a("09:00:01")) == [False]
    assert asks("count('b', '2w') == 1", ev("b", "u", "09:00"), a(at("09:00") + 14 * DAY - 1)) == [True]
    assert asks("count('b', '1h30m') == 1", ev("b", "u", "09:00"), a(at("09:00") + HOUR * 3 // 2)) == [False]
