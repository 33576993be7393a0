"""From a line to an event: both forms of the envelope, and every way in which a line is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b

import pytest

from botopt.model.event import Event, Rejected, line_digest
from botopt.model.policy import RESERVED_TYPES, Value
from botopt.sources.envelope import Decoder
from botopt.sources.jsonl import MAX_LINE_BYTES
from tests.sources.helpers import AT, AT_US, POLICY, cloud, decode, event, native, of, rejected

DATA: Mapping[str, Value] = {"amount": 5.0, "currency": "USD", "attempts": 1}


def test_a_native_event() -> None:
    assert event(native()) == Event("e1", "", "payment_failed", "ada", AT_US, DATA)


def test_a_cloud_event() -> None:
    assert event(cloud()) == Event("e1", "/billing", "payment_failed", "ada", AT_US, DATA)


@pytest.mark.parametrize("alias", ["com.acme.PaymentFailed", "pay-fail", "payment_failed"])
def test_every_name_of_a_type_leads_to_the_declared_one(alias: str) -> None:
    assert event(native(type=alias)).type == "payment_failed"


def test_other_keys_of_an_envelope_are_ignored() -> None:
    assert event(native(source="/x", subject="bob", extra={"a": 1})) == event(native())
    extensions = {"user": "bob", "traceparent": "00-1", "datacontenttype": "application/json", "dataschema": "x"}
    assert event(cloud(**extensions)) == event(cloud())
    assert event(cloud(data_base64=None)) == event(cloud())


@pytest.mark.parametrize("data", [..., None, {}])
def test_no_data_is_empty_data(data: object) -> None:
    assert event(native(type="ping", data=data)).data == {}


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("2026-03-01T09:00:00Z", AT_US),
        ("2026-03-01t09:00:00z", AT_US),
        ("2026-03-01T09:00:00+00:00", AT_US),
        ("2026-03-01T09:00:00-00:00", AT_US),
        ("2026-03-01T10:30:00+01:30", AT_US),
        ("2026-02-28T23:00:00-10:00", AT_US),
        ("2026-03-01T09:00:00.1Z", AT_US + 100_000),
        ("2026-03-01T09:00:00.123456Z", AT_US + 123_456),
        ("2026-03-01T09:00:00.1234569999Z", AT_US + 123_456),
        ("2026-03-01T08:59:59.9999999+00:00", AT_US - 1),
        ("2000-01-01T00:00:00Z", 946_684_800_000_000),
        ("2100-12-31T23:59:59.999999Z", 4_133_980_799_999_999),
        ("1999-12-31T23:00:00-01:00", 946_684_800_000_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
    ],
)
def test_times(text: str, us: int) -> None:
    assert event(native(time=text)).time_us == us


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01 09:00:00Z",
        "2026-03-01T09:00:00",
        "2026-03-01T09:00Z",
        "2026-03-01",
        "20260301T090000Z",
        "2026-W09-7T09:00:00Z",
        "2026-03-01T09:00:60Z",
        "2026-03-01T24:00:00Z",
        "2026-02-29T09:00:00Z",
        "2026-13-01T09:00:00Z",
        "2026-03-01T09:00:00+0100",
        "2026-03-01T09:00:00+24:00",
        "2026-03-01T09:00:00+01:60",
        "2026-03-01T09:00:00+1:00",
        "2026-03-01T09:00:00,5Z",
        "2026-03-01T09:00:00.Z",
        " 2026-03-01T09:00:00Z",
        "2026-03-01T09:00:00Z\n",
        "\u0662026-03-01T09:00:00Z",
        "1772355600",
        "now",
        "",
    ],
)
def test_no_times(text: str) -> None:
    found = rejected(native(time=text))
    assert found.detail.startswith('"time" is not a time with an offset: ')
    assert (found.by, found.time_us, found.user) == ("time", None, "ada")


@pytest.mark.parametrize("text", ["1999-12-31T23:59:59.999999Z", "2101-01-01T00:00:00Z", "2000-01-01T00:00:00+00:01"])
def test_times_out_of_range(text: str) -> None:
    assert rejected(native(time=text)).detail == f'"time" is out of range: "{text}" is not from 2000 to 2100'


LONG = "x" * 257

REJECTED: list[tuple[bytes, str, str | None]] = [
    (b"hello", "not valid JSON: expected a value at character 1", None),
    (b'{"id": "e1"', "not valid JSON: the line ends too early, after character 11", None),
    (b'{"id": "e1" "type": "x"}', "not valid JSON: expected ',' at character 13", None),
    (b'{"id": "e1",}', "not valid JSON: expected a key in double quotes at character 13", None),
    (b"{'id': 'e1'}", "not valid JSON: expected a key in double quotes at character 2", None),
    (b'{"id" "e1"}', "not valid JSON: expected ':' at character 7", None),
    (b'{"id": [1,]}', "not valid JSON: expected a value at character 11", None),
    (b'{"id": "e1}', "not valid JSON: a text is not closed that begins at character 8", None),
    (
        b'{"id": "e\t1"}',
        "not valid JSON: a line break, tab or other control character inside a text at character 10",
        None,
    ),
    (b'{"id": "\\x"}', "not valid JSON: an unknown escape with \\ at character 9", None),
    (b'{"id": "\\u12"}', "not valid JSON: an incomplete escape with \\u at character 10", None),
    (b'{"id": "e1"} {"id": "e2"}', "not valid JSON: something follows after the end at character 14", None),
    (b'{"id": 01}', "not valid JSON: expected ',' at character 9", None),
    (b'{"id": NaN}', "not valid JSON: NaN is no number", None),
    (b'{"id": -Infinity}', "not valid JSON: -Infinity is no number", None),
    (
        b"\xef\xbb\xbf{}",
        "not valid JSON: a byte order mark that is not at the beginning of the file at character 1",
        None,
    ),
    (b'{"id": "\xff"}', "not UTF-8 text: byte 9 does not fit", None),
    (b'{"id": "\xed\xa0\x80"}', "not UTF-8 text: byte 9 does not fit", None),
    (b'{"id": "\xc0\x80"}', "not UTF-8 text: byte 9 does not fit", None),
    ('{"id": "e1"}'.encode("utf-16"), "not UTF-8 text: it looks like UTF-16, save the file as UTF-8", None),
    (b"[]", "not a JSON object: the line is a list", None),
    (b'"text"', 'not a JSON object: the line is "text"', None),
    (b"null", "not a JSON object: the line is null", None),
    (b'{"id": "a", "id": "a"}', 'a key stands twice: "id"', "id"),
    (b'{"id": "a", "\\u0069d": "a"}', 'a key stands twice: "id"', "id"),
    (b'{"data": {"x": [{"amount": 1, "amount": 2}]}}', 'a key stands twice: "amount"', "amount"),
    (b"[" * 65 + b"]" * 65, "nested too deeply: more than 64 levels", None),
    (b'{"id": 9007199254740993}', "a number is too large: 9007199254740993 is beyond 2 to the power of 53", "id"),
    (
        of("payment_failed", amount=-(2**53) - 1),
        "a number is too large: -9007199254740993 is beyond 2 to the power of 53",
        "amount",
    ),
    (
        of("payment_failed", amount=5, x=[{"y": 10**40}]),
        f"a number is too large: {'1' + '0' * 29}… is beyond 2 to the power of 53",
        "x",
    ),
    (b'{"data": {"amount": 1e999}}', "a number is too large: 1e999", "amount"),
    (
        b'{"data": {"amount": ' + b"9" * 5000 + b"}}",
        f"a number is too large: {'9' * 30}… is beyond 2 to the power of 53",
        "amount",
    ),
    (b'{"data": {"reason": "\\ud800"}}', "a text is broken: it holds half a character (a lone surrogate)", "reason"),
    (b'{"data": {"\\udc00": 1}}', "a text is broken: it holds half a character (a lone surrogate)", "data"),
    (b'{"\\udc00": 1}', "a text is broken: it holds half a character (a lone surrogate)", None),
    (native(id=...), '"id" is missing: every event needs id, type, user and time', "id"),
    (native(id=None), '"id" is missing: every event needs id, type, user and time', "id"),
    (native(id=5), '"id" is not text: it is 5', "id"),
    (native(id=""), '"id" is empty', "id"),
    (native(id=LONG), '"id" is too long: 257 characters, at most 256', "id"),
    (native(id="a\u0000b"), '"id" holds a control character: U+0000 at character 2', "id"),
    (native(type=...), '"type" is missing: every event needs id, type, user and time', "type"),
    (native(type=["x"]), '"type" is not text: it is a list', "type"),
    (native(user=...), '"user" is missing: every event needs id, type, user and time', "user"),
    (native(user=True), '"user" is not text: it is true', "user"),
    (native(user="a\u007fb"), '"user" holds a control character: U+007F at character 2', "user"),
    (native(user="a\u0085"), '"user" holds a control character: U+0085 at character 2', "user"),
    (native(time=...), '"time" is missing: every event needs id, type, user and time', "time"),
    (native(time=1_772_355_600), '"time" is not text: it is 1772355600', "time"),
    (
        native(type="payment_faild"),
        'an event type that is not declared: "payment_faild" - did you mean "payment_failed"?',
        "type",
    ),
    (
        native(type="user.update"),
        'an event type that is not declared: "user.update" - did you mean "user.updated"?',
        "type",
    ),
    (native(type="zzz"), 'an event type that is not declared: "zzz"', "type"),
    (native(data=[]), '"data" is not an object: it is a list', "data"),
    (native(data="{}"), '"data" is not an object: it is "{}"', "data"),
    (native(data=False), '"data" is not an object: it is false', "data"),
    (cloud(specversion="0.3"), 'not CloudEvents 1.0: "specversion" is "0.3"', "specversion"),
    (cloud(specversion=1.0), 'not CloudEvents 1.0: "specversion" is 1', "specversion"),
    (cloud(data=..., data_base64="e30="), '"data_base64" is not read: send a JSON object in "data"', "data_base64"),
    (cloud(subject=...), '"subject" is missing: a CloudEvent needs it here, the subject is the user', "subject"),
    (cloud(source=...), '"source" is missing: a CloudEvent needs it here, the subject is the user', "source"),
    (cloud(source=""), '"source" is empty', "source"),
    (cloud(source="x" * 1_025), '"source" is too long: 1025 characters, at most 1024', "source"),
    (native(data=...), "a required field is missing: amount", "amount"),
    (of("payment_failed", amount=None), "a required field is missing: amount", "amount"),
    (
        of("payment_failed", amuont=5),
        'a required field is missing: amount; the event has "amuont", which is not declared',
        "amount",
    ),
    (
        native(amount=5, data=...),
        'a required field is missing: amount stands beside "data" and belongs inside it',
        "amount",
    ),
]


@pytest.mark.parametrize(("raw", "detail", "by"), REJECTED, ids=range(len(REJECTED)))
def test_rejected(raw: bytes, detail: str, by: str | None) -> None:
    found = rejected(raw)
    assert (found.detail, found.by) == (detail, by)
    assert (found.line, found.digest) == (7, line_digest(0, 7, raw))


@pytest.mark.parametrize(
    ("data", "general", "by"),
    [
        ({"amount": "42"}, "a field has the wrong type", "amount"),
        ({"amount": True}, "a field has the wrong type", "amount"),
        ({"amount": -1}, "a field has a wrong value", "amount"),
        ({"amount": 1, "currency": "GBP"}, "a field has a wrong value", "currency"),
        ({"amount": 1, "currency": 5}, "a field has the wrong type", "currency"),
        ({"amount": 1, "attempts": 1.5}, "a field has a wrong value", "attempts"),
        ({"amount": 1, "attempts": True}, "a field has the wrong type", "attempts"),
        ({"amount": 1, "attempts": 0}, "a field has a wrong value", "attempts"),
        ({"amount": 1, "reason": "x" * 21}, "a field has a wrong value", "reason"),
    ],
)
def test_fields_that_do_not_fit(data: dict[str, object], general: str, by: str) -> None:
    found = rejected(of("payment_failed", **data))
    assert (found.detail.partition(":")[0], found.by) == (general, by)
    assert f": {by} " in found.detail


def test_every_kind_of_field() -> None:
    data: dict[str, object] = {
        "code": "A-1",
        "flag": False,
        "at": "2026-03-01T10:00:00+01:00",
        "items": [1, {"a": None}, "x"],
        "shop": {"name": "ü", "open": [True]},
        "whole": 5.0,
        "ratio": 3,
    }
    found = event(of("all_kinds", **data)).data
    assert found == {**data, "at": AT_US, "whole": 5, "ratio": 3.0}
    assert [type(found[name]) for name in ("whole", "ratio")] == [int, float]
    assert event(of("all_kinds", **dict.fromkeys(data))).data == {}


def test_defaults_step_in_for_null_and_for_nothing() -> None:
    assert event(of("payment_failed", amount=1, currency=None)).data == {**DATA, "amount": 1.0}


@pytest.mark.parametrize("raw", [b"", b" ", b"\t\r ", b"\r"])
def test_blank_lines_are_nothing(raw: bytes) -> None:
    assert decode(raw) is None


def test_a_byte_order_mark_belongs_to_the_first_line() -> None:
    assert decode(b"\xef\xbb\xbf" + native(), 1) == event(native())
    assert decode(b"\xef\xbb\xbf", 1) is None
    raw = b"\xef\xbb\xbf{"
    assert rejected(raw, 1).digest == line_digest(0, 1, raw)


def test_what_can_be_read_is_kept() -> None:
    found = rejected(native(type="pay-fail", data={"amount": "42"}))
    assert (found.event_id, found.event_type, found.user, found.time_us) == ("e1", "payment_failed", "ada", AT_US)
    found = rejected(cloud(data_base64="e30="))
    assert (found.event_id, found.event_type, found.user, found.time_us) == ("e1", "payment_failed", "ada", AT_US)
    found = rejected(native(id=5, type="nothing\n", time="noon"))
    assert (found.event_id, found.event_type, found.user, found.time_us) == (None, None, "ada", None)


READABLE = native().removesuffix(b"}}")


@pytest.mark.parametrize(
    "raw",
    [
        READABLE,
        READABLE + b"NaN}}",
        READABLE + b', "amount": 6}}',
        READABLE + b', "x": ' + b"[" * 100 + b"]" * 100 + b"}}",
        READABLE + b', "x": "\xff"}}',
        READABLE + b', "x": "\\ud800"}}',
        READABLE + b"9" * 100 + b"}}",
        READABLE + b', "x": "' + b"x" * MAX_LINE_BYTES + b'"}}',
        b"  " + READABLE.replace(b": ", b" :  "),
        native().replace(b"}}", b"}} trailing"),
        native(data={"quoted": 'a } "b" \\', "list": ["]", {}]})[:-1] + b', "data": {}}',
    ],
)
def test_what_can_be_read_of_a_broken_line_is_kept(raw: bytes) -> None:
    found = rejected(raw)
    assert (found.event_id, found.event_type, found.user, found.time_us) == ("e1", "payment_failed", "ada", AT_US)


def test_an_ambiguous_key_is_not_read() -> None:
    found = rejected(b'{"id": "a", "user": "ada", "id": "b", "type": "ping"}')
    assert (found.event_id, found.user, found.event_type) == (None, "ada", "ping")
    found = rejected(b'{"id": 5, "user": "ada", "id": "b"}')
    assert (found.event_id, found.user) == (None, "ada")


def test_digests_tell_lines_apart() -> None:
    decoder = Decoder(POLICY)
    lines = [(b"x", 1, 0), (b"x", 2, 0), (b"x", 1, 1), (b"y", 1, 0), (b"1:x", 1, 0)]
    found = [decoder.decode(*line) for line in lines]
    digests = [each.digest for each in found if isinstance(each, Rejected)]
    assert len(set(digests)) == len(lines)
    assert digests[0] == blake2b(b"0:1:x", digest_size=16).digest()


def test_depth_is_counted_exactly() -> None:
    deep = b'{"a": ' * 63 + b"[]" + b"}" * 63
    assert rejected(deep).detail.startswith('"id" is missing')
    assert rejected(b"[" + deep + b"]").detail.startswith("nested too deeply")
    braces = native(type="ping", data={"x": "[{" * 500, "y": '\\"[['})
    assert event(braces).type == "ping"
    assert event(native(type="ping", data={"x": [[]] * 500})).type == "ping"


def test_the_largest_exact_integers_are_fine() -> None:
    assert event(of("all_kinds", whole=2**53)).data == {"whole": 2**53}
    assert event(of("all_kinds", whole=-(2**53), ratio=1e308)).data == {"whole": -(2**53), "ratio": 1e308}


def test_names_may_be_long_and_in_any_script() -> None:
    for name in ("x" * 256, "\U0001f600" * 256, "日本", "a b", "👩\u200d🔧", '"\\', "\u00a0"):
        found = event(native(id=name, user=name))
        assert (found.id, found.user) == (name, name)


def test_a_line_of_exactly_the_limit_is_read() -> None:
    raw = native(type="ping", data={})
    assert isinstance(decode(raw + b" " * (MAX_LINE_BYTES - len(raw))), Event)
    found = rejected(raw + b" " * (MAX_LINE_BYTES - len(raw) + 1))
    assert found.detail == "the line is too long: 1,048,577 bytes, at most 1,048,576"


def test_undeclared_fields_are_ignored_and_counted() -> None:
    decoder = Decoder(POLICY)
    for number in range(3):
        decoder.decode(of("payment_failed", amount=1, amuont=2), number, 0)
    decoder.decode(of("payment_failed", amuont=2), 4, 0)
    decoder.decode(native(type="user.updated", data={"plna": "pro", "id": "x"}), 5, 0)
    decoder.decode(native(type="pay-fail", data={"amount": 1, "z" * 500: 1}), 6, 0)
    assert decoder.undeclared == {
        ("payment_failed", "amuont"): 4,
        ("user.updated", "plna"): 1,
        ("user.updated", "id"): 1,
        ("payment_failed", "z" * 100 + "…"): 1,
    }


def test_counting_undeclared_fields_is_bounded() -> None:
    decoder = Decoder(POLICY)
    for number in range(30):
        decoder.decode(native(type="ping", data={f"f{number}-{i}": 1 for i in range(100)}), number, 0)
        decoder.decode(native(type="ping", data={"f0-0": 1}), number, 0)
    assert len(decoder.undeclared) == 1_000
    assert decoder.undeclared["ping", "f0-0"] == 31


def test_every_reserved_type_is_read() -> None:
    for name in RESERVED_TYPES:
        assert event(native(type=name, data={})).type == name


def test_details_never_hold_a_line_break() -> None:
    odd = "amo\nunt"
    lines = [native(type=odd), native(time="x\n\r\u2028y"), native(data=odd), of("payment_failed", **{odd: 1})]
    lines += [b'{"%b": 1, "%b": 2}' % (key, key) for key in (rb"a\nb", b"a\xe2\x80\xa8b")]
    for raw in lines:
        assert len(rejected(raw).detail.splitlines()) == 1


def test_json_of_the_standard_library_is_read_in_both_forms() -> None:
    envelope = {"id": "ü", "type": "ping", "user": "\U0001f600", "time": AT}
    for ascii_only in (True, False):
        assert event(json.dumps(envelope, ensure_ascii=ascii_only).encode()).user == "\U0001f600"
