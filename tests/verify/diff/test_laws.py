"""Laws of comparing: whatever the policies and the events are."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from botopt.verify.diff import SEEN, Difference, Kind
from tests.engine.support import HOUR, at
from tests.engine.test_oracle import policies, steps
from tests.verify.diff.comparing import differ, plainly
from tests.verify.test_run import TEMPLATES as WORDS
from tests.verify.test_run import told

END = at("2025-03-28T18:00:00Z") + 300 * HOUR


def examples(number: int) -> settings:
    return settings(
        max_examples=number, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )


def counted(found: Difference) -> dict[str, int]:
    """The counts by kind, without numbers: nothing that a plain look at the ends could tell."""
    return {kind.value: found.count(kind) for kind in (*SEEN, Kind.REASON) if found.count(kind)}


timelines = st.lists(steps(), min_size=15, max_size=50)


@examples(50)
@given(policies(), policies(), timelines)
def test_counts_are_those_of_two_replays(old, new, timeline):
    old, new = replace(old, effect=0.5).yaml(), new.yaml()
    note(old + "\n----\n" + new)
    _, events = told(timeline, old)
    kinds, before, after = plainly((old, WORDS), (new, WORDS), events, END)
    found = differ((old, WORDS), (new, WORDS), events, until=END)
    assert counted(found) == dict(kinds)
    assert (found.old.messages, found.new.messages) == (before, after)
    assert found.count(Kind.GAINED) - found.count(Kind.LOST) == after - before


@examples(15)
@given(policies(), timelines)
def test_a_policy_does_not_differ_from_itself(rules, timeline):
    _, events = told(timeline, rules.yaml())
    found = differ((rules.yaml(), WORDS), (rules.yaml(), WORDS), events, until=END)
    assert (found.counts, found.edits, found.samples) == ((), (), ())
    assert found.old == found.new


@examples(15)
@given(policies(), policies(), timelines)
def test_the_other_way_round_what_was_gained_is_lost(old, new, timeline):
    _, events = told(timeline, old.yaml())
    forth = differ((old.yaml(), WORDS), (new.yaml(), WORDS), events, until=END)
    back = differ((new.yaml(), WORDS), (old.yaml(), WORDS), events, until=END)
    assert forth.count(Kind.GAINED) == back.count(Kind.LOST)
    assert forth.count(Kind.LOST) == back.count(Kind.GAINED)
    for kind in (Kind.MOVED, Kind.REROUTED, Kind.REWORDED, Kind.REASON):
        assert forth.count(kind) == back.count(kind)
    assert (forth.old, forth.new, forth.decided) == (back.new, back.old, back.decided)


@examples(8)
@given(policies(), policies(), timelines, st.sampled_from([2, 3]))
def test_any_number_of_processes_finds_the_same(old, new, timeline, workers):
    _, events = told(timeline, old.yaml())
    spread = [{**event, "user": f"{event['user']}{number % 7}"} for number, event in enumerate(events)]
    lines = [b"{", *spread, b'{"id": 1}', b""]
    one = differ((old.yaml(), WORDS), (new.yaml(), WORDS), lines)
    assert differ((old.yaml(), WORDS), (new.yaml(), WORDS), lines, workers=workers) == one


@examples(20)
@given(policies(), policies(), timelines)
def test_every_consequence_goes_back_to_an_edit(old, new, timeline):
    _, events = told(timeline, old.yaml())
    found = differ((old.yaml(), WORDS), (new.yaml(), WORDS), events, until=END)
    for change in found.samples:
        assert change.edits
        assert bool(change.chain) is not change.direct
