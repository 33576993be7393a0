"""Section 6: after a send, nothing with the same keys for that long."""

from __future__ import annotations

import pytest

from tests.engine.support import HOUR, Workspace, around, at, base, ev, tell


def test_it_is_over_exactly_after_its_time():
    later = around(at("15:00"), lambda us: tell("{id: x, cooldown: 6h}", ev("a", "u", "09:00"), ev("a", "u", us))[1])
    assert later == ["cooldown x until 15:00", "sent", "sent"]


def test_it_runs_from_the_last_send_not_from_the_last_attempt():
    told = tell(
        "{id: x, cooldown: 6h}", *(ev("a", "u", time) for time in ("09:00", "14:00", "15:00", "20:59", "21:00"))
    )
    assert told == ["sent", "cooldown x until 15:00", "sent", "cooldown x until 21:00", "sent"]


def test_by_default_each_user_and_event_type_has_its_own():
    events = [ev("a", "u", "09:00"), ev("b", "u", "09:01"), ev("a", "v", "09:02"), ev("a", "u", "09:03")]
    assert tell("{id: x, cooldown: 6h}", *events) == ["sent", "sent", "sent", "cooldown x until 15:00"]


def test_without_event_it_spans_the_types_in_scope():
    events = [ev("a", "u", "09:00"), ev("fire", "u", "09:01"), ev("b", "u", "09:02"), ev("b", "v", "09:03")]
    told = tell("{id: x, cooldown: 6h, per: [user], events: [a, b]}", *events)
    assert told == ["sent", "sent", "cooldown x until 15:00", "sent"]


def test_fields_are_compared_and_two_absent_values_are_equal():
    events = [
        ev("a", "u", "09:00", order="1"),
        ev("b", "u", "09:01", order="2"),
        ev("a", "u", "09:02"),
        ev("b", "u", "09:03"),
        ev("b", "u", "09:04", order=None),
        ev("b", "u", "09:05", order="1"),
        ev("b", "u", "09:06", order=""),
    ]
    assert tell("{id: x, cooldown: 6h, per: [user, order], events: [a, b]}", *events) == [
        "sent",
        "sent",
        "sent",
        "cooldown x until 15:02",
        "cooldown x until 15:02",
        "cooldown x until 15:00",
        "sent",
    ]


def test_with_event_and_a_field_both_have_to_be_equal():
    events = [ev("a", "u", "09:00", order="1"), ev("b", "u", "09:01", order="1"), ev("a", "u", "09:02", order="1")]
    told = tell("{id: x, cooldown: 6h, per: [user, event, order], events: [a, b]}", *events)
    assert told == ["sent", "sent", "cooldown x until 15:00"]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [(1, 1.0, True), (0, -0.0, True), (0.1, 0.10, True), (1, 2, False), (None, 0, True), (2**53, 2.0**53, True)],
)
def test_equal_numbers_are_equal_however_they_are_written(first, second, same):
    told = tell(
        "{id: x, cooldown: 6h, per: [n], events: [a]}", ev("a", "u", "09:00", n=first), ev("a", "u", "10:00", n=second)
    )
    assert told[1] == ("cooldown x until 15:00" if same else "sent")


def test_equal_instants_are_equal_in_every_offset():
    ws = Workspace(
        base(
            "{id: x, cooldown: 6h, per: [due], events: [t]}",
            events="t: {weight: 0.8, message: hello, channel: chat, fields: {due: {type: time}}}",
        )
    )
    one, two = "2026-03-05T12:00:00+01:00", "2026-03-05T11:00:00.000Z"
    assert ws.tell(ev("t", "u", "09:00", due=one), ev("t", "u", "10:00", due=two)) == ["sent", "cooldown x until 15:00"]


def test_the_scope_says_which_sends_count_and_which_messages_are_stopped():
    rules = "[{id: by-sms, when: n > 0, channel: sms}]"
    events = [ev("a", "u", "09:00", n=1), ev("a", "u", "09:01"), ev("a", "u", "09:02", n=1), ev("a", "u", "09:03")]
    ws = Workspace(base("{id: x, cooldown: 6h, channels: [chat]}", rules=rules))
    assert ws.tell(*events) == ["sent", "sent", "sent", "cooldown x until 15:01"]
    by_category = tell(
        "{id: x, cooldown: 6h, per: [user], categories: [service]}", ev("fire", "u", "09:00"), ev("a", "u", "09:01")
    )
    assert by_category == ["sent", "sent"]


def test_when_and_unless_choose_the_messages_that_may_be_stopped_but_every_send_counts():
    events = [ev("a", "u", "09:00"), ev("a", "u", "09:01", n=6), ev("a", "u", "09:02", n=9), ev("a", "u", "09:03")]
    told = tell("{id: x, cooldown: 6h, when: n > 5, unless: n > 8}", *events)
    assert told == ["sent", "cooldown x until 15:00", "sent", "sent"]


def test_the_last_send_that_counts_is_the_cause():
    ws = Workspace(base("{id: x, cooldown: 6h, when: n > 0}"))
    found = ws.run(ev("a", "u", "09:00"), ev("a", "u", "10:00"), ev("a", "u", "11:00", n=1))
    assert found[2].cause == found[1].id
    assert found[2].until_us == at("16:00")
    assert found[0].cause is None


def test_what_was_not_sent_starts_nothing():
    events = [ev("a", "u", "09:00"), ev("user.subscribed", "u", "09:01"), ev("a", "u", "09:02")]
    assert tell("{id: x, cooldown: 6h}", ev("user.unsubscribed", "u", "08:00"), *events) == ["no_consent", "sent"]


def test_a_failed_message_starts_nothing_and_the_one_before_it_counts_again():
    ws = Workspace(base("{id: x, cooldown: 6h, unless: n > 0}"))
    told = ws.tell(
        ev("a", "u", "09:00"),
        ev("a", "u", "11:00", n=1),
        ev("a", "u", "12:00"),
        ev("message.failed", "u", "12:01"),
        ev("a", "u", "12:02"),
    )
    assert told == ["sent", "sent", "cooldown x until 17:00", "cooldown x until 15:00"]


def test_a_release_starts_it_at_its_own_time():
    rules = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}}\n{id: x, cooldown: 6h}'
    events = [ev("a", "u", "23:00"), ev("a", "u", at("tue 14:00") - 1), ev("a", "u", "tue 14:00")]
    assert tell(rules, *events) == ["held night until tue 08:00", "sent", "cooldown x until tue 14:00", "sent"]


def test_a_late_event_is_decided_as_if_it_happened_at_the_users_newest_time():
    events = [ev("a", "u", "09:00"), ev("paid", "u", "15:00"), ev("a", "u", "10:00")]
    assert tell("{id: x, cooldown: 6h}", *events) == ["sent", "sent"]


@pytest.mark.parametrize(
    ("lengths", "named"),
    [
        (("6h", "8h", "7h"), "y until 17:00"),
        (("8h", "8h", "7h"), "x until 17:00"),
        (("8h", "7h", "8h"), "x until 17:00"),
    ],
)
def test_of_several_the_one_that_ends_last_is_named_then_the_alphabetically_first(lengths, named):
    for order in ((0, 1, 2), (2, 1, 0)):
        rules = "\n".join(f"{{id: {'xyz'[index]}, cooldown: {lengths[index]}}}" for index in order)
        assert tell(rules, ev("a", "u", "09:00"), ev("a", "u", "10:00"))[1] == f"cooldown {named}"


def test_several_may_count_different_sends():
    rules = "{id: x, cooldown: 6h}\n{id: y, cooldown: 5h, per: [user]}"
    events = [ev("a", "u", "09:00"), ev("b", "u", at("09:00") + 5 * HOUR), ev("a", "u", "14:30")]
    assert tell(rules, *events)[2] == "cooldown y until 19:00"
