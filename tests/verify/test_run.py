"""Record lines written fast are those of the engine that explains, however many lines, blocks and processes there are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.engine.support import CALM, HOUR, Wire, Workspace, at, base, ev
from tests.engine.test_laws import timelines
from tests.engine.test_oracle import LONG_AGO, data_of, policies, steps
from tests.verify.running import in_lines, plainly

TEMPLATES = """\
templates:
  hello: "Hello {{ n }}, {{ order | default('no order') }}"
  other:
    choose: weighted
    variants:
      long: {when: n > 5, text: {en: "\\"{{ n }}\\" & <b>", de: "Groß: {{ n }}"}, title: {en: T, de: Ä}}
      short: {text: {en: "short", de: "kurz"}, weight: 3, buttons: [{label: "Go", link: "https://x.example/{{ n }}"}, {label: Stop}]}
"""


def examples(number: int) -> settings:
    return settings(
        max_examples=number, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )


def told(steps_of: list[object], rules: str) -> tuple[Workspace, list[Wire]]:
    """The steps as events; feedback names messages that were sent."""
    here = Workspace(rules, TEMPLATES)
    other = Workspace(rules, TEMPLATES)
    now, events, sent = at("2025-03-28T18:00:00Z"), [], []
    for number, step in enumerate(steps_of):
        now += step.gap
        data = data_of(step, now)
        mine = [decision.id for decision in sent if decision.user == step.user]
        if step.which is not None and step.which < len(mine):
            data["message_id"] = mine[-1 - step.which]
        event = ev(step.kind, step.user, now - step.late, id=f"e{number}", **data)
        if step.again is not None and step.again < len(events):
            event = {**events[-1 - step.again]}
        events.append(event)
        sent += [decision for decision in other.run(event, until=LONG_AGO) if decision.message is not None]
    return here, events


@examples(150)
@given(
    policies(), st.lists(steps(), min_size=20, max_size=60), st.sampled_from([1, 3, 60]), st.sampled_from([1, 8, 99])
)
def test_lines_say_what_the_engine_decides(rules, timeline, block, batch):
    rules = replace(rules, effect=0.5)
    note(rules.yaml())
    workspace, events = told(timeline, rules.yaml())
    until = at("2025-03-28T18:00:00Z") + 300 * HOUR
    assert in_lines(workspace.engine, events, until=until, block=block, batch=batch) == plainly(
        workspace.engine, events, until=until
    )


@pytest.mark.parametrize(
    ("suppression", "settings_of"),
    [
        ("{id: x, cooldown: 6h}", CALM),
        ("{id: x, cooldown: 6h, per: [user]}", CALM),
        ("{id: x, limit: 1, within: 6h}", CALM),
        ("{id: x, limit: 1, within: 6h, events: [a]}", CALM),
        ("{id: x, limit: 2, within: 6h}", CALM),
        ("{id: x, inhibited_by: b, within: 6h}", CALM),
        ("{id: x, mute: 6h, when: n == 1}", CALM),
        ("{id: x, in_conversation: 6h}", CALM),
        ("{id: x, in_conversation: 6h, channels: [chat]}", CALM),
        ("{id: x, in_conversation: 6h}\n{id: y, cooldown: 6h}\n{id: z, in_conversation: 1h}", CALM),
        ("", CALM + ", dedupe_window: 6h"),
        ("", "fatigue: {per_message: 0.2, within: 6h, limit: 0.4}, engagement: {effect: 0}"),
    ],
)
def test_at_the_very_edge_of_a_window_lines_say_what_the_engine_decides(suppression, settings_of):
    engine = Workspace(base(suppression, settings_of)).engine
    begin = [ev("a", "u", "09:00", id="a1", n=1), ev("b", "u", "09:00", id="b1"), ev("a", "v", "09:00", id="v1", n=1)]
    for shift in (-1, 0, 1):
        end = at("15:00") + shift
        between = ev("b", "v", "14:00", id="v-between")
        events = [
            *begin,
            ev("user.active", "u", "09:00", id="u-active"),
            ev("user.active", "v", "09:00", id="v-active", channel="chat"),
            between,
            ev("user.active", "v", "14:00", id="v-elsewhere", channel="sms"),
            ev("user.active", "v", "14:00", id="v-elsewhere", channel="sms"),
            ev("a", "u", end, id="a2"),
            ev("a", "u", end, id="a1", n=1),
            ev("a", "v", end, id="v2"),
        ]
        assert in_lines(engine, events) == plainly(engine, events)


@examples(12)
@given(timelines(users=9), st.sampled_from([2, 3, 8]), st.sampled_from([1, 4, 60]), st.sampled_from([1, 8, 99]))
def test_any_number_of_processes_decides_the_same(events, workers, block, batch):
    engine = Workspace(base('{id: night, quiet_hours: {from: "22:00", to: "08:00"}}\n{id: c, cooldown: 6h}')).engine
    junk = [b"{", b"", b'{"id": 1}', *events, b'{"user": "\\u0075\\u0031"}', b"x" * 100]
    one = in_lines(engine, junk, block=block, batch=batch)
    many = in_lines(engine, junk, workers=workers, block=block, batch=batch)
    assert (many.records, many.rejected, many.summary) == (one.records, one.rejected, one.summary)
    assert one == plainly(engine, junk)


@pytest.mark.parametrize(
    "written",
    [
        b'{"id":"%d","type":"a","user":"u1","time":"2026-03-01T09:00:00Z"}',
        b'{"id":"%d","type":"a","user":"\\u00751","time":"2026-03-01T09:00:00Z"}',
        b'{"id":"%d","type":"a", "user" : "u1" ,"time":"2026-03-01T09:00:00Z"}',
        b'{"id":"%d","specversion":"1.0","source":"s","type":"a","subject":"u1","time":"2026-03-01T09:00:00Z"}',
        b'{"id":"%d","specversion":"1.0","source":"s","type":"a","subject":"u1","user":"x","time":"2026-03-01T09:00:00Z"}',
        b'{"id":"%d","type":"a","data":{"user":"other"},"user":"u1","time":"2026-03-01T09:00:00Z"}',
        b'{"id":"user","type":"a","user":"u1","time":"2026-03-01T09:00:00Z", "n": %d}',
    ],
)
def test_a_user_has_one_worker_however_the_id_is_written(written):
    engine = Workspace(base("{id: c, cooldown: 6h}")).engine
    lines = [b'{"id":"first","type":"a","user":"u1","time":"2026-03-01T08:00:00Z"}', written % 1]
    for workers in (2, 3, 7):
        many = in_lines(engine, lines, workers=workers)
        assert b'"reason":"cooldown"' in many.records
        assert many.records == plainly(engine, lines).records
