"""Section 3: who said what and when: duplicates, late events, events that are too old, deletion."""

from __future__ import annotations

import json

import pytest

from tests.engine.support import CALM, DAY, HOUR, Workspace, around, at, base, cloud, ev, parts, tell

WEEK = 7 * DAY
NIGHT = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}}'


def again(event: dict[str, object], time: str) -> dict[str, object]:
    return {**event, "time": time}


# ---------------------------------------------------------------- duplicates


def test_the_same_identity_is_a_duplicate_until_exactly_the_end_of_the_window():
    def second(us: int) -> str:
        return " ".join(tell("", ev("a", "u", "09:00", id="x"), ev("a", "u", us, id="x")))

    assert around(at("09:00") + WEEK, second) == ["sent duplicate", "sent sent", "sent sent"]


def test_the_window_is_a_setting():
    def second(us: int) -> str:
        first = ev("a", "u", "09:00", id="x")
        return " ".join(tell("", first, ev("a", "u", us, id="x"), settings=f"{CALM}, dedupe_window: 1h"))

    assert around("10:00", second) == ["sent duplicate", "sent sent", "sent sent"]


def test_a_duplicate_does_not_prolong_the_memory():
    days = ["+0", "+5", "+7", "+13", "+14"]
    told = tell("", *(ev("a", "u", f"{day} 09:00", id="x") for day in days))
    assert told == ["sent", "duplicate", "sent", "duplicate", "sent"]


def test_repeats_are_counted_anew_after_the_window_however_often_the_state_is_stored():
    events = [
        ev("a", "u", "09:00", id="x"),
        ev("a", "u", "+1 09:00", id="x"),
        ev("a", "u", "+7 10:00", id="other"),
        ev("a", "u", "+8 09:00", id="x"),
        ev("a", "u", "+8 10:00", id="x"),
    ]
    apart = Workspace(base())
    found = [decision.id for event in events for decision in apart.run(event)]
    assert found == [decision.id for decision in Workspace(base()).run(*events)]
    assert len(set(found)) == len(events)


def test_identity_is_user_source_and_id_and_nothing_else():
    events = [
        ev("a", "u", "09:00", id="x"),
        ev("b", "u", "09:01", id="x", n=3),  # another type, other data
        ev("a", "v", "09:02", id="x"),
        cloud("a", "u", "09:03", id="x", source="shop"),
        cloud("a", "u", "09:04", id="x", source="app"),
        cloud("a", "u", "09:05", id="x", source="shop"),
        ev("a", "u", "09:06", id="X"),
    ]
    assert tell("", *events) == ["sent", "duplicate", "sent", "sent", "sent", "duplicate", "sent"]


def test_where_user_source_and_id_meet_does_not_matter():
    pairs = [("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd"), ("abc", "d", "e"), ("ab", "cd", "e")]
    events = [cloud("a", user, "09:00", source=source, id=id) for user, source, id in pairs]
    found = Workspace(base()).run(*events)
    assert [d.outcome for d in found] == ["sent"] * 5
    assert len({d.id for d in found}) == 5


def test_every_type_shares_the_identities():
    told = tell("", ev("paid", "u", "09:00", id="x"), ev("a", "u", "09:01", id="x"), ev("paid", "u", "09:02", id="x"))
    assert told == ["duplicate"]


def test_a_duplicate_gives_a_record_only_where_its_type_gives_one():
    one = [ev("user.updated", "u", "09:00", id="x", plan="pro"), ev("paid", "u", "09:00", id="y")]
    assert tell("", *one, *one) == []


def test_a_duplicate_of_other_data_changes_nothing():
    rules = "[{id: pro, when: user.plan == 'pro', score: +0.1}]"
    events = [
        ev("user.updated", "u", "09:00", id="x", plan="pro"),
        ev("user.updated", "u", "09:01", id="x", plan="free"),
    ]
    assert Workspace(base(rules=rules)).run(*events, ev("a", "u", "09:02"))[0].score == 0.9


def test_a_duplicate_does_not_count_and_moves_no_clock():
    rules = "[{id: twice, when: \"count('a', '1d') > 1\", score: +0.1}]"
    one = ev("a", "u", "09:00")
    found = Workspace(base(rules=rules)).run(one, again(one, "2026-03-02T12:00:00Z"), ev("b", "u", "10:00"))
    assert [d.reason for d in found] == [None, "duplicate", None]
    assert found[2].time_us == at("10:00")
    assert Workspace(base(rules=rules)).run(one, one, ev("a", "u", "10:00"))[2].score == 0.9
    with_paid = "[{id: thrice, when: \"count('paid', '1d') > 1\", score: +0.1}]"
    pay = ev("paid", "u", "09:00")
    assert Workspace(base(rules=with_paid)).run(pay, pay, ev("a", "u", "10:00"))[0].score == 0.8


def test_duplicates_have_ids_of_their_own():
    one = ev("a", "u", "09:00")
    found = Workspace(base()).run(one, one, one, one)
    assert len({d.id for d in found}) == 4
    assert [(d.outcome, d.reason, d.by) for d in found[1:]] == [("suppressed", "duplicate", None)] * 3


def test_a_duplicate_within_the_same_instant():
    one = ev("a", "u", "09:00")
    assert tell("", one, one) == ["sent", "duplicate"]


def test_an_id_may_come_again_after_a_rejected_event():
    wrong, right = ev("a", "u", "09:00", id="x", n="nine"), ev("a", "u", "09:00", id="x", n=9)
    assert tell("", wrong, right) == ["rejected n", "sent"]
    soon = ev("message.clicked", "u", "08:00", id="c")
    assert tell("", soon, ev("a", "u", "09:00"), ev("b", "u", "09:01", id="c")) == ["rejected", "sent", "sent"]


def test_a_late_event_is_remembered_from_the_newest_time():
    """It counts in every way as if it happened then, so its identity does too."""
    late, now = ev("a", "u", "09:00", id="x"), ev("b", "u", "+3 09:00")

    def second(us: int) -> str:
        return tell("", now, late, ev("a", "u", us, id="x"))[-1]

    assert around(at("+3 09:00") + WEEK, second) == ["duplicate", "sent", "sent"]


def test_a_late_duplicate_is_a_duplicate():
    assert tell("", ev("b", "u", "+3 09:00", id="x"), ev("a", "u", "09:00", id="x")) == ["sent", "duplicate"]


# ---------------------------------------------------------------- late, and too late


def test_a_late_event_is_decided_at_the_newest_time_of_its_user():
    found = Workspace(base()).run(ev("a", "u", "12:00"), ev("a", "u", "09:00"), ev("a", "v", "09:30"))
    assert [d.time_us for d in found] == [at("12:00"), at("12:00"), at("09:30")]


def test_a_late_event_sees_windows_as_of_the_newest_time():
    rules = """
      - {id: hour, when: time.hour == 12, score: +0.1}
      - {id: paid, when: "seen('paid', '1h')", score: +0.05}
    """
    ws = Workspace(base(rules=rules))
    [decision] = ws.run(ev("paid", "u", "11:30"), ev("user.updated", "u", "12:00"), ev("a", "u", "09:00"))
    assert decision.score == 0.95


def test_a_late_event_is_counted_at_the_newest_time():
    rules = "[{id: x, when: \"count('paid', '1h') > 0\", score: +0.1}]"

    def later(us: int) -> str:
        ws = Workspace(base(rules=rules))
        return str(ws.run(ev("user.updated", "u", "12:00"), ev("paid", "u", "09:00"), ev("a", "u", us))[0].score)

    assert around("13:00", later) == ["0.9", "0.8", "0.8"]


def test_only_expires_after_uses_its_own_time():
    events = "c: {weight: 0.8, message: hello, channel: chat, expires_after: 2h}"

    def late(us: int) -> str:
        return Workspace(base(events=events)).tell(ev("paid", "u", "12:00"), ev("c", "u", us))[0]

    assert around("10:00", late) == ["expired", "sent", "sent"]


def test_expires_after_for_an_event_that_is_not_late():
    events = "c: {weight: 0.8, message: hello, channel: chat, expires_after: 1s}"
    assert Workspace(base(events=events)).tell(ev("c", "u", "09:00")) == ["sent"]


def test_an_event_is_too_old_when_the_dedupe_window_is_over():
    """Read so: at exactly `dedupe_window` the memory of duplicates is over, so it cannot be told from one."""
    told = around("09:00", lambda us: tell("", ev("a", "u", at("09:00") + WEEK), ev("a", "u", us))[1])
    assert told == ["rejected time", "rejected time", "sent"]


def test_how_old_is_too_old_is_a_setting():
    settings = f"{CALM}, dedupe_window: 1h"
    told = around(
        "11:00", lambda us: tell("", ev("a", "u", "12:00"), ev("paid", "u", us, order=1), settings=settings)[-1]
    )
    assert told == ["rejected order"] * 3  # a line that is no event is rejected for what it says
    told = around("11:00", lambda us: tell("", ev("a", "u", "12:00"), ev("a", "u", us), settings=settings)[-1])
    assert told == ["rejected time", "rejected time", "sent"]


@pytest.mark.parametrize(
    "kind", ["paid", "user.updated", "user.subscribed", "user.unsubscribed", "user.deleted", "message.clicked"]
)
def test_every_type_can_be_too_old_and_changes_nothing(kind):
    ws = Workspace(base())
    [sent] = ws.run(ev("a", "u", "+8 09:00"))
    before = ws.packed()
    [rejected] = ws.run(ev(kind, "u", "09:00"))
    assert (rejected.reason, rejected.by, rejected.line, rejected.user) == ("rejected", "time", 1, "u")
    assert rejected.detail
    assert ws.packed() == before
    assert sent.id != rejected.id


def test_another_user_is_not_too_old():
    assert tell("", ev("a", "u", "+30 09:00"), ev("a", "v", "09:00")) == ["sent", "sent"]


def test_a_rejected_event_moves_no_clock():
    events = [
        ev("message.clicked", "u", "+30 09:00"),
        ev("user.updated", "u", "+30 09:00", locale="??"),
        ev("a", "u", "09:00"),
    ]
    found = Workspace(base()).run(*events)
    assert [d.reason for d in found] == ["rejected", "rejected", None]
    assert found[2].time_us == at("09:00")


def test_equal_times_are_decided_in_line_order():
    rules = "[{id: x, when: \"seen('b', '1h')\", score: +0.1}]"
    ws = Workspace(base("{id: x, cooldown: 1h}", rules=rules.replace("id: x", "id: r")))
    found = ws.run(ev("b", "u", "09:00"), ev("a", "u", "09:00"), ev("a", "u", "09:00"), ev("b", "u", "09:00"))
    assert [(d.reason, d.score) for d in found] == [(None, 0.8), (None, 0.9), ("cooldown", 0.9), ("cooldown", 0.8)]


def test_microseconds_and_offsets():
    one = {**ev("a", "u", "09:00"), "time": "2026-03-02T10:00:00.000001+01:00"}
    [decision] = Workspace(base()).run(one)
    assert decision.time_us == at("09:00") + 1


@pytest.mark.parametrize(
    ("time", "taken"),
    [
        ("2000-01-01T00:00:00Z", True),
        ("1999-12-31T23:59:59.999999Z", False),
        ("2100-12-31T23:59:59.999999Z", True),
        ("2101-01-01T00:00:00Z", False),
        ("2000-01-01T00:30:00+01:00", False),
        ("2026-03-02T09:00:00", False),
        ("2026-03-02", False),
        ("yesterday", False),
        (1772442000, False),
        (None, False),
    ],
)
def test_times_have_an_offset_and_lie_from_2000_to_2100(time, taken):
    [told] = Workspace(base()).tell({**ev("a", "u", "09:00"), "time": time})
    assert told == ("sent" if taken else "rejected time")


# ---------------------------------------------------------------- lines that are no events


@pytest.mark.parametrize(
    ("line", "known"),
    [
        (b"{", (None, None, None)),
        (b"[]", (None, None, None)),
        (b'"x"', (None, None, None)),
        (b'{"type":"a","user":"u","time":"2026-03-02T09:00:00Z"}', (None, "a", "u")),
        (b'{"id":"x","user":"u","time":"2026-03-02T09:00:00Z"}', ("x", None, "u")),
        (b'{"id":"x","type":"a","time":"2026-03-02T09:00:00Z"}', ("x", "a", None)),
        (b'{"id":"x","type":"a","user":"u"}', ("x", "a", "u")),
        (b'{"id":"x","type":"huh","user":"u","time":"2026-03-02T09:00:00Z"}', ("x", "huh", "u")),
        (b'{"id":"x","id":"x","type":"a","user":"u","time":"2026-03-02T09:00:00Z"}', None),
        (b'{"id":7,"type":"a","user":"u","time":"2026-03-02T09:00:00Z"}', (None, "a", "u")),
    ],
)
def test_one_rejected_record_says_what_could_be_read(line, known):
    found = Workspace(base()).run(ev("a", "v", "09:00"), b"", b"  ", line, ev("a", "v", "09:01"))
    assert [d.outcome for d in found] == ["sent", "rejected", "sent"]
    rejected = found[1]
    assert (rejected.line, rejected.reason, rejected.score, rejected.threshold, rejected.message) == (
        4,
        "rejected",
        None,
        None,
        None,
    )
    assert rejected.detail
    if known is not None:
        assert (rejected.event_id, rejected.event_type, rejected.user) == known


def test_equal_rejected_lines_have_ids_of_their_own():
    found = Workspace(base()).run(b"{", b"{", b'{"id":1}', b"{")
    assert len({d.id for d in found}) == 4
    assert [d.line for d in found] == [1, 2, 3, 4]


def test_an_event_may_arrive_under_another_name():
    events = "c: {accepts: [com.acme.C], weight: 0.8, message: hello, channel: chat}"
    [decision] = Workspace(base(events=events)).run(ev("com.acme.C", "u", "09:00"))
    assert (decision.event_type, decision.outcome) == ("c", "sent")


# ---------------------------------------------------------------- what users say about themselves


def score_of(*updates: dict[str, object]) -> list[str]:
    """Which of these rules match after some updates."""
    rules = """
      - {id: pro, when: user.plan == 'pro', score: 0}
      - {id: nick, when: user.nick is defined, score: 0}
      - {id: delhi, when: time.hour == 14, score: 0}
      - {id: german, when: user.locale == 'de', score: 0}
    """
    told = [ev("user.updated", "u", "08:00", **update) for update in updates]
    found = Workspace(base(rules=rules.replace("score: 0", "score: +0.01"))).run(*told, ev("a", "u", "09:00"))
    return [str(id) for part, id, _ in parts(found[-1]) if part == "rule"]


def test_an_update_changes_only_what_it_names_and_null_takes_it_back():
    assert score_of() == []
    assert score_of({"plan": "pro"}, {"nick": "x"}, {"timezone": "Asia/Kolkata"}, {"locale": "de"}) == [
        "pro",
        "nick",
        "delhi",
        "german",
    ]
    assert score_of({"plan": "pro", "nick": "x"}, {"plan": None}) == ["nick"]
    assert score_of({"plan": "pro", "nick": "x"}, {"nick": None}) == ["pro"]
    assert score_of({"timezone": "Asia/Kolkata", "locale": "de"}, {"timezone": None, "locale": None}) == []
    assert score_of({"plan": "pro"}, {}) == ["pro"]


@pytest.mark.parametrize(
    "wrong", [{"plan": "gold"}, {"timezone": "Mars/Base"}, {"locale": "no such"}, {"nick": 7}, {"timezone": 1}]
)
def test_one_wrong_value_rejects_the_whole_update(wrong):
    assert score_of({"plan": "pro", "nick": "x"}, {"plan": "free", "nick": None, **wrong}) == ["pro", "nick"]
    ws = Workspace(base())
    [told] = ws.tell(ev("user.updated", "u", "08:00", **wrong))
    assert told == f"rejected {next(iter(wrong))}"


def test_unknown_names_are_ignored():
    assert score_of({"plan": "pro", "shoe_size": 44, "id": "me"}) == ["pro"]


# ---------------------------------------------------------------- deletion


GONE = ev("user.deleted", "u", "10:00")
BACK = ev("user.subscribed", "u", "12:00")


def test_until_they_subscribe_every_event_is_rejected():
    kinds = ("a", "paid", "user.updated", "user.unsubscribed", "user.deleted", "message.clicked", "message.failed")
    found = Workspace(base()).run(ev("a", "u", "09:00"), GONE, *(ev(kind, "u", "11:00") for kind in kinds))
    assert [(d.reason, d.by, d.line) for d in found[1:]] == [
        ("rejected", "user.deleted", number) for number in range(3, 3 + len(kinds))
    ]
    assert all(d.detail for d in found[1:])


def test_what_is_rejected_leaves_no_trace():
    one, two = Workspace(base()), Workspace(base())
    one.run(ev("a", "u", "09:00", id="x"), GONE)
    two.run(ev("a", "u", "09:00", id="x"), GONE)
    two.run(ev("a", "u", "11:00"), ev("user.updated", "u", "11:30", plan="pro"))
    assert one.packed() == two.packed()
    # what was refused meanwhile is no duplicate later
    again_later = ev("a", "u", "13:00", id="y")
    assert two.tell({**again_later, "time": "2026-03-02T11:45:00Z"}, BACK, again_later) == [
        "rejected user.deleted",
        "sent",
    ]


def test_other_users_are_not_concerned():
    assert tell("", GONE, ev("a", "v", "11:00")) == ["sent"]


def test_afterwards_the_user_is_new():
    rules = """
      - {id: pro, when: user.plan == 'pro', score: +0.01}
      - {id: clicked, when: engagement.clicks > 0, score: +0.01}
      - {id: before, when: "seen('a', '7d')", score: +0.01}
      - {id: wrote, when: "sent('7d') > 0", score: +0.01}
    """
    stops = """
      {id: cool, cooldown: 7d}
      {id: cap, limit: 1, within: 7d}
      {id: mute, mute: 7d, when: n > 5}
      {id: closed, resolved_by: paid, within: 7d}
      {id: first, inhibited_by: fire, within: 7d}
    """
    ws = Workspace(base(stops, "ignored_after: 30m", rules=rules))
    ws.run(
        ev("fire", "u", "09:00"),
        ev("message.clicked", "u", "09:01"),
        ev("a", "u", "09:02", n=6),
        ev("paid", "u", "09:03"),
        ev("user.updated", "u", "09:04", plan="pro"),
        ev("user.unsubscribed", "u", "09:05", category="service"),
        GONE,
    )
    [decision] = ws.run(BACK, ev("a", "u", "12:01"))
    assert (decision.outcome, decision.score, decision.threshold) == ("sent", 0.8, 0.6)


def test_the_consent_of_the_new_life_is_what_its_subscription_says():
    stories = {
        (): ["sent", "sent", "no_consent"],  # nothing is taken back: a new user
        ("everything",): ["sent", "sent", "sent"],
    }
    only_ads = ev("user.subscribed", "u", "12:00", category="ads")
    only_service = ev("user.subscribed", "u", "12:00", category="service")
    asked = [ev("a", "u", "12:01"), ev("fire", "u", "12:02"), ev("ad", "u", "12:03")]
    refused = ev("user.unsubscribed", "u", "09:00")
    assert tell("", refused, GONE, only_service, *asked) == stories[()]
    assert tell("", refused, GONE, BACK, *asked) == stories[("everything",)]
    assert tell("", refused, GONE, only_ads, *asked) == stories[("everything",)]


def test_a_rejected_subscription_does_not_bring_anybody_back():
    wrong = ev("user.subscribed", "u", "12:00", category="unheard")
    assert tell("", GONE, wrong, ev("a", "u", "12:01")) == ["rejected category", "rejected user.deleted"]


def test_a_user_nobody_knew_can_be_deleted():
    assert tell("", GONE, ev("a", "u", "11:00"), BACK, ev("a", "u", "13:00")) == ["rejected user.deleted", "sent"]


def test_feedback_about_the_old_life_is_unknown():
    ws = Workspace(base())
    [sent] = ws.run(ev("a", "u", "09:00"))
    ws.run(GONE, BACK)
    assert ws.tell(ev("message.clicked", "u", "12:01", message_id=sent.id)) == ["rejected message_id"]
    assert ws.tell(ev("message.clicked", "u", "12:02")) == ["rejected"]


def test_an_identity_of_the_old_life_is_forgotten():
    assert tell("", ev("a", "u", "09:00", id="x"), GONE, BACK, ev("a", "u", "13:00", id="x")) == ["sent", "sent"]


def test_held_messages_are_forgotten():
    told = tell(
        NIGHT,
        ev("a", "u", "23:00"),
        ev("user.deleted", "u", "23:30"),
        ev("user.subscribed", "u", "23:40"),
        until="wed 00:00",
    )
    assert told == ["held night until tue 08:00"]


def test_ids_stay_unique_from_life_to_life():
    """No two records share an id: also where the same event id is sent at the same instant of two lives."""
    ws = Workspace(base())
    found = ws.run(
        ev("a", "u", "09:00", id="x"), GONE, BACK, ev("a", "u", "13:00", id="x"), ev("a", "u", "13:00", id="x")
    )
    assert len({d.id for d in found}) == len(found) == 3


def test_deleted_at_the_very_instant_of_an_event():
    told = tell("", ev("a", "u", "10:00"), GONE, ev("a", "u", "10:00"))
    assert told == ["sent", "rejected user.deleted"]


def test_equal_times_in_line_order_hold_for_a_subscription_too():
    """ "Equal times are decided in line order"; "until `user.subscribed` ... afterwards the user is new"."""
    told = tell("", GONE, BACK, ev("a", "u", "12:00"))
    assert told == ["sent"]


def test_a_subscription_at_the_very_instant_of_the_deletion():
    told = tell("", GONE, ev("user.subscribed", "u", "10:00"), ev("a", "u", "10:01"))
    assert told == ["sent"]


def test_events_from_before_a_new_life_are_refused_when_they_come_late():
    """What was forgotten or refused must not be decided when a file is replayed again (docs/adr/0004)."""
    told = tell("", GONE, BACK, ev("a", "u", "11:59"))
    assert told == ["rejected user.deleted"]


# ---------------------------------------------------------------- the same file twice


def test_a_second_replay_decides_nothing():
    events = [
        ev("a", "u", "09:00", id="x"),
        ev("a", "u", "09:00", id="y"),
        ev("paid", "u", "09:01"),
        ev("message.clicked", "u", "09:02"),
        ev("a", "u", "23:00"),
        ev("a", "u", "+8 09:00", id="x"),  # long after: a new event
        ev("b", "u", "+3 09:00"),
        ev("a", "v", "10:00"),
        ev("user.deleted", "v", "11:00"),
        ev("user.subscribed", "v", "12:00"),
        ev("a", "v", "13:00"),
        ev("user.deleted", "w", "12:00"),
        ev("a", "w", "12:00"),
    ]
    ws = Workspace(base(NIGHT))
    ws.run(*events)
    assert {line.split()[0] for line in ws.tell(*events)} <= {"duplicate", "rejected"}
    assert {line.split()[0] for line in ws.tell(*events)} <= {"duplicate", "rejected"}


def test_what_came_together_and_what_came_apart():
    events = [ev("a", "u", at("09:00") + step * HOUR) for step in range(30)]
    one, two = Workspace(base("{id: x, limit: 3, within: 12h}")), Workspace(base("{id: x, limit: 3, within: 12h}"))
    together = one.run(*events)
    apart = [decision for event in events for decision in two.run(event)]
    assert together == apart
    assert one.packed() == two.packed()


def test_the_same_line_in_another_order_of_keys_is_the_same_event():
    one = ev("a", "u", "09:00")
    turned = json.dumps(dict(reversed(one.items()))).encode()
    assert tell("", one, turned) == ["sent", "duplicate"]
