"""`in_conversation`: nothing while the user is saying or doing something in the chat."""

from __future__ import annotations

import pytest

from botopt.engine.explain import Explainer
from botopt.model.decision import Reason
from botopt.model.user_state import pack, unpack
from tests.engine.support import DAY, Live, Wire, Workspace, at, base, ev, tell

OLD_BLOB = """
dc0010cf00064c128bde7c00c2d3c00000000000000081a4706c616ea370726f9193a3616473c0c289cf75d2e895c44c0c60
cf00064c05f5a45900cfe17febfb6e09263acf00064c06cfcb8400cf726c56c4202ef159cf00064c06cfcb8400cf6204bcd3
f75fe77ccf00064c06f38eca00cfb569b33861780115cf00064c073b155600cfcedee2a4de9bfc5ecf00064c087cf2cc00cf
ef072b6565110d99cf00064c0880865300cf8843d1fdc63c74dacf00064c11b1b75100cf196a1ee80a2f64e7cf00064c128b
de7c00808081a4706169649193c40c9160ff3eaf6bafb037722c54cf00064c06f38eca0081a56f72646572cf4b994c7b0919
ee5a9397c40cec60771aa6ab022b529141fca161a463686174cf00064c06cfcb840003cf00064c07a65f28008097c40cfb09
928b0333230c37a58689a162a463686174cf00064c073b15560001cf00064c08808653008097c40c04543f399ba4cfaa97a6
4f61a162a463686174cf00064c11b1b7510003cf00064c12884af500809194cf00064c1a170f4000cf00064c128bde7c0001
86a26964a27838a6736f75726365a0a474797065a161a475736572a175a774696d655f7573cf00064c128bde7c00a4646174
6181a16ecb400000000000000081a16d93cf00064c087cf2cc00c3c40c2f3716c789753f7729b430af95cb3fefa22aae49ba
83cb4007cf1a51d5e7b2cf00064c12884af500010382a16195cb0000000000000000cb3ff0000000000000cf00064c07a65f
28000001a16295cb3fefa22aae49ba83cb3fffd1155724dd42cf00064c12884af50001020003
"""
"""A user as version 0.1 packed one before anybody remembered what users say and do."""

RULE = "{id: talk, in_conversation: 5m}"
SMS = "texted: {category: service, channel: sms, weight: 0.8, message: hello}"


def active(time: str | int, **data: object) -> Wire:
    return ev("user.active", "u", time, **data)


@pytest.mark.parametrize(("shift", "said"), [(-1, "in_conversation talk until 09:05"), (0, "sent"), (1, "sent")])
def test_the_window_ends_exactly_after_its_length(shift, said):
    assert tell(RULE, active("09:00"), ev("a", "u", at("09:05") + shift)) == [said]


def test_it_is_suppressed_not_held_and_the_event_is_the_cause():
    workspace = Workspace(base(RULE))
    [found] = workspace.run(active("09:00"), ev("a", "u", "09:01"))
    assert found.outcome == "suppressed"
    assert found.cause == workspace.state().active[""].id.hex()
    assert len(found.cause) == 24


def test_every_activity_begins_the_window_anew():
    assert tell(RULE, active("09:00"), active("09:04"), ev("a", "u", "09:05")) == ["in_conversation talk until 09:09"]


def test_a_late_activity_counts_at_the_newest_time():
    told = tell(RULE, ev("paid", "u", "10:00"), active("09:00"), ev("a", "u", "10:04"), ev("a", "u", "10:05"))
    assert told == ["in_conversation talk until 10:05", "sent"]


def test_it_gives_no_record_and_a_repetition_is_silent():
    one = active("09:00", id="x")
    workspace = Workspace(base(RULE))
    assert workspace.run(one, {**one, "time": "2026-03-02T09:03:00Z"}) == []
    assert workspace.tell(ev("a", "u", "09:05")) == ["sent"]


def test_it_moves_the_clock():
    workspace = Workspace(base(RULE))
    workspace.run(active("09:00"))
    assert workspace.state().clock_us == at("09:00")
    told = tell(
        RULE + '\n{id: night, quiet_hours: {from: "22:00", to: "08:00"}}',
        ev("a", "u", "23:00"),
        active("tue 08:00"),
    )
    assert told == ["held night until tue 08:00", "sent"], "a release comes first"


def test_nothing_else_counts_as_activity():
    told = tell(
        RULE,
        ev("a", "u", "09:00"),
        *(ev(f"message.{kind}", "u", "09:01") for kind in ("clicked", "converted", "dismissed")),
        ev("paid", "u", "09:02"),
        ev("user.updated", "u", "09:02", plan="pro"),
        ev("user.subscribed", "u", "09:02"),
        ev("b", "u", "09:03"),
    )
    assert told == ["sent", "sent"]


def test_conditions_count_it():
    rules = "[{id: busy, when: \"count('user.active', '10m') >= 2\", skip: true}, {id: seen, when: \"seen('user.active', '1h')\", score: +0.1}]"
    workspace = Workspace(base(rules=rules))
    assert workspace.tell(active("09:00"), ev("a", "u", "09:05"), active("09:06"), ev("a", "u", "09:07")) == [
        "sent",
        "skipped busy",
    ]
    assert workspace.run(ev("a", "u", "10:00"))[0].score == 0.9


def test_it_may_resolve():
    told = tell("{id: r, resolved_by: user.active, within: 1h}", active("09:00"), ev("a", "u", "09:30"))
    assert told == ["resolved r until 10:00"]


@pytest.mark.parametrize(
    ("where", "said"),
    [("chat", "in_conversation talk until 09:05"), (None, "in_conversation talk until 09:05"), ("sms", "sent")],
)
def test_with_channels_only_activity_there_or_nowhere_in_particular_counts(where, said):
    rule = "{id: talk, in_conversation: 5m, channels: [chat]}"
    data = {} if where is None else {"channel": where}
    assert tell(rule, active("09:00", **data), ev("a", "u", "09:01")) == [said]


def test_without_channels_activity_anywhere_counts():
    assert tell(RULE, active("09:00", channel="sms"), ev("a", "u", "09:01")) == ["in_conversation talk until 09:05"]


def test_with_several_channels_the_newest_of_them_counts():
    rule = "{id: talk, in_conversation: 5m, channels: [chat, sms]}"
    story = [active("09:00", channel="chat"), active("09:02", channel="sms"), active("09:01:30", channel="chat")]
    assert tell(rule, *story, ev("a", "u", "09:03")) == ["in_conversation talk until 09:07"]
    chat_only = "{id: talk, in_conversation: 5m, channels: [chat]}"
    story = [active("09:00", channel="chat"), active("09:02", channel="sms")]
    assert tell(chat_only, *story, ev("a", "u", "09:03")) == ["in_conversation talk until 09:05"]


@pytest.mark.parametrize("scope", ["", ", channels: [chat, sms]", ", when: n == 0"])
@pytest.mark.parametrize("order", [("chat", "sms", "chat"), ("chat", "chat", "sms"), ("sms", "chat", "sms")])
def test_the_newest_activity_counts_wherever_it_was_before(scope, order):
    rule = f"{{id: talk, in_conversation: 5m{scope}}}"
    story = [active(f"09:0{minute}", channel=channel) for minute, channel in enumerate(order)]
    assert tell(rule, *story, ev("a", "u", "09:03")) == ["in_conversation talk until 09:07"]


def test_the_message_s_channel_is_in_scope_or_not():
    rule = "{id: talk, in_conversation: 5m, channels: [chat]}"
    assert Workspace(base(rule, events=SMS)).tell(active("09:00"), ev("texted", "u", "09:01")) == ["sent"]


def test_scope_and_conditions_choose():
    rule = "{id: talk, in_conversation: 5m, events: [a], when: n > 1, unless: n > 5}"
    told = tell(rule, active("09:00"), *(ev("a", "u", "09:01", n=n) for n in (1, 2, 6)), ev("b", "u", "09:01", n=2))
    assert told == ["sent", "in_conversation talk until 09:05", "sent", "sent"]


def test_of_several_the_one_that_ends_last_is_named_and_of_equals_the_first():
    rules = "{id: z, in_conversation: 5m}\n{id: b, in_conversation: 5m}\n{id: a, in_conversation: 1m}"
    assert tell(rules, active("09:00"), ev("a", "u", "09:00")) == ["in_conversation b until 09:05"]


def test_always_waives_it():
    events = "must: {channel: chat, weight: 0.8, message: hello, always: true}"
    assert Workspace(base(RULE, events=events)).tell(active("09:00"), ev("must", "u", "09:01")) == ["sent"]


def test_its_place_is_after_inhibitions_and_before_cooldowns():
    rules = RULE + "\n{id: c, cooldown: 6h}\n{id: i, inhibited_by: fire, within: 1h}"
    told = tell(rules, ev("a", "u", "09:00"), active("09:01"), ev("a", "u", "09:02"), ev("fire", "u", "09:30"))
    assert told[1] == "in_conversation talk until 09:06"
    told = tell(rules, ev("fire", "u", "09:00"), active("09:01"), ev("a", "u", "09:02"))
    assert told[1] == "inhibited i until 10:00"


def test_a_held_message_is_asked_at_its_release():
    rules = RULE + '\n{id: night, quiet_hours: {from: "22:00", to: "08:00"}}'
    told = tell(rules, ev("a", "u", "23:00"), active("tue 07:58"), ev("paid", "u", "tue 09:00"))
    assert told == ["held night until tue 08:00", "in_conversation talk until tue 08:03"]


def test_an_explanation_has_its_numbers():
    live = Live(RULE)
    explainer = Explainer(lambda _: True)
    live.engine.decide(live.state, live.event(ev("a", "u", "08:00")), observer=explainer)
    live.decide(active("09:00"))
    live.engine.decide(live.state, live.event(ev("a", "u", "09:01")), observer=explainer)
    quiet, busy = explainer.found
    assert quiet.suppressions[0].numbers == "the user did nothing in 5m"
    [trace] = busy.suppressions
    assert (trace.stops, trace.until_us, trace.cause) == (True, at("09:05"), busy.decision.cause)
    assert trace.numbers == "the user was active at 2026-03-02T09:00:00Z, for 5m"
    assert busy.change == ("talk stops it until 2026-03-02T09:05:00Z: at that time or later",)
    assert [stage.reason for stage in busy.stages if stage.applies] == [Reason.IN_CONVERSATION]


def test_no_more_is_remembered_than_is_asked_for():
    live = Live()
    live.decide(active("09:00"))
    assert live.state.active == {}
    live = Live("{id: one, in_conversation: 5m}\n{id: two, in_conversation: 1h, events: [a]}")
    live.decide(active("09:00", channel="chat"))
    live.decide(ev("paid", "u", at("10:00") - 1))
    live.engine.prune(live.state)
    assert set(live.state.active) == {"chat"}
    live.decide(ev("paid", "u", "10:00"))
    live.engine.prune(live.state)
    assert live.state.active == {}


def test_a_deletion_forgets_it():
    live = Live(RULE)
    live.decide(active("09:00"))
    live.decide(ev("user.deleted", "u", "09:01"))
    live.decide(ev("user.subscribed", "u", "09:02"))
    assert live.tell(ev("a", "u", "09:02")) == ["sent"]


def test_a_window_that_grew_says_from_when_on_it_is_complete():
    before, after = Workspace(base()), Workspace(base(RULE))
    before.run(ev("paid", "u", "09:00"))
    assert "what users say and do" not in before.engine.keep.windows()
    assert after.engine.keep.windows()["what users say and do"] == DAY // 288


def test_it_is_packed_and_an_older_state_is_still_read():
    live = Live(RULE)
    live.decide(active("09:00", channel="sms"))
    assert unpack(pack(live.state)) == live.state
    old = bytes.fromhex(OLD_BLOB)
    state = unpack(old)
    assert (state.settled, state.capped, state.active, len(state.sends), len(state.held)) == (3, {}, {}, 3, 1)
    assert unpack(pack(state)) == state
