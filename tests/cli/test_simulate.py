"""`botopt simulate`: what people read, the files it writes, and its refusals."""

from __future__ import annotations

import json

import pytest

from botopt.cli.exits import Exit
from tests.cli.running import ROOT, botopt

SMALL = ("simulate", "-w", str(ROOT), "--seeds", "1", "--users", "5", "--days", "8")


def test_a_report_compares_with_the_static_rule_and_draws_curves():
    done = botopt(*SMALL)

    assert done.returncode == 0, done.stderr
    for words in ("this policy", "static: learners off", "hindsight rule", "oracle", "Regret", "day 7"):
        assert words in done.stdout


def test_files_for_other_commands_fit_together(tmp_path):
    events, decisions = tmp_path / "events.jsonl", tmp_path / "decisions.jsonl"
    done = botopt(
        *SMALL,
        "--against",
        "none",
        "--events",
        str(events),
        "--decisions",
        str(decisions),
        "--out",
        str(tmp_path / "o"),
    )

    assert done.returncode == 0, done.stderr
    sent = {line["message"]["id"] for line in map(json.loads, decisions.read_text().splitlines()) if line["message"]}
    answered = [
        line["data"]["message_id"]
        for line in map(json.loads, events.read_text().splitlines())
        if line["type"].startswith("message.")
    ]
    assert answered
    assert set(answered) <= sent
    assert json.loads((tmp_path / "o" / "report.json").read_text())["world"] == "modest"
    assert (tmp_path / "o" / "curves.svg").read_text().startswith("<svg")


def test_a_report_for_programs_is_json():
    done = botopt(*SMALL, "--format", "json", "--against", "none")

    assert [row["name"] for row in json.loads(done.stdout)["rows"]] == ["policy"]


@pytest.mark.parametrize(("option", "value", "words"), [("--world", "moon", "there is no world moon")])
def test_what_is_not_there_is_named(option, value, words):
    done = botopt(*SMALL, option, value)

    assert done.returncode == Exit.USAGE
    assert words in done.stderr


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    (tmp_path / "events.jsonl").write_text("mine")
    done = botopt(*SMALL, "--events", str(tmp_path / "events.jsonl"))

    assert done.returncode == Exit.USAGE
    assert "name a new file" in done.stderr
    assert (tmp_path / "events.jsonl").read_text() == "mine"
