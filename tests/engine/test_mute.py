"""Section 6: silence from the moment something becomes true."""

from __future__ import annotations

import pytest

from tests.engine.support import CALM, Workspace, around, at, base, ev, tell

RULE = "{id: x, mute: 2h, when: n > 5}"


def calls(*timed: tuple[str | int, int]):
    return [ev("a", "u", time, n=n) for time, n in timed]


def test_it_stops_the_message_with_which_it_begins():
    assert tell(RULE, *calls(("09:00", 6))) == ["muted x until 11:00"]


def test_it_ends_exactly_after_its_length():
    later = around("11:00", lambda us: tell(RULE, *calls(("09:00", 6), (us, 0)))[1])
    assert later == ["muted x until 11:00", "sent", "sent"]


def test_it_ends_even_if_when_still_holds():
    later = around("11:00", lambda us: tell(RULE, *calls(("09:00", 6), (us, 6)))[1])
    assert later == ["muted x until 11:00", "sent", "sent"]


def test_it_is_not_prolonged_while_it_runs():
    told = tell(RULE, *calls(("09:00", 6), ("10:00", 6), ("10:59", 6), ("11:00", 6)))
    assert told == ["muted x until 11:00"] * 3 + ["sent"]


def test_it_begins_again_after_one_more_message_was_sent():
    told = tell(RULE, *calls(("09:00", 6), ("11:00", 6), ("11:01", 6)))
    assert told == ["muted x until 11:00", "sent", "muted x until 13:01"]


def test_it_begins_again_after_when_was_false():
    told = tell(RULE, *calls(("09:00", 6), ("10:00", 0), ("11:00", 6)))
    assert told == ["muted x until 11:00", "muted x until 11:00", "muted x until 13:00"]


def test_while_it_lasts_it_does_not_begin_again():
    """Read so: it "begins again" only once it has ended."""
    told = tell(RULE, *calls(("09:00", 6), ("10:00", 0), ("10:30", 6)))
    assert told == ["muted x until 11:00"] * 3


def test_when_it_holds_on_and_nothing_was_sent_it_does_not_begin_again():
    rules = f"{RULE}\n{{id: y, mute: always, when: n == 7}}"
    told = tell(rules, *calls(("09:00", 6), ("11:00", 7), ("11:30", 7), ("12:00", 6)))
    assert told == ["muted x until 11:00", "muted y", "muted y", "sent"]


def test_the_event_that_began_it_is_the_cause():
    found = Workspace(base(RULE)).run(*calls(("09:00", 6), ("10:00", 0)))
    assert found[1].cause == found[0].id


@pytest.mark.parametrize("fate", ["expired", "no_consent", "skipped", "below_threshold", "cooldown"])
def test_when_is_looked_at_whatever_becomes_of_the_message(fate):
    events = """
        c: {category: service, channel: chat, weight: 0.8, message: hello, expires_after: 1h,
            fields: {n: {type: number, default: 0}, how: {type: text, optional: true}},
            rules: [{id: no, when: how == 'skipped', skip: true},
                    {id: low, when: how == 'below_threshold', score: -0.8}]}
    """
    stops = f"{RULE[:-1]}, events: [a, c]}}\n{{id: cool, cooldown: 6h, events: [c], per: [user]}}"
    before = {
        "no_consent": [ev("user.unsubscribed", "u", "08:00", category="service")],
        "cooldown": [ev("c", "u", "08:00")],
        "expired": [ev("paid", "u", "09:00")],
    }.get(fate, [])
    after = [ev("user.subscribed", "u", "09:01")] if fate == "no_consent" else []
    time = "07:00" if fate == "expired" else "09:00"
    ws = Workspace(base(stops, events=events))
    told = ws.tell(*before, ev("c", "u", time, n=6, how=fate), *after, ev("a", "u", "09:02"))
    first = "muted x until 11:00" if fate == "cooldown" else f"{fate}{' no' if fate == 'skipped' else ''}"
    assert told[-2:] == [first, "muted x until 11:00"]


def test_duplicates_and_rejected_events_are_not_looked_at():
    rule = "{id: x, mute: 2h, when: \"n > 5 and seen('paid', '1d')\"}"
    one = ev("a", "u", "09:00", n=6)
    again, wrong = {**one, "time": "2026-03-02T10:00:00Z"}, ev("a", "u", "10:01", n="six")
    told = tell(rule, one, ev("paid", "u", "09:30"), again, wrong, ev("a", "u", "10:02"))
    assert told == ["sent", "duplicate", "rejected n", "sent"]


def test_only_events_in_scope_are_looked_at_and_stopped():
    rule = "{id: x, mute: 2h, when: n > 5, events: [a]}"
    told = tell(
        rule, ev("b", "u", "09:00", n=6), ev("a", "u", "09:01"), ev("a", "u", "09:02", n=6), ev("b", "u", "09:03")
    )
    assert told == ["sent", "sent", "muted x until 11:02", "sent"]
    by_category = "{id: x, mute: 2h, when: n > 5, categories: [service]}"
    events = [ev("a", "u", "09:00", n=6), ev("fire", "u", "09:01"), ev("b", "u", "09:02")]
    assert tell(by_category, *events) == ["muted x until 11:00", "sent", "muted x until 11:00"]


def test_the_scope_uses_the_channel_finally_chosen():
    rules = "[{id: by-sms, when: n > 7, channel: sms}]"
    ws = Workspace(base("{id: x, mute: 2h, when: n > 5, channels: [chat]}", rules=rules))
    told = ws.tell(*calls(("09:00", 8), ("09:01", 6), ("09:02", 8), ("09:03", 0)))
    assert told == ["sent", "muted x until 11:01", "sent", "muted x until 11:01"]


def test_in_scope_but_without_such_a_field_it_is_absent_and_the_message_is_stopped_all_the_same():
    told = tell(RULE, ev("fire", "u", "09:00"), ev("a", "u", "09:01", n=6), ev("fire", "u", "09:02"))
    assert told == ["sent", "muted x until 11:01", "muted x until 11:01"]


def test_always_stops_what_when_chooses_and_nothing_else():
    told = tell("{id: x, mute: always, when: n > 5}", *calls(("09:00", 6), ("09:01", 5), ("09:02", 6)))
    assert told == ["muted x", "sent", "muted x"]
    told = tell("{id: x, mute: always, when: n > 5, unless: n > 8}", *calls(("09:00", 6), ("09:01", 9)))
    assert told == ["muted x", "sent"]


def test_unless_chooses_what_a_running_mute_may_stop():
    rule = "{id: x, mute: 2h, when: n > 5, unless: n > 8 or n == 1}"
    assert tell(rule, *calls(("09:00", 6), ("09:01", 1), ("09:02", 0))) == [
        "muted x until 11:00",
        "sent",
        "muted x until 11:00",
    ]


def test_each_user_has_their_own():
    assert tell(RULE, ev("a", "v", "09:00", n=6), ev("a", "u", "09:01")) == ["muted x until 11:00", "sent"]


def test_tired_of_being_ignored():
    rule = "{id: tired, mute: 7d, when: engagement.ignored_in_a_row >= 2}"
    settings = f"{CALM}, ignored_after: 1h"
    events = [ev("a", "u", time) for time in ("09:00", "09:10", "09:20", "10:10", "mon 12:00", "tue 09:00")]
    more = [ev("a", "u", at("10:10") + 7 * 86_400_000_000 + shift) for shift in (-1, 0, 1)]
    assert tell(rule, *events, *more, settings=settings) == [
        "sent",
        "sent",
        "sent",
        "muted tired until 2026-03-09T10:10:00Z",
        "muted tired until 2026-03-09T10:10:00Z",
        "muted tired until 2026-03-09T10:10:00Z",
        "muted tired until 2026-03-09T10:10:00Z",
        "sent",
        "muted tired until 2026-03-16T10:10:00.000001Z",
    ]


def test_a_click_makes_when_false_and_arms_it_again():
    rule = "{id: tired, mute: 3h, when: engagement.ignored_in_a_row >= 1}"
    events = [
        ev("a", "u", "09:00"),
        ev("a", "u", "10:00"),  # ignored: muted until 13:00
        ev("message.clicked", "u", "10:30"),
        ev("a", "u", "11:00"),  # still muted, but looked at: no longer true
        ev("a", "u", "13:00"),
        ev("a", "u", "14:00"),
    ]
    assert tell(rule, *events, settings=f"{CALM}, ignored_after: 1h") == [
        "sent",
        "muted tired until 13:00",
        "muted tired until 13:00",
        "sent",
        "muted tired until 17:00",
    ]


def test_of_several_the_one_that_ends_last_is_named():
    rules = "{id: z, mute: 2h, when: n > 5}\n{id: y, mute: 3h, when: n > 5}\n{id: x, mute: 3h, when: n > 5}"
    assert tell(rules, *calls(("09:00", 6))) == ["muted x until 12:00"]


def test_a_held_message_is_looked_at_again_when_it_is_decided_again():
    rules = '{id: x, mute: 2h, when: time.hour == 8}\n{id: night, quiet_hours: {from: "22:00", to: "08:00"}}'
    told = tell(rules, ev("a", "u", "23:00"), ev("a", "u", "tue 09:59"), ev("a", "u", "tue 10:00"))
    assert told == [
        "held night until tue 08:00",
        "muted x until tue 10:00",
        "muted x until tue 10:00",
        "sent",
    ]


def test_a_message_that_always_goes_is_looked_at_too():
    events = "must: {channel: chat, weight: 0.8, message: hello, always: true, fields: {n: {type: number, default: 0}}}"
    ws = Workspace(base(RULE, events=events))
    told = ws.tell(ev("must", "u", "09:00", n=6), ev("a", "u", "09:01"), ev("must", "u", "09:02"))
    assert told == ["sent", "muted x until 11:00", "sent"]
