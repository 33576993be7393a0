"""Suppressions: every mistake is answered at its own word."""

from __future__ import annotations

import pytest

from botopt.model.condition import Comparison, Literal, Ref, Scope, ValueType
from botopt.model.durations import DAY_US, HOUR_US
from botopt.model.policy import Calendar, Conversation, Cooldown, Inhibition, Kind, Limit, Mute, QuietHours, Resolution
from tests.loading.making import check_marked, load, said

HEAD = """\
channels: {chat: {type: console}, sms: {type: console}}
categories: {news: {}, bills: {}, empty: {}}
events:
  failed: {weight: 1, message: m, channel: chat, category: bills, fields: {order: {type: text}, size: {type: integer}}}
  tip: {weight: 1, message: m, channel: sms, category: news, fields: {size: {type: text}, extra: {type: integer}}}
  paid: {fields: {order: {type: text}, size: {type: integer}}}
suppression:
"""
TEMPLATES = "templates: {m: Hello!}\n"

# (the suppression, code, part of the message, part of the hint)
CASES = [
    ("⟦{cooldown: 1h}⟧", "B103", "this suppression has no id", "add an id"),
    ("{id: ⟦S⟧, cooldown: 1h}", "B107", "id must be made of", "type s"),
    (
        "{id: ⟦s⟧}",
        "B114",
        "does not say what kind it is",
        "cooldown, limit, resolved_by, inhibited_by, in_conversation,",
    ),
    ("{id: s, ⟦cooldwon⟧: 1h}", "B101", 'in the suppression "s"', '"cooldown"'),
    ("{id: s, cooldown: 1h, ⟦limit⟧: 3}", "B114", 'is "cooldown" and "limit" at once', "one suppression for each"),
    ("⟦cooldown⟧", "B104", "each entry of suppression must be a map", "{id: …, cooldown: 6h}"),
    ("{id: s, cooldown: ⟦6⟧}", "B109", "cooldown must be a duration", "6h"),
    ("{id: s, cooldown: 1h, ⟦within⟧: 2h}", "B113", "within belongs to limit, resolved_by or inhibited_by", "delete"),
    ("{id: s, cooldown: 1h, per: [user, ⟦oder⟧]}", "B102", 'no event type in scope has a field "oder"', '"order"'),
    ("{id: s, cooldown: 1h, per: [⟦order⟧], events: [tip]}", "B102", "in scope", ""),
    ("{id: s, cooldown: 1h, per: ⟦order⟧}", "B104", "per must be a list", "per: [order]"),
    ("{id: s, cooldown: 1h, per: ⟦[]⟧}", "B111", "per is an empty list", ""),
    ("{id: s, cooldown: 1h, events: [⟦faild⟧]}", "B102", "unknown event type", '"failed"'),
    ("{id: s, cooldown: 1h, events: ⟦failed⟧}", "B104", "must be a list", "events: [failed]"),
    ('{id: s, cooldown: 1h, events: ⟦"failed, tip"⟧}', "B104", "must be a list", "events: [failed, tip]"),
    ("{id: s, cooldown: 1h, events: [failed, ⟦failed⟧]}", "B108", "twice in events", ""),
    ("{id: s, cooldown: 1h, categories: [⟦new⟧]}", "B102", "unknown category", '"news"'),
    ("{id: s, cooldown: 1h, channels: [⟦mail⟧]}", "B102", "unknown channel", "there are chat and sms"),
    ("{id: s, cooldown: 1h, ⟦event⟧: failed}", "B101", "", "events: [NAME]"),
    ("{id: s, cooldown: 1h, ⟦events⟧: [paid]}", "B122", "stops nothing", ""),
    ("{id: s, cooldown: 1h, ⟦categories⟧: [empty]}", "B122", "stops nothing", ""),
    ("{id: s, cooldown: 1h, ⟦events⟧: [failed], channels: [sms]}", "B122", "stops nothing", ""),
    ("{id: s, limit: ⟦0⟧, within: 1d}", "B115", "never let a message through", "mute: always"),
    ("{id: s, limit: ⟦-1⟧, within: 1d}", "B106", "of at least 1", ""),
    ("{id: s, limit: ⟦1.5⟧, within: 1d}", "B104", "a whole number", ""),
    ("{id: ⟦s⟧, limit: 3}", "B103", "has no within", "day or week"),
    ("{id: s, limit: 3, within: ⟦month⟧}", "B109", "or day or week", ""),
    ("{id: s, limit: 3, within: day, reserved: {⟦bils⟧: 1}}", "B102", "unknown category", '"bills"'),
    ("{id: s, limit: 3, within: day, reserved: {bills: ⟦0⟧}}", "B106", "what is reserved for bills", ""),
    ("{id: s, limit: 3, within: day, categories: [news], reserved: {⟦bills⟧: 1}}", "B115", "is in scope", ""),
    ("{id: s, limit: 3, within: day, ⟦reserved⟧: {bills: 2, news: 2}}", "B115", "4 slots are reserved", ""),
    ("{id: s, limit: 3, within: day, reserved: ⟦1⟧}", "B104", "reserved must be a map", ""),
    ("{id: s, in_conversation: ⟦5⟧}", "B109", "in_conversation must be a duration", "5m"),
    ("{id: s, in_conversation: ⟦0s⟧}", "B109", "must be longer than nothing", ""),
    ("{id: s, in_conversation: ⟦always⟧}", "B109", "in_conversation must be a duration", ""),
    ("{id: s, in_conversation: 5m, ⟦within⟧: 1h}", "B113", "within belongs to limit", "delete within"),
    ("{id: s, in_conversation: 5m, ⟦action⟧: hold}", "B113", "belongs to quiet_hours, not to in_conversation", ""),
    ("{id: s, in_conversation: 5m, ⟦mute⟧: 1d}", "B114", 'is "in_conversation" and "mute" at once', ""),
    ("{id: s, ⟦in_conversaton⟧: 5m}", "B101", "", '"in_conversation"'),
    ("{id: s, in_conversation: 5m, channels: [⟦mail⟧]}", "B102", "unknown channel", ""),
    ("{id: ⟦provider⟧, cooldown: 1h}", "B107", "decisions name provider where", "give the suppression another id"),
    ("{id: s, inhibited_by: ⟦faild⟧, within: 1h}", "B102", "unknown event type", '"failed"'),
    ("{id: s, inhibited_by: [failed, ⟦paid⟧], within: 1h}", "B115", '"paid" has no message', "resolved_by"),
    ("{id: s, inhibited_by: ⟦user.deleted⟧, within: 1h}", "B102", "unknown event type", ""),
    ("{id: s, inhibited_by: failed, within: ⟦day⟧}", "B109", "within must be a duration", ""),
    ("{id: ⟦s⟧, resolved_by: paid}", "B103", "has no within", ""),
    ("{id: s, resolved_by: ⟦payd⟧, within: 1h}", "B102", "unknown event type", '"paid"'),
    ("{id: s, resolved_by: paid, within: 1h, same: [⟦ordr⟧], events: [failed]}", "B102", "in scope", '"order"'),
    ("{id: s, resolved_by: paid, within: 1h, same: [⟦extra⟧]}", "B102", '"paid" has no field "extra"', ""),
    (
        "{id: s, resolved_by: paid, within: 1h, same: [⟦size⟧], events: [tip]}",
        "B115",
        'size is integer in "paid" and text in "tip"',
        "",
    ),
    ("{id: ⟦s⟧, mute: 7d}", "B103", "has no when", "mute: always"),
    ("{id: ⟦s⟧, mute: 7d, unless: size == 'x', events: [tip]}", "B103", "has no when", ""),
    ("{id: ⟦s⟧, mute: always}", "B115", "stop every message", "add when"),
    ("{id: s, mute: ⟦forever⟧, when: true}", "B109", "or always", ""),
    ('{id: s, quiet_hours: ⟦"22:00"⟧}', "B104", "quiet_hours must be a map", "from:"),
    ('{id: s, ⟦quiet_hours⟧: {from: "22:00"}}', "B103", "quiet_hours has no to", "to:"),
    ('{id: s, quiet_hours: {from: ⟦22⟧, to: "08:00"}}', "B109", "a time of day", 'from: "22:00"'),
    ("{id: s, quiet_hours: {from: ⟦10pm⟧, to: 8:00}}", "B109", "", 'from: "22:00"'),
    ("{id: s, quiet_hours: {from: ⟦22:60⟧, to: 8:00}}", "B109", "", ""),
    ("{id: s, quiet_hours: {from: ⟦24:00⟧, to: 8:00}}", "B109", '"23:59"', '"00:00"'),
    ("{id: s, quiet_hours: {from: 22:00, to: ⟦24:01⟧}}", "B109", '"24:00"', ""),
    ("{id: s, quiet_hours: {from: 08:00, to: ⟦8:00⟧}}", "B115", "the same", '"24:00"'),
    ("{id: s, quiet_hours: {from: 00:00, to: ⟦24:00⟧}}", "B115", "never end", "mute: always"),
    ("{id: s, quiet_hours: {from: 22:00, to: 8:00, days: [⟦monday⟧]}}", "B105", "each entry of days", '"mon"'),
    ("{id: s, quiet_hours: {from: 22:00, to: 8:00, days: ⟦mon⟧}}", "B104", "days must be a list", "days: [mon]"),
    ("{id: s, quiet_hours: {from: 22:00, to: 8:00}, action: ⟦held⟧}", "B105", "hold or drop", '"hold"'),
    ("{id: s, quiet_hours: {from: 22:00, to: 8:00}, ⟦days⟧: [mon]}", "B101", "", "inside quiet_hours"),
    ("{id: s, mute: always, when: ⟦ordr⟧ == 'x'}", "B203", '"ordr"', ""),
    ("{id: s, mute: always, events: [tip], when: ⟦order⟧ == 'x'}", "B203", '"order"', ""),
    ("{id: s, mute: always, when: ⟦size⟧ == 'x'}", "B203", 'size is integer in "failed" and text in "tip"', ""),
]


@pytest.mark.parametrize(("text", "code", "message", "hint"), CASES)
def test_a_mistake_in_a_suppression(text: str, code: str, message: str, hint: str):
    check_marked(f"{HEAD}  - {text}\n", code, message, hint, TEMPLATES)


def test_ids_are_unique_in_the_workspace():
    check_marked(
        f"{HEAD}  - {{id: s, cooldown: 1h}}\n  - {{id: ⟦s⟧, limit: 3, within: 1d}}\n",
        "B108",
        'two suppressions have the id "s"; the first is at rules/a.yaml:8:10',
        templates=TEMPLATES,
    )


def test_a_list_of_suppressions_is_no_map():
    check_marked(
        "suppression:\n  ⟦same-order:\n    cooldown: 6h⟧\n", "B104", "must be a list", "begin each with a dash"
    )


@pytest.mark.parametrize(
    ("first", "second", "endless"),
    [
        ("{from: 22:00, to: 8:00}", "{from: 8:00, to: 22:00}", True),
        ("{from: 22:00, to: 8:00}", "{from: 8:00, to: 22:00, days: [sun]}", False),
        ("{from: 0:00, to: 24:00, days: [mon, tue, wed]}", "{from: 0:00, to: 24:00, days: [thu, fri, sat, sun]}", True),
        ("{from: 22:00, to: 8:00}", "{from: 8:01, to: 22:00}", False),
        ("{from: 22:00, to: 8:00}", "{from: 8:00, to: 22:00}, when: extra > 1", False),
        ("{from: 22:00, to: 8:00}", "{from: 8:00, to: 22:00}, events: [tip]", True),
        ("{from: 22:00, to: 8:00}, events: [failed]", "{from: 8:00, to: 22:00}, events: [tip]", False),
        ("{from: 22:00, to: 8:00}, channels: [sms]", "{from: 8:00, to: 22:00}, events: [failed]", False),
    ],
)
def test_quiet_hours_that_together_never_end_are_refused(first: str, second: str, endless: bool):
    loaded = load(f"{HEAD}  - {{id: s, quiet_hours: {first}}}\n  - {{id: t, quiet_hours: {second}}}\n", TEMPLATES)
    assert [found.code for found in loaded.diagnostics] == (["B115"] if endless else []), said(loaded)


KINDS: list[tuple[str, Kind]] = [
    ("cooldown: 6h", Cooldown(6 * HOUR_US, ("event",))),
    ("cooldown: 6h, per: [user, event]", Cooldown(6 * HOUR_US, ("event",))),
    ("cooldown: 6h, per: [user]", Cooldown(6 * HOUR_US, ())),
    ("cooldown: 6h, per: [order, event, extra]", Cooldown(6 * HOUR_US, ("order", "event", "extra"))),
    ("limit: 3, within: 24h", Limit(3, DAY_US)),
    ("limit: 3, within: day", Limit(3, 0, Calendar.DAY)),
    (
        "limit: 3.0, within: week, reserved: {news: 1, bills: 2}",
        Limit(3, 0, Calendar.WEEK, (("bills", 2), ("news", 1))),
    ),
    ("inhibited_by: failed, within: 2h", Inhibition(("failed",), 2 * HOUR_US)),
    ("inhibited_by: [failed, tip], within: 2h", Inhibition(("failed", "tip"), 2 * HOUR_US)),
    ("resolved_by: paid, within: 2h", Resolution(("paid",), 2 * HOUR_US)),
    ("resolved_by: [paid, user.updated], within: 2h", Resolution(("paid", "user.updated"), 2 * HOUR_US)),
    ("resolved_by: paid, within: 2h, same: [order]", Resolution(("paid",), 2 * HOUR_US, ("order",))),
    ("resolved_by: user.active, within: 2h", Resolution(("user.active",), 2 * HOUR_US)),
    ("in_conversation: 5m", Conversation(HOUR_US // 12)),
    ("in_conversation: 1h30m, channels: [chat]", Conversation(HOUR_US * 3 // 2)),
    ("mute: 7d, when: true", Mute(7 * DAY_US)),
    ("mute: always, when: true", Mute(None)),
    ("mute: always, unless: true", Mute(None)),
    ("mute: always, categories: [news]", Mute(None)),
    ("quiet_hours: {from: 22:00, to: 08:00}", QuietHours(1320, 480)),
    ("quiet_hours: {from: '0:00', to: 24:00, days: [sun, mon]}, action: drop", QuietHours(0, 1440, (0, 6), hold=False)),
]


@pytest.mark.parametrize(("text", "kind"), KINDS)
def test_a_kind_is_read(text: str, kind: Kind):
    loaded = load(f"{HEAD}  - {{id: s, {text}}}\n", TEMPLATES)
    assert loaded.policy is not None, said(loaded)
    (suppression,) = loaded.policy.suppressions
    assert suppression.kind == kind


def test_suppressions_are_sorted_by_id_and_keep_their_scope():
    loaded = load(
        f"{HEAD}  - {{id: z, cooldown: 1h}}\n"
        "  - {id: a, cooldown: 1h, events: [tip, failed], categories: [news, bills], channels: [sms, chat],"
        " unless: extra > 1}\n",
        TEMPLATES,
    )
    assert loaded.policy is not None, said(loaded)
    first, second = loaded.policy.suppressions
    assert (first.id, second.id) == ("a", "z")
    assert (first.events, first.categories, first.channels) == (("tip", "failed"), ("news", "bills"), ("sms", "chat"))
    assert (second.events, second.categories, second.channels) == ((), (), ())
    assert first.when is None
    assert first.unless is not None
    # only one of the two event types in scope has the field: for the other it is absent
    assert first.unless.condition == Comparison(
        ">", Ref(Scope.EVENT, "extra", ValueType.INTEGER, optional=True), Literal(1)
    )
