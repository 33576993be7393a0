"""`botopt infer`: what it proposes takes every event that it was proposed from."""

from __future__ import annotations

import gzip
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from botopt.authoring.inferring import Declared, Proposal, infer
from botopt.authoring.inferring_names import grouped
from botopt.authoring.inferring_stats import Distinct
from botopt.authoring.inferring_text import rules_text
from botopt.model.condition import ValueType
from botopt.model.event import Event, Line
from botopt.model.policy import Policy
from botopt.sources.envelope import Decoder
from botopt.verify.inputs import Inputs
from tests.loading.making import load, said


def lines_of(events):
    return [Line(number, json.dumps(event).encode()) for number, event in enumerate(events, 1)]


def event(number, type_="paid", user="ada", minute=0, **data):
    at = f"2026-03-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z"
    return {"id": f"e{number}", "type": type_, "user": user, "time": at, "data": data}


def proposed(events) -> tuple[Proposal, str, Policy]:
    proposal = infer(lines_of(events))
    text = rules_text(proposal, ["events.jsonl"])
    loaded = load(text)
    assert loaded.policy is not None, said(loaded) + text
    assert not loaded.diagnostics, said(loaded) + text
    return proposal, text, loaded.policy


names = st.one_of(
    st.sampled_from(
        ["paid", "order.late", "com.acme.billing.PaymentFailed", "com.acme.PaymentFailed.v2", "PaymentFailed"]
    ),
    st.sampled_from(
        ["user.created", "fields", "null", "a b", "Ü", "2fa", "x:y: z", "#", "on", "payment_failed", "event"]
    ),
    st.text(min_size=1, max_size=12).filter(lambda text: all(ord(c) > 31 and not 127 <= ord(c) < 160 for c in text)),
)
fields = st.one_of(
    st.sampled_from("amount order_id plan type fields one_of True null user time in".split()), st.text(max_size=8)
)
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=30),
        st.sampled_from(
            ["yes", "22:00", "pro", "a, b", "010", "2026-03-01T09:00:00Z", "2026-03-01T09:00:00", " x", "a#b"]
        ),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def recorded_events(draw):
    """Events of a few types; a type has a few fields, so that values meet in one."""
    types = [*draw(st.lists(names, min_size=1, max_size=4, unique=True)), "user.updated"]
    shapes = {name: draw(st.lists(fields, max_size=4, unique=True)) for name in types}
    pools = {name: {field: draw(st.lists(values, min_size=1, max_size=3)) for field in shapes[name]} for name in types}
    made = []
    for number in range(draw(st.integers(1, 25))):
        name = draw(st.sampled_from(types))
        data = {
            field: draw(st.sampled_from(pools[name][field])) for field in shapes[name] if draw(st.integers(0, 3)) > 0
        }
        if name == "user.updated":
            data = {key: value for key, value in data.items() if key not in ("timezone", "locale")}
        one = {**event(number, name, draw(st.sampled_from(["ada", "bob"])), number), "data": data}
        if draw(st.booleans()):
            one = {**one, "specversion": "1.0", "subject": one["user"], "source": "/shop"}
        made.append(one)
    return made


@settings(max_examples=300, deadline=None)
@given(recorded_events())
def test_the_proposal_validates_and_takes_every_event_that_can_be_declared(events):
    proposal, text, policy = proposed(events)
    assert proposal.unfit == 0, proposal.faults
    decoder = Decoder(policy)
    for line, one in zip(lines_of(events), events, strict=True):
        if one["type"].isprintable() and not one["type"].isspace():
            assert isinstance(decoder.decode(line.raw, line.number), Event), (decoder.decode(line.raw, 1), text)


@settings(max_examples=200, deadline=None)
@given(st.lists(names, max_size=8), st.lists(names, max_size=3))
def test_every_type_gets_one_name_and_no_name_is_taken_twice(types, taken):
    types = sorted(set(types) - set(taken))
    groups = grouped(types, taken)
    assert sorted(member for members in groups.values() for member in members) == types
    assert not set(groups) & set(taken)
    for name, members in groups.items():
        assert name not in set(types) - set(members), "it would take events of another type"


def test_types_follow_from_values():
    _, _, policy = proposed(
        [
            event(1, amount=5, whole=5, share=0.5, paid=True, at="2026-03-01T09:00:00Z", why="x", items=[1], shop={}),
            event(2, amount=5.5, whole=6, share=1, paid=False, at="2026-03-01T09:00:00+01:00", items=[]),
            event(3, amount=None, whole=5, share=2.0, paid=True, at="2026-03-01T09:00:00Z", why="y", shop={"a": 1}),
        ]
    )
    fields = policy.events["paid"].fields
    assert {name: spec.type.value for name, spec in fields.items()} == {
        "amount": "number",
        "whole": "integer",
        "share": "number",
        "paid": "boolean",
        "at": "time",
        "why": "text",
        "items": "list",
        "shop": "object",
    }
    assert {name for name, spec in fields.items() if spec.optional} == {"amount", "why", "items", "shop"}


def test_few_values_that_come_often_are_one_of_and_ids_are_not():
    events = [
        event(n, plan=("free", "pro", "no")[n % 3], order_id=f"A-{n % 2}", code="ABC"[n % 3] * (n + 1))
        for n in range(12)
    ]
    _, text, policy = proposed(events)
    fields = policy.events["paid"].fields
    assert fields["plan"].one_of == ("free", "pro", "no")
    assert 'one_of: [free, pro, "no"]}' in text
    assert "# free 4, pro 4, no 4" in text
    assert not fields["order_id"].one_of
    assert not fields["code"].one_of
    assert fields["code"].max_length == 40


def test_a_field_of_two_types_is_left_out_and_said():
    _, text, policy = proposed([event(1, ref=5), event(2, ref="A-5")])
    assert not policy.events["paid"].fields
    assert "# left out: ref has values of different types (number 1, text 1)" in text


def test_the_long_name_of_a_cloud_event_is_accepted_under_a_short_one():
    _, _, policy = proposed([event(1, "com.acme.billing.PaymentFailed", a=1), event(2, "payment_failed", a=2)])
    assert policy.events["payment_failed"].accepts == ("com.acme.billing.PaymentFailed",)
    assert list(policy.events) == ["payment_failed"]


def test_long_names_that_end_alike_stay_apart():
    groups = grouped(["com.acme.billing.Failed.v1", "com.acme.billing.failed.v2", "com.acme.parcel.Failed"])
    assert groups == {
        "billing.failed": ("com.acme.billing.Failed.v1", "com.acme.billing.failed.v2"),
        "parcel.failed": ("com.acme.parcel.Failed",),
    }


def test_users_attributes_categories_and_channels_come_from_what_users_say():
    _, _, policy = proposed(
        [
            event(1, "user.updated", plan="pro", timezone="Europe/Berlin", age=5),
            event(2, "user.unsubscribed", category="marketing", channel="sms"),
        ]
    )
    assert {name: spec.type for name, spec in policy.attributes.items()} == {
        "plan": ValueType.TEXT,
        "age": ValueType.INTEGER,
    }
    assert all(spec.optional for spec in policy.attributes.values())
    assert list(policy.categories) == ["marketing"]
    assert list(policy.channels) == ["sms"]


def test_what_has_a_meaning_of_its_own_is_not_proposed():
    events = [
        event(1, "user.active", channel="chat"),
        event(2, "message.failed", reason="full"),
        event(3, "user.deleted"),
    ]
    assert infer(lines_of(events)).empty


def test_repeats_suggest_a_cooldown():
    _, text, _ = proposed([event(n, minute=n * 50) for n in range(11)])
    assert "# 10 of 10 repeats come within 1h of the one before: think of cooldown: 1h" in text
    assert "# 11 events of 1 user; 11.0 on a day on which a user has any" in text


def test_what_is_declared_already_is_not_proposed():
    declared = Declared(types=frozenset({"paid"}), attributes=frozenset({"plan"}), categories=frozenset({"m"}))
    events = [event(1), event(2, "user.updated", plan="x"), event(3, "user.subscribed", category="m")]
    assert infer(lines_of(events), declared).empty


def test_lines_that_are_no_events_are_counted_and_the_first_said():
    lines = [*lines_of([event(1)]), Line(2, b"oops"), Line(3, b"  "), Line(4, b"{}")]
    proposal = infer(lines)
    assert (proposal.lines, proposal.unfit) == (3, 2)
    assert proposal.faults[0].startswith("line 2: not valid JSON")


def test_counting_users_is_exact_for_few_and_about_right_for_many():
    few, many, half = Distinct(), Distinct(), Distinct()
    for number in range(20_000):
        few.add(str(number % 200))
        many.add(str(number))
        if number % 2:
            half.add(str(number))
    assert (few.exact, few.count) == (True, 200)
    assert not many.exact
    assert 16_000 < many.count < 24_000
    before = many.count
    many.merge(half)
    assert many.count == before, "nobody new came"


def test_packed_files_are_read_too(tmp_path):
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(line.raw + b"\n" for line in lines_of([event(1, a=1)]))))
    with Inputs([str(path)]) as inputs:
        assert list(infer(inputs).events) == ["paid"]


def test_a_type_of_nothing_but_spaces_is_left_out():
    proposal, _, policy = proposed([{**event(1), "type": " "}, event(2)])
    assert any(remark.startswith("1 events are left out") for remark in proposal.remarks)
    assert list(policy.events) == ["paid"]
