"""Section 6: an event said that the matter is closed."""

from __future__ import annotations

import pytest

from tests.engine.support import DAY, HOUR, Workspace, around, at, base, ev, tell

RULE = "{id: x, resolved_by: paid, within: 1h, same: [order], events: [a]}"
NIGHT = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}}'


def test_it_looks_back_less_than_its_time():
    later = around(
        at("10:00"), lambda us: tell(RULE, ev("paid", "u", "09:00", order="1"), ev("a", "u", us, order="1"))[0]
    )
    assert later == ["resolved x until 10:00", "sent", "sent"]


@pytest.mark.parametrize(
    ("paid", "failed", "resolved"),
    [("1", "1", True), ("1", "2", False), (None, None, False), (None, "1", False), ("1", None, False), ("", "", True)],
)
def test_fields_have_to_be_equal_and_absent_is_never_equal(paid, failed, resolved):
    told = tell(RULE, ev("paid", "u", "09:00", order=paid), ev("a", "u", "09:01", order=failed))
    assert told == ["resolved x until 10:00" if resolved else "sent"]


def test_without_same_every_such_event_counts():
    rule = "{id: x, resolved_by: paid, within: 1h, events: [a]}"
    assert tell(rule, ev("paid", "u", "09:00"), ev("a", "u", "09:01", order="7")) == ["resolved x until 10:00"]


def test_only_this_users_events_count():
    assert tell(RULE, ev("paid", "v", "09:00", order="1"), ev("a", "u", "09:01", order="1")) == ["sent"]


def test_at_the_same_instant_the_order_of_the_lines_counts():
    paid, failed = ev("paid", "u", "09:00", order="1"), ev("a", "u", "09:00", order="1")
    assert tell(RULE, paid, failed) == ["resolved x until 10:00"]
    assert tell(RULE, failed, paid) == ["sent"]


def test_a_late_event_is_resolved_by_what_came_at_any_time_since():
    failed = ev("a", "u", "+1 09:00", order="1")
    told = tell(RULE, ev("paid", "u", "+5 09:00", order="1"), ev("paid", "u", "+6 09:00"), failed)
    assert told == ["resolved x until sat 10:00"]


def test_a_late_event_is_measured_by_its_own_time():
    paid = ev("paid", "u", "09:00", order="1")
    now = ev("fire", "u", "20:00")
    later = around(at("10:00"), lambda us: tell(RULE, paid, now, ev("a", "u", us, order="1"))[1])
    assert later == ["resolved x until 10:00", "sent", "sent"]


def test_a_late_cause_counts_at_the_newest_time():
    told = tell(RULE, ev("fire", "u", "12:00"), ev("paid", "u", "09:00", order="1"), ev("a", "u", "12:59", order="1"))
    assert told == ["sent", "resolved x until 13:00"]


def test_the_last_cause_counts_and_is_named():
    ws = Workspace(base("{id: x, resolved_by: b, within: 1h, events: [a]}"))
    found = ws.run(ev("b", "u", "09:00"), ev("b", "u", "09:30"), ev("a", "u", "09:45"))
    assert (found[2].until_us, found[2].cause) == (at("10:30"), found[1].id)


def test_an_event_counts_whatever_became_of_its_message():
    ws = Workspace(
        base("{id: x, resolved_by: b, within: 1h, events: [a]}\n{id: y, mute: always, when: n == 0, events: [b]}")
    )
    assert ws.tell(ev("b", "u", "09:00"), ev("a", "u", "09:01")) == ["muted y", "resolved x until 10:00"]


def test_a_rejected_or_duplicate_event_does_not_count():
    paid = ev("paid", "u", "09:00", order="1")
    again = {**paid, "time": "2026-03-02T10:30:00Z"}
    wrong = ev("paid", "u", "10:31", order=5)
    assert tell(RULE, paid, again, wrong, ev("a", "u", "10:32", order="1")) == ["rejected order", "sent"]


def test_the_cause_of_an_event_without_a_message_is_its_own_and_always_the_same():
    ws = Workspace(base(RULE))
    one = ws.run(ev("paid", "u", "09:00", id="p", order="1"), ev("a", "u", "09:01", order="1"))
    two = Workspace(base(RULE)).run(ev("paid", "u", "09:00", id="p", order="1"), ev("a", "u", "09:02", order="1"))
    assert one[0].cause == two[0].cause is not None
    assert one[0].cause != one[0].id


def test_a_held_message_is_resolved_by_what_came_while_it_waited():
    events = [ev("a", "u", "22:30", order="1"), ev("paid", "u", "23:00", order="1"), ev("fire", "u", "tue 09:00")]
    assert tell(f"{RULE}\n{NIGHT}", *events) == ["held night until tue 08:00", "resolved x until tue 00:00", "sent"]


def test_a_held_message_looks_back_from_its_own_time_not_from_its_release():
    events = [ev("paid", "u", "21:30", order="1"), ev("a", "u", "22:30", order="1")]
    assert tell(f"{RULE}\n{NIGHT}", *events, until="tue 12:00") == ["held night until tue 08:00", "sent"]


def test_what_comes_after_the_release_does_not_count():
    events = [ev("a", "u", "22:30", order="1"), ev("paid", "u", "tue 08:00", order="1")]
    assert tell(f"{RULE}\n{NIGHT}", *events) == ["held night until tue 08:00", "sent"]


def test_any_type_of_a_list_counts():
    rule = "{id: x, resolved_by: [paid, b], within: 1h, events: [a]}"
    assert tell(rule, ev("b", "u", "09:00"), ev("a", "u", "09:01")) == ["sent", "resolved x until 10:00"]
    assert tell(rule, ev("paid", "u", "09:00"), ev("a", "u", "09:01")) == ["resolved x until 10:00"]


def test_several_fields_have_to_be_equal_all():
    rule = "{id: x, resolved_by: b, within: 1h, same: [order, n], events: [a]}"
    cause = ev("b", "u", "09:00", order="1", n=2)
    assert tell(rule, cause, ev("a", "u", "09:01", order="1", n=2))[1] == "resolved x until 10:00"
    assert tell(rule, cause, ev("a", "u", "09:01", order="1", n=3))[1] == "sent"


def test_a_long_window_remembers_long():
    rule = "{id: x, resolved_by: paid, within: 90d, events: [a]}"
    wait = [ev("fire", "u", f"+{day} 09:00") for day in (20, 40, 60, 80)]
    later = around(at("09:00") + 90 * DAY, lambda us: tell(rule, ev("paid", "u", "09:00"), *wait, ev("a", "u", us))[-1])
    assert [line.split()[0] for line in later] == ["resolved", "sent", "sent"]


def test_how_late_an_event_may_be_does_not_matter_to_what_is_remembered():
    rule = "{id: x, resolved_by: paid, within: 1h, events: [a]}"
    settings = "fatigue: {per_message: 0}, engagement: {effect: 0}, dedupe_window: 7d"
    paid, now = ev("paid", "u", "09:00"), ev("fire", "u", at("09:30") + 7 * DAY - HOUR)
    told = tell(rule, paid, now, ev("fire", "u", at("09:30") + 7 * DAY - 1), ev("a", "u", "09:30"), settings=settings)
    assert told[-1] == "resolved x until 10:00"


def test_of_several_the_one_that_ends_last_is_named():
    rules = "\n".join(
        f"{{id: {id}, resolved_by: {by}, within: 1h}}" for id, by in (("x", "paid"), ("y", "b"), ("w", "b"))
    )
    events = [ev("b", "u", "09:00"), ev("paid", "u", "09:10"), ev("fire", "u", "09:20")]
    assert tell(rules, *events)[-1] == "resolved x until 10:10"
    assert tell(rules, events[0], events[2])[-1] == "resolved w until 10:00"
