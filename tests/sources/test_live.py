"""Events of a live service: read as strictly as lines, and not from the future."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.engine.build import build
from botopt.model.event import Event, Line, Rejected, line_digest, request_digest
from botopt.model.user_state import UserState
from botopt.sources.envelope import Decoder
from botopt.sources.instants import LATEST_AHEAD_US
from tests.sources.helpers import AT_US, GOOD, GOOD_CLOUD, POLICY, cloud, decode, line, native, of

MINUTE = 60_000_000


def live(raw: bytes, received_us: int = AT_US, place: int = 1) -> Event | Rejected | None:
    return Decoder(POLICY).decode_live(raw, received_us=received_us, place=place)


def read(envelope: dict[str, object], received_us: int = AT_US, place: int = 1) -> Event | Rejected:
    return Decoder(POLICY).read(envelope, received_us=received_us, place=place)


def refused(found: Event | Rejected | None) -> Rejected:
    assert isinstance(found, Rejected), found
    return found


@pytest.mark.parametrize("raw", [native(), cloud(), native(data={"amount": 5, "x": 1}), of("ping"), native(data=None)])
def test_an_event_is_that_of_a_line(raw):
    wanted = decode(raw)
    if isinstance(wanted, Event):
        assert live(raw) == read(json.loads(raw)) == wanted
    else:
        assert refused(live(raw)).detail == refused(read(json.loads(raw))).detail == refused(wanted).detail


@pytest.mark.parametrize("raw", [b"", b"  ", b"\n", b"\xef\xbb\xbf"])
def test_a_blank_text_is_nothing(raw):
    assert live(raw) is None


@pytest.mark.parametrize("good", [GOOD, GOOD_CLOUD])
@pytest.mark.parametrize(("early_us", "taken"), [(-1, True), (0, True), (1, False)])
def test_exactly_five_minutes_ahead_is_taken(good, early_us, taken):
    assert LATEST_AHEAD_US == 5 * MINUTE
    received_us = AT_US - LATEST_AHEAD_US - early_us
    for found in (live(line(good), received_us), read(good, received_us)):
        assert isinstance(found, Event) is taken


def test_a_refusal_says_how_far_ahead_it_is():
    found = refused(live(native(), AT_US - 6 * MINUTE - 2_000_000, 3))
    assert found.detail == "the event is dated too far ahead: 6m2s after it was received, at most 5m"
    assert (found.by, found.line, found.event_id, found.event_type) == ("time", 3, "e1", "payment_failed")
    assert (found.user, found.time_us) == ("ada", AT_US)
    assert "5m1s after" in refused(live(native(), AT_US - LATEST_AHEAD_US - 1)).detail


def test_the_past_is_taken_however_far():
    assert isinstance(live(native(), AT_US + 3 * 365 * 24 * 60 * MINUTE), Event)


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ({"id": ...}, "id"),
        ({"user": 5}, "user"),
        ({"type": "payment_faild"}, "type"),
        ({"time": "2026-03-01T09:00:00"}, "time"),
        ({"data": []}, "data"),
        ({"data": {}}, "amount"),
        ({"data": {"amount": "5"}}, "amount"),
        ({"user": "a\x00b"}, "user"),
        ({"user": "a\ud800b"}, "user"),
    ],
)
def test_what_is_wrong_is_wrong_either_way(change, by):
    envelope = {key: value for key, value in {**GOOD, **change}.items() if value is not ...}
    raw = json.dumps(envelope).encode()
    said, other = refused(read(envelope)), refused(live(raw))
    assert (said.by, said.event_type) == (other.by, other.event_type)
    assert by == said.by
    if "\ud800" not in str(envelope.get("user")):
        assert said == Rejected(1, other.detail, said.digest, *[getattr(other, n) for n in _NAMES])


_NAMES = ("by", "event_id", "event_type", "user", "time_us")


def test_half_characters_and_endless_nesting_do_not_come_through_a_parsed_object():
    assert "half a character" in refused(read({**GOOD, "data": {"amount": 5, "x": "\ud800"}})).detail
    deep: list[object] = []
    deep.append(deep)
    assert "nested" in refused(read({**GOOD, "data": {"amount": 5, "x": deep}})).detail


def test_a_broken_text_still_tells_whose_it_was():
    found = refused(live(native()[:-3]))
    assert (found.event_id, found.user) == ("e1", "ada")


def test_a_text_that_is_too_long_is_refused():
    assert "too long" in refused(live(native(data={"amount": 5, "x": "x" * (1 << 20)}))).detail


@pytest.mark.parametrize("make", [lambda at, place: live(b"{", at, place), lambda at, place: read({}, at, place)])
def test_rejected_events_of_different_requests_share_no_id(make):
    found = [refused(make(at, place)).digest for at in (AT_US, AT_US + 1) for place in (1, 2)]
    assert len(set(found)) == 4
    assert found[0] == refused(make(AT_US, 1)).digest


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.binary(max_size=9))
def test_a_request_never_looks_like_a_line_of_a_file(one, other, raw):
    assert request_digest(one, other, raw) != line_digest(one, other, raw)
    assert Line(other, raw, one).digest == line_digest(one, other, raw)
    assert Line(other, raw, received_us=one).digest == request_digest(one, other, raw)


def test_what_a_state_refuses_has_the_id_of_its_request():
    engine = build(POLICY)
    event = live(of("ping"))
    assert isinstance(event, Event)
    ids = set()
    for at_us, place in ((AT_US, 1), (AT_US, 2), (AT_US + 1, 1)):
        state = UserState(deleted=True)
        [found] = engine.decide(state, event, Line(place, b"", received_us=at_us), at_us=at_us)
        assert (found.by, found.line) == ("user.deleted", place)
        ids.add(found.id)
    assert len(ids) == 3
