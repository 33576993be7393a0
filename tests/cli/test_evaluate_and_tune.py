"""`botopt evaluate` and `botopt tune` as people and programs call them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from botopt.verify.validate import load
from tests.cli.running import ROOT, botopt
from tests.verify.evaluating.logs import events, workspace, write_log

GOLDEN = Path(__file__).parent / "golden"
UPDATE = bool(os.environ.get("BOTOPT_UPDATE_GOLDEN"))
LOG = ("log/events.jsonl", "log/decisions.jsonl")
CLICKS = {"a": 0.2, "b": 0.4, "only": 0.005}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A shop, its log, and three policies that somebody wants to try."""
    here = tmp_path_factory.mktemp("here")
    shop = workspace(here / "shop", explore="10%")
    write_log(here / "log", load(shop), events(60, 14), clicks=lambda decision: CLICKS[decision.message.variant])
    b = ('b: {text: "New: {{ size }}", weight: 1}', 'b: {text: "New: {{ size }}", weight: 9}')
    workspace(here / "mostly-b", explore="10%", edit=lambda text: text.replace(*b))
    workspace(here / "eager", edit=lambda text: text.replace("cooldown: 2h", "cooldown: 1m").replace("6,", "60,"))
    tuned = "settings:\n  tuned_until: 2026-04-01T00:00:00Z"
    workspace(here / "tuned", edit=lambda text: text.replace("settings:", tuned))
    return here


def same(text: str, name: str) -> None:
    file = GOLDEN / name
    if UPDATE:
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")


def tune(folder: Path, goal: str, *args: object):
    files = [word for name in LOG for word in ("--log", name)]
    return botopt("tune", "-w", "shop", *files, "--goal", goal, *args, cwd=folder)


@pytest.mark.parametrize(("policy", "code"), [("mostly-b", 0), ("eager", 10), ("tuned", 10)])
def test_what_people_read_of_an_evaluation(folder, policy, code):
    done = botopt("evaluate", *LOG, "-w", policy, cwd=folder)
    assert (done.returncode, done.stderr) == (code, "")
    same(done.stdout, f"evaluate.{policy}")


def test_the_policy_one_stands_in_needs_no_name(folder):
    done = botopt("evaluate", *(f"../{name}" for name in LOG), cwd=folder / "mostly-b")
    named = botopt("evaluate", *LOG, "-w", "mostly-b", cwd=folder)
    assert done.stdout == named.stdout.replace("mostly-b on", "This policy on")


def test_programs_read_the_same_evaluation(folder):
    done = botopt("evaluate", *LOG, "-w", "mostly-b", "--format", "json", cwd=folder)
    found = json.loads(done.stdout)
    assert found["verdict"] == "better"
    assert found["refusals"] == []
    assert found["largest_weight"] == 1.8
    assert found["difference"]["low"] > 0
    assert set(found["sends_to_tell"]) == {"20%", "10%", "5%"}


def test_programs_read_why_there_is_no_estimate(folder):
    done = botopt("evaluate", *LOG, "-w", "eager", "--format", "json", cwd=folder)
    found = json.loads(done.stdout)
    assert done.returncode == 10
    assert (found["verdict"], found["policy"], found["direct"]) == ("refused", None, None)
    assert found["unsupported"] > 0.2


def test_a_log_that_is_not_there_is_named(folder):
    done = botopt("evaluate", "nowhere.jsonl", "-w", "shop", cwd=folder)
    assert done.returncode == 9
    assert "nowhere.jsonl" in done.stderr


def test_what_people_read_of_a_proposal(folder):
    done = tune(folder, "same clicks, 10% fewer messages")
    assert (done.returncode, done.stderr) == (0, "")
    same(done.stdout, "tune.proposal")


def test_what_people_read_where_nothing_is_proposed(folder):
    done = tune(folder, "same clicks, 60% fewer messages", "--out", "none.diff")
    assert (done.returncode, done.stderr) == (10, "")
    same(done.stdout, "tune.nothing")
    assert not (folder / "none.diff").exists()


def test_the_patch_is_written_where_it_is_wanted_and_programs_read_it_too(folder):
    done = tune(folder, "same clicks, 10% fewer messages", "--out", "p.diff", "--format", "json")
    found = json.loads(done.stdout)
    assert found["patch"] == (folder / "p.diff").read_text("utf-8")
    assert [change["what"] for change in found["changes"]] == ["offer: weight"]
    assert found["changes"][0]["messages"] < 0


def test_a_goal_that_is_none_says_what_can_be_typed(folder):
    done = tune(folder, "less spam")
    assert done.returncode == 2
    assert '"less spam" is no part of a goal' in done.stderr
    assert '"20% fewer messages"' in done.stderr


@pytest.mark.parametrize(("page", "name"), [("evaluate", "evaluate.mostly-b"), ("tune", "tune.proposal")])
def test_the_guides_show_what_is_really_printed(page, name):
    text = (ROOT / "docs" / "howto" / f"{page}.md").read_text("utf-8")
    assert (GOLDEN / name).read_text("utf-8") in text
