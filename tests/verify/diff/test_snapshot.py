"""A state made afterwards is the state that was: the same decisions come of it, and nothing of it is shared."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, note
from hypothesis import strategies as st

from botopt.engine.build import build_both
from botopt.model.event import Event, Line
from botopt.model.record import encode_line
from botopt.model.user_state import UserState, pack, unpack
from botopt.sources.envelope import Decoder
from botopt.verify.diff.snapshot import before
from tests.engine.test_oracle import policies
from tests.verify.diff.test_laws import examples, timelines
from tests.verify.running import raws
from tests.verify.test_run import told


@examples(80)
@given(policies(), policies(), timelines, st.sampled_from([3, 100]))
def test_a_state_made_afterwards_is_the_state_that_was(rules, others, timeline, every):
    rules, others = replace(rules, effect=0.5), replace(others, effect=0.5)
    note(f"{rules.yaml()}\n----\n{others.yaml()}")
    workspace, events = told(timeline, rules.yaml())
    other, _ = told([], others.yaml())
    old, new = build_both(workspace.engine.policy, other.engine.policy, "reference")
    decoder = Decoder(old.policy)
    states: dict[str, UserState] = {}
    for number, raw in enumerate(raws(events), 1):
        event, line = decoder.decode(raw, number), Line(number, raw)
        assert isinstance(event, Event)
        state = states.setdefault(event.user, UserState())
        packed = pack(state)
        made = before(state, UserState(), event, event, ())
        old.decide(state, event, line)
        if not event.type.startswith(("user.", "message.")):
            after = pack(state)
            for _ in range(2):
                said = [encode_line(one) for one in new.decide(made(), event, line)]
                assert said == [encode_line(one) for one in new.decide(unpack(packed), event, line)]
            assert pack(state) == after
        if number % every == 0:
            old.prune(state)
