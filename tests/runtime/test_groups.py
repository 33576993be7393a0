"""However what waits falls into groups, the same is decided, remembered and sent: as by the engine alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.data_files import data_dir
from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.event import Event, Line
from botopt.model.live import DecisionQuery, OutboxRow
from botopt.model.policy import FEEDBACK_TYPES
from botopt.model.record import decode_line
from botopt.model.user_state import UserState, pack
from botopt.runtime.intake import Bounds
from botopt.sources.envelope import Decoder
from tests.runtime.fakes import FakeStore
from tests.runtime.making import DAY, HOUR, MINUTE, NOON, SECOND, Bench, starter

USERS = ("ada", "bob", "carl")
Arrival = tuple[int, Event]


@lru_cache(maxsize=1)
def pool() -> tuple[Event, ...]:
    """One event of each type that happens in the example, and something of every other kind."""
    decoder = Decoder(starter().policy)
    lines = (data_dir("examples") / "events.jsonl").read_bytes().splitlines()
    read = [decoder.decode(line, number) for number, line in enumerate(lines, 1)]
    found = {event.type: event for event in read if isinstance(event, Event)}
    for name in (*FEEDBACK_TYPES, "user.unsubscribed", "user.subscribed", "user.deleted", "user.active"):
        found.setdefault(name, Event("x", "", name, "x", 0))
    return tuple(found[name] for name in sorted(found))


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    """When events come in, and which: some late, some twice, some ahead of our clock."""
    gaps = st.sampled_from((0, 1, SECOND, 5 * MINUTE, HOUR, 5 * HOUR, 11 * HOUR, DAY))
    shifts = st.sampled_from((0, 0, -MINUTE, -3 * DAY, 2 * MINUTE))
    found: list[Arrival] = []
    at_us = NOON
    for number in range(draw(st.integers(1, 25))):
        at_us += draw(gaps)
        like = draw(st.sampled_from(pool()))
        again = draw(st.booleans()) and draw(st.booleans()) and number
        event = Event(
            f"e{draw(st.integers(0, number - 1)) if again else number}",
            "",
            like.type,
            draw(st.sampled_from(USERS)),
            at_us + draw(shifts),
            like.data,
        )
        found.append((at_us, event))
    return found


def alone(given: Sequence[Arrival], end_us: int) -> tuple[dict[str, list[Decision]], dict[str, bytes]]:
    """What the engine says, one event after another, with nothing around it."""
    engine = starter().engine
    states = {user: UserState() for user in USERS}
    told: dict[str, list[Decision]] = {user: [] for user in USERS}
    for at_us, event in given:
        told[event.user] += engine.decide(states[event.user], event, Line(), at_us=at_us)
    for user in USERS:
        told[user] += engine.release(states[user], end_us)
        engine.prune(states[user])
    return told, {user: pack(state) for user, state in states.items() if state != UserState()}


def grouped(
    given: Sequence[Arrival], end_us: int, cuts: Sequence[int], group: int, most_users: int, careful: bool
) -> tuple[Bench, dict[str, list[Decision]]]:
    """The same through a writer: `cuts` say after how many arrivals it gets its turn."""
    bench = Bench(serving=starter(), bounds=Bounds(group=group), most_users=most_users)
    if careful:
        bench.writer._groups._attempt = bench.writer._groups._carefully
    for number, (at_us, event) in enumerate(given):
        bench.put(event, at_us=at_us)
        if number in cuts:
            bench.clock.now_us = at_us
            bench.writer.step()
    bench.clock.now_us = end_us
    bench.run()
    told: dict[str, list[Decision]] = {user: [] for user in USERS}
    for row in reversed(bench.store.decisions(DecisionQuery(limit=10_000))):
        told[str(row.user)].append(decode_line(row.record))
    return bench, told


def comparable(told: dict[str, list[Decision]]) -> dict[str, tuple[list[Decision], list[Decision]]]:
    """What was decided, and what was refused or came twice: that changes no state, so it may stand anywhere.

    Refusals have ids of their own wherever they are made.
    """
    replace = msgspec.structs.replace
    found = {}
    for user, decisions in told.items():
        refused = [one for one in decisions if one.reason in (Reason.REJECTED, Reason.DUPLICATE)]
        decided = [one for one in decisions if one not in refused]
        nameless = [replace(one, id="", line=None) if one.outcome is Outcome.REJECTED else one for one in refused]
        found[user] = decided, nameless
    return found


def sendings(store: FakeStore) -> dict[str, OutboxRow]:
    return dict(sorted(store.messages.items()))


@settings(max_examples=1_500 if os.environ.get("BOTOPT_SOAK") else 80, deadline=None)
@given(arrivals(), st.sets(st.integers(0, 24)), st.integers(1, 6), st.sampled_from((1, 2, 10_000)), st.booleans())
def test_any_groups_give_what_the_engine_alone_gives(given, cuts, group, most_users, careful) -> None:
    end_us = given[-1][0] + 2 * DAY
    expected, states = alone(given, end_us)
    one, told_one = grouped(given, end_us, range(25), 1, 10_000, careful=False)
    many, told = grouped(given, end_us, sorted(cuts), group, most_users, careful)
    assert comparable(told) == comparable(told_one) == comparable(expected)
    for bench in (one, many):
        assert {row.user: row.state for row in bench.store.users()} == states
        assert not bench.faults
    assert sendings(many.store) == sendings(one.store)
    sent = [decision for decisions in expected.values() for decision in decisions if decision.message is not None]
    assert sorted(many.store.messages) == sorted(decision.id for decision in sent)
