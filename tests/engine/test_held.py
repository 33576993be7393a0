"""Section 6: held messages are decided again, completely, at exactly the end of the quiet hours."""

from __future__ import annotations

import pytest

from botopt.sources.envelope import Decoder
from botopt.verify.replay import Replay
from tests.engine.support import CALM, Workspace, around, at, base, ev, lines, short, tell

NIGHT = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}}'
FOR_A = NIGHT[:-1] + ", events: [a]}"
HELD = "held night until tue 08:00"


def held(time: str = "23:00", user: str = "u", id: str | None = None, **data: object):
    return ev("a", user, time, id=id, **data)


def test_a_release_comes_before_any_event_of_that_user_at_its_time_or_later():
    later = around("tue 08:00", lambda us: " ".join(tell(FOR_A, held(), ev("b", "u", us), until="00:00")))
    assert later == [f"{HELD} sent", f"{HELD} sent sent", f"{HELD} sent sent"]


@pytest.mark.parametrize(
    "line", [("paid", {}), ("user.updated", {"plan": "pro"}), ("message.clicked", {}), ("user.deleted", {})]
)
def test_any_kind_of_event_of_that_user_brings_it_about(line):
    kind, data = line
    assert tell(NIGHT, held(), ev(kind, "u", "tue 08:00", **data), until="00:00") == [HELD, "sent"]


def test_events_of_others_do_not():
    assert tell(NIGHT, held(), ev("b", "v", "tue 09:00"), until="00:00") == [HELD, "sent"]
    found = Workspace(base(NIGHT)).run(held(), ev("b", "v", "tue 09:00"), until="00:00")
    assert [d.user for d in found] == ["u", "v"]


def test_the_record_stands_just_before_that_of_the_line_and_is_decided_at_the_end_itself():
    ws = Workspace(base(NIGHT))
    found = ws.run(held(id="first"), ev("b", "u", "tue 11:30", id="second"))
    assert [(d.event_id, d.event_type, d.time_us, d.line) for d in found] == [
        ("first", "a", at("23:00"), None),
        ("first", "a", at("tue 08:00"), None),
        ("second", "b", at("tue 11:30"), None),
    ]
    assert found[0].id != found[1].id


def test_rejected_and_duplicate_lines_release_nothing():
    one = held()
    again = {**one, "time": "2026-03-03T09:00:00Z"}
    bad = [
        ev("message.clicked", "u", "tue 09:00", message_id="nobody"),
        ev("user.updated", "u", "tue 09:00", timezone="Mars/Base"),
        ev("a", "u", "tue 09:00", n="many"),
        ev("user.subscribed", "u", "tue 09:00", category="unknown"),
        ev("unknown", "u", "tue 09:00"),
    ]
    told = tell(NIGHT, one, again, *bad, until="00:00")
    assert told[:2] == [HELD, "duplicate"]
    assert {line.split()[0] for line in told[2:]} == {"rejected"}
    assert len(told) == 2 + len(bad)


def test_a_line_too_old_releases_nothing():
    events = [ev("b", "u", "+7 12:00"), held("+7 23:00"), ev("b", "u", "11:00")]
    assert tell(NIGHT, *events, until="00:00") == ["sent", "held night until 2026-03-10T08:00:00Z", "rejected time"]


def test_several_at_one_instant_go_in_the_order_in_which_they_were_held():
    ws = Workspace(base(f"{NIGHT}\n{{id: x, limit: 2, within: 24h}}"))
    events = [held("23:30", id="z"), held("23:30", id="b"), held("23:40", id="a")]
    found = ws.run(*events, ev("b", "u", "tue 12:00"))
    assert [(d.event_id, short(d)) for d in found[3:6]] == [
        ("z", "sent"),
        ("b", "sent"),
        ("a", "capped x until wed 08:00"),
    ]


def test_what_is_due_earlier_goes_first_whenever_it_was_held():
    noon = '{id: noon, quiet_hours: {from: "23:00", to: "12:00"}, events: [b]}'
    ws = Workspace(base(f"{FOR_A}\n{noon}"))
    found = ws.run(ev("b", "u", "23:10", id="late"), held("23:20", id="soon"), ev("fire", "u", "tue 13:00", id="now"))
    assert [(d.event_id, d.time_us) for d in found[2:]] == [
        ("soon", at("tue 08:00")),
        ("late", at("tue 12:00")),
        ("now", at("tue 13:00")),
    ]


def test_a_release_moves_the_clock():
    ws = Workspace(base(NIGHT))
    ws.run(held(), until="tue 08:00")
    [decision] = ws.run(ev("b", "u", "tue 07:00"), until="00:00")
    assert (short(decision), decision.time_us) == ("sent", at("tue 08:00"))  # it is late, and no longer quiet


def test_windows_and_time_are_those_of_the_release():
    rules = "[{id: morning, when: time.hour == 8, score: +0.1}, {id: night-owl, when: time.hour == 23, score: -0.1}]"
    ws = Workspace(base(NIGHT, rules=rules))
    assert [d.score for d in ws.run(held(), until="tue 08:00")] == [0.7, 0.9]


def test_the_users_attributes_are_those_of_the_release():
    rules = "[{id: paying, when: user.plan == 'pro', score: +0.1}]"
    ws = Workspace(base(NIGHT, rules=rules))
    found = ws.run(held(), ev("user.updated", "u", "tue 07:59", plan="pro"), until="tue 08:00")
    assert [d.score for d in found] == [0.8, 0.9]
    found = Workspace(base(NIGHT, rules=rules)).run(held(), ev("user.updated", "u", "tue 08:00", plan="pro"))
    assert [d.score for d in found] == [0.8, 0.8]


def test_engagement_is_that_of_the_release():
    settings = "fatigue: {per_message: 0}, ignored_after: 2h"
    ws = Workspace(base(FOR_A, settings))
    found = ws.run(ev("b", "u", "22:00"), held(), until="tue 08:00")
    assert found[1].score == 0.8
    assert found[2].score is not None
    assert found[2].score < 0.8


def test_consent_is_that_of_the_release():
    no, yes = ev("user.unsubscribed", "u", "tue 07:00"), ev("user.subscribed", "u", "tue 07:30")
    assert tell(NIGHT, held(), no, until="tue 08:00") == [HELD, "no_consent"]
    assert tell(NIGHT, held(), no, yes, until="tue 08:00") == [HELD, "sent"]
    assert tell(NIGHT, held(), ev("user.unsubscribed", "u", "tue 08:00")) == [HELD, "sent"]


def test_it_can_expire():
    events = "c: {weight: 0.8, message: hello, channel: chat, expires_after: 9h}"
    ws = Workspace(base(NIGHT, events=events))
    exactly, older = ev("c", "u", "23:00"), ev("c", "v", at("23:00") - 1)
    assert ws.tell(exactly, older, until="tue 08:00") == [HELD, HELD, "sent", "expired"]


def test_it_can_be_capped_and_in_a_cooldown():
    assert tell(f"{FOR_A}\n{{id: x, limit: 1, within: 24h}}", held(), ev("b", "u", "tue 07:00"), until="tue 08:00") == [
        HELD,
        "sent",
        "capped x until wed 07:00",
    ]
    both = f"{NIGHT[:-1]}, unless: n > 0}}\n{{id: x, cooldown: 6h}}"
    assert tell(both, held(), held("tue 02:00", n=1), until="tue 08:00") == [HELD, "sent", "sent"]
    assert tell(both, held(), held("tue 02:01", n=1), until="tue 08:00") == [HELD, "sent", "cooldown x until tue 08:01"]


def test_a_cap_or_cooldown_comes_before_quiet_hours_and_nothing_is_held():
    told = tell(f"{NIGHT}\n{{id: x, cooldown: 6h}}", held("21:00"), held("23:00"), until="tue 12:00")
    assert told == ["sent", "cooldown x until tue 03:00"]


def test_held_messages_do_not_stop_each_other_before_one_is_sent():
    told = tell(f"{NIGHT}\n{{id: x, cooldown: 6h}}", held("23:00"), held("23:01"), until="tue 08:00")
    assert told == [HELD, HELD, "sent", "cooldown x until tue 14:00"]


def test_it_can_be_held_again_and_again():
    rules = (
        NIGHT
        + '\n{id: later, quiet_hours: {from: "07:00", to: "10:00"}}\n{id: noon, quiet_hours: {from: "10:00", to: "12:00"}}'
    )
    ws = Workspace(base(rules))
    found = ws.run(held("23:00"), until="wed 00:00")
    assert [short(d) for d in found] == [HELD, "held later until tue 10:00", "held noon until tue 12:00", "sent"]
    assert len({d.id for d in found}) == 4
    assert [d.time_us for d in found[1:]] == [at("tue 08:00"), at("tue 10:00"), at("tue 12:00")]


def test_what_is_held_again_goes_behind_what_was_held_for_that_instant_before():
    rules = (
        FOR_A + '\n{id: day, quiet_hours: {from: "06:00", to: "10:00"}, events: [a, b]}\n{id: x, limit: 1, within: 1h}'
    )
    events = [held("23:00", id="again"), ev("b", "u", "tue 07:00", id="once")]
    found = Workspace(base(rules)).run(*events, until="tue 10:00")
    assert [(d.event_id, short(d)) for d in found] == [
        ("again", HELD),
        ("once", "held day until tue 10:00"),
        ("again", "held day until tue 10:00"),
        ("once", "sent"),
        ("again", "capped x until tue 11:00"),
    ]


def test_duplicates_are_not_looked_for_again():
    settings = f"{CALM}, dedupe_window: 1h"
    assert tell(NIGHT, held(), settings=settings, until="tue 08:00") == [HELD, "sent"]


def test_the_same_event_again_while_it_waits_is_a_duplicate():
    one = held()
    assert tell(NIGHT, one, one, {**one, "time": "2026-03-03T01:00:00Z"}, until="tue 08:00") == [
        HELD,
        "duplicate",
        "duplicate",
        "sent",
    ]


def test_nothing_is_due_before_the_newest_event_time_of_the_input():
    assert tell(NIGHT, held()) == [HELD]
    assert tell(NIGHT, held(), ev("paid", "v", at("tue 08:00") - 1)) == [HELD]
    assert tell(NIGHT, held(), ev("paid", "v", "tue 08:00")) == [HELD, "sent"]


def test_until_may_be_named_and_is_included():
    later = around("tue 08:00", lambda us: " ".join(tell(NIGHT, held(), until=us)))
    assert later == [HELD, f"{HELD} sent", f"{HELD} sent"]
    assert tell(NIGHT, held(), ev("paid", "v", "tue 12:00"), until="tue 07:00") == [HELD]


def test_a_rejected_or_duplicate_line_is_no_newest_event():
    wrong = ev("paid", "v", "tue 09:00", order=7)
    assert tell(NIGHT, held(), wrong, ev("message.clicked", "v", "tue 09:00")) == [HELD, "rejected order", "rejected"]


def test_at_the_end_releases_are_ordered_by_time_and_user():
    rules = FOR_A + '\n{id: short, quiet_hours: {from: "23:00", to: "06:00"}, events: [b]}'
    events = [held(user="w"), ev("b", "z", "23:10"), held(user="u"), ev("b", "v", "23:20"), held(user="v")]
    found = Workspace(base(rules)).run(*events, until="tue 12:00")
    assert [(d.user, d.event_type) for d in found[5:]] == [("v", "b"), ("z", "b"), ("u", "a"), ("v", "a"), ("w", "a")]


def test_what_is_held_again_at_the_end_finds_its_place():
    rules = NIGHT + '\n{id: more, quiet_hours: {from: "07:00", to: "09:00"}, when: n > 0}'
    events = [held("23:00", user="a", n=1), held("23:00", user="b"), held("23:00", user="c", n=1)]
    found = Workspace(base(rules)).run(*events, until="tue 12:00")
    assert [(d.user, d.outcome, d.time_us) for d in found[3:]] == [
        ("a", "held", at("tue 08:00")),
        ("b", "sent", at("tue 08:00")),
        ("c", "held", at("tue 08:00")),
        ("a", "sent", at("tue 09:00")),
        ("c", "sent", at("tue 09:00")),
    ]


def test_the_rest_stays_and_is_counted():
    ws = Workspace(base(NIGHT))
    events = [held(), held(user="v"), held(user="v"), held(user="w", time="tue 23:00")]
    replay = Replay(ws.engine, Decoder(ws.engine.policy), ws.store)
    list(replay.run(lines(events)))
    assert replay.summary.still_held == 1
    assert ws.tell(ev("paid", "w", "wed 09:00")) == ["sent"]


def test_a_second_run_goes_on_with_what_is_held():
    ws = Workspace(base(NIGHT))
    assert ws.tell(held()) == [HELD]
    assert ws.tell(ev("b", "u", "tue 09:00")) == ["sent", "sent"]


def test_feedback_may_be_about_what_is_released_only_now():
    ws = Workspace(base(NIGHT))
    click = ev("message.clicked", "u", "tue 08:00")
    assert ws.tell(held(), click) == [HELD, "sent"]
    rules = "[{id: clicked, when: engagement.clicks == 1, score: +0.1}]"
    found = Workspace(base(NIGHT, rules=rules)).run(held(), click, ev("a", "u", "tue 08:01"))
    assert found[-1].score == 0.9


def test_feedback_with_the_id_of_a_release():
    first = Workspace(base(NIGHT))
    [_, release] = first.run(held(id="h"), until="tue 08:00")
    ws = Workspace(base(NIGHT))
    click = ev("message.clicked", "u", "tue 08:30", message_id=release.message.id)
    assert ws.tell(held(id="h"), click) == [HELD, "sent"]  # known before it is released: ids are hashes


def test_feedback_before_the_release_finds_nothing():
    assert tell(NIGHT, held(), ev("message.clicked", "u", at("tue 08:00") - 1), until="00:00") == [HELD, "rejected"]


def test_rejected_feedback_leaves_the_held_message_waiting():
    ws = Workspace(base(f"{NIGHT}\n{{id: no, mute: always, when: time.hour == 8, events: [a]}}"))
    assert ws.tell(held(), ev("message.clicked", "u", "tue 09:00"), until="00:00") == [HELD, "rejected"]
    assert ws.tell(ev("paid", "u", "tue 07:00")) == []  # the clock has not moved either
    assert ws.tell(ev("paid", "u", "tue 09:00")) == ["muted no"]


def test_deletion_forgets_what_is_held():
    told = tell(
        NIGHT, held(), ev("user.deleted", "u", "tue 07:00"), ev("user.subscribed", "u", "tue 07:30"), until="wed 00:00"
    )
    assert told == [HELD]


def test_a_message_that_is_due_goes_before_the_deletion():
    assert tell(NIGHT, held(), ev("user.deleted", "u", "tue 09:00")) == [HELD, "sent"]


def test_what_is_held_counts_nowhere():
    rules = FOR_A + "\n{id: x, limit: 1, within: 24h}\n{id: y, inhibited_by: a, within: 24h}"
    assert tell(rules, held(), ev("b", "u", "tue 07:00"), until="00:00") == [HELD, "sent"]


def test_a_release_can_be_skipped_or_fall_below_what_is_needed():
    rules = "[{id: stale, when: time.hour == 8 and n == 1, skip: true}, {id: low, when: time.hour == 8, score: -0.3}]"
    ws = Workspace(base(NIGHT, rules=rules))
    assert ws.tell(held(n=1), held(user="v"), until="tue 08:00") == [HELD, HELD, "skipped stale", "below_threshold"]


def test_holding_of_a_late_event_begins_at_the_newest_time():
    events = [ev("fire", "u", "tue 21:00"), ev("a", "u", "23:00")]
    assert tell(FOR_A, *events) == ["sent", "sent"]
    events = [ev("fire", "u", "tue 23:00"), ev("a", "u", "12:00")]
    assert tell(FOR_A, *events, until="00:00") == ["sent", "held night until wed 08:00"]
