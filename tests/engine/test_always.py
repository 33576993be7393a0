"""Section 6: `always: true` waives everything from below_threshold on but render_failed."""

from __future__ import annotations

import pytest

from tests.engine.support import CALM, Workspace, at, base, ev

MUST = """
must: {category: service, channel: chat, weight: WEIGHT, message: MESSAGE, always: true, expires_after: 1h,
       fields: {n: {type: number, default: 0}, xs: {type: list, optional: true}},
       rules: [{id: no, when: n == 9, skip: true}]}
"""


def workspace(
    suppression: str = "", settings: str = CALM, weight: str = "0.8", message: str = "hello", templates: str = ""
) -> Workspace:
    events = MUST.replace("WEIGHT", weight).replace("MESSAGE", message)
    return Workspace(base(suppression, settings, events), templates or 'templates: {hello: "Hello"}')


def must(time: str | int, **data: object):
    return ev("must", "u", time, **data)


@pytest.mark.parametrize(
    "stop",
    [
        "{id: x, mute: always, when: time.hour >= 0}",
        "{id: x, mute: 3h, when: time.hour >= 0}",
        "{id: x, resolved_by: paid, within: 1d}",
        "{id: x, inhibited_by: fire, within: 1d}",
        "{id: x, cooldown: 1d}",
        "{id: x, cooldown: 1d, per: [user]}",
        "{id: x, limit: 1, within: 1d}",
        "{id: x, limit: 1, within: week, reserved: {ads: 1}}",
        '{id: x, quiet_hours: {from: "00:00", to: "23:59"}}',
        '{id: x, quiet_hours: {from: "00:00", to: "23:59"}, action: drop}',
    ],
)
def test_no_suppression_stops_it(stop):
    before = [ev("fire", "u", "08:00"), ev("paid", "u", "08:01")]
    assert workspace(stop).tell(*before, must("09:00"), must("09:01"), until="00:00")[-2:] == ["sent", "sent"]


def test_neither_score_nor_holdout_stop_it():
    assert workspace(weight="0").tell(must("09:00")) == ["sent"]
    [decision] = workspace(weight="0").run(must("09:00"))
    assert (decision.score, decision.threshold) == (0, 0.6)
    assert workspace(settings=f"{CALM}, holdout: 100%").tell(must("09:00"), ev("a", "u", "09:01")) == [
        "sent",
        "holdout",
    ]


def test_rights_still_count():
    ws = workspace()
    one = must("10:00")
    told = ws.tell(one, one, must("08:59:59"), must("09:00"), must("10:00", n=9), must("10:01", n="x"))
    assert told == ["sent", "duplicate", "expired", "sent", "skipped no", "rejected n"]
    assert workspace().tell(ev("user.unsubscribed", "u", "09:00"), must("09:01")) == ["no_consent"]


def test_it_counts_for_others():
    rules = "{id: x, limit: 1, within: 1d, events: [a, must]}"
    assert workspace(rules).tell(must("09:00"), ev("a", "u", "09:01")) == ["sent", "capped x until tue 09:00"]


def test_a_message_that_cannot_be_made_is_not_sent():
    text = '"{% for x in xs %}{% for y in xs %}{% for z in xs %}{{ x }}{% endfor %}{% endfor %}{% endfor %}"'
    templates = f"templates: {{hello: Hello, long: {text}}}"
    ws = workspace(message="long", templates=templates.replace("xs", "(xs | default([]))"))
    [decision] = ws.run(must("09:00", xs=["word"] * 300))
    assert (decision.outcome, decision.reason, decision.by) == ("suppressed", "render_failed", "long")
    assert decision.message is None
    assert decision.score == 0.8
    # and nothing was sent: no click can be about it, no cap counts it
    assert ws.tell(ev("message.clicked", "u", "09:01")) == ["rejected"]


def test_a_message_that_cannot_be_made_counts_nowhere():
    text = '"{% for x in xs %}{% for y in xs %}{% for z in xs %}{{ x }}{% endfor %}{% endfor %}{% endfor %}"'
    templates = f"templates: {{hello: Hello, long: {text}}}".replace("xs", "(xs | default([]))")
    ws = workspace("{id: x, limit: 1, within: 1d}\n{id: y, cooldown: 1d}", message="long", templates=templates)
    assert ws.tell(must("09:00", xs=["word"] * 300), ev("a", "u", "09:01")) == ["render_failed long", "sent"]


def test_it_is_decided_at_once_and_not_held():
    ws = workspace('{id: night, quiet_hours: {from: "00:00", to: "08:00"}}')
    [decision] = ws.run(must("07:00"))
    assert (decision.outcome, decision.time_us, decision.until_us) == ("sent", at("07:00"), None)
