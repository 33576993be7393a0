"""Section 6: something more important was said just now."""

from __future__ import annotations

from tests.engine.support import Workspace, around, at, base, ev, tell

RULE = "{id: x, inhibited_by: fire, within: 2h}"


def test_it_is_over_exactly_after_its_time():
    later = around(at("11:00"), lambda us: tell(RULE, ev("fire", "u", "09:00"), ev("a", "u", us))[1])
    assert later == ["inhibited x until 11:00", "sent", "sent"]


def test_the_last_of_those_messages_counts_and_is_the_cause():
    found = Workspace(base(RULE)).run(ev("fire", "u", "09:00"), ev("fire", "u", "10:00"), ev("a", "u", "10:30"))
    assert (found[2].until_us, found[2].cause) == (at("12:00"), found[1].id)


def test_it_never_stops_its_own_type():
    assert tell(RULE, ev("fire", "u", "09:00"), ev("fire", "u", "09:01")) == ["sent", "sent"]


def test_any_type_of_a_list_counts():
    rule = "{id: x, inhibited_by: [fire, b], within: 2h}"
    assert tell(rule, ev("b", "u", "09:00"), ev("a", "u", "09:01")) == ["sent", "inhibited x until 11:00"]
    assert tell(rule, ev("fire", "u", "09:00"), ev("a", "u", "09:01")) == ["sent", "inhibited x until 11:00"]
    assert tell(rule, ev("fire", "u", "09:00"), ev("fire", "u", "09:01")) == ["sent", "sent"]


def test_a_message_has_to_be_sent_for_an_event_is_not_enough():
    rules = "{id: y, mute: always, when: n == 0, events: [b]}\n{id: z, inhibited_by: b, within: 2h}"
    events = [ev("b", "u", "09:00"), ev("a", "u", "09:01"), ev("b", "u", "09:02", n=1), ev("a", "u", "09:03")]
    told = tell(rules, *events)
    assert told == ["muted y", "sent", "sent", "inhibited z until 11:02"]


def test_a_failed_message_inhibits_nothing():
    told = tell(RULE, ev("fire", "u", "09:00"), ev("message.failed", "u", "09:01"), ev("a", "u", "09:02"))
    assert told == ["sent", "sent"]


def test_only_this_users_messages_count():
    assert tell(RULE, ev("fire", "v", "09:00"), ev("a", "u", "09:01")) == ["sent", "sent"]


def test_the_scope_says_what_is_stopped():
    rule = "{id: x, inhibited_by: fire, within: 2h, events: [a]}"
    told = tell(rule, ev("fire", "u", "09:00"), ev("a", "u", "09:01"), ev("b", "u", "09:02"))
    assert told == ["sent", "inhibited x until 11:00", "sent"]


def test_when_and_unless_choose_what_is_stopped():
    rule = "{id: x, inhibited_by: fire, within: 2h, when: n > 5, unless: n > 8}"
    told = tell(rule, ev("fire", "u", "09:00"), *(ev("a", "u", f"09:0{n}", n=n) for n in (5, 6, 9)))
    assert told == ["sent", "sent", "inhibited x until 11:00", "sent"]


def test_messages_that_always_go_inhibit_others():
    events = "siren: {category: alarm, channel: chat, weight: 0, message: hello, always: true}"
    ws = Workspace(base("{id: x, inhibited_by: siren, within: 2h}", events=events))
    assert ws.tell(ev("siren", "u", "09:00"), ev("a", "u", "09:01")) == ["sent", "inhibited x until 11:00"]


def test_a_release_inhibits_from_its_own_time():
    rules = f'{RULE}\n{{id: night, quiet_hours: {{from: "22:00", to: "08:00"}}, events: [fire]}}'
    told = tell(
        rules, ev("fire", "u", "23:00"), ev("a", "u", "23:30"), ev("a", "u", "tue 09:59"), ev("a", "u", "tue 10:00")
    )
    assert told == ["held night until tue 08:00", "sent", "sent", "inhibited x until tue 10:00", "sent"]


def test_of_several_the_one_that_ends_last_is_named():
    rules = f"{RULE}\n{{id: y, inhibited_by: b, within: 1h}}\n{{id: z, inhibited_by: fire, within: 2h}}"
    told = tell(
        rules, ev("fire", "u", "09:00"), ev("b", "u", "09:00", n=1), ev("b", "u", "11:30"), ev("a", "u", "11:31")
    )
    assert told == ["sent", "inhibited x until 11:00", "sent", "inhibited y until 12:30"]


def test_in_a_list_a_message_of_another_type_stops_a_type_that_is_listed_too():
    """Read so: "its own type" is the type of the message that would inhibit, not every type of the list."""
    rule = "{id: x, inhibited_by: [fire, b], within: 2h}"
    assert tell(rule, ev("fire", "u", "09:00"), ev("b", "u", "09:01")) == ["sent", "inhibited x until 11:00"]


def test_the_inhibiting_message_need_not_be_in_scope():
    """Read so: the scope says what may be stopped; the message that stops it is named by its type."""
    rule = "{id: x, inhibited_by: ad, within: 2h, channels: [chat]}"
    told = tell(rule, ev("user.subscribed", "u", "08:00"), ev("ad", "u", "09:00"), ev("a", "u", "09:01"))
    assert told == ["sent", "inhibited x until 11:00"]
