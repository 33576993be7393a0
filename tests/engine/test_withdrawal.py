"""What takes back a message that was decided as sent but has not left yet."""

from __future__ import annotations

import msgspec
import pytest

from botopt.model.decision import Reason
from botopt.model.user_state import pack
from tests.engine.support import CALM, Live, Wire, at, base, ev
from tests.engine.support import Workspace as At

EVENTS = """
old: {category: service, channel: chat, weight: 0.8, message: hello, expires_after: 2h}
must: {channel: chat, weight: 0.8, message: hello, always: true, expires_after: 2h, fields: {order: {type: text, optional: true}}}
free: {category: alarm, channel: chat, weight: 0.8, message: hello, expires_after: 2h}
"""
CLOSED = "{id: closed, resolved_by: paid, within: 1h, same: [order], events: [a, must]}"


class Outbox(Live):
    """A message on its way, and what happens to its user meanwhile."""

    def __init__(self, first: Wire, suppression: str = "", settings: str = CALM) -> None:
        super().__init__(suppression, settings, EVENTS)
        self.sent = self.event(first)
        found = self.decide(first)
        assert found[-1].message is not None, found

    def ask(self, now: str | int, channel: str = "chat") -> tuple[Reason, str | None] | None:
        before = pack(self.state)
        found = self.engine.withdrawal(self.state, self.sent, channel, at(now))
        assert pack(self.state) == before, "it is pure"
        return found


def test_an_ordinary_message_may_go_out():
    assert Outbox(ev("a", "u", "09:00")).ask("09:00") is None


def test_its_own_send_fills_nothing_for_it():
    outbox = Outbox(
        ev("a", "u", "09:00"),
        """
        {id: c, cooldown: 6h}
        {id: l, limit: 1, within: 1d}
        {id: m, mute: 1d, when: sent('1d') > 0}
        {id: q, quiet_hours: {from: "09:30", to: "12:00"}}
        """,
    )
    assert outbox.ask("10:00") is None


def test_worth_and_rules_are_not_asked_again():
    outbox = Outbox(ev("a", "u", "09:00"), settings="fatigue: {per_message: 0.5, limit: 1}, engagement: {effect: 0}")
    assert outbox.ask("09:01") is None


def test_the_user_was_deleted():
    outbox = Outbox(ev("a", "u", "09:00"))
    outbox.decide(ev("user.deleted", "u", "09:01"))
    assert outbox.ask("09:01") == (Reason.REJECTED, "user.deleted")
    outbox.decide(ev("user.subscribed", "u", "09:02"))
    assert outbox.ask("09:03") == (Reason.REJECTED, "user.deleted"), "a message of the life before"


def test_a_message_of_the_new_life_may_go_out():
    outbox = Outbox(ev("a", "u", "08:00"))
    outbox.decide(ev("user.deleted", "u", "08:30"))
    outbox.decide(ev("user.subscribed", "u", "09:00"))
    outbox.sent = outbox.event(ev("a", "u", "09:00"))
    assert outbox.ask("09:01") is None


@pytest.mark.parametrize(("shift", "found"), [(-1, None), (0, None), (1, (Reason.EXPIRED, None))])
@pytest.mark.parametrize("kind", ["old", "must", "free"])
def test_it_expired(kind, shift, found):
    assert Outbox(ev(kind, "u", "09:00")).ask(at("11:00") + shift) == found


def test_it_expires_by_the_user_s_clock_where_that_is_ahead():
    outbox = Outbox(ev("old", "u", "09:00"))
    outbox.decide(ev("paid", "u", at("11:00") + 1))
    assert outbox.ask("10:59") == (Reason.EXPIRED, None)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ({}, (Reason.NO_CONSENT, None)),
        ({"category": "service"}, (Reason.NO_CONSENT, None)),
        ({"channel": "chat"}, (Reason.NO_CONSENT, None)),
        ({"channel": "sms"}, None),
        ({"category": "ads"}, None),
    ],
)
def test_consent_is_asked_on_this_channel(word, found):
    outbox = Outbox(ev("a", "u", "09:00"))
    outbox.decide(ev("user.unsubscribed", "u", "09:01", **word))
    assert outbox.ask("09:02") == found


def test_a_fallback_channel_is_asked_for_itself():
    outbox = Outbox(ev("a", "u", "09:00"))
    outbox.decide(ev("user.unsubscribed", "u", "09:01", channel="sms"))
    assert outbox.ask("09:02", "sms") == (Reason.NO_CONSENT, None)
    assert outbox.ask("09:02", "chat") is None


def test_what_needs_no_consent_asks_none():
    outbox = Outbox(ev("free", "u", "09:00"))
    outbox.decide(ev("user.unsubscribed", "u", "09:01"))
    assert outbox.ask("09:02") is None


def test_always_does_not_waive_consent():
    outbox = Outbox(ev("must", "u", "09:00"))
    outbox.decide(ev("user.unsubscribed", "u", "09:01"))
    assert outbox.ask("09:02") == (Reason.NO_CONSENT, None)


def test_it_was_resolved_meanwhile():
    outbox = Outbox(ev("a", "u", "09:00", order="1"), CLOSED)
    outbox.decide(ev("paid", "u", "09:30", order="2"))
    assert outbox.ask("09:31") is None
    outbox.decide(ev("paid", "u", "15:00", order="1"))
    assert outbox.ask("20:00") == (Reason.RESOLVED, "closed")


def test_always_waives_a_resolution_here_as_there():
    outbox = Outbox(ev("must", "u", "09:00", order="1"), CLOSED)
    outbox.decide(ev("paid", "u", "09:30", order="1"))
    assert outbox.ask("09:31") is None


def test_a_resolution_has_its_scope_and_conditions():
    rule = "{id: closed, resolved_by: paid, within: 1h, channels: [chat], events: [a], unless: n > 5}"
    for n, channel, found in ((1, "chat", (Reason.RESOLVED, "closed")), (1, "sms", None), (6, "chat", None)):
        outbox = Outbox(ev("a", "u", "09:00", n=n), rule)
        outbox.decide(ev("paid", "u", "09:30"))
        assert outbox.ask("09:31", channel) == found


def test_what_was_remembered_under_another_policy_is_read_as_it_is_declared_now():
    rule = "{id: closed, resolved_by: paid, within: 1h, events: [a], unless: n > 5}"
    outbox = Outbox(ev("a", "u", "09:00"), rule)
    outbox.sent = msgspec.structs.replace(outbox.sent, data={"n": "nine", "gone": 1})
    outbox.decide(ev("paid", "u", "09:30"))
    assert outbox.ask("09:31") == (Reason.RESOLVED, "closed"), "a text is no number: its default counts"


def test_conditions_see_who_answered_by_now():
    rule = "{id: closed, resolved_by: paid, within: 1h, events: [a], when: engagement.ignored_in_a_row == 1}"
    outbox = Outbox(ev("a", "u", "09:00"), rule)
    outbox.decide(ev("paid", "u", "09:30"))
    assert outbox.ask(at("+1 09:00") - 1) is None
    assert outbox.ask("+1 09:00") == (Reason.RESOLVED, "closed")


@pytest.mark.parametrize(("condition", "found"), [("count('a', '1d') == 1", True), ("seen('a', '1d')", False)])
def test_its_own_event_is_counted_once(condition, found):
    rule = f'{{id: closed, resolved_by: paid, within: 1h, events: [a], when: "{condition}"}}'
    outbox = Outbox(ev("a", "u", "09:00"), rule)
    outbox.decide(ev("paid", "u", "09:30"))
    assert (outbox.ask("09:31") is not None) is found


def test_an_event_never_resolves_itself():
    rule = "{id: again, resolved_by: a, within: 1h, events: [a]}"
    late = ev("a", "u", "08:59")
    outbox = Live(rule, events=EVENTS)
    outbox.decide(ev("paid", "u", "09:00"))
    assert outbox.tell(late) == ["sent"]
    asked = outbox.event(late)
    assert outbox.engine.withdrawal(outbox.state, asked, "chat", at("09:01")) is None
    outbox.state.identities.clear()  # forgotten after dedupe_window, however short that is
    assert outbox.engine.withdrawal(outbox.state, asked, "chat", at("09:01")) is None
    outbox.decide(ev("a", "u", "09:02"))
    assert outbox.engine.withdrawal(outbox.state, asked, "chat", at("09:03")) == (Reason.RESOLVED, "again")


def test_the_order_is_that_of_the_pipeline():
    rules = CLOSED.replace("events: [a, must]", "events: [old]").replace(", same: [order]", "")
    outbox = Outbox(ev("old", "u", "09:00"), rules)
    outbox.decide(ev("paid", "u", "09:30"))
    assert outbox.ask("09:31") == (Reason.RESOLVED, "closed")
    outbox.decide(ev("user.unsubscribed", "u", "09:40"))
    assert outbox.ask("09:41") == (Reason.NO_CONSENT, None)
    assert outbox.ask(at("11:00") + 1) == (Reason.EXPIRED, None)
    outbox.decide(ev("user.deleted", "u", "11:30"))
    assert outbox.ask("11:30") == (Reason.REJECTED, "user.deleted")


@pytest.mark.parametrize("change", ["enabled: false, ", "gone"])
def test_an_event_type_that_decides_no_more_lets_it_go_but_for_the_user_s_word(change):
    outbox = Outbox(ev("old", "u", "09:00"))
    text = base("", CALM, EVENTS)
    if change == "gone":
        changed = "\n".join(line for line in text.splitlines() if not line.strip().startswith("old:"))
    else:
        changed = text.replace("old: {", "old: {" + change)
    assert changed != text
    outbox.engine = At(changed).engine
    assert outbox.ask("+3 09:00") is None
    outbox.decide(ev("user.unsubscribed", "u", "09:01"))
    assert outbox.ask("09:02") == (Reason.NO_CONSENT, None)
    outbox.decide(ev("user.deleted", "u", "09:03"))
    assert outbox.ask("09:04") == (Reason.REJECTED, "user.deleted")
