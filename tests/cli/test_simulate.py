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


def test_a_table_has_one_kind_of_clicks_and_those_that_were_drawn_have_a_name_of_their_own():
    done = botopt(*SMALL, "--seeds", "2", "--format", "json")
    told = json.loads(done.stdout)
    mine, static, _ = told["rows"]
    days = told["users"] * told["days"] * len(told["seeds"])

    for row in told["rows"]:
        assert row["drawn_clicks"] == int(row["drawn_clicks"])
        assert row["clicks"] != row["drawn_clicks"]
        assert row["clicks_per_user_day"]["mean"] == pytest.approx(row["clicks"] / days)
    # the way to the oracle and the regret are of the same clicks as the rates
    assert told["regret"]["mean"] == pytest.approx(mine["oracle_rate"]["mean"] - mine["click_rate"]["mean"])
    words = botopt(*SMALL, "--seeds", "2").stdout
    assert f"{static['click_rate']['mean']:.2%} ± {static['click_rate']['half']:.2%}" in words
    assert "clicks to expect by the hidden truth" in words


def other(folder, *types: str):
    """A workspace of these event types."""
    events = "".join(f"  {name}: {{weight: 0.9, message: hello}}\n" for name in types)
    for name, text in (
        ("rules/r.yaml", f"settings: {{threshold: 0.5}}\nchannels: {{chat: {{type: console}}}}\nevents:\n{events}"),
        ("templates/t.yaml", "templates: {hello: Hello}\n"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_policy_about_other_events_is_no_rival_and_both_sets_are_named(tmp_path):
    here, there = other(tmp_path / "shop", "order", "refund"), other(tmp_path / "bank", "payment")
    done = botopt("simulate", str(here), "--seeds", "1", "--users", "3", "--days", "3", "--against", str(there))

    assert done.returncode == Exit.USAGE
    assert "no event type in common that leads to a message" in done.stderr
    assert "this policy has order, refund; bank has payment" in done.stderr


def test_event_types_that_a_rival_lacks_are_named_in_a_warning(tmp_path):
    here, there = other(tmp_path / "shop", "order", "refund"), other(tmp_path / "bank", "payment", "refund")
    small = ("simulate", str(here), "--seeds", "1", "--users", "3", "--days", "3", "--against")
    done = botopt(*small, str(there))

    assert done.returncode == 0
    assert "warning: bank sends nothing about order, which people here meet" in done.stderr
    assert botopt(*small, str(other(tmp_path / "again", "order", "refund"))).stderr == ""


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
