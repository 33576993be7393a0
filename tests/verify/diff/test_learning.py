"""Two policies that learn are compared as two replays would be: each has learned from its own messages."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from botopt.model.policy import Policy
from botopt.verify.diff import SEEN, Difference, Kind, Task, compare
from botopt.verify.inputs import Inputs
from tests.engine.support import at
from tests.learning.everything import everything, timeline
from tests.verify.diff import comparing
from tests.verify.test_run import examples

END = at("2026-06-01T09:00:00Z")


def differ(old: Policy, new: Policy, events: list[object], workers: int = 1) -> Difference:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "events.jsonl"
        file.write_bytes(b"\n".join(comparing.raws(events)))
        task = Task(old, new, (), (str(file),), None, END, network="reference")
        with Inputs(task.events) as inputs:
            return compare(task, inputs, workers)


CALMER = replace(everything(), settings=replace(everything().settings, pacing=None, threshold=0.7))
DEAF = replace(
    everything(),
    settings=replace(everything().settings, engagement=replace(everything().settings.engagement, learn=False)),
    scorer=None,
)


def counts_of_two_replays(old: Policy, new: Policy, events: list[object]) -> tuple[dict[str, int], int, int]:
    """What becomes of each event in either replay, compared."""
    before, after = (comparing._ends(policy, events, END) for policy in (old, new))
    kinds: Counter[str] = Counter()
    for place in before.keys() | after.keys():
        kind = comparing._kind(before.get(place), after.get(place))
        if kind is not None:
            kinds[kind] += 1
    sent = [sum(1 for one in found.values() if one.message is not None) for found in (before, after)]
    return dict(kinds), sent[0], sent[1]


@pytest.mark.parametrize("seed", range(3))
def test_a_policy_does_not_differ_from_itself_whatever_it_learned(seed):
    found = differ(everything(), everything(), timeline(seed, 200))
    assert found.decided > 50
    assert found.old.messages > 10
    assert (found.counts, found.samples) == ((), ())
    assert found.old == found.new
    assert found == differ(everything(), everything(), timeline(seed, 200), workers=3)


@examples(6)
@given(st.integers(0, 10_000), st.sampled_from([CALMER, DEAF]), st.booleans())
def test_counts_are_those_of_two_replays_that_learned(seed, other, back):
    old, new = (other, everything()) if back else (everything(), other)
    events = timeline(seed)
    kinds, before, after = counts_of_two_replays(old, new, events)
    found = differ(old, new, events)
    counted = {kind.value: found.count(kind) for kind in (*SEEN, Kind.REASON) if found.count(kind)}
    assert (counted, found.old.messages, found.new.messages) == (kinds, before, after)
