"""Held messages of many users who do not come by: decided in pages, in one order, whatever fits into memory."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botopt.learning.learner import Learner
from botopt.model.event import Event
from botopt.model.record import encode_line
from botopt.model.user_state import Held, UserState, pack
from botopt.state.memory import MemoryStore
from botopt.state.user_rows import row
from botopt.verify import releasing
from botopt.verify.holding import Holding, held_in
from botopt.verify.population import Population
from tests.engine.support import HOUR, MINUTE, Wire, at, ev
from tests.learning.everything import engine, timeline
from tests.verify.running import in_lines, plainly
from tests.verify.test_run import examples

NIGHT = at("2026-03-02T23:00:00Z")


def sleeping(number: int, seed: int = 0) -> MemoryStore:
    """Users with one to three held messages each, some of which are held anew when they are decided."""
    chance = random.Random(seed)
    rows = []
    for each in range(number):
        held = [
            Held(
                NIGHT + chance.randrange(0, 12 * 60, 20) * MINUTE, NIGHT, 1, Event(f"h{n}", "", kind, f"u{each}", NIGHT)
            )
            for n, kind in enumerate(chance.choices(("fire", "loose", "extra"), k=chance.randrange(1, 4)))
        ]
        rows.append(row(f"u{each}", UserState(clock_us=NIGHT, held=held)))
    store = MemoryStore()
    store.commit(rows, meta={"version": "1"})
    return store


class Watched(Population):
    """Counts how many are unpacked."""

    most = 0

    def load(self, users):
        super().load(users)
        self.most = max(self.most, len(self.states))


def released(store: MemoryStore, until_us: int, memory: int = 1 << 30) -> tuple[list[bytes], Watched]:
    population, holding = Watched(engine(), store, memory), Holding()
    holding.add(held_in(store))
    learner = Learner(engine().policy)
    found = [
        (one.due_us, one.user, encode_line(one.decision))
        for one in holding.release(engine(), population, until_us, learner.learned)
    ]
    assert [one[:2] for one in found] == sorted(one[:2] for one in found)
    assert all(due_us > until_us for due_us in holding.due.values())
    return [line for _, _, line in found], population


@pytest.mark.parametrize("hours", [3, 20])
def test_a_page_of_users_is_unpacked_and_no_more(monkeypatch, hours):
    store = sleeping(300)
    expected, whole = released(store, NIGHT + hours * HOUR)
    assert whole.most > 100
    monkeypatch.setattr(releasing, "PAGE", 7)
    found, population = released(store, NIGHT + hours * HOUR)
    assert found == expected
    assert population.most <= 7
    assert not population.states
    assert population.rows() == whole.rows()


def test_users_who_rest_come_back_as_they_were_and_stay_until_they_are_committed(monkeypatch):
    monkeypatch.setattr(releasing, "PAGE", 7)
    store = sleeping(60)
    _, population = released(store, NIGHT + 20 * HOUR, 0)
    assert population.crowded
    population.committed()  # of an earlier batch
    rows = population.rows()
    assert len(rows) == 60
    again = {one.user: population.bring(one.user) for one in rows}
    assert {user: pack(state) for user, state in again.items()} == {one.user: one.state for one in rows}
    population.rest(again)
    population.forget(population.rows())
    assert not population.crowded
    population.committed()
    assert population.bring("u1") is None  # it left


def test_whoever_was_at_hand_stays_at_hand(monkeypatch):
    monkeypatch.setattr(releasing, "PAGE", 7)
    store = sleeping(60)
    population, holding = Population(engine(), store), Holding()
    holding.add(held_in(store))
    population.load({"u3", "u4"})
    learner = Learner(engine().policy)
    assert list(holding.release(engine(), population, NIGHT + 20 * HOUR, learner.learned))
    assert population.states.keys() == {"u3", "u4"}


def nights(seed: int) -> list[Wire | bytes]:
    """A timeline, with nights before which many hold something, and then are not heard of."""
    chance = random.Random(seed)
    events = timeline(seed, 60)
    for night in range(3):
        begin = NIGHT + night * 24 * HOUR
        events += [ev("fire", f"q{chance.randrange(40)}", begin + n, id=f"n{night} {n}") for n in range(30)]
        events += [ev("paid", f"w{hour}", begin + hour * 2 * HOUR, id=f"w{night} {hour}") for hour in range(1, 12)]
    return events


@examples(8)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3]), st.sampled_from([0, 1 << 20]))
def test_pages_of_any_size_leave_the_same(seed, workers, memory):
    events = nights(seed)
    expected = plainly(engine(), events)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(releasing, "PAGE", 3)
        assert plainly(engine(), events) == expected
        found = in_lines(engine(), events, workers=workers, block=8, batch=20, memory=memory)
    assert (found.records, found.rejected, found.summary) == (expected.records, expected.rejected, expected.summary)
    if workers == 1:
        assert found.users == expected.users
