"""What was learned of all users is the same at every line: for one process and many, in one go and in pieces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botopt.learning.keeping import LEARNED_KEY, LESSONS_KEY, read
from botopt.learning.lessons import ONE
from botopt.model.ports import UserRow
from botopt.model.user_state import unpack
from botopt.sources.envelope import Decoder
from botopt.state.memory import MemoryStore
from botopt.state.sqlite import SqliteStore, open_state
from botopt.verify.boundaries import Boundaries
from botopt.verify.explaining import explain_event
from botopt.verify.replay import Replay
from tests.engine.support import HOUR, Wire, Workspace, at, base, ev, lines
from tests.learning.everything import engine, timeline
from tests.learning.test_learner import learner
from tests.verify.running import in_lines, plainly
from tests.verify.test_run import examples

seeds = st.integers(0, 10_000)


def learned(store: MemoryStore) -> Mapping[str, object]:
    """What the state says of all users."""
    found = read(store.meta())
    assert found is not None
    return {"kept": msgspec.to_builtins(found[0]), "since": msgspec.to_builtins(found[1])}


@examples(40)
@given(seeds, st.sampled_from([1, 3, 60]), st.sampled_from([1, 8, 99]))
def test_lines_say_what_the_engine_decides_with_everything_on(seed, block, batch):
    events = timeline(seed)
    assert in_lines(engine(), events, block=block, batch=batch) == plainly(engine(), events)


@examples(12)
@given(seeds, st.sampled_from([2, 3, 8]), st.sampled_from([1, 4, 60]), st.sampled_from([1, 8, 99]))
def test_any_number_of_processes_learns_the_same(seed, workers, block, batch):
    events = timeline(seed)
    one, many = MemoryStore(), MemoryStore()
    first = in_lines(engine(), events, block=block, batch=batch, state=(None, one))
    second = in_lines(engine(), events, workers=workers, block=block, batch=batch, state=(None, many))
    assert (second.records, second.rejected, second.summary) == (first.records, first.rejected, first.summary)
    assert learned(many) == learned(one)


def test_a_timeline_has_something_for_every_learner():
    records = [json.loads(line) for seed in range(8) for line in plainly(engine(), timeline(seed)).records.splitlines()]
    parts = {part["part"] for record in records for part in record["parts"]}
    purposes = {choice["purpose"] for record in records for choice in record["choices"]}
    reasons = {record["reason"] for record in records}
    assert {"engagement", "scorer", "explore"} <= parts
    assert {"experiment early", "variant", "explore"} <= purposes
    assert any("hour" in purpose or "send" in purpose for purpose in purposes)
    assert {"paced", "send_time", "quiet_hours"} <= reasons
    assert len({record["snapshot"] for record in records}) > 20


def with_a_wrong_clock(seed: int, number: int = 60) -> list[Wire | bytes]:
    """In the middle of a timeline, some lines in a row of one user far ahead."""
    events = timeline(seed, wild=False)
    far = [ev("a", "u1", at("2099-01-01T00:00:00Z") + each, id=f"far{each}", n=1) for each in range(number)]
    return [*events[:60], *far, *events[60:]]


@examples(6)
@given(seeds, st.sampled_from([2, 3]), st.sampled_from([1, 7, 60]))
def test_the_clock_of_one_user_moves_nobodys_with_any_number_of_processes(seed, workers, block):
    one, many = MemoryStore(), MemoryStore()
    in_lines(engine(), with_a_wrong_clock(seed), until=LONG_AGO, state=(None, one))
    in_lines(engine(), with_a_wrong_clock(seed), until=LONG_AGO, workers=workers, block=block, state=(None, many))
    assert learned(many) == learned(one)
    found = read(one.meta())
    assert found is not None
    assert max(found[0].clock_us, found[0].faded_us) < at("2027-01-01T00:00:00Z")
    assert found[1].met


# ---------------------------------------------------------------- in pieces


LONG_AGO = at("2026-01-01T00:00:00Z")


def state(store: SqliteStore | MemoryStore) -> object:
    return {row.user: row.state for row in store.users()}, learned(store)


@examples(15)
@given(seeds, st.integers(1, 119))
def test_a_second_run_on_the_same_state_goes_on_as_if_there_had_been_one(seed, cut):
    events = timeline(seed)
    whole, pieces = MemoryStore(), MemoryStore()
    one = in_lines(engine(), events, until=LONG_AGO, state=(None, whole))
    first = in_lines(engine(), events[:cut], until=LONG_AGO, state=(None, pieces))
    second = in_lines(engine(), events[cut:], until=LONG_AGO, state=(None, pieces))
    without_line = lambda text: [{**json.loads(line), "line": None, "id": None} for line in text.splitlines()]  # noqa: E731
    assert without_line(first.records + second.records) == without_line(one.records)
    assert state(pieces) == state(whole)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_with_a_state_file_any_number_of_processes_leaves_the_same(tmp_path, workers):
    events = timeline(7, 400)
    expected = in_lines(engine(), events, block=20, batch=50)
    path = tmp_path / "state.db"
    before, after = events[:200], events[200:]
    found = b""
    for some in (before, after):
        with open_state(path, create=True, read_only=False) as store:
            left = in_lines(engine(), some, until=LONG_AGO, workers=workers, block=20, batch=50, state=(path, store))
            found += left.records
            known = learned(store)
    with open_state(path, create=False, read_only=True) as store:
        assert learned(store) == known
        assert store.check() is None
    again = MemoryStore()
    plain = in_lines(engine(), before, until=LONG_AGO, state=(None, again)).records
    plain += in_lines(engine(), after, until=LONG_AGO, state=(None, again)).records
    assert found == plain
    assert known == learned(again)
    assert len(expected.records) > 1000


def test_a_policy_that_does_not_learn_leaves_what_was_learned_alone():
    store = MemoryStore()
    in_lines(engine(), timeline(1), state=(None, store))
    before = {key: store.meta()[key] for key in (LEARNED_KEY, LESSONS_KEY)}
    calm = Workspace(base()).engine
    in_lines(calm, [ev("a", "u1", "2026-06-01T09:00:00Z")], state=(None, store))
    assert {key: store.meta()[key] for key in (LEARNED_KEY, LESSONS_KEY)} == before


def test_a_policy_that_does_not_learn_writes_nothing_of_it():
    store = MemoryStore()
    in_lines(Workspace(base()).engine, [ev("a", "u1", "09:00")], state=(None, store))
    assert not {LEARNED_KEY, LESSONS_KEY} & store.meta().keys()


# ---------------------------------------------------------------- switched off, and on again


def at_hours(kind: str, hours: range) -> list[Wire]:
    """Of all users, each hour."""
    return [
        ev(kind, f"u{user}", at("2026-03-02T09:00:00Z") + hour * HOUR, id=f"{kind} {user} {hour}")
        for hour in hours
        for user in range(8)
    ]


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
@pytest.mark.parametrize("waited", [2, 30])
@pytest.mark.parametrize("restart", [False, True])
def test_what_is_answered_while_nothing_is_learned_is_counted_when_learning_goes_on(tmp_path, workers, waited, restart):
    """Every message that was sent with a lesson is clicked under a policy that learns nothing."""
    path = tmp_path / "state.db"
    calm = Workspace(base()).engine
    clicks = at_hours("message.clicked", range(waited, waited + 1))
    runs = [
        (engine(), at_hours("fire", range(1))),
        *((calm, some) for some in ([clicks[:3], clicks[3:]] if restart else [clicks])),
        (engine(), at_hours("paid", range(waited + 1, waited + 90))),
    ]
    known = None
    for its, events in runs:
        with open_state(path, create=True, read_only=False) as store:
            if workers:
                in_lines(its, events, until=LONG_AGO, workers=workers, block=5, batch=9, state=(path, store))
            else:
                list(Replay(its, Decoder(its.policy), store, batch=7).run(lines(events), until_us=LONG_AGO))
            found = read(store.meta())
            assert found is not None
            if its is calm:  # nothing but answers was taken down
                assert found[0] == known
                assert found[1].lessons.counts
            known = found[0]
    sent = sum(bool(unpack(row.state).sends) for row in rows_of(path))
    counts = known.base.counts
    assert sent > 4
    assert counts["y\0fire"] == pytest.approx(counts["n\0fire"], rel=1e-6)
    assert 0.85 * sent < counts["n\0fire"] / ONE <= sent
    assert not any(any(each.values()) for each in known.base.waiting.values())


def rows_of(path: Path) -> list[UserRow]:
    with open_state(path, create=False, read_only=True) as store:
        return list(store.users())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_policy_that_does_not_learn_decides_the_same_whatever_was_learned_before(workers):
    calm, before = Workspace(base()).engine, MemoryStore()
    in_lines(engine(), timeline(1), state=(None, before))
    events = [
        ev(kind, f"v{user}", f"{hour:02}:00") for hour in range(9, 22) for user in range(3) for kind in ("a", "b")
    ]
    after, never = (
        in_lines(calm, events, workers=workers, until=LONG_AGO, state=(None, store))
        for store in (before, MemoryStore())
    )
    assert (after.records, after.summary["outcomes"]) == (never.records, never.summary["outcomes"])


def test_what_cannot_be_read_is_left_alone_by_a_policy_that_does_not_learn():
    calm, store = Workspace(base()).engine, MemoryStore()
    store.commit([], meta={LEARNED_KEY: "?"})
    in_lines(calm, [ev("a", "u", "09:00")], state=(None, store))
    assert store.meta()[LEARNED_KEY] == "?"


# ---------------------------------------------------------------- boundaries in lines


@examples(60)
@given(seeds, st.sampled_from([1, 7, 40]))
def test_times_read_as_texts_find_the_boundaries_that_decoding_finds(seed, size):
    decoder = Decoder(engine().policy)
    raws = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in timeline(seed)]
    for change in (lambda raw: raw, lambda raw: raw.replace(b'"time": "', b'"time":"'), odd):
        texts_of, decoded = learner(), learner()
        boundaries = Boundaries(texts_of, decoder.decode)
        found, expected = [], []
        changed = [change(raw) for raw in raws]
        for begin in range(0, len(changed), size):
            some = changed[begin : begin + size]
            texts = boundaries.texts(some)
            place = None if texts is None else boundaries.next(some, texts, 0, begin + 1)
            while place is not None:
                found.append((begin + place[0], place[1]))
                texts_of.turn(place[1])
                place = boundaries.next(some, texts, place[0] + 1, begin + 1)
            texts_of.lines += len(some)
        for number, raw in enumerate(changed):
            event = decoder.decode(raw, number + 1)
            time_us = getattr(event, "time_us", None)
            if hasattr(event, "data") and decoded.is_boundary(event.user, time_us, decoded.lines):
                expected.append((number, time_us))
                decoded.turn(time_us)
            decoded.lines += 1
        assert found == expected
        assert texts_of.since() == decoded.since()


def odd(raw: bytes) -> bytes:
    """The same line in a form that is seldom seen, where its number is odd."""
    if raw.count(b'"time"') != 1 or not raw.startswith(b'{"id"'):
        return raw
    match sum(raw) % 6:
        case 0:
            return raw.replace(b'"time"', b'"t\\u0069me"')
        case 1:
            return raw.replace(b'Z"', b'+00:00"')
        case 2:
            return raw.replace(b'Z"', b'z"')
        case 3:
            return raw.replace(b'"data": {', b'"data": {"time": "1999-01-01T00:00:00Z", ')
        case 4:
            return raw.replace(b"00Z", b"60Z")
        case _:
            return raw.replace(b"00Z", b"00.123456789Z")


def test_rejected_and_repeated_events_are_boundaries_like_others():
    begin = ev("a", "u1", "09:30", id="e1")
    refused = ev("a", "u2", "10:10", id="e2", n="no number")
    gone = [ev("user.deleted", "u3", "09:31", id="d"), ev("a", "u3", "11:10", id="e3")]
    again = [{**begin}, ev("a", "u1", "12:10", id="e4"), ev("a", "u1", "12:10", id="e4")]
    events = [begin, gone[0], refused, gone[1], *again, ev("a", "u4", "13:10", id="e5")]
    stores = [MemoryStore() for _ in range(3)]
    for workers, store in enumerate(stores, 1):
        in_lines(engine(), events, workers=workers, block=3, state=(None, store))
    assert learned(stores[0]) == learned(stores[1]) == learned(stores[2])
    kept, _ = read(stores[0].meta())
    assert [dated.from_us for dated in kept.past] == [at(time) for time in ("09:30", "11:10", "12:10", "13:10")]


# ---------------------------------------------------------------- explanations


def test_an_explanation_has_learned_from_everybody_before():
    events = timeline(3, 300, wild=False)
    records = [json.loads(line) for line in plainly(engine(), events).records.splitlines()]
    last = [one for one in records if one["outcome"] == "sent" and one["message"]][-1]
    explained = explain_event(
        engine(), Decoder(engine().policy), MemoryStore(), lines(events), last["event_id"], last["user"]
    )
    [*_, explanation] = explained.explanations
    assert explanation.decision.snapshot == last["snapshot"]
    assert explanation.decision.score == last["score"]
