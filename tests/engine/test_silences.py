"""Operators' silences: they come with the event, and are asked between the holdout and the mutes."""

from __future__ import annotations

import pytest

from botopt.engine.explain import Explainer
from botopt.model.decision import Outcome, Reason
from botopt.model.silence import Silence
from tests.engine.support import CALM, Live, at, ev, tell

FIRE = "inc-7"


def silence(id: str = FIRE, until: str | int = "12:00", events: tuple[str, ...] = (), **words: str) -> Silence:
    return Silence(id, events, at("08:00"), at(until), **words)


@pytest.mark.parametrize(("shift", "said"), [(-1, ["silenced inc-7 until 12:00"]), (0, ["sent"]), (1, ["sent"])])
def test_a_silence_ends_exactly_at_its_end(shift, said):
    assert Live().tell(ev("a", "u", at("12:00") + shift), silences=[silence()]) == said


def test_a_silence_has_no_beginning():
    assert Live().tell(ev("a", "u", "01:00"), silences=[silence()]) == ["silenced inc-7 until 12:00"]


def test_it_is_asked_at_the_time_of_the_decision():
    one, other = ev("a", "u", "11:59:59"), ev("a", "u", "11:59:59")
    assert Live().tell(one, "11:59:59", [silence()]) == ["silenced inc-7 until 12:00"]
    assert Live().tell(other, "12:00", [silence()]) == ["sent"]


def test_it_is_about_its_event_types_or_about_all():
    live = Live()
    of_b = [silence(events=("b", "loose"))]
    assert live.tell(ev("a", "u", "09:00"), silences=of_b) == ["sent"]
    assert live.tell(ev("b", "u", "09:00"), silences=of_b) == ["silenced inc-7 until 12:00"]
    assert live.tell(ev("loose", "u", "09:00"), silences=[silence()]) == ["silenced inc-7 until 12:00"]


@pytest.mark.parametrize("order", [1, -1])
def test_the_one_that_ends_last_is_named_and_among_equals_the_first_id(order):
    several = [silence("a", "10:00"), silence("z", "12:00"), silence("m", "12:00"), silence("b", "11:00")]
    assert Live().tell(ev("a", "u", "09:00"), silences=several[::order]) == ["silenced m until 12:00"]


def test_a_silenced_message_leaves_nothing_and_the_event_is_remembered():
    live = Live("{id: c, cooldown: 6h}", rules="[{id: r, when: \"count('a', '1d') > 1\", score: +0.1}]")
    [first] = live.decide(ev("a", "u", "09:00"), silences=[silence()])
    assert (first.outcome, first.cause, first.message) == (Outcome.SUPPRESSED, None, None)
    assert not live.state.sends
    [second] = live.decide(ev("a", "u", "12:00"))
    assert (second.outcome, second.score) == (Outcome.SENT, 0.9)


def test_always_waives_it():
    live = Live(events="must: {channel: chat, weight: 0.8, message: hello, always: true}")
    assert live.tell(ev("must", "u", "09:00"), silences=[silence()]) == ["sent"]


def test_its_place_is_after_the_holdout_and_before_the_mutes():
    muted = "{id: m, mute: always, when: n >= 0}"
    assert Live(muted).tell(ev("a", "u", "09:00"), silences=[silence()]) == ["silenced inc-7 until 12:00"]
    held_out = Live(muted, CALM + ", holdout: 100%")
    assert held_out.tell(ev("a", "u", "09:00"), silences=[silence()]) == ["holdout"]


def test_a_conditional_mute_begins_under_a_silence():
    live = Live("{id: m, mute: 6h, when: n == 1}")
    live.decide(ev("a", "u", "09:00", n=1), silences=[silence()])
    assert live.tell(ev("a", "u", "14:59")) == ["muted m until 15:00"]


NIGHT = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}}'


def test_a_held_message_is_silenced_at_the_time_of_its_release():
    for until, said in (("tue 08:00", "sent"), (at("tue 08:00") + 1, "silenced inc-7 until")):
        live = Live(NIGHT)
        live.decide(ev("a", "u", "23:00"))
        [found] = live.engine.release(live.state, at("tue 08:00"), silences=[silence(until=until)])
        assert (found.reason or "sent") == said.split()[0]
        assert found.time_us == at("tue 08:00")


@pytest.mark.parametrize("kind", ["b", "paid", "user.updated"])
def test_a_message_that_is_due_first_is_silenced_too(kind):
    live = Live(NIGHT)
    live.decide(ev("a", "u", "23:00"))
    told = live.tell(ev(kind, "u", "tue 08:00"), silences=[silence(until="tue 09:00", events=("a",))])
    assert told[0] == "silenced inc-7 until tue 09:00"


def test_feedback_releases_under_the_same_silences():
    live = Live(NIGHT)
    live.decide(ev("b", "u", "09:00"))
    live.decide(ev("a", "u", "23:00"))
    assert live.tell(ev("message.clicked", "u", "tue 08:30"), silences=[silence(until="tue 09:00")]) == [
        "silenced inc-7 until tue 09:00"
    ]


def test_an_explanation_lists_it_with_its_words():
    live = Live("{id: m, mute: always, when: n >= 0}")
    explainer = Explainer(lambda _: True)
    event = live.event(ev("a", "u", "09:00"))
    told = [silence(why="bad prices", who="ana"), silence("over", "09:00")]
    live.engine.decide(live.state, event, observer=explainer, silences=told)
    [found] = explainer.found
    stages = {stage.reason: stage for stage in found.stages}
    assert [stage.reason for stage in found.stages if stage.applies] == [Reason.SILENCED, Reason.MUTED]
    assert stages[Reason.SILENCED].numbers == "inc-7 by ana until 2026-03-02T12:00:00Z: bad prices"
    assert found.change[0] == "silence inc-7 stops it until 2026-03-02T12:00:00Z: at that time or later"


def test_without_one_an_explanation_says_so():
    live = Live()
    explainer = Explainer(lambda _: True)
    live.engine.decide(live.state, live.event(ev("a", "u", "09:00")), observer=explainer)
    [stage] = [stage for stage in explainer.found[0].stages if stage.reason is Reason.SILENCED]
    assert (stage.applies, stage.waived, stage.numbers) == (False, False, "no operator silenced it")


def test_a_replay_does_not_ask():
    assert tell("", ev("a", "u", "09:00")) == ["sent"]
    plan = next(plan for plan in Live().engine.plans() if plan.event_type.name == "a")
    assert Reason.SILENCED in dict(plan.stages)
    assert Reason.SILENCED not in dict(plan.ordinary)
    assert set(dict(plan.stages)) - set(dict(plan.ordinary)) == {Reason.SILENCED, Reason.CAPPED}
