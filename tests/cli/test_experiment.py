"""`botopt experiment`: what people read, what programs read, and what is said when nothing can be."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from random import Random

import pytest

from botopt.model.decision import Choice, Decision, Message, Outcome
from botopt.model.instants import instant_text, instant_us
from botopt.model.record import encode_line
from tests.cli.running import botopt, workspace
from tests.cli.test_formats import own

GOLDEN = Path(__file__).parent / "golden"
UPDATE = bool(os.environ.get("BOTOPT_UPDATE_GOLDEN"))
RULES = """\
settings: {holdout: 10%, control: 20%}
channels:
  chat: {type: console}
events:
  paid: {}
  payment_failed:
    fields:
      amount: {type: number, min: 0}
    weight: 0.70
    message: hello
    rules:
      - {id: small, when: amount < 20, score: -0.20}
      - {id: early, when: "experiment('early-nudge') == 'early'", threshold: -0.20}
experiment:
  early-nudge:
    description: Does a lower bar bring more clicks?
    arms: {as-now: 50%, early: 50%}
  unused: {arms: {a: 10%, b: 90%}}
"""
TEMPLATES = """\
templates:
  hello:
    variants:
      only: {text: {en: "Your payment failed."}}
"""
MINUTE, DAY = 60_000_000, 86_400_000_000
BEGIN = instant_us("2026-03-02T00:00:00Z")


def event(number: int, type: str, user: str, us: int, **data: object) -> str:
    return json.dumps({"id": f"{type}-{number}", "type": type, "user": user, "time": instant_text(us), "data": data})


def events(users: int = 500, days: int = 18) -> str:
    random, found = Random(1), []
    for day in range(days):
        for user in range(users):
            if random.random() < 0.3:
                us = BEGIN + day * DAY + int(random.random() * 1_440) * MINUTE
                found.append((us, user, 5 if random.random() < 0.5 else 50))
    found.sort()
    lines = [event(n, "payment_failed", f"u{user}", us, amount=amount) for n, (us, user, amount) in enumerate(found)]
    return "\n".join(lines) + "\n"


def feedback(records: str) -> str:
    random, lines = Random(2), []
    for number, line in enumerate(records.splitlines()):
        record = json.loads(line)
        user, us = record["user"], instant_us(record["time"])
        drawn = random.random()
        if record["message"] is not None:
            answer = next((kind for kind, share in (("clicked", 0.12), ("dismissed", 0.2)) if drawn < share), None)
            if answer is not None:
                lines.append(event(number, f"message.{answer}", user, us + 7 * MINUTE, message_id=record["id"]))
        if random.random() < 0.25:
            lines.append(event(number, "paid", user, us + 20 * MINUTE))
            lines.append(event(number, "user.active", user, us + 19 * MINUTE))
        if drawn > 0.99:
            lines.append(event(number, "user.unsubscribed", user, us + 9 * MINUTE))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    here = workspace(tmp_path_factory.mktemp("shop"), RULES, TEMPLATES, events())
    assert botopt("replay", "events.jsonl", "--out", "decisions.jsonl", cwd=here).returncode == 0
    (here / "feedback.jsonl").write_text(feedback((here / "decisions.jsonl").read_text("utf-8")), "utf-8")
    return here


LOGS = ("decisions.jsonl", "feedback.jsonl")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("policy", (*LOGS, "-w", ".")),
        ("goal", (*LOGS, "-w", ".", "--goal", "paid", "--name", "early-nudge")),
        ("decisions", ("decisions.jsonl",)),
    ],
)
def test_people_read_a_report(folder, name, words):
    done = botopt("experiment", "report", *words, cwd=folder)
    file = GOLDEN / f"experiment-{name}.text"
    if UPDATE:
        file.write_text(done.stdout, "utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == file.read_text("utf-8")


def test_json_obeys_its_schema_and_says_the_same(folder):
    for words in ((), ("-w", "."), ("-w", ".", "--goal", "paid"), ("--name", "early-nudge")):
        done = botopt("experiment", "report", *LOGS, "--format", "json", *words, cwd=folder)
        plain = json.loads(done.stdout)
        own("experiment-report").validate(plain)
        (results,) = [one for one in plain["experiments"] if one["name"] == "early-nudge"]
        wanted = [("goals_per_user", "no_difference_shown")] if "--goal" in words else [("clicks_per_user", "more")]
        assert [(one["metric"], one["verdict"]) for one in results["conclusions"]] == wanted


def test_lines_that_are_none_are_counted(folder, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text("oops\n\n{}\n", "utf-8")
    done = botopt("experiment", "report", "decisions.jsonl", bad, cwd=folder)
    assert done.returncode == 0
    assert f"Left out, 1 time: no JSON; first: {bad}, line 1." in done.stdout


def test_an_empty_log_says_so(folder, tmp_path):
    (tmp_path / "empty.jsonl").touch()
    done = botopt("experiment", "report", "empty.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No record names an experiment" in done.stdout


def records(*users: tuple[str, str, int, int]) -> bytes:
    """User, arm, messages, and how many of them were clicked."""
    records, lines = [], []
    for user, arm, messages, clicks in users:
        for number in range(messages):
            us = BEGIN + number * MINUTE
            record = Decision(
                id=f"{user}-{number}",
                event_id=f"{user}-{number}",
                event_type="late",
                user=user,
                time_us=us,
                outcome=Outcome.SENT,
                choices=(Choice("experiment x", ("a", "b"), arm, 0.1, 0.5),),
                message=Message(f"{user}-{number}", "late", "only", "en", "chat", "Late"),
            )
            records.append(encode_line(record))
            if number < clicks:
                lines.append(event(number, "message.clicked", user, us + 1, message_id=record.id))
    lines.append(event(0, "user.active", "u0", BEGIN + 7 * DAY))
    return b"".join(records) + "\n".join(lines).encode() + b"\n"


@pytest.mark.parametrize(
    ("users", "said"),
    [
        (
            [("u0", "a", 2, 0), ("u1", "a", 2, 0), ("u2", "b", 2, 1)],
            "Sample size: nothing can be computed yet for clicks per user: no user of a has any of them.",
        ),
        (
            [("u0", "a", 1, 1), ("u1", "a", 1, 1), ("u2", "b", 2, 1)],
            "Sample size: nothing can be computed yet for clicks per user: all users of a have the same number of them.",
        ),
        ([("u2", "b", 2, 1)], "Sample size: nothing can be computed yet for clicks per user: a has no user yet."),
        (
            [("u0", "a", 2, 1), ("u1", "a", 2, 1), ("u2", "b", 2, 1)],
            "In users nothing can be computed yet: all users of a have the same number of them.\n  relative difference",
        ),
    ],
)
def test_where_no_sample_size_can_be_computed_it_says_so(users, said, tmp_path):
    (tmp_path / "log.jsonl").write_bytes(records(*users))
    done = botopt("experiment", "report", "log.jsonl", cwd=tmp_path)
    assert said in done.stdout
    assert not re.search(r"^ +(20|10|5)%.* 0$", done.stdout, re.MULTILINE)


def test_records_of_another_policy_are_noted(folder):
    rules = (folder / "rules" / "r.yaml").read_text("utf-8")
    other = folder / "other"
    workspace(other, rules.replace("weight: ", "description: Other\n    weight: ", 1))
    done = botopt("experiment", "report", *LOGS, "-w", "other", cwd=folder)
    assert done.returncode == 0
    assert "Note: 2,676 of 2,676 decisions are of another revision (" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((*LOGS, "--name", "early-nuge"), 2, 'did you mean "early-nudge"?'),
        ((*LOGS, "-w", ".", "--goal", "payd"), 2, 'did you mean "paid"?'),
        (("none.jsonl",), 9, "there is no file none.jsonl"),
        ((), 2, "LOG"),
    ],
)
def test_what_cannot_be_is_said(folder, words, code, said):
    done = botopt("experiment", "report", *words, cwd=folder)
    assert done.returncode == code
    assert said in done.stderr


LISTED = """\
early-nudge rules/r.yaml:15:3
  Does a lower bar bring more clicks?
  arms: as-now 50%, early 50%
  has a say in: payment_failed
unused rules/r.yaml:18:3
  arms: a 10%, b 90%
  has a say in: nothing: no condition asks for it, nobody is exposed
holdout: 10% of users, never messaged
control: 20% of users, for whom the static rule decides
"""


def test_experiments_are_listed(folder):
    assert botopt("experiment", "list", cwd=folder).stdout == LISTED
    assert botopt("experiment", "list", folder).stdout == LISTED
    plain = json.loads(botopt("experiment", "list", "--format", "json", cwd=folder).stdout)
    assert [(one["name"], one["arms"], one["events"]) for one in plain["experiments"]] == [
        ("early-nudge", {"as-now": 0.5, "early": 0.5}, ["payment_failed"]),
        ("unused", {"a": 0.1, "b": 0.9}, []),
    ]


def test_a_user_is_told_where_they_belong_as_their_records_do(folder):
    records = [json.loads(line) for line in (folder / "decisions.jsonl").read_text("utf-8").splitlines()[:40]]
    said = botopt("experiment", "who", *(one["user"] for one in records), "--format", "json", cwd=folder).stdout
    for record, line in zip(records, said.splitlines(), strict=True):
        plain = json.loads(line)
        assert plain["user"] == record["user"]
        assert plain["arms"]["early-nudge"] == record["choices"][0]["chosen"]
        assert plain["holdout"] or record["reason"] != "holdout"


def test_somebody_who_was_never_seen_has_an_arm(folder):
    done = botopt("experiment", "who", "nobody[bold]", cwd=folder)
    assert done.stdout.splitlines()[0] == "nobody[bold]"
    assert done.stdout.splitlines()[-2].startswith("  early-nudge: ")
