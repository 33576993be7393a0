"""A failure may say that the provider takes nothing more for this user on this channel until some time."""

from __future__ import annotations

import msgspec
import pytest

from botopt.engine.explain import Explainer
from botopt.model.decision import Outcome, Reason
from botopt.model.instants import instant_text
from botopt.model.user_state import ProviderCap, UserState, pack, unpack
from tests.engine.support import CALM, Live, Wire, Workspace, at, base, ev, tell

SMS = "texted: {category: service, channel: sms, weight: 0.8, message: hello}"


def failed(time: str | int, until: str | int | None, **data: object) -> Wire:
    more = {} if until is None else {"capped_until": instant_text(at(until))}
    return ev("message.failed", "u", time, **more, **data)


@pytest.mark.parametrize(("shift", "said"), [(-1, "capped provider until 12:00"), (0, "sent"), (1, "sent")])
def test_a_cap_ends_exactly_at_its_end(shift, said):
    assert tell("", ev("a", "u", "09:00"), failed("09:01", "12:00"), ev("b", "u", at("12:00") + shift))[1] == said


def test_the_failed_message_is_the_cause_and_counts_nowhere():
    workspace = Workspace(base("{id: c, cooldown: 6h}", CALM + ", ignored_after: 1h"))
    sent, capped, later = workspace.run(
        ev("a", "u", "09:00"), failed("09:01", "10:30"), ev("a", "u", "10:00"), ev("a", "u", "10:30")
    )
    assert (capped.reason, capped.by, capped.cause) == (Reason.CAPPED, "provider", sent.id)
    assert (capped.outcome, later.outcome) == (Outcome.SUPPRESSED, Outcome.SENT)
    assert workspace.state().total.outcome_count == 0, "it is not ignored"


def test_a_cap_is_about_the_channel_of_that_message():
    workspace = Workspace(base(events=SMS))
    told = workspace.tell(
        ev("texted", "u", "09:00"),
        failed("09:01", "12:00"),
        ev("a", "u", "09:02"),
        ev("texted", "u", "09:03"),
        failed("09:04", "13:00", event_type="a"),
        ev("a", "u", "12:30"),
        ev("texted", "u", "12:30"),
    )
    assert told == ["sent", "sent", "capped provider until 12:00", "capped provider until 13:00", "sent"]


def test_the_channel_that_a_rule_chose_is_asked():
    workspace = Workspace(base(rules="[{id: r, when: n > 5, channel: sms}]"))
    told = workspace.tell(
        ev("a", "u", "09:00"), failed("09:01", "12:00"), ev("a", "u", "09:02", n=6), ev("a", "u", "09:03", n=1)
    )
    assert told == ["sent", "sent", "capped provider until 12:00"]


def test_always_waives_it():
    events = "must: {channel: chat, weight: 0.8, message: hello, always: true}"
    told = Workspace(base(events=events)).tell(
        ev("a", "u", "09:00"), failed("09:01", "12:00"), ev("must", "u", "09:02")
    )
    assert told == ["sent", "sent"]


@pytest.mark.parametrize("until", [None, "09:00", "09:01"])
def test_an_end_that_is_not_later_than_now_caps_nothing(until):
    workspace = Workspace(base())
    workspace.run(ev("a", "u", "09:00"), failed("09:01", until))
    assert workspace.state().capped == {}
    assert workspace.tell(ev("a", "u", "09:01")) == ["sent"]


def test_one_microsecond_later_it_does():
    assert tell("", ev("a", "u", "09:00"), failed("09:01", at("09:01") + 1), ev("a", "u", "09:01"))[1].startswith(
        "capped"
    )


def test_now_is_the_user_s_clock():
    live = Live()
    live.decide(ev("a", "u", "09:00"))
    live.decide(failed("09:01", "09:05"), "09:05")
    assert live.state.capped == {}


@pytest.mark.parametrize("ends", [("12:00", "13:00"), ("13:00", "12:00")])
def test_of_several_the_longest_counts(ends):
    told = tell(
        "",
        ev("a", "u", "09:00"),
        ev("b", "u", "09:00"),
        *(
            failed(f"09:0{number}", end, event_type=kind)
            for number, (end, kind) in enumerate(zip(ends, "ab", strict=True))
        ),
        ev("a", "u", "09:30"),
    )
    assert told[-1] == "capped provider until 13:00"


def test_told_again_about_one_message_it_counts_again():
    told = tell(
        "",
        ev("a", "u", "09:00"),
        failed("09:01", None),
        *([{**failed("09:02", "12:00"), "data": {"capped_until": "2026-03-02T12:00:00Z", "message_id": "x"}}]),
        ev("a", "u", "09:03"),
    )
    assert told == ["sent", "rejected message_id", "sent"], "an unknown message is refused, and caps nothing"
    workspace = Workspace(base())
    [sent] = workspace.run(ev("a", "u", "09:00"))
    workspace.run(failed("09:01", None))
    workspace.run(failed("09:02", "12:00", message_id=sent.id))
    assert workspace.tell(ev("a", "u", "09:03")) == ["capped provider until 12:00"]


def test_beside_a_limit_the_one_that_ends_last_is_named():
    rule = "{id: few, limit: 1, within: 2h}"
    first = [ev("a", "u", "09:00"), ev("b", "u", "09:30"), failed("09:31", "12:00", event_type="a")]
    assert tell(rule, *first, ev("a", "u", "10:00"))[-1] == "capped provider until 12:00"
    told = tell(rule, ev("a", "u", "09:00"), failed("09:01", "10:00"), ev("fire", "u", "10:00"), ev("a", "u", "10:01"))
    assert told[-1] == "capped few until 12:00"


def test_its_place_is_after_the_cooldowns():
    told = tell(
        "{id: c, cooldown: 6h, per: [user]}",
        ev("a", "u", "09:00"),
        ev("fire", "u", "16:00"),
        failed("16:01", "20:00", event_type="a"),
        ev("a", "u", "17:00"),
    )
    assert told[-1] == "cooldown c until 22:00"


def test_a_held_message_is_asked_at_its_release():
    night = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}}'
    told = tell(
        night, ev("a", "u", "21:00"), ev("b", "u", "23:00"), failed("23:30", "tue 09:00"), ev("paid", "u", "tue 08:00")
    )
    assert told[-1] == "capped provider until tue 09:00"


def test_an_explanation_says_it_beside_full_limits():
    live = Live("{id: few, limit: 1, within: 2h}")
    live.decide(ev("a", "u", "09:00"))
    live.decide(ev("b", "u", "11:30"))
    live.decide(failed("11:40", "12:00", event_type="a"))
    explainer = Explainer(lambda _: True)
    live.engine.decide(live.state, live.event(ev("a", "u", "11:45")), observer=explainer)
    [found] = explainer.found
    [stage] = [stage for stage in found.stages if stage.reason is Reason.CAPPED]
    assert stage.numbers == "few: 1 of 1 sent in 2h; provider: chat takes nothing more until 2026-03-02T12:00:00Z"
    live = Live()
    live.decide(ev("a", "u", "09:00"))
    live.decide(failed("09:01", "12:00"))
    live.engine.decide(live.state, live.event(ev("a", "u", "09:02")), observer=explainer)
    assert explainer.found[-1].change == ("the provider stops it until 2026-03-02T12:00:00Z: at that time or later",)


def test_what_is_over_is_forgotten_and_a_deletion_forgets_all():
    live = Live()
    live.decide(ev("a", "u", "09:00"))
    live.decide(failed("09:01", "12:00"))
    live.decide(ev("paid", "u", at("12:00") - 1))
    live.engine.prune(live.state)
    assert set(live.state.capped) == {"chat"}
    live.decide(ev("paid", "u", "12:00"))
    live.engine.prune(live.state)
    assert live.state.capped == {}
    live.decide(ev("a", "u", "12:00"))
    live.decide(failed("12:01", "13:00", event_type="a"))
    live.decide(ev("user.deleted", "u", "12:02"))
    assert live.state.capped == {}


def test_it_is_packed_and_an_older_state_is_still_read():
    state = UserState(clock_us=5, capped={"chat": ProviderCap(9, b"x")})
    assert unpack(pack(state)) == state
    fields = msgspec.msgpack.decode(pack(UserState(clock_us=5, settled=3)))
    assert len(fields) == len(UserState.__struct_fields__)
    before = UserState.__struct_fields__.index("settled") + 1
    old = msgspec.msgpack.encode(fields[:before])
    assert unpack(old) == UserState(clock_us=5, settled=3)


def test_the_channel_on_which_it_failed_is_capped_and_not_the_message_s_own():
    workspace = Workspace(base(events=SMS))
    told = workspace.tell(
        ev("texted", "u", "09:00"),
        failed("09:01", "12:00", channel="chat"),
        ev("texted", "u", "09:02"),
        ev("a", "u", "09:03"),
    )
    assert told == ["sent", "sent", "capped provider until 12:00"]


def test_a_message_that_another_channel_took_over_counts_as_before():
    workspace = Workspace(base("{id: c, cooldown: 6h}"))
    told = workspace.tell(
        ev("a", "u", "09:00"),
        failed("09:01", "19:00", handed_over=True),
        ev("a", "u", "09:02"),
        ev("a", "u", "16:00"),
    )
    assert told == ["sent", "cooldown c until 15:00", "capped provider until 19:00"]


def test_a_failure_that_another_channel_makes_good_keeps_no_end_from_being_heard():
    workspace = Workspace(base("{id: c, cooldown: 6h}"))
    told = workspace.tell(
        ev("a", "u", "09:00"), failed("09:01", "09:30", handed_over=True), failed("09:02", None), ev("a", "u", "10:00")
    )
    assert told == ["sent", "sent"]
