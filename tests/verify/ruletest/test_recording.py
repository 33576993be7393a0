"""Recorded history as a rule test: it passes at once, and says what the replay says, whatever happened."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from botopt.authoring.formatting import tidied
from botopt.authoring.recording_text import test_text as written
from botopt.engine.build import build
from botopt.engine.engine import Engine
from botopt.model.decision import Decision, Outcome
from botopt.model.errors import UsageError
from botopt.model.event import Line
from botopt.model.instants import instant_text, instant_us
from botopt.verify.api import replay
from botopt.verify.ruletest.reading import read_tests
from botopt.verify.ruletest.recording import Recording, record
from botopt.verify.ruletest.running import run_tests
from botopt.verify.validate import load
from tests.cli.running import ROOT, workspace

RULES = """\
settings:
  dedupe_window: 2d
  holdout: 10%
user:
  plan: {type: text, one_of: [free, pro], default: free}
  since: {type: time, optional: true}
categories:
  news: {consent: opt_out}
channels:
  chat: {type: console}
  sms: {type: console}
events:
  paid: {fields: {order: {type: text}}}
  failed:
    accepts: [com.acme.Failed]
    fields:
      amount: {type: number, min: 0, default: 1}
      order: {type: text, optional: true}
      extras: {type: list, optional: true}
      due: {type: time, optional: true}
    weight: 0.75
    channel: chat
    expires_after: 2h
    message: failed
    rules:
      - {id: pro, when: user.plan == 'pro', score: +0.10, channel: sms}
      - {id: tiny, when: amount < 1, skip: true}
      - {id: often, when: "count('failed', '3h') >= 3", threshold: +0.15}
  letter:
    category: news
    weight: 0.90
    channel: chat
    message: letter
suppression:
  - {id: once, cooldown: 1h, per: [user, order], events: [failed]}
  - {id: few, limit: 4, within: day}
  - {id: settled, resolved_by: paid, within: 1h, same: [order], events: [failed]}
  - {id: talking, in_conversation: 30m, channels: [chat]}
  - {id: tired, mute: 1d, when: engagement.ignored_in_a_row >= 4}
  - {id: night, quiet_hours: {from: "22:00", to: "08:00"}, events: [letter]}
"""
TEMPLATES = """\
templates:
  failed:
    choose: weighted
    variants:
      short: {text: {en: "Failed: {{ amount }}", de: "Fehler: {{ amount }}"}}
      long: {text: {en: "Your payment of {{ amount }} did not work,\\n\\u00a0sorry: # 'this' \\"hurts\\""}}
  letter: "A letter"
"""
BEGIN_US = instant_us("2026-03-02T06:00:00Z")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return workspace(tmp_path_factory.mktemp("recording"), RULES, TEMPLATES)


@pytest.fixture(scope="module")
def engine(folder) -> Engine:
    return build(load(folder), "reference")


@pytest.fixture(scope="module")
def starter() -> Engine:
    return build(load(ROOT), "reference")


def lines_of(raw: Sequence[bytes]) -> list[Line]:
    return [Line(number, one) for number, one in enumerate(raw, 1)]


def passes(engine: Engine, recording: Recording, folder: Path) -> str:
    """Write it, read it, run it: no finding, no failure, and nothing to tidy. The text."""
    path = folder / "recorded.test.yaml"
    text = written(recording, engine.policy, ["events.jsonl"])
    path.write_text(text, "utf-8")
    read = read_tests(engine.policy, folder, [path])
    assert read.diagnostics == (), text
    [result] = run_tests(engine, read.tests)
    assert result.failures == (), text
    assert not tidied(path, path.name).changed, tidied(path, path.name).diff()
    return text


def user_of(seed: int) -> str:
    """Nearly all of them outside of the holdout."""
    return f"ada-{seed}"


def story(seed: int, *, fractions: bool = False) -> list[bytes]:
    """Days of one user: late events, repetitions, feedback by id, changes, deletion, broken lines."""
    chance = random.Random(seed)
    now_us = BEGIN_US
    raw: list[bytes] = []
    user = user_of(seed)
    for number in range(chance.randint(5, 45)):
        now_us += chance.choice((0, 60, 1_800, 5_400, 20_000, 50_000)) * 1_000_000
        now_us += chance.randint(0, 999_999) if fractions else 0
        late_us = chance.choice((0, 0, 0, 0, 3_600, 9_000, 200_000)) * 1_000_000
        event = {"id": f"e{number}", "user": user, "time": instant_text(now_us - late_us), "data": {}}
        kinds = ["failed"] * 14 + ["letter"] * 8 + ["paid"] * 2 + ["message.clicked"] * 3
        kinds += ["message.dismissed", "message.failed", "message.converted", "user.updated", "com.acme.Failed"]
        kinds += ["user.active"] * 3
        kinds += ["user.unsubscribed", "user.subscribed", "broken", "again", "again"] + ["user.deleted"] * (
            seed % 5 == 0
        )
        kind = chance.choice(kinds)
        if kind == "again" and raw:
            again = json.loads(chance.choice(raw))
            later = {"time": instant_text(now_us + 30_000_000_000)} if chance.random() < 0.5 else {}
            raw.append(json.dumps(again | later).encode())
            continue
        if kind in ("broken", "again"):
            raw.append(json.dumps(event | {"type": "faild"}).encode())
            continue
        event["type"] = kind
        order = chance.choice("ABC")
        match kind:
            case "failed" | "com.acme.Failed":
                data = {
                    "amount": chance.choice((0.5, 5, 42.25)),
                    "order": order,
                    "other": 1,
                    "due": "2026-04-01T00:00:00Z",
                }
                event["data"] = data | (
                    {"extras": [1, {"a b": "no: yes"}, None, True]} if chance.random() < 0.3 else {}
                )
            case "paid":
                event["data"] = {"order": order}
            case "user.updated":
                values = {"plan": "pro", "locale": "de", "timezone": "Asia/Kolkata", "since": "2020-01-01T00:00:00Z"}
                name = chance.choice(list(values))
                event["data"] = {name: values[name] if chance.random() < 0.7 else None, "unknown": "x"}
            case "user.unsubscribed" | "user.subscribed":
                event["data"] = chance.choice(({}, {"category": "news"}, {"channel": "sms"}))
            case "user.active":
                event["data"] = chance.choice(({}, {"channel": "chat"}, {"channel": "sms", "more": 1}))
            case "message.clicked" | "message.failed":
                event["data"] = chance.choice(({}, {"event_type": "failed"}))
                if kind == "message.failed" and chance.random() < 0.7:
                    until = instant_text(now_us + chance.choice((60, 30_000)) * 1_000_000)
                    event["data"] |= {"capped_until": until, "reason": "full: # 'x'", "more": 1}
        raw.append(json.dumps(event).encode())
    return raw


def decided(engine: Engine, raw: Sequence[bytes]) -> list[Decision]:
    return list(replay(engine.policy, raw))


def meaning(decision: Decision) -> object:
    text = None if decision.message is None else decision.message.text
    return decision.time_us, decision.event_type, decision.outcome, decision.reason, decision.by, text


def with_feedback_ids(engine: Engine, raw: list[bytes], chance: random.Random) -> list[bytes]:
    """Clicks on messages that were sent, by their ids, some time later."""
    found = list(raw)
    for decision in decided(engine, raw):
        if decision.message is not None and decision.time_us is not None and chance.random() < 0.5:
            at = instant_text(decision.time_us + chance.choice((60, 90_000)) * 1_000_000)
            kind = chance.choice(("message.clicked", "message.dismissed", "message.failed"))
            click = {"id": f"f{decision.id}", "user": decision.user, "type": kind, "time": at}
            found.append(json.dumps(click | {"data": {"message_id": decision.message.id}}).encode())
    if chance.random() < 0.5:
        found.sort(key=lambda line: json.loads(line)["time"])
    return found


@pytest.mark.parametrize("seed", range(45))
def test_whatever_happened_the_test_passes_and_says_what_the_replay_says(seed, engine, folder):
    raw = with_feedback_ids(engine, story(seed), random.Random(seed))
    recording = record(engine, lines_of(raw), user_of(seed))
    passes(engine, recording, folder)
    assert recording.otherwise == frozenset()
    stamped = {meaning(one) for one in recording.decisions if one is not None}
    everything = decided(engine, raw)
    for decision in everything:
        if decision.outcome is Outcome.SENT:
            assert meaning(decision) in stamped or sum(o.time_us == decision.time_us for o in everything) > 1


@pytest.mark.parametrize("seed", range(25))
def test_a_part_of_history_is_decided_as_in_the_whole(seed, engine, folder):
    raw = with_feedback_ids(engine, story(seed), random.Random(seed))
    whole = record(engine, lines_of(raw), user_of(seed))
    cut_us = whole.moments[len(whole.moments) // 2].at_us
    part = record(engine, lines_of(raw), user_of(seed), from_us=cut_us)
    text = passes(engine, part, folder)
    assert part.otherwise == frozenset()
    before = [one for one in part.moments if not one.in_range]
    assert ("# ---- before" in text) == bool(before)
    assert len(before) + part.dropped <= len(whole.moments) + whole.dropped
    expected = [one.decision for one in whole.moments if one.at_us >= cut_us and one.decision is not None]
    assert [one.decision for one in part.moments if one.in_range and one.decision is not None] == expected


@pytest.mark.parametrize("seed", range(10))
def test_fractions_of_seconds_are_rounded_and_the_test_still_passes(seed, engine, folder):
    passes(engine, record(engine, lines_of(story(seed, fractions=True)), user_of(seed)), folder)


def test_every_user_of_the_examples_can_be_recorded(starter, tmp_path):
    raw = (ROOT / "examples" / "events.jsonl").read_bytes().splitlines()
    users = {str(one.user) for one in replay(starter.policy, raw) if one.outcome is not Outcome.REJECTED}
    assert len(users) > 20
    for user in users:
        for from_us in (None, instant_us("2025-06-09T00:00:00Z")):
            try:
                recording = record(starter, lines_of(raw), user, from_us)
            except UsageError:
                assert from_us is not None
                continue
            assert recording.otherwise == frozenset()
            passes(starter, recording, tmp_path)


HARD = ["true", "~", "- a", "a: b", "#x", "'q'", "{{ x }}", "1_000", "22:00", "é\u2028x", "<<", "*a", "|", "@a", "`a"]
HARD += [
    "a #b",
    " lead",
    "trail ",
    "",
    "line\nbreak",
    "tab\tx",
    "😀",
    "\x7f",
    "on",
    "2026-01-01",
    "\ufffe",
    "🏳\u200d🌈",
    "\u00a0",
]
NUMBERS = [1e22, 1e-7, -0.0, 5.0, 2**53 - 1, 0.1, 1e300]


def test_whatever_users_wrote_can_be_written_and_read_again(tmp_path):
    here = workspace(
        tmp_path,
        """\
settings:
  engagement: {effect: 0}
  fatigue: {per_message: 0}

channels: {chat: {type: console}}

user:
  note: {type: text, optional: true}

events:
  sale:
    fields:
      amount: {type: number}
      note:   {type: text}
      any:    {type: object}
    weight: 0.7
    message: hello
""",
        'templates:\n  hello: "{{ note }} and {{ user.note | default(0) }}"\n',
    )
    engine = build(load(here), "reference")
    raw = []
    for number, text in enumerate(HARD):
        event = {"id": f"e {number}: #", "user": "no: \u2028", "time": f"2026-03-{number % 28 + 1:02}T12:00:00Z"}
        data = {"amount": NUMBERS[number % len(NUMBERS)], "note": text, "any": {text or "k": [text, {"x y": None}]}}
        raw.append(json.dumps(event | {"type": "sale", "data": data}).encode())
        raw.append(json.dumps(event | {"id": f"u{number}", "type": "user.updated", "data": {"note": text}}).encode())
    recording = record(engine, lines_of(raw), "no: \u2028")
    text = passes(engine, recording, here)
    assert recording.left_out == ()
    assert [line.number for line in recording.rewritten] == [19, 20, 45, 46, 51, 52]
    assert "# Characters that no file may hold are written as � (line 19, 20, 45, 46, 51, 52)." in text


def test_earlier_events_that_nothing_needs_are_left_out(engine, folder):
    raw = [
        json.dumps({"id": f"e{day}", "user": "ada", "type": "failed", "time": f"2026-03-{day:02}T12:00:00Z"}).encode()
        for day in range(2, 20)
    ]
    recording = record(engine, lines_of(raw), "ada", from_us=instant_us("2026-03-19T00:00:00Z"))
    text = passes(engine, recording, folder)
    assert recording.dropped > 0
    assert f"# {recording.dropped} earlier events are left out: without them the same is decided." in text


def test_the_end_of_the_time_is_not_part_of_it(engine):
    raw = [
        json.dumps({"id": f"e{hour}", "user": "ada", "type": "failed", "time": f"2026-03-02T{hour}:00:00Z"}).encode()
        for hour in (10, 12, 14)
    ]
    recording = record(engine, lines_of(raw), "ada", to_us=instant_us("2026-03-02T14:00:00Z"))
    assert [moment.line.number for moment in recording.moments] == [1, 2]


@pytest.mark.parametrize(
    ("user", "from_", "said"),
    [
        ("adda", None, 'there are no events of user "adda"; did you mean "ada"?'),
        ("ada", "2027-01-01T00:00:00Z", 'no event of user "ada" falls into that time'),
        ("eve", None, 'no line of user "eve" can be taken; the first, line 2: an event type that is not declared'),
    ],
)
def test_nothing_to_record_is_answered_in_words(engine, user, from_, said):
    raw = [
        b'{"id": "e1", "user": "ada", "type": "failed", "time": "2026-03-02T10:00:00Z"}',
        b'{"id": "e2", "user": "eve", "type": "faled", "time": "2026-03-02T10:00:00Z"}',
    ]
    with pytest.raises(UsageError) as fault:
        record(engine, lines_of(raw), user, None if from_ is None else instant_us(from_))
    assert said in str(fault.value)
