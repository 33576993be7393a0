"""Every window exactly at its end, one microsecond before it, and what fills it."""

from __future__ import annotations

import pytest

from botopt.model.decision import Outcome
from tests.engine.timeline import Story, ev, policy, short, tell, us

HOUR = 3_600_000_000
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("later", "expected"), [(6 * HOUR - 1, "cooldown x until 2026-03-02T15:00:00Z"), (6 * HOUR, "sent")]
)
def test_cooldown_ends_exactly_after_the_window(later, expected):
    rules = policy("{id: x, cooldown: 6h}")
    assert short(tell(rules, ev("a", "09:00"), ev("a", us("09:00") + later))) == ["sent", expected]


def test_cooldown_keys_choose_what_is_the_same():
    rules = policy("{id: x, cooldown: 6h, per: [user, order], events: [a, b]}")
    story = tell(
        rules,
        ev("a", "09:00", order="1"),
        ev("b", "09:01", order="1"),
        ev("b", "09:02", order="2"),
        ev("a", "09:03"),
        ev("b", "09:04"),
        ev("a", "09:05", user="v", order="1"),
    )
    assert [d.outcome.value for d in story] == ["sent", "suppressed", "sent", "sent", "suppressed", "sent"]
    assert story[1].cause == story[0].id


@pytest.mark.parametrize(("later", "expected"), [(DAY - 1, "capped x until 2026-03-03T09:00:00Z"), (DAY, "sent")])
def test_a_rolling_cap_frees_a_slot_when_the_oldest_leaves(later, expected):
    rules = policy("{id: x, limit: 2, within: 24h}")
    story = tell(rules, ev("a", "09:00"), ev("b", "10:00"), ev("a", us("09:00") + later))
    assert short(story)[2] == expected


def test_a_calendar_cap_ends_at_the_users_midnight():
    rules = policy("{id: x, limit: 1, within: day}", "timezone: Asia/Kolkata")
    story = tell(rules, ev("a", "18:00"), ev("a", "18:29"), ev("a", "18:30"))
    assert short(story) == ["sent", "capped x until 2026-03-02T18:30:00Z", "sent"]


def test_a_weekly_cap_ends_on_monday():
    rules = policy("{id: x, limit: 1, within: week}")
    story = tell(rules, ev("a", "-1 12:00"), ev("a", "00:00"), ev("a", "+6 23:59:59"), ev("a", "+7 00:00"))
    assert short(story) == ["sent", "sent", "capped x until 2026-03-09T00:00:00Z", "sent"]


def test_reserved_slots_wait_for_their_category():
    rules = policy("{id: x, limit: 2, within: 24h, categories: [service, alarm], reserved: {alarm: 1}}")
    story = tell(rules, ev("a", "09:00"), ev("b", "10:00"), ev("d", "11:00"), ev("d", "12:00"))
    assert short(story) == [
        "sent",
        "capped x until 2026-03-03T09:00:00Z",
        "sent",
        "capped x until 2026-03-03T09:00:00Z",
    ]


def test_when_and_unless_choose_but_every_send_counts():
    rules = policy("{id: x, limit: 1, within: 24h, when: n > 5, unless: n > 8}")
    story = tell(rules, ev("a", "09:00", n=1), ev("b", "10:00", n=1), ev("a", "11:00", n=6), ev("a", "12:00", n=9))
    assert [d.outcome.value for d in story] == ["sent", "sent", "suppressed", "sent"]


@pytest.mark.parametrize(
    ("later", "expected"), [(2 * HOUR - 1, "inhibited x until 2026-03-02T11:00:00Z"), (2 * HOUR, "sent")]
)
def test_inhibition_stops_others_but_not_its_own_type(later, expected):
    rules = policy("{id: x, inhibited_by: d, within: 2h}")
    at = us("09:00") + later
    assert short(tell(rules, ev("d", "09:00"), ev("d", "09:30"), ev("a", at + HOUR // 2)))[1] == "sent"
    assert short(tell(rules, ev("d", "09:00"), ev("a", at)))[1] == expected


@pytest.mark.parametrize(
    ("paid", "order", "outcome"),
    [("08:00:00.000001", "1", "suppressed"), ("08:00", "1", "sent"), ("08:30", "2", "sent"), ("08:30", None, "sent")],
)
def test_resolution_looks_back_less_than_the_window_for_equal_values(paid, order, outcome):
    rules = policy("{id: x, resolved_by: paid, within: 1h, same: [order]}")
    data = {} if order is None else {"order": order}
    story = tell(rules, ev("paid", paid, **data), ev("a", "09:00", order="1"))
    assert [d.outcome.value for d in story] == [outcome]


def test_a_late_event_is_resolved_by_what_came_since():
    rules = policy("{id: x, resolved_by: paid, within: 1h, same: [order]}")
    story = tell(rules, ev("paid", "12:00", order="1"), ev("a", "09:00", order="1"))
    assert short(story) == ["resolved x until 2026-03-02T13:00:00Z"]
    assert story[0].time_us == us("12:00")


@pytest.mark.parametrize(("later", "outcome"), [(2 * HOUR, "sent"), (2 * HOUR + 1, "suppressed")])
def test_exactly_as_old_as_expires_after_is_still_sent(later, outcome):
    rules = policy(extra="  e: {channel: chat, weight: 0.8, message: hi, expires_after: 2h}\n")
    story = tell(rules, ev("paid", us("09:00") + later), ev("e", "09:00"))
    assert [d.outcome.value for d in story] == [outcome]


@pytest.mark.parametrize(
    ("zone", "at", "until"),
    [
        ("Europe/Berlin", "2026-03-29T00:15:00Z", "2026-03-29T01:00:00Z"),  # 02:30 does not exist: 03:00
        ("Europe/Berlin", "2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z"),  # the first 02:30 of two
        ("Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z"),  # 02:10 for the second time
        ("America/New_York", "2026-03-08T06:59:00Z", "2026-03-08T07:00:00Z"),
        ("Asia/Kolkata", "2026-03-01T20:00:00Z", "2026-03-01T21:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T14:30:00Z", "2026-04-04T16:00:00Z"),  # half an hour comes twice
    ],
)
def test_quiet_hours_end_at_the_first_instant_that_is_not_quiet(zone, at, until):
    rules = policy('{id: x, quiet_hours: {from: "22:00", to: "02:30"}}', f"timezone: {zone}")
    assert short(tell(rules, ev("a", at), until=at)) == [f"quiet_hours x until {until}"]


def test_a_clock_set_back_may_end_quiet_hours():
    rules = policy('{id: x, quiet_hours: {from: "02:45", to: "04:00"}}', "timezone: Europe/Berlin")
    story = tell(rules, ev("a", "2026-10-25T00:50:00Z"), until="2026-10-25T00:50:00Z")
    assert short(story) == ["quiet_hours x until 2026-10-25T01:00:00Z"]


def test_days_name_the_day_on_which_the_hours_begin():
    rules = policy('{id: x, quiet_hours: {from: "22:00", to: "08:00", days: [sun]}, action: drop}')
    story = tell(rules, ev("a", "-1 21:59"), ev("b", "-1 22:00"), ev("a", "07:59"), ev("b", "08:00"), ev("a", "22:30"))
    assert [d.outcome.value for d in story] == ["sent", "suppressed", "suppressed", "sent", "sent"]


def test_of_several_the_one_that_ends_last_is_named_then_the_first_by_name():
    rules = policy("{id: z, cooldown: 6h}\n{id: y, cooldown: 8h}\n{id: x, cooldown: 8h}")
    assert short(tell(rules, ev("a", "09:00"), ev("a", "10:00")))[1] == "cooldown x until 2026-03-02T17:00:00Z"


def test_a_mute_begins_ends_and_needs_a_reason_to_begin_again():
    rules = policy("{id: x, mute: 2h, when: n > 5}")
    story = tell(
        rules,
        ev("a", "09:00", n=6),
        ev("a", "10:59", n=1),
        ev("a", "11:00", n=1),
        ev("a", "11:30", n=6),
        ev("a", "13:30", n=6),
        ev("a", "13:31", n=6),
    )
    assert short(story) == [
        "muted x until 2026-03-02T11:00:00Z",
        "muted x until 2026-03-02T11:00:00Z",
        "sent",
        "muted x until 2026-03-02T13:30:00Z",
        "sent",
        "muted x until 2026-03-02T15:31:00Z",
    ]
    assert (story[0].cause, story[1].cause) == (None, story[0].id)


def test_a_held_message_is_decided_again_before_the_line_that_brings_it():
    rules = policy('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}\n{id: x, limit: 1, within: 24h}')
    story = tell(rules, ev("a", "22:30", id="first"), ev("b", "+1 08:00", id="second"))
    assert [(d.event_id, d.outcome) for d in story] == [
        ("first", Outcome.HELD),
        ("first", Outcome.SENT),
        ("second", Outcome.SUPPRESSED),
    ]
    assert story[1].time_us == us("+1 08:00")
    assert story[1].id != story[0].id


def test_rejected_and_duplicate_lines_release_nothing():
    rules = policy('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}')
    held = ev("a", "22:30")
    again = {**held, "time": "2026-03-03T09:00:00Z"}
    story = tell(rules, held, again, ev("message.clicked", "+1 09:00", message_id="unknown"), until="23:00")
    assert short(story)[1:] == ["duplicate", "rejected message_id"]


def test_feedback_may_be_about_a_message_that_is_released_only_now():
    rules = policy('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}')
    story = Story(rules)
    found = story.run([ev("a", "22:30"), ev("message.clicked", "+1 08:05")])
    assert [d.outcome.value for d in found] == ["held", "sent"]
    assert story.state().total.click_count == 1


def test_what_is_due_at_the_end_is_released_by_time_then_user():
    rules = policy('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}')
    events = [ev("a", "22:30", user="v"), ev("a", "22:40", user="u"), ev("paid", "+1 09:00", user="w")]
    assert [(d.user, d.outcome.value) for d in tell(rules, *events)][2:] == [("u", "sent"), ("v", "sent")]
    assert len(tell(rules, *events[:2])) == 2


def test_an_event_as_old_as_the_dedupe_window_is_too_old():
    rules = policy()
    story = tell(rules, ev("a", "+7 09:00"), ev("a", "09:00"), ev("a", "09:00:00.000001"))
    assert short(story) == ["sent", "rejected time", "sent"]


def test_deletion_forgets_and_refuses_until_the_user_subscribes():
    rules = policy('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}\n{id: x, cooldown: 6h}')
    story = tell(
        rules,
        ev("a", "21:00"),
        ev("a", "22:30"),
        ev("user.deleted", "23:00"),
        ev("a", "23:30"),
        ev("user.updated", "23:31", plan="pro"),
        ev("user.subscribed", "+1 08:30"),
        ev("a", "+1 08:31"),
        until="+2 00:00",
    )
    assert short(story) == [
        "sent",
        "cooldown x until 2026-03-03T03:00:00Z",
        "rejected user.deleted",
        "rejected user.deleted",
        "sent",
    ]


def test_consent_is_the_latest_word_on_each_question():
    def asked(*words: dict[str, object]) -> list[str]:
        times = [f"09:{minute:02d}" for minute in range(1, len(words) + 1)]
        said = [{**word, "time": f"2026-03-02T{time}:00Z"} for word, time in zip(words, times, strict=True)]
        return short(tell(policy(), *said, ev("a", "10:00"), ev("c", "10:01"), ev("d", "10:02")))

    yes, no = "user.subscribed", "user.unsubscribed"
    refused = "no_consent"
    assert asked() == ["sent", refused, "sent"]
    assert asked(ev(yes, "09:00", category="ads")) == ["sent", "sent", "sent"]
    assert asked(ev(no, "09:00")) == [refused, refused, "sent"]
    assert asked(ev(no, "09:00"), ev(yes, "09:00", category="service")) == ["sent", refused, "sent"]
    assert asked(ev(no, "09:00"), ev(yes, "09:00")) == ["sent", "sent", "sent"]
    assert asked(ev(yes, "09:00"), ev(no, "09:00", channel="sms")) == ["sent", refused, "sent"]
    assert asked(ev(no, "09:00", category="service", channel="sms")) == ["sent", refused, "sent"]
    assert asked(ev(no, "09:00", category="service", channel="chat")) == [refused, refused, "sent"]
    assert asked(ev(yes, "09:00", category="ads"), ev(no, "09:00", channel="sms")) == ["sent", refused, "sent"]


def test_a_failed_message_counts_nowhere():
    rules = policy("{id: x, limit: 1, within: 24h}")
    story = tell(rules, ev("a", "09:00"), ev("message.failed", "09:01"), ev("a", "09:02"), ev("a", "09:03"))
    assert [d.outcome.value for d in story] == ["sent", "sent", "suppressed"]


def test_always_waives_everything_from_the_threshold_on():
    extra = "  e: {category: service, channel: chat, weight: 0.1, message: hi, always: true}\n"
    rules = policy("{id: m, mute: always, when: time.hour >= 0}\n{id: x, cooldown: 6h}", "holdout: 100%", extra)
    assert short(tell(rules, ev("e", "09:00"), ev("e", "09:01"), ev("a", "09:02"))) == ["sent", "sent", "holdout"]
    refused = tell(rules, ev("user.unsubscribed", "08:00"), ev("e", "09:00"))
    assert short(refused) == ["no_consent"]


def test_subscribed_with_nothing_opens_a_refused_channel_again():
    no, yes = ev("user.unsubscribed", "08:00", channel="chat"), ev("user.subscribed", "08:30")
    assert short(tell(policy(), no, ev("a", "09:00"))) == ["no_consent"]
    assert short(tell(policy(), no, yes, ev("a", "09:00"))) == ["sent"]


def test_a_category_uses_its_reserved_slots_first():
    rules = policy("{id: x, limit: 3, within: 24h, categories: [service, alarm], reserved: {alarm: 1}}")
    story = tell(rules, ev("d", "09:00"), ev("a", "10:00"), ev("b", "11:00"), ev("a", "12:00"))
    assert [d.outcome.value for d in story] == ["sent", "sent", "sent", "suppressed"]


def test_refused_feedback_releases_nothing_and_leaves_the_state():
    rules = policy('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}')
    story = Story(rules)
    story.run([ev("a", "22:30")], until="22:30")
    before = story.store.load(["u"])
    story.run([ev("message.clicked", "+1 09:00", message_id="unknown")], until="22:30")
    assert story.store.load(["u"]) == before
    assert short(story.run([ev("paid", "+1 10:00")])) == ["sent"]


def test_the_last_matching_rule_chooses_message_and_channel():
    extra = (
        "  e:\n    {category: service, channel: chat, weight: 0.8, message: hi, fields: {n: {type: number}}, rules: [\n"
        "      {id: r1, when: n > 1, message: hello, channel: sms},\n"
        "      {id: r2, when: n > 2, message: hi, channel: chat}]}\n"
    )
    story = tell(policy(extra=extra), *(ev("e", f"09:0{n}", n=n) for n in (1, 2, 3)))
    messages = [d.message for d in story]
    assert [(m.template, m.channel) for m in messages if m is not None] == [
        ("hi", "chat"),
        ("hello", "sms"),
        ("hi", "chat"),
    ]


def test_consent_and_scope_go_by_the_finally_chosen_channel():
    extra = (
        "  e: {category: service, channel: chat, weight: 0.8, message: hi, fields: {n: {type: number}},\n"
        "      rules: [{id: r1, when: n > 1, channel: sms}]}\n"
    )
    rules = policy("{id: x, cooldown: 6h, channels: [sms]}", extra=extra)
    no = ev("user.unsubscribed", "08:00", channel="sms")
    assert short(tell(rules, no, ev("e", "09:00", n=1), ev("e", "09:01", n=2))) == ["sent", "no_consent"]
    story = tell(rules, ev("e", "09:00", n=1), ev("e", "09:01", n=2), ev("e", "09:02", n=1), ev("e", "09:03", n=2))
    assert [d.outcome.value for d in story] == ["sent", "sent", "sent", "suppressed"]
