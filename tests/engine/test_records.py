"""Section 7: the decision record, whole."""

from __future__ import annotations

import json

import pytest

from botopt.model.decision import Decision
from botopt.model.record import encode_line
from tests.engine.support import CALM, Workspace, at, base, ev

KEYS = """
id event_id event_type user time line outcome reason by detail until score threshold parts cause choices message snapshot revision
""".split()
MESSAGE_KEYS = "id template variant locale channel text title buttons".split()
NIGHT = '{id: night, quiet_hours: {from: "22:00", to: "08:00"}}'
TEMPLATES = """
templates:
  other: Other
  hello:
    variants:
      only:
        title: {en: "A title"}
        text: {en: "Grüße, {{ user.id }}!"}
        buttons: [{label: {en: Yes}}, {label: {en: Look}, link: {en: "https://x.example/{{ user.id | urlencode }}"}}]
"""


def plain(decision: Decision) -> dict[str, object]:
    record = json.loads(encode_line(decision))
    assert isinstance(record, dict)
    return record


def test_a_whole_record_of_a_message_that_was_sent():
    ws = Workspace(base("{id: x, cooldown: 6h}", CALM, rules="[{id: more, when: n > 1, score: +0.05}]"), TEMPLATES)
    [sent, stopped] = ws.run(ev("a", "ada", "09:00", id="e1", n=2), ev("a", "ada", "09:00:00.250", id="e2"))
    record = plain(sent)
    assert record.pop("id") == sent.id
    assert record == {
        "event_id": "e1",
        "event_type": "a",
        "user": "ada",
        "time": "2026-03-02T09:00:00Z",
        "line": None,
        "outcome": "sent",
        "reason": None,
        "by": None,
        "detail": None,
        "until": None,
        "score": 0.85,
        "threshold": 0.6,
        "parts": [
            {"part": "base", "id": None, "value": 0.8},
            {"part": "rule", "id": "more", "value": 0.05},
            {"part": "engagement", "id": None, "value": 1},
            {"part": "fatigue", "id": None, "value": 0},
        ],
        "cause": None,
        "choices": [],
        "message": {
            "id": sent.id,
            "template": "hello",
            "variant": "only",
            "locale": "en",
            "channel": "chat",
            "text": "Grüße, ada!",
            "title": "A title",
            "buttons": [{"label": "Yes", "link": None}, {"label": "Look", "link": "https://x.example/ada"}],
        },
        "snapshot": None,
        "revision": ws.engine.policy.revision,
    }
    other = plain(stopped)
    assert {name: other[name] for name in ("time", "outcome", "reason", "by", "until", "cause", "message")} == {
        "time": "2026-03-02T09:00:00.25Z",
        "outcome": "suppressed",
        "reason": "cooldown",
        "by": "x",
        "until": "2026-03-02T15:00:00Z",
        "cause": sent.id,
        "message": None,
    }


def story() -> list[Decision]:
    """One of each kind of record."""
    rules = "[{id: no, when: n == 1, skip: true}, {id: low, when: n == 2, score: -0.8}]"
    ws = Workspace(base(f"{NIGHT}\n{{id: x, cooldown: 6h}}", CALM, rules=rules))
    one = ev("a", "u", "09:00", id="e1")
    return ws.run(
        one,
        one,
        one,
        ev("a", "u", "09:01", n=1),
        ev("a", "u", "09:02", n=2),
        ev("a", "u", "09:03"),
        b"{",
        b"{",
        ev("message.clicked", "u", "09:04", message_id="nobody"),
        ev("ad", "u", "09:05"),
        ev("a", "u", "23:00", id="e9"),
        ev("a", "u", "tue 09:00", id="e10"),
        ev("user.deleted", "u", "tue 10:00"),
        ev("a", "u", "tue 10:01"),
    )


def test_keys_come_in_order_and_are_always_all_there():
    found = story()
    assert {str(d.reason) for d in found} >= {"None", "duplicate", "skipped", "below_threshold", "cooldown", "rejected"}
    for decision in found:
        record = plain(decision)
        assert list(record) == KEYS
        if record["message"] is not None:
            assert list(record["message"]) == MESSAGE_KEYS
        assert (record["message"] is None) is (record["outcome"] != "sent")
        assert (record["line"] is not None) is (record["outcome"] == "rejected")
        assert (record["detail"] is not None) is (record["outcome"] == "rejected")
        assert (record["reason"] is None) is (record["outcome"] == "sent")
        assert (record["score"] is None) is (record["reason"] in ("rejected", "duplicate"))
        assert (record["threshold"] is None) is (record["score"] is None)
        assert record["revision"] == found[0].revision != ""


def test_no_two_records_share_an_id():
    found = story()
    assert len({d.id for d in found}) == len(found)


def test_records_are_byte_identical_in_every_run():
    rules = base(f"{NIGHT}\n{{id: x, limit: 2, within: 1d}}")
    events = [ev("a", f"u{number % 3}", at("20:00") + number * 600_000_000) for number in range(40)]
    runs = [b"".join(map(encode_line, Workspace(rules, batch=batch).run(*events))) for batch in (1, 7, 2_000)]
    assert runs[0] == runs[1] == runs[2]


def test_the_id_depends_on_user_source_event_id_attempt_and_time():
    one = Workspace(base()).run(ev("a", "u", "09:00", id="x"))[0].id
    assert Workspace(base()).run(ev("a", "u", "09:00", id="x", n=3))[0].id == one
    assert Workspace(base("{id: x, cooldown: 1h}")).run(ev("a", "u", "09:00", id="x"))[0].id == one
    others = [ev("a", "v", "09:00", id="x"), ev("a", "u", "09:00", id="y"), ev("a", "u", "09:01", id="x")]
    assert len({one, *(Workspace(base()).run(other)[0].id for other in others)}) == 4


def test_the_id_of_a_rejected_line_depends_on_its_number_and_bytes():
    first = Workspace(base()).run(b"{", b"[")
    second = Workspace(base()).run(b"[", b"{")
    assert len({d.id for d in (*first, *second)}) == 4
    assert Workspace(base()).run(b"{")[0].id == first[0].id


def test_a_release_has_an_id_of_its_own_and_its_message_is_found_by_it():
    ws = Workspace(base(NIGHT))
    held, release = ws.run(ev("a", "u", "23:00", id="x"), until="tue 08:00")
    assert held.id != release.id
    assert (held.event_id, held.user) == (release.event_id, release.user)
    assert release.message is not None
    assert ws.tell(ev("message.clicked", "u", "tue 09:00", message_id=release.message.id)) == []


def test_message_ids_are_unique():
    found = Workspace(base()).run(*(ev("a", f"u{n % 5}", "09:00") for n in range(30)))
    assert len({d.message.id for d in found if d.message is not None}) == 30


@pytest.mark.parametrize(
    ("time", "written"),
    [
        ("2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z"),
        ("2026-03-02T09:00:00.000Z", "2026-03-02T09:00:00Z"),
        ("2026-03-02T10:00:00+01:00", "2026-03-02T09:00:00Z"),
        ("2026-03-02T09:00:00.5Z", "2026-03-02T09:00:00.5Z"),
        ("2026-03-02T09:00:00.000001Z", "2026-03-02T09:00:00.000001Z"),
    ],
)
def test_times_are_in_utc_without_an_empty_fraction(time, written):
    [decision] = Workspace(base()).run({**ev("a", "u", "09:00"), "time": time})
    assert plain(decision)["time"] == written


def test_numbers_are_written_in_their_shortest_form():
    ws = Workspace(
        base(
            settings="threshold: 0, fatigue: {per_message: 0}, engagement: {effect: 0}",
            rules="[{id: all, when: n >= 0, score: +1}]",
        )
    )
    line = encode_line(ws.run(ev("a", "u", "09:00"))[0])
    assert b'"score":1,"threshold":0,' in line
    assert b".0" not in line.replace(b"0.", b"")


def test_what_is_said_of_a_duplicate():
    one = ev("a", "u", "09:00", id="x")
    [_, second] = Workspace(base()).run(one, {**one, "time": "2026-03-02T09:30:00Z"})
    assert (second.event_id, second.event_type, second.user, second.outcome) == ("x", "a", "u", "suppressed")
    assert (second.parts, second.choices, second.cause, second.until_us, second.by) == ((), (), None, None, None)


def test_records_say_which_policy_they_followed():
    one, two = Workspace(base()), Workspace(base("{id: x, cooldown: 1h}"))
    [first], [second] = one.run(ev("a", "u", "09:00")), two.run(ev("a", "u", "09:00"))
    assert first.revision == one.engine.policy.revision != second.revision
