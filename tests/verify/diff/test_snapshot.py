"""A state made afterwards is the state that was: the same decisions come of it, and nothing of it is shared."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, note
from hypothesis import strategies as st
from msgspec.structs import replace as replace_id

from botopt.engine.build import build_both
from botopt.model.decision import Decision, Reason
from botopt.model.event import Event, Line
from botopt.model.record import encode_line
from botopt.model.user_state import UserState, pack, unpack
from botopt.sources.envelope import Decoder
from botopt.verify.diff.snapshot import Photographer
from tests.engine.support import CALM, Workspace, base, ev
from tests.engine.test_oracle import policies
from tests.verify.diff.test_laws import examples, timelines
from tests.verify.running import raws
from tests.verify.test_run import told


@examples(60)
@given(policies(), policies(), timelines, st.sampled_from([3, 100]))
def test_a_state_made_afterwards_is_the_state_that_was(rules, others, timeline, every):
    rules, others = replace(rules, effect=0.5), replace(others, effect=0.5)
    note(f"{rules.yaml()}\n----\n{others.yaml()}")
    workspace, events = told(timeline, rules.yaml())
    other, _ = told([], others.yaml())
    old, new = build_both(workspace.engine.policy, other.engine.policy, "reference")
    decoder, photographer = Decoder(old.policy), Photographer(old, new)
    states: dict[str, UserState] = {}
    for number, raw in enumerate(raws(events), 1):
        event, line = decoder.decode(raw, number), Line(number, raw)
        assert isinstance(event, Event)
        state = states.setdefault(event.user, UserState())
        packed = photographer.packed(state, {})
        before = photographer.before(state, {}, event, event.type)
        records = old.decide(state, event, line)
        if not event.type.startswith(("user.", "message.")):
            after = pack(state)
            duplicate = bool(records) and records[-1].reason is Reason.DUPLICATE
            for _ in range(2):
                said = [_told(one) for one in new.decide(before.made(duplicate=duplicate), event, line)]
                assert said == [_told(one) for one in new.decide(unpack(packed), event, line)]
            assert pack(state) == after
        if number % every == 0:
            old.prune(state)


def _told(decision: Decision) -> bytes:
    """Its line. The running number of a duplicate is in its id only, which nobody compares."""
    shown = replace_id(decision, id="") if decision.reason is Reason.DUPLICATE else decision
    return encode_line(shown)


def test_a_message_that_is_released_and_ignored_with_the_event_leaves_no_trace():
    rules = base('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}', f"{CALM}, ignored_after: 1h")
    old, new = build_both(*[Workspace(rules).engine.policy] * 2, "reference")
    decoder, state = Decoder(old.policy), UserState()
    held, later = (
        decoder.decode(raw, 1)
        for raw in raws([ev("a", "u", "23:00", id="held"), ev("b", "u", "tue 12:00", id="later")])
    )
    assert isinstance(held, Event)
    assert isinstance(later, Event)
    old.decide(state, held)
    before = Photographer(old, new).before(state, {}, later, later.type)
    old.decide(state, later)
    after = pack(state)
    assert state.by_type["a"].outcome_count == 1
    new.decide(before.made(duplicate=False), later)
    assert pack(state) == after
