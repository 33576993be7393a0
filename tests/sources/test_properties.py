"""Whatever comes in, a line is an event or is rejected; and what is strict JSON is read as it was meant."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.event import Event, Rejected, line_digest
from botopt.model.instants import instant_text
from botopt.model.policy import Value
from botopt.sources.faults import Fault
from botopt.sources.salvage import salvage
from botopt.sources.strict_json import parse
from tests.sources.helpers import GOOD, GOOD_CLOUD, decode, event, line

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=256)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=5)
STARTS = [line({**GOOD}), line({**GOOD_CLOUD})]


def whole(found: Event | Rejected | None, raw: bytes) -> None:
    """It is one of the three, and its record can be written."""
    if isinstance(found, Rejected):
        assert (found.line, found.digest) == (7, line_digest(0, 7, raw))
        assert found.detail
        assert found.detail.isprintable() or found.detail.splitlines() == [found.detail]
        msgspec.json.encode(found).decode()
    elif isinstance(found, Event):
        msgspec.msgpack.encode(found)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise(raw: bytes) -> None:
    whole(decode(raw), raw)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(STARTS),
    st.lists(st.tuples(st.integers(0, 150), st.integers(0, 3), st.binary(max_size=3)), max_size=4),
)
def test_broken_events_never_raise(raw: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    for place, removed, added in edits:
        raw = raw[:place] + added + raw[place + removed :]
    whole(decode(raw), raw)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*GOOD, *GOOD_CLOUD]) | TEXTS, VALUES, max_size=9))
def test_any_object_never_raises(envelope: dict[str, object]) -> None:
    raw = json.dumps(envelope).encode()
    whole(decode(raw), raw)


@settings(deadline=None)
@given(
    event_id=NAMES,
    user=NAMES,
    source=st.none() | NAMES,
    time_us=st.integers(946_684_800_000_000, 4_133_980_799_999_999),
    amount=st.floats(0, 1e300) | st.integers(0, 2**53),
    currency=st.none() | st.sampled_from(["USD", "EUR"]),
    attempts=st.none() | st.integers(1, 2**53),
    reason=st.none() | TEXTS,
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1, "\t"]),
)
def test_valid_events_are_read_as_they_were_meant(
    *,
    event_id: str,
    user: str,
    source: str | None,
    time_us: int,
    amount: float,
    currency: str | None,
    attempts: int | None,
    reason: str | None,
    ascii_only: bool,
    indent: int | str | None,
) -> None:
    data = {"amount": amount, "currency": currency, "attempts": attempts, "reason": reason}
    envelope: dict[str, object] = {
        "id": event_id,
        "type": "payment_failed",
        "time": instant_text(time_us),
        "data": data,
    }
    if source is None:
        envelope["user"] = user
    else:
        envelope |= {"specversion": "1.0", "source": source, "subject": user}
    raw = json.dumps(envelope, ensure_ascii=ascii_only, indent=indent).encode()
    wanted: dict[str, Value] = {"amount": float(amount), "currency": currency or "USD", "attempts": attempts or 1}
    if reason is not None:
        wanted["reason"] = reason
    assert event(raw) == Event(event_id, source or "", "payment_failed", user, time_us, wanted)


@settings(deadline=None)
@given(OBJECTS, st.booleans())
def test_strict_json_is_read_like_json(value: dict[str, object], ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert parse(text) == json.loads(text) == value
    assert msgspec.json.decode(text) == value


def objects_in(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from objects_in(part)


@settings(deadline=None)
@given(OBJECTS, st.data())
def test_a_key_that_stands_twice_is_found_wherever_it_is(value: dict[str, object], data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(list(objects_in(value))))
    key = data.draw(st.sampled_from([*chosen]) if chosen else TEXTS)
    chosen["\0mark"] = 0
    again = json.dumps(key) if data.draw(st.booleans()) else '"' + "".join(f"\\u{ord(c):04x}" for c in key) + '"'
    if any(ord(c) > 0xFFFF for c in key):
        again = json.dumps(key)
    doubled = f"{json.dumps(key)}: 1, {again}: 1" if key not in chosen else f"{again}: 1"
    text = json.dumps(value).replace('"\\u0000mark": 0', doubled, 1)
    with pytest.raises(Fault, match="a key stands twice"):
        parse(text)


@settings(deadline=None)
@given(OBJECTS, st.integers(0, 400))
def test_salvage_finds_only_what_stands_there(value: dict[str, object], cut: int) -> None:
    text = json.dumps(value)
    texts = {key: part for key, part in value.items() if isinstance(part, str)}
    assert salvage(text) == texts
    assert salvage(text[:cut]).items() <= texts.items()


@settings(deadline=None)
@given(st.text(alphabet='{}[]",:\\ \nab\ud8000', max_size=40))
def test_salvage_never_raises(text: str) -> None:
    salvage(text)
