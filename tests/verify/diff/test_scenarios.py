"""Changes of a policy, one at a time: what they do, and which line they are traced to."""

from __future__ import annotations

import pytest

from botopt.model.instants import instant_text
from botopt.verify.diff import Difference, Kind
from tests.engine.support import at, ev
from tests.verify.diff.comparing import differ

RULES = """\
settings: {fatigue: {per_message: 0}, engagement: {effect: 0}, threshold: 0.6}
categories:
  service: {consent: opt_out}
  ads: {consent: opt_in}
channels: {chat: {type: console}, sms: {type: console}}
user:
  plan: {type: text, one_of: [free, pro], default: free}
events:
  paid: {fields: {order: {type: text, optional: true}}}
  failed:
    category: service
    channel: chat
    fields:
      n: {type: number, default: 1}
      order: {type: text, optional: true}
    weight: 0.7
    message: hello
    rules:
      - {id: large, when: n > 100, score: -0.2}
  late:
    category: service
    channel: chat
    fields:
      n: {type: number, default: 1}
    weight: 0.5
    message: wait
    rules:
      - {id: many, when: n > 5, score: +0.2}
suppression:
  - {id: calm, cooldown: 6h, per: [user], events: [failed, late]}
  - {id: cap, limit: 3, within: 24h}
  - {id: night, quiet_hours: {from: "22:00", to: "08:00"}}
"""
TEMPLATES = """\
templates:
  hello: "Hello {{ n }}"
  wait:
    variants:
      only: {text: {en: "It is late", de: "Es wird spät"}}
"""


def changed(*edits: tuple[str, str], templates: tuple[str, str] = ("", ""), events: list[object]) -> Difference:
    """What becomes of these events when these words of the policy are others."""
    rules = RULES
    for old, new in edits:
        assert rules.count(old) == 1, old
        rules = rules.replace(old, new)
    return differ((RULES, TEMPLATES), (rules, TEMPLATES.replace(*templates)), events)


def told(found: Difference) -> list[tuple[str, bool, list[str], str | None]]:
    """Every sample: kind, whether it is direct, its edits in words, and its event."""
    return [(c.kind.value, c.direct, [found.edits[e].words for e in c.edits], c.event_id) for c in found.samples]


ONE = [ev("failed", "u", "12:00", id="one", n=7, order="x")]
LARGE = [ev("failed", "u", "12:00", id="one", n=200)]
NIGHT = [ev("failed", "u", "23:00", id="one"), ev("paid", "u", "tue 09:00", id="later")]
LATE = [ev("late", "u", "12:00", id="one", n=7)]
TWICE = [ev("failed", "u", "12:00", id="one"), ev("failed", "u", "15:00", id="two")]
AGAIN = [
    ev("failed", "u", "mon 12:00", id="one"),
    ev("paid", "u", "tue 09:00", id="p"),
    ev("failed", "u", "mon 12:00", id="one"),
]


@pytest.mark.parametrize(
    ("edit", "events", "kind", "words"),
    [
        (("weight: 0.7", "weight: 0.6"), ONE, Kind.LOST, "failed: weight 0.7 → 0.6"),
        (("threshold: 0.6", "threshold: 0.75"), ONE, Kind.LOST, "settings: threshold 0.6 → 0.75"),
        (("n > 100, score: -0.2", "n > 100, score: -0.05"), LARGE, Kind.GAINED, "failed, rule large: score -0.2 → -0.05"),
        (("n > 100", "n > 300"), LARGE, Kind.GAINED, "failed, rule large: when n > 100 → n > 300"),
        (("score: -0.2}", "score: -0.2}\n      - {id: odd, when: n == 7, skip: true}"), ONE, Kind.LOST, "failed, rule odd added"),
        (("      - {id: many, when: n > 5, score: +0.2}\n", "      - {id: some, when: n > 9, score: +0.2}\n"), LATE, Kind.LOST, "late, rule many removed"),
        (("weight: 0.7\n", "weight: 0.7\n    expires_after: 1h\n"), [ev("paid", "u", "12:00"), ev("failed", "u", "10:00", id="one")], Kind.LOST, "failed: expires_after 1h added"),
        (("cooldown: 6h", "cooldown: 2h"), TWICE, Kind.GAINED, "suppression calm: cooldown 6h → 2h"),
        (("  - {id: calm, cooldown: 6h, per: [user], events: [failed, late]}\n", ""), TWICE, Kind.GAINED, "suppression calm removed"),
        (("limit: 3", "limit: 1"), [ev("failed", "u", "09:00", id="zero"), ev("failed", "u", "16:00", id="one")], Kind.LOST, "suppression cap: limit 3 → 1"),
        (('to: "08:00"', 'to: "07:00"'), NIGHT, Kind.MOVED, "suppression night: quiet_hours to 08:00 → 07:00"),
        (('from: "22:00"', 'from: "23:30"'), NIGHT, Kind.MOVED, "suppression night: quiet_hours from 22:00 → 23:30"),
        (('from: "22:00", to: "08:00"}', 'from: "22:00", to: "08:00"}, action: drop'), NIGHT, Kind.LOST, "suppression night: action drop added"),
        (("channel: chat\n    fields:\n      n: {type: number, default: 1}\n      order", "channel: sms\n    fields:\n      n: {type: number, default: 1}\n      order"), ONE, Kind.REROUTED, "failed: channel chat → sms"),
        (("message: hello", "message: wait"), ONE, Kind.REWORDED, "failed: message hello → wait"),
        (("n: {type: number, default: 1}\n      order", "n: {type: number, default: 1, min: 0}\n      order"), [ev("failed", "u", "12:00", id="one", n=-5)], Kind.LOST, "failed: field n {type: number, default: 1} → {type: number, default: 1, min: 0}"),
        (("n: {type: number, default: 1}\n      order", "n: {type: number, default: 3}\n      order"), [ev("failed", "u", "12:00", id="one")], Kind.REWORDED, "failed: field n {type: number, default: 1} → {type: number, default: 3}"),
        (("message: hello\n", "message: hello\n    enabled: false\n"), ONE, Kind.LOST, "failed: enabled false added"),
        (("service: {consent: opt_out}", "service: {consent: opt_in}"), ONE, Kind.LOST, "category service: consent opt_out → opt_in"),
        (("threshold: 0.6}", "threshold: 0.6, holdout: 100%}"), ONE, Kind.LOST, "settings: holdout 100% added"),
        (("threshold: 0.6}", "threshold: 0.6, pacing: {messages: 0.1, per: week}}"), [ev("failed", "u", "09:00", id="zero"), ev("failed", "u", "16:00", id="one")], Kind.LOST, "settings: pacing {messages: 0.1, per: week} added"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_change_is_traced_to_its_line(edit, events, kind, words):
    found = changed(edit, events=events)
    assert [(how, direct, edits) for how, direct, edits, _ in told(found)] == [(kind.value, True, [words])]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Hello", "Hi", 'template hello "Hello {{ n }}" → "Hi {{ n }}"'),
        ("It is late", "Late", 'template wait, variant only: text en "It is late" → "Late"'),
    ],
)
def test_a_text_is_traced_to_its_line(old, new, words):
    found = changed(templates=(old, new), events=[ONE[0], ev("late", "v", "12:00", id="one", n=7)])
    assert told(found) == [("reworded", True, [words], "one")]


def test_a_text_in_another_language_changes_nothing_here():
    found = changed(templates=("Es wird", "Es ist"), events=LATE)
    assert found.counts == ()
    assert [edit.place for edit in found.edits] == ["templates/all.yaml:5"]


def test_a_new_message_silences_another_which_silences_a_third_no_more():
    events = [
        ev("late", "u", "10:00", id="e1", n=1),  # sent now, because its weight is higher
        ev("failed", "u", "12:00", id="e2"),  # silenced by the cooldown that e1 began
        ev("failed", "u", "17:00", id="e3"),  # sent, because e2 was not
    ]
    found = changed(("weight: 0.5", "weight: 0.65"), events=events)
    assert told(found) == [
        ("gained", False, ["late: weight 0.5 → 0.65"], "e3"),
        ("gained", True, ["late: weight 0.5 → 0.65"], "e1"),
        ("lost", False, ["late: weight 0.5 → 0.65"], "e2"),
    ]
    third, _, second = found.samples
    assert second.window == third.window == "calm"
    assert [(link.kind, link.event_id) for link in second.chain] == [(Kind.GAINED, "e1")]
    assert [(link.kind, link.event_id) for link in third.chain] == [(Kind.LOST, "e2"), (Kind.GAINED, "e1")]
    assert second.new is not None
    assert second.new.cause == found.samples[1].new.message.id
    assert [(c.kind, c.event_type, c.reason, c.window, c.because, c.because_type, c.events) for c in found.consequences] == [
        (Kind.GAINED, "failed", "cooldown", "calm", Kind.LOST, "failed", 1),
        (Kind.LOST, "failed", "cooldown", "calm", Kind.GAINED, "late", 1),
    ]  # fmt: skip


def test_a_new_message_in_the_middle_of_a_cap_is_found_though_the_record_names_another():
    events = [
        ev("failed", "u", "08:00", id="e1"),
        ev("late", "u", "10:00", id="e2", n=1),  # new
        ev("failed", "u", "15:00", id="e3"),
        ev("failed", "u", "21:30", id="e4"),  # the cap of three is full
    ]
    found = changed(
        ("weight: 0.5", "weight: 0.65"), ("[failed, late]", "[failed]"), ("limit: 3", "limit: 3"), events=events
    )
    lost = next(change for change in found.samples if change.kind is Kind.LOST)
    assert (lost.event_id, lost.window, [link.event_id for link in lost.chain]) == ("e4", "cap", ["e2"])


def test_a_mute_that_began_earlier_goes_back_to_its_own_edit_and_not_to_what_changed_before():
    mute = "suppression:\n  - {id: tired, mute: 6h, when: n > 150, events: [failed]}"
    old = RULES.replace("suppression:", mute)
    new = old.replace("n > 150", "n > 110").replace("weight: 0.5", "weight: 0.65")
    events = [
        ev("late", "u", "08:00", id="e1", n=1),  # new, and nothing to do with what follows
        ev("failed", "u", "10:00", id="e2", n=120),  # below the threshold; the new mute begins
        ev("failed", "u", "13:00", id="e3", n=160),  # below, too; the old one begins
        ev("failed", "u", "17:00", id="e4"),  # the new one is over, the old one is not
    ]
    found = differ((old, TEMPLATES), (new, TEMPLATES), events)
    assert told(found) == [
        ("gained", True, ["late: weight 0.5 → 0.65"], "e1"),
        ("gained", True, ["suppression tired: when n > 150 → n > 110"], "e4"),
    ]


def test_a_mute_that_was_edited_and_begins_because_of_a_new_message_is_a_consequence():
    mute = "suppression:\n  - {id: tired, mute: 9h, when: sent('24h') >= 1, events: [failed]}"
    old = RULES.replace("suppression:", mute)
    new = old.replace("mute: 9h", "mute: 12h").replace("weight: 0.5", "weight: 0.65")
    events = [
        ev("late", "u", "08:00", id="e1", n=1),
        ev("failed", "u", "10:00", id="e2", n=120),  # below the threshold; the new mute begins, the old one does not
        ev("failed", "u", "20:00", id="e3"),
    ]
    found = differ((old, TEMPLATES), (new, TEMPLATES), events)
    weight = ["late: weight 0.5 → 0.65"]
    assert told(found) == [("gained", True, weight, "e1"), ("lost", False, weight, "e3")]


def test_an_edit_that_would_have_kept_a_message_silent_is_not_why_it_is_sent():
    old = RULES.replace("suppression:", "suppression:\n  - {id: big, mute: always, when: n > 90 and sent('24h') >= 1}")
    new = old.replace("n > 90", "n > 20").replace("weight: 0.5", "weight: 0.35")
    events = [
        ev("late", "u", "09:00", id="e1", n=7),  # not sent any more
        ev("failed", "u", "12:00", id="e2", n=50),  # e1 stopped it, and with e1 the new mute would have, too
    ]
    found = differ((old, TEMPLATES), (new, TEMPLATES), events)
    second = next(one for one in found.samples if one.event_id == "e2")
    assert (second.kind, second.direct, second.window) == (Kind.GAINED, False, "calm")
    assert [link.event_id for link in second.chain] == ["e1"]
    assert [found.edits[number].words for number in second.edits] == ["late: weight 0.5 → 0.35"]


def test_what_was_silent_before_and_after_is_no_cause():
    old = RULES.replace("message: wait", "message: wait\n    expires_after: 1h").replace(
        "score: -0.2}", "score: -0.2}\n      - {id: busy, when: sent('24h') >= 1, score: -0.2}"
    )
    new = old.replace("weight: 0.5", "weight: 0.65").replace("limit: 3", "limit: 1")
    events = [
        ev("late", "u", "12:00", id="e1", n=1),  # sent now
        ev("late", "u", "23:00", id="e2", n=7),  # waits until it has expired before; the cap is full now
        ev("failed", "u", "tue 09:00", id="e3"),  # not worth a message any more, because of e1
    ]
    found = differ((old, TEMPLATES), (new, TEMPLATES), events)
    third = next(one for one in found.samples if one.event_id == "e3")
    assert (third.kind, third.direct) == (Kind.LOST, False)
    assert [link.event_id for link in third.chain] == ["e1"]


def test_of_a_held_message_its_end_counts():
    events = [ev("failed", "u", "23:00", id="e1"), ev("failed", "v", "23:00", id="e2"), ev("paid", "u", "tue 12:00")]
    found = changed(('to: "08:00"', 'to: "06:00"'), events=events)
    assert found.count(Kind.MOVED) == found.seen == 2
    moved = found.samples[0]
    assert [instant_text(one.time_us) for one in (moved.old, moved.new)] == [
        "2026-03-03T08:00:00Z",
        "2026-03-03T06:00:00Z",
    ]


def test_a_click_that_comes_before_the_message_now_is_a_consequence():
    events = [
        ev("failed", "u", "23:00", id="e1"),
        ev("message.clicked", "u", "tue 07:00", id="c1"),
        ev("paid", "u", "tue 12:00"),
    ]
    found = changed(('to: "08:00"', 'to: "06:00"'), events=events)
    assert told(found) == [
        ("moved", True, ["suppression night: quiet_hours to 08:00 → 06:00"], "e1"),
        ("reason", False, ["suppression night: quiet_hours to 08:00 → 06:00"], "c1"),
    ]


def test_a_message_that_still_waits_at_the_end_was_not_sent():
    events = [ev("failed", "u", "23:00", id="e1"), ev("paid", "u", "tue 07:00")]
    found = changed(('to: "08:00"', 'to: "06:00"'), events=events)
    assert told(found) == [("gained", True, ["suppression night: quiet_hours to 08:00 → 06:00"], "e1")]


TALK = ("  - {id: night,", "  - {id: talk, in_conversation: 5m}\n  - {id: night,")
TALKING = [
    ev("user.active", "u", "09:00", id="said"),
    ev("failed", "u", "09:01", id="e1"),
    ev("failed", "u", "09:02", id="e2"),
]


def test_a_conversation_that_counts_now_is_traced_to_its_line_and_to_what_follows():
    [lost, *_] = told(changed(TALK, events=TALKING))
    assert lost == ("lost", True, ["suppression talk added"], "e1")
    found = differ((RULES.replace(*TALK), TEMPLATES), (RULES.replace(*TALK).replace("5m", "1m30s"), TEMPLATES), TALKING)
    assert told(found) == [
        ("gained", True, ["suppression talk: in_conversation 5m → 1m30s"], "e2"),
    ]
    same = differ((RULES.replace(*TALK), TEMPLATES), (RULES.replace(*TALK).replace("5m", "300s"), TEMPLATES), TALKING)
    assert told(same) == []


def test_a_provider_caps_under_both_policies():
    events = [
        ev("failed", "u", "09:00", id="e0"),
        ev("message.failed", "u", "09:01", id="full", capped_until="2026-03-02T12:00:00Z"),
        ev("late", "u", "10:00", id="e1", n=7),
        ev("late", "u", "12:00", id="e2", n=7),
    ]
    found = changed(("message: wait\n", "message: wait\n    threshold: 0.5\n"), events=events)
    assert [how for how, *_ in told(found)] == []
    found = changed(("weight: 0.5", "weight: 0.3"), events=events)
    assert [(how, event) for how, _, _, event in told(found)] == [("lost", "e2"), ("reason", "e1")]


def test_an_event_type_under_another_name_is_the_same_event():
    events = [ev("failed", "u", "12:00", id="e1"), ev("failed", "u", "13:00", id="e2")]
    new = RULES.replace("  failed:\n", "  payment_failed:\n    accepts: [failed]\n").replace(
        "[failed, late]", "[payment_failed, late]"
    )
    found = differ((RULES, TEMPLATES), (new, TEMPLATES), events)
    assert found.seen == 0
    assert found.count(Kind.NUMBERS) == 2


def test_a_type_that_was_removed_loses_its_messages_and_one_that_is_new_gains_them():
    events = [ev("late", "u", "12:00", id="one", n=7)]
    without = RULES[: RULES.index("  late:\n")] + RULES[RULES.index("suppression:") :].replace(
        "[failed, late]", "[failed]"
    )
    texts = TEMPLATES
    lost = differ((RULES, TEMPLATES), (without, texts), events)
    gained = differ((without, texts), (RULES, TEMPLATES), events)
    assert told(lost) == [("lost", True, ["event type late removed"], "one")]
    assert told(gained) == [("gained", True, ["event type late added"], "one")]
    assert lost.samples[0].new.detail.startswith("an event type that is not declared")


def test_a_line_that_neither_policy_can_read_is_no_difference():
    found = changed(("weight: 0.7", "weight: 0.6"), events=[b"{", b'{"id": "x", "type": "nothing", "user": "u"}'])
    assert (found.lines, found.decided, found.counts) == (2, 0, ())


def test_a_duplicate_that_is_none_any_more():
    found = changed(("threshold: 0.6}", "threshold: 0.6, dedupe_window: 1h}"), events=[
        ev("failed", "u", "12:00", id="one"),
        ev("failed", "u", "19:00", id="one"),
    ])  # fmt: skip
    assert told(found) == [("gained", True, ["settings: dedupe_window 1h added"], "one")]


def test_what_users_get_in_a_day():
    events = [
        ev("failed", user, f"{day} {hour}:00") for user in "uv" for day in ("mon", "tue") for hour in ("08", "15", "21")
    ]
    found = changed(("limit: 3", "limit: 1"), events=events)
    assert (found.old.messages, found.old.days, found.old.most, found.old.mean) == (12, {3: 4}, 3, 3.0)
    assert (found.new.messages, found.new.days, found.new.over(0)) == (4, {1: 4}, 4)
    assert [(one.user, one.messages) for one in found.old.busiest] == [("u", 3), ("v", 3), ("u", 3)]
    assert [(one.user, one.old, one.new) for one in found.affected] == [("u", 6, 2), ("v", 6, 2)]
    assert (found.users, found.users_changed) == (2, 2)


def test_days_are_told_by_their_share():
    load = changed(("limit: 3", "limit: 1"), events=ONE).old
    assert (load.quantile(0.95), load.quantile(0.5)) == (1, 1)
    assert at("12:00") // 86_400_000_000 * 86_400_000_000 == load.busiest[0].day_us
