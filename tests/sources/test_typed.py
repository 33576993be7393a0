"""The fast reader: it takes ordinary lines, gives up the others, and never says anything else than the strict one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.model.condition import ValueType
from botopt.model.event import Event, Rejected
from botopt.model.policy import RESERVED_TYPES, Category, Channel, EventType, FieldSpec, Pattern, Policy
from botopt.model.values import Problem, check
from botopt.sources import typed
from botopt.sources.envelope import Decoder
from botopt.sources.jsonl import MAX_LINE_BYTES, InputFile
from tests.sources.helpers import AT, GOOD, POLICY, cloud, fields, native, of

Found = Event | Rejected | None


def taken(raw: bytes, policy: Policy = POLICY) -> bool:
    """Whether the fast reader reads this line."""
    return Decoder(policy).typed(raw) is not None


def same(policy: Policy, raws: Sequence[bytes], first: int = 7) -> int:
    """Both readers say the same, down to the order of keys and the types of numbers; how many lines were taken."""
    fast, strict, many = Decoder(policy), Decoder(policy, typed=False), Decoder(policy)
    wanted = [strict.decode(raw, number, 3) for number, raw in enumerate(raws, first)]
    found = [fast.decode(raw, number, 3) for number, raw in enumerate(raws, first)]
    assert found == wanted
    assert [exact(one) for one in found] == [exact(one) for one in wanted]
    assert many.decode_many(raws, range(first, first + len(raws)), 3) == wanted
    assert fast.undeclared == many.undeclared == strict.undeclared
    return sum(fast.typed(raw) is not None for raw in raws)


def exact(found: Found) -> tuple[str, bytes]:
    return repr(found), msgspec.msgpack.encode(found)


# ---------------------------------------------------------------- which lines are taken


ORDINARY: dict[str, bytes] = {
    "all fields": of("payment_failed", amount=5.5, currency="EUR", attempts=2, reason="card expired"),
    "without defaults": of("payment_failed", amount=5),
    "in another order": of("payment_failed", reason="x", attempts=2, currency="EUR", amount=5.5),
    "an empty text": of("payment_failed", amount=5, reason=""),
    "null where a field may be absent": of("payment_failed", amount=5, currency=None, attempts=None, reason=None),
    "another name of the type": native(type="pay-fail"),
    "no fields": native(type="ping", data={}),
    "no data": native(type="ping", data=...),
    "other letters": of("payment_failed", amount=5, reason="Zürich 東京 😀"),
    "other letters in names": native(id="é", user="東京 😀"),
    "escaped letters": json.dumps({**GOOD, "user": "Zürich 😀", "data": {"amount": 5, "reason": "a/b\\ \n"}}).encode(),
    "an escaped key": native().replace(b'"user"', b'"us\\u0065r"'),
    "spaces": json.dumps(GOOD, indent=2).encode() + b"\t\r\n ",
    "a fraction of a second": native(time="2026-03-01T09:00:00.123456789Z"),
    "an offset": native(time="2026-03-01T10:30:00.5+01:30"),
    "small letters in the time": native(time="2026-03-01t09:00:00z"),
    "a cloud event": cloud(),
    "a cloud event with a description of its data": cloud(datacontenttype="application/json", dataschema="x"),
    "a cloud event without data": cloud(type="ping", data=...),
    "a click": of("message.clicked", message_id="m1", event_type="pay-fail"),
    "a click on anything": of("message.dismissed"),
    "a failure elsewhere": of("message.failed", message_id="m1", channel="gone", handed_over=True),
    "a failure": of("message.failed", message_id="m1", reason="full", capped_until="2026-03-01T09:00:00.5Z"),
    "a failure for no reason": of("message.failed"),
    "activity": of("user.active"),
    "activity on a channel": of("user.active", channel="chat"),
    "consent": of("user.unsubscribed", category="marketing", channel="sms"),
    "consent to everything": native(type="user.subscribed", data=...),
    "a deleted user": native(type="user.deleted", data=...),
}


@pytest.mark.parametrize("raw", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_lines_are_taken(raw: bytes) -> None:
    assert isinstance(Decoder(POLICY).decode(raw, 7), Event)
    assert same(POLICY, [raw, raw]) == 2


PATTERN = Pattern("a.*", re.compile("a.*").fullmatch)
KINDS = Policy(
    events={
        "kinds": EventType(
            "kinds",
            fields=fields(
                FieldSpec("code", ValueType.TEXT, pattern=Pattern("A-[0-9]+", re.compile("A-[0-9]+").fullmatch)),
                FieldSpec("flag", ValueType.BOOLEAN),
                FieldSpec("at", ValueType.TIME),
                FieldSpec("whole", ValueType.INTEGER, one_of=(1, 2, 3)),
                FieldSpec("ratio", ValueType.NUMBER, minimum=-1, maximum=1),
                FieldSpec("level", ValueType.NUMBER, one_of=(1, 2.5)),
                FieldSpec("until", ValueType.TIME, default=5),
                FieldSpec(
                    "one", ValueType.TEXT, one_of=("ab", "b", "abc"), max_length=2, pattern=PATTERN, default="ab"
                ),
            ),
        )
    }
)
GOOD_KINDS: dict[str, object] = {"code": "A-1", "flag": True, "at": AT, "whole": 2, "ratio": -1, "level": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"one": "ab"},
        {"at": "0001-01-02T00:00:00+00:00"},
        {"at": "9999-12-30T00:00:00Z", "until": AT},
        {"ratio": -0.0},
    ],
)
def test_every_simple_type_of_field_is_taken(changes: dict[str, object]) -> None:
    assert same(KINDS, [of("kinds", **{**GOOD_KINDS, **changes})]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "B-1"},
        {"flag": 1},
        {"at": "yesterday"},
        {"at": "9999-12-30T00:00:01Z"},
        {"at": "0001-01-01T23:59:59Z"},
        {"whole": 4},
        {"whole": 2.0},
        {"ratio": 1.1},
        {"level": 2},
        {"one": "b"},
        {"one": "abc"},
        {"until": None, "flag": None},
    ],
)
def test_what_a_field_does_not_allow_is_given_up(changes: dict[str, object]) -> None:
    assert same(KINDS, [of("kinds", **{**GOOD_KINDS, **changes})]) == 0


def test_types_with_lists_or_objects_and_attributes_are_left_to_the_strict_reader() -> None:
    assert not taken(of("all_kinds", flag=True))
    assert not taken(of("user.updated", name="Ada"))


# ---------------------------------------------------------------- nasty lines

FULL = of("payment_failed", amount=5.5, currency="EUR", attempts=2, reason="x")


def swapped(old: bytes, new: bytes, raw: bytes = FULL) -> bytes:
    assert raw.count(old) == 1, old
    return raw.replace(old, new)


NASTY: dict[str, bytes] = {
    "an id twice": swapped(b'"id": "e1"', b'"id": "e0", "id": "e1"'),
    "an id twice, alike": swapped(b'"id": "e1"', b'"id": "e1", "id": "e1"'),
    "a type twice": swapped(b'"type": "payment_failed"', b'"type": "payment_failed", "type": "payment_failed"'),
    "a type twice, first another": swapped(b'"type": "payment_failed"', b'"type": "ping", "type": "payment_failed"'),
    "a type twice, last another": swapped(b'"type": "payment_failed"', b'"type": "payment_failed", "type": "ping"'),
    "a type again at the end": FULL[:-1] + b', "type": "payment_failed"}',
    "data twice, first empty": swapped(b'"data": {', b'"data": {}, "data": {'),
    "data twice, last smaller": FULL[:-1] + b', "data": {"amount": 1}}',
    "data twice, first null": swapped(b'"data": {', b'"data": null, "data": {'),
    "data twice, last null": FULL[:-1] + b', "data": null}',
    "data twice, last empty": native(type="ping", data={})[:-1] + b', "data": {}}',
    "a number twice": swapped(b'"amount": 5.5', b'"amount": 1, "amount": 5.5'),
    "a number twice instead of another": swapped(b'"attempts": 2', b'"amount": 2'),
    "a number twice, first null": swapped(b'"attempts": 2', b'"attempts": null, "attempts": 2'),
    "a number twice, last null": swapped(b'"attempts": 2', b'"attempts": 2, "attempts": null'),
    "a number twice, null twice": swapped(b'"attempts": 2', b'"attempts": null, "attempts": null'),
    "a text twice": swapped(b'"reason": "x"', b'"reason": "x", "reason": "x"'),
    "a text twice, one of them null": swapped(b'"reason": "x"', b'"reason": null, "reason": "x"'),
    "a text null beside an unknown number": swapped(b'"reason": "x"', b'"reason": null, "x": 1'),
    "a text null beside an unknown null": swapped(b'"reason": "x"', b'"reason": null, "x": null'),
    "an escaped key that stands twice": swapped(b'"amount": 5.5', b'"amount": 1, "\\u0061mount": 5.5'),
    "an escaped key that nothing declares": swapped(b'"reason": "x"', b'"\\u0072easons": "x"'),
    "an escaped quote in a text": swapped(b'"reason": "x"', b'"reason": "\\""'),
    "two escaped quotes for an absent text": swapped(b'"reason": "x"', b'"reason": "\\"\\""'),
    "escaped quotes for an absent field": swapped(b', "reason": "x"', b"").replace(b'"ada"', b'"\\"a\\"d\\""'),
    "an empty key": swapped(b'"attempts": 2', b'"": 2'),
    "an empty key beside the data": FULL[:-1] + b', "": 0}',
    "an unknown field": swapped(b'"attempts": 2', b'"tries": 2'),
    "an unknown field that is null": swapped(b'"attempts": 2', b'"tries": null'),
    "an unknown object with texts": swapped(b'"reason": "x"', b'"other": {"reason": "x"}'),
    "an unknown list": swapped(b'"reason": "x"', b'"other": ["x"]'),
    "an unknown key of the envelope": native(trace=1),
    "a field of the data in the envelope": native(reason="x"),
    "a number for the absent data": native(type="ping", data=..., x=1),
    "null for the data": native(type="ping", data=None),
    "null for a required field": of("payment_failed", amount=None),
    "no required field": of("payment_failed"),
    "no data where some is required": native(data=...),
    "a list for the data": native(data=[]),
    "a user and a subject": native(subject="ada"),
    "a user and a source": native(source="/x"),
    "a user and a specversion": native(specversion="1.0"),
    "a user that is null": native(user=None),
    "a user that is null and a subject": native(user=None, subject="ada", source="/x", specversion="1.0"),
    "a cloud event with a user": cloud(user="bob"),
    "a cloud event with a user that is null": cloud(user=None),
    "a cloud event with an extension": cloud(traceparent="00-1"),
    "a cloud event of another version": cloud(specversion="1.1"),
    "a cloud event with a number as version": cloud(specversion=1.0),
    "a cloud event without version": cloud(specversion=...),
    "a cloud event without source": cloud(source=...),
    "a cloud event with an empty source": cloud(source=""),
    "a cloud event with a long source": cloud(source="x" * 1_025),
    "a cloud event with a control character in its source": cloud(source="/\x85"),
    "a cloud event without subject": cloud(subject=...),
    "a cloud event with a null subject": cloud(subject=None),
    "a cloud event with a null schema": cloud(dataschema=None),
    "a cloud event with packed data": cloud(data_base64="e30="),
    "a cloud event with packed data that is null": cloud(data_base64=None),
    "an unknown type": native(type="pong"),
    "a type that is a number": native(type=5),
    "a type in other letters": native(type="Ping", data={}),
    "a feedback for an unknown type": of("message.clicked", event_type="pong"),
    "a feedback for a reserved type": of("message.clicked", event_type="user.deleted"),
    "consent to an unknown category": of("user.subscribed", category="news"),
    "an empty id": native(id=""),
    "a long id": native(id="x" * 257),
    "a delete character in an id": native(id="a\x7f"),
    "a control character of the second block": native(user="a\x9f"),
    "an escaped control character": native(user="a\x00"),
    "an escaped control character of the second block": swapped(b'"ada"', b'"a\\u0085"'),
    "a line break inside a text": swapped(b'"ada"', b'"a\nb"'),
    "half a character": swapped(b'"ada"', b'"\\ud800"'),
    "half a character in a field": swapped(b'"x"', b'"\\udc00\\ud800"'),
    "half a character in UTF-8": swapped(b'"x"', b'"\xed\xa0\x80"'),
    "bytes that are no UTF-8": swapped(b'"x"', b'"\xff"'),
    "bytes that are no UTF-8 in an unknown key": swapped(b'"attempts"', b'"attempt\xff"'),
    "UTF-8 that is too long": swapped(b'"x"', b'"\xc0\xaf"'),
    "a byte order mark": b"\xef\xbb\xbf" + FULL,
    "a zero byte at the end": FULL + b"\x00",
    "a form feed at the beginning": b"\x0c" + FULL,
    "a comma too much": FULL[:-2] + b",}}",
    "a comma too much in the envelope": FULL[:-1] + b",}",
    "two objects": FULL + FULL,
    "a line that ends early": FULL[:-1],
    "a list of an event": b"[" + FULL + b"]",
    "single quotes": FULL.replace(b'"', b"'"),
    "a comment": FULL + b" // x",
    "deep nesting": native(x=...)[:-1] + b', "x": ' + b"[" * 70 + b"]" * 70 + b"}",
    "very deep nesting": native(x=...)[:-1] + b', "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "nothing": b"",
    "blanks": b" \t\r",
    "UTF-16": FULL.decode().encode("utf-16"),
    "a time without offset": native(time="2026-03-01T09:00:00"),
    "a time with a space": native(time="2026-03-01 09:00:00Z"),
    "a leap second": native(time="2026-12-31T23:59:60Z"),
    "a day that is none": native(time="2026-02-29T09:00:00Z"),
    "a time before its range": native(time="1999-12-31T23:59:59Z"),
    "a time after its range": native(time="2101-01-01T00:00:00Z"),
    "a time in other digits": native(time="2026-03-01T09:00:0\u0661Z"),
    "a time that is a number": native(time=5),
    "a wrong option": of("payment_failed", amount=5, currency="eur"),
    "a text that is too long": of("payment_failed", amount=5, reason="x" * 21),
    "a text that is a number": of("payment_failed", amount="5"),
    "a number below its bounds": of("payment_failed", amount=-1e-9),
    "an integer below its bounds": of("payment_failed", amount=5, attempts=0),
    "an integer with a fraction": of("payment_failed", amount=5, attempts=1.5),
    "a boolean for a number": of("payment_failed", amount=True),
    "a line that is too long": native(trace="x" * MAX_LINE_BYTES),
    "a long line": native(type="ping", data={}) + b" " * typed.LONGEST,
}


@pytest.mark.parametrize("raw", NASTY.values(), ids=NASTY)
def test_nasty_lines_are_given_up(raw: bytes) -> None:
    assert same(POLICY, [raw, FULL, raw]) == 1
    assert same(POLICY, [raw], first=1) == 0


SPELLED = (
    "4 5 5.0 5. .5 05 00 -1 -5 -0 -0.0 -0e1 0e-0 +5 1e2 1E2 1e+2 1e-2 0.1e1 1e 1E400 -1E400 1e-400 -1e-400 4.9e-324 2.5e-324 0x5 1_0 "
    "9007199254740991 9007199254740992 9007199254740993 9007199254740991.0 9007199254740992.0 9007199254740993.0 "
    "-9007199254740991 -9007199254740992 -9007199254740993 9.007199254740993e15 1e16 12345678901234567890 1e308 "
    "18446744073709551616 0.1000000000000000055511151231257827 2.2250738585072011e-308 179769313486231580793e289 "
    "NaN Infinity -Infinity null true false [] {} ٣ 1,000 1;"
).split()


@pytest.mark.parametrize("number", [*SPELLED, "1" * 400, "1" * 5_000, "0." + "1" * 5_000, '"5"', "5 ", "\t5\n"])
@pytest.mark.parametrize(
    "bounds", [(None, None), (0, 100), (-0.5, 100.5), (-(2**60), 2**60), (5, 5), (1e17, 1e18), (4.2, 4.8), (6, 4)]
)
def test_numbers_are_read_alike_however_they_are_spelled(
    number: str, bounds: tuple[float | None, float | None]
) -> None:
    for kind in (ValueType.NUMBER, ValueType.INTEGER):
        for optional in (True, False):
            spec = FieldSpec("n", kind, minimum=bounds[0], maximum=bounds[1], optional=optional)
            policy = Policy(events={"e": EventType("e", fields={"n": spec})})
            same(policy, [native(type="e", data={"n": "@"}).replace(b'"@"', number.encode())])


@settings(max_examples=500, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False) | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_rounded_alike(number: object) -> None:
    policy = Policy(events={"e": EventType("e", fields={"n": FieldSpec("n", ValueType.NUMBER)})})
    same(policy, [native(type="e", data={"n": "@"}).replace(b'"@"', str(number).encode())])


# ---------------------------------------------------------------- what is remembered


ENDS = ":61Z :5Z :05Z :59Z :60Z :05z :05.5Z :05+00:00 :05.123Z :05.1234Z :05.999z :60.123Z :05.12 3Z :05.-12Z .123Z :05 Z Z :"
TIMES_READ = 8


def test_a_minute_is_read_the_same_before_and_after_it_is_known() -> None:
    raws = [native(time=f"2026-03-01T09:00{end}") for end in ENDS.split(" ")]
    assert same(POLICY, raws) == TIMES_READ
    assert same(POLICY, [native(), *raws, *raws]) == 1 + 2 * TIMES_READ
    assert (
        same(KINDS, [of("kinds", **{**GOOD_KINDS, "at": f"2026-03-01T09:00{end}"}) for end in ENDS.split(" ")])
        == TIMES_READ
    )


def test_the_ends_of_time_are_read_the_same() -> None:
    times = ["2100-12-31T23:59:00Z", "2100-12-31T23:59:59.999Z", "2101-01-01T00:00:00Z", "2100-12-31T23:59:30-01:00"]
    times += ["2000-01-01T00:00:00Z", "1999-12-31T23:59:59.999Z", "1999-12-31T23:59:00Z", "2000-01-01T00:00:00+00:01"]
    assert same(POLICY, [native(time=time) for time in (*times, *times)]) == 6
    fields_too = [
        *times,
        "9999-12-30T00:00:00Z",
        "9999-12-30T00:00:01Z",
        "0001-01-02T00:00:00Z",
        "0001-01-01T23:59:59Z",
    ]
    assert same(KINDS, [of("kinds", **{**GOOD_KINDS, "at": time}) for time in fields_too * 2]) == 20


def test_minutes_and_orders_of_fields_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botopt.sources.instants._MOST_MINUTES", 3)
    monkeypatch.setattr("botopt.sources.typed._MOST_SHAPES", 3)
    data = {"amount": 5, "currency": "EUR", "attempts": 2, "reason": "x"}
    orders = [dict(order) for order in permutations(data.items())]
    raws = [native(time=f"2026-03-01T09:{at:02}:00Z", data=order) for at, order in enumerate(orders)]
    assert same(POLICY, raws + raws) == 2 * len(orders)
    minutes = typed.Minutes()
    shapes = typed._Shapes(typed._fields(POLICY.events["payment_failed"].fields, minutes) or {})
    for at, order in enumerate(orders):
        assert shapes[(*order,)]
        assert minutes.event_us(f"2026-03-01T09:{at:02}:00Z")
        assert len(shapes) <= 3
        assert len(minutes._known) <= 3


def test_lines_that_are_too_long_to_keep_are_given_up(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(FULL + b"\n" + FULL + b" " * MAX_LINE_BYTES + b"\n" + FULL)
    with InputFile(str(path), 0) as file:
        raws = [line.raw for line in file]
    found = Decoder(POLICY).decode_many(raws, range(1, len(raws) + 1))
    assert [type(one) for one in found] == [Event, Rejected, Event]
    assert same(POLICY, raws, first=1) == 2


def test_a_policy_without_events_takes_what_is_reserved() -> None:
    assert same(Policy(), [of("message.clicked", message_id="m"), of("user.deleted")]) == 2
    assert same(Policy(), [of("message.clicked", event_type="x"), of("user.subscribed", category="x"), FULL]) == 0


# ---------------------------------------------------------------- any policy, any line

NAMES = (
    "amount",
    "a",
    "b",
    "id",
    "type",
    "user",
    "time",
    "data",
    "né",
    "with space",
    "null",
    "message_id",
    'q"',
    "s\\",
)
SHORT = st.text(st.sampled_from('ab"\\/é😀\u2028\x7f\x85\x00\n 1'), max_size=4)
SIMPLE = [one for one in ValueType if one not in {ValueType.LIST, ValueType.OBJECT}]
NUMBERS = st.sampled_from([0, 1, 5, -1, 0.5, 2.5, 2**53, -(2**53), 2**53 - 1, 1e300]) | st.integers(-9, 9)
TIMES = st.sampled_from(
    [AT] * 6
    + ["2026-03-01T09:00:59Z", "2026-03-01T09:00:30.25Z", "2026-03-01T09:00:00+01:00", "1500-01-01T00:00:00Z", "x"]
)


@st.composite
def specs(draw: st.DrawFn, name: str) -> FieldSpec:
    kind = draw(st.sampled_from(SIMPLE * 4 + [ValueType.LIST, ValueType.OBJECT]))
    spec = FieldSpec(name, kind, optional=draw(st.booleans()))
    changes: dict[str, object] = {}
    if kind is ValueType.TEXT:
        changes["one_of"] = draw(st.just(()) | st.lists(SHORT, max_size=3).map(tuple))
        changes["max_length"] = draw(st.none() | st.integers(0, 3))
        changes["pattern"] = draw(st.sampled_from([None, None, PATTERN]))
    elif kind in {ValueType.NUMBER, ValueType.INTEGER}:
        low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
        changes["minimum"], changes["maximum"] = draw(
            st.sampled_from([(None, None), (low, None), (None, high), (low, high), (high, low)])
        )
        changes["one_of"] = draw(st.just(()) | st.just(()) | st.lists(NUMBERS, max_size=3).map(tuple))
    spec = msgspec.structs.replace(spec, **changes)
    default = check(spec, draw(values(spec)))
    if not isinstance(default, Problem) and draw(st.booleans()):
        spec = msgspec.structs.replace(spec, default=default)
    return spec


def values(spec: FieldSpec) -> st.SearchStrategy[object]:
    match spec.type:
        case ValueType.TEXT:
            return st.sampled_from(spec.one_of) if spec.one_of else SHORT | st.just("ab")
        case ValueType.BOOLEAN:
            return st.booleans()
        case ValueType.TIME:
            return TIMES
        case ValueType.NUMBER | ValueType.INTEGER:
            near = [n for n in (*spec.one_of, spec.minimum, spec.maximum) if n is not None]
            return st.sampled_from(near) | NUMBERS if near else NUMBERS
        case ValueType.LIST:
            return st.lists(NUMBERS | SHORT, max_size=2)
        case ValueType.OBJECT:
            return st.dictionaries(SHORT, NUMBERS, max_size=2)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    events = {}
    for number in range(draw(st.integers(1, 2))):
        named = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
        accepts = draw(
            st.lists(st.sampled_from([f"alias{number}", f"a.b/{number}", "é", "user.deleted", ""]), max_size=2)
        )
        declared = {name: draw(specs(name)) for name in named}
        events[f"e{number}"] = EventType(f"e{number}", fields=declared, accepts=tuple(accepts))
    return Policy(
        events=events,
        categories={name: Category(name) for name in draw(st.sets(st.sampled_from(["c1", "c2"])))},
        channels={name: Channel(name, "console") for name in draw(st.sets(st.sampled_from(["h1", "h2"])))},
    )


Pairs = list[tuple[str, str | bytes]]
"""Keys as they are written, and values that are written too."""

ODD = st.sampled_from(
    [*SPELLED, '"x"', '""', '"\\u0061"', '"\\u0000"', '"\\ud800"', '"a\\"b"', '"\t"', f'"{AT}"', '{"a": 1}', "{}", ""]
)


def written(value: object) -> st.SearchStrategy[str]:
    return st.sampled_from([json.dumps(value), json.dumps(value, ensure_ascii=False)])


@st.composite
def changed(draw: st.DrawFn, pairs: Pairs) -> Pairs:
    """Any of the ways in which an object may be odd."""
    pairs = list(pairs)
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 0, 1, 1, 2]))):
        at = draw(st.integers(0, max(0, len(pairs) - 1)))
        key, value = pairs[at] if pairs else ('"x"', "1")
        match draw(st.integers(0, 7)):
            case 0:
                pairs.insert(draw(st.integers(0, len(pairs))), (key, value))
            case 1:
                pairs.insert(draw(st.integers(0, len(pairs))), (key, draw(ODD)))
            case 2:
                pairs = pairs[:at] + pairs[at + 1 :]
            case 3:
                pairs.append(
                    (draw(st.sampled_from(['"x"', '""', '"user"', '"source"', '"amount"', '"\\u0061"'])), draw(ODD))
                )
            case 4:
                pairs = draw(st.permutations(pairs))
            case 5 if pairs and key.strip('"'):
                pairs[at] = (f'"\\u{ord(key[1]):04x}{key[2:]}', value)
            case 6 if pairs:
                pairs[at] = (draw(st.sampled_from(pairs))[0], value)
            case _ if pairs:
                pairs[at] = (key, draw(ODD))
            case _:
                pass
    return pairs


def join(pairs: Pairs, space: str) -> str:
    return "{" + f",{space}".join(f"{key}:{space}{value}" for key, value in pairs) + "}"


@st.composite
def lines(draw: st.DrawFn, policy: Policy) -> bytes:
    names = [name for event in policy.events.values() for name in (event.name, *event.accepts)]
    named = draw(st.sampled_from(names * 9 + [*RESERVED_TYPES, "unknown"]))
    event = next((one for one in policy.events.values() if named in {one.name, *one.accepts}), None)
    options: dict[str, st.SearchStrategy[object]] = {}
    if event is not None:
        options = {
            spec.name: values(spec) for spec in event.fields.values() if spec.default is None or draw(st.booleans())
        }
    elif named.startswith("message."):
        options = {"message_id": SHORT, "event_type": st.sampled_from([*names, "x"])}
    elif named != "unknown":
        options = {
            "category": st.sampled_from(["c1", "c2", "x"]),
            "channel": st.sampled_from(["h1", "h2"]),
            "locale": st.just("de"),
        }
    if draw(st.integers(0, 4)) == 4:
        options = {name: option | st.none() for name, option in options.items()}
    data: Pairs = [(draw(written(name)), draw(option.flatmap(written))) for name, option in options.items()]
    space = draw(st.sampled_from(["", " ", "\n\t"]))
    user = draw(st.sampled_from(["ada"] * 12 + ["é", "a\x85", "a\x7f", "x" * 256, "x" * 257, "😀"]))
    top: dict[str, object] = {"id": "e1", "type": named, "time": draw(TIMES)}
    if draw(st.integers(0, 3)) < 3:
        top["user"] = user
    else:
        top |= {"specversion": "1.0", "source": "/s", "subject": user}
        top |= draw(st.just({}) | st.just({"dataschema": "x"}))
    pairs: Pairs = [(draw(written(key)), draw(written(value))) for key, value in top.items()]
    if data or draw(st.booleans()):
        pairs.append(('"data"', join(draw(changed(data)), space)))
    raw = join(draw(changed(pairs)), space).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 15)) == 15:
        place = draw(st.integers(0, len(raw)))
        raw = raw[:place] + draw(st.binary(max_size=2)) + raw[place + draw(st.integers(0, 2)) :]
    return raw


@st.composite
def inputs(draw: st.DrawFn) -> tuple[Policy, list[bytes]]:
    policy = draw(policies())
    return policy, draw(st.lists(lines(policy), min_size=1, max_size=8))


@settings(max_examples=150, deadline=None)
@given(inputs())
def test_both_readers_say_the_same_of_any_line_of_any_policy(drawn: tuple[Policy, list[bytes]]) -> None:
    policy, raws = drawn
    same(policy, raws)
