"""`botopt diff` as people call it: folders and revisions, limits, every format."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from botopt.model.data_files import data_dir
from tests.browser import assert_readable
from tests.cli.running import EVENTS, ROOT, RULES, TEMPLATES, botopt, workspace

GOLDEN = Path(__file__).parent / "golden"
UPDATE = bool(os.environ.get("BOTOPT_UPDATE_GOLDEN"))
NEW = RULES.replace("score: -0.20", "score: -0.05").replace("cooldown: 6h", "cooldown: 30m").replace("08:00", "07:00")
WORDS = TEMPLATES.replace("Your payment of", "Oh no! Your payment of")
MORE = (
    EVENTS
    + """\
{"id": "e6", "type": "payment_failed", "user": "bob", "time": "2026-03-02T09:00:00Z", "data": {"amount": 9}}
{"id": "e7", "type": "payment_failed", "user": "<b>@all", "time": "2026-03-02T09:00:00Z", "data": {"amount": 2}}
"""
)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    workspace(tmp_path / "old", events=MORE)
    workspace(tmp_path / "new", NEW, WORDS)
    return tmp_path


def diff(folder: Path, *args: object) -> subprocess.CompletedProcess[str]:
    return botopt("diff", "old", "new", "--events", "old/events.jsonl", *args, cwd=folder)


@pytest.mark.parametrize("format", ["text", "markdown"])
def test_what_people_read(folders, format):
    done = diff(folders, "--format", format, "--max-change", "90%", "--max-messages-per-user-day", 1)
    file = GOLDEN / f"diff.{format}"
    if UPDATE:
        file.parent.mkdir(exist_ok=True)
        file.write_text(done.stdout, "utf-8")
    assert done.stdout == file.read_text("utf-8")
    assert done.returncode == 6


def test_the_json_obeys_its_schema_and_says_the_same(folders):
    done = diff(folders, "--format", "json", "--max-change", "5%")
    assert done.returncode == 6
    found = json.loads(done.stdout)
    schema = json.loads((data_dir("schemas") / "diff.schema.json").read_text("utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(found)] == []
    assert found["changed"] == sum(
        sum(found["counts"][kind].values()) for kind in ("gained", "lost", "moved", "rerouted", "reworded")
    )
    assert [limit["holds"] for limit in found["limits"]] == [False]
    assert {edit["words"]: edit["line"] for edit in found["edits"]}["suppression once: cooldown 6h → 30m"] == 15


def test_the_page_is_readable_and_escapes_what_users_typed(folders):
    done = diff(folders, "--format", "html", "--out", "page.html")
    assert (done.returncode, done.stdout) == (0, "")
    page = folders / "page.html"
    assert "<b>@all" not in page.read_text("utf-8")
    for width in (1200, 500):
        text = assert_readable(page, folders, width)
        assert "end differently for users" in text
        assert "user <b>@all" in text


def test_a_comment_is_never_too_long_and_tells_nobody(folders):
    long = TEMPLATES.replace("failed.", "failed. " + "Very long indeed. " * 300)
    workspace(folders / "old", templates=TEMPLATES, events="".join(
        f'{{"id": "x{n}", "type": "payment_failed", "user": "user{n}", "time": "2026-03-01T09:00:00Z", "data": {{"amount": 9}}}}\n'
        for n in range(90)
    ))  # fmt: skip
    workspace(folders / "new", templates=long)
    done = diff(folders, "--format", "markdown", "--samples", 60)
    assert 1_000 < len(done.stdout) < 65_000
    assert done.stdout.count("<details>") == done.stdout.count("</details>")


def test_events_may_come_through_a_pipe(folders):
    args = ["diff", "old", "new", "--workers", "3", "--events"]
    piped = botopt(*args, "-", cwd=folders, stdin=MORE.encode())
    assert piped.returncode == 0
    assert piped.stdout == botopt(*args, "old/events.jsonl", cwd=folders).stdout


def test_no_difference_is_said_plainly(folders):
    workspace(folders / "new", "# only a comment\n" + RULES)
    done = diff(folders, "--max-change", "0%")
    assert done.returncode == 0
    assert "No difference: the policies are the same, and decide all 6 events alike." in done.stdout
    workspace(folders / "new", RULES.replace("amount >= 500", "amount >= 5000"))
    assert (
        "No difference: the policy changed in 1 place, and all 6 events are decided as before." in diff(folders).stdout
    )


def test_files_without_any_event_pass_no_limit(folders):
    (folders / "empty.jsonl").write_text("")
    args = ("diff", "old", "new", "--events")
    for file, lines in (("empty.jsonl", "0 lines"), ("old/rules/r.yaml", "16 lines")):
        done = botopt(*args, file, cwd=folders)
        assert done.returncode == 0
        assert f"of {lines} none is an event that either policy decides" in done.stdout
        limited = botopt(*args, file, "--max-change", "5%", cwd=folders)
        assert limited.returncode == 2
        assert "no event was decided, so no limit was tried" in limited.stderr
    assert botopt("diff", "old", "old", "--events", "empty.jsonl", "--max-change", "5%", cwd=folders).returncode == 0


def test_a_folder_that_is_not_there_is_named(folders):
    done = botopt("diff", "old", "newer", "--events", "old/events.jsonl", cwd=folders)
    assert done.returncode == 9
    assert done.stderr.startswith('botopt: "newer" is no workspace folder (with rules/ in it)')


def test_a_policy_with_errors_shows_them_and_ends_with_3(folders):
    workspace(folders / "new", RULES.replace("message: hello", "message: helo"))
    done = diff(folders)
    assert done.returncode == 3
    assert "NEW (new) has errors:" in done.stderr
    assert "rules/r.yaml:10:14 B102 error: unknown template" in done.stdout
    assert 'did you mean "hello"?' in done.stdout


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--max-change", "5"], 2, '--max-change: "5" is not a percentage; write it as 5%'),
        (["--max-change", "500%"], 2, "is not a percentage"),
        (["--until", "noon"], 2, '--until: "noon" is not a time'),
        (["--format", "html", "--out", "page.txt"], 2, "the name of a page ends in .html"),
        (["--events", "nowhere.jsonl"], 9, "there is no file nowhere.jsonl"),
        (["--state", "nowhere.db"], 9, "there is no state file nowhere.db"),
    ],
)
def test_a_call_that_makes_no_sense(folders, args, code, words):
    done = diff(folders, *args)
    assert done.returncode == code
    assert words in done.stderr


def git(folder: Path, *args: str) -> str:
    names = {f"GIT_{who}_{what}": "x@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(
        ["git", "-C", str(folder), *args], check=True, capture_output=True, text=True, env=env
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """main has the old policy in shop/, the branch `calmer` a new one, the working tree a third."""
    folder = tmp_path / "repository"
    (folder / "shop").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "README").write_text("A shop", "utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "empty")
    git(folder, "tag", "empty")
    workspace(folder / "shop", events=MORE)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    git(folder, "switch", "-qc", "calmer")
    workspace(folder / "shop", RULES.replace("cooldown: 6h", "cooldown: 30m"), events=MORE)
    git(folder, "commit", "-qam", "calmer")
    git(folder, "switch", "-q", "main")
    workspace(folder / "shop", RULES.replace("weight: 0.70", "weight: 0.50"), events=MORE)
    git(folder, "commit", "-qam", "main goes on")
    workspace(folder / "shop", RULES.replace("weight: 0.70", "weight: 0.40"), events=MORE)
    return folder


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["main~1", "calmer"], "suppression once: cooldown 6h → 30m"),
        (["main~1..calmer"], "suppression once: cooldown 6h → 30m"),
        (["main...calmer"], "suppression once: cooldown 6h → 30m"),
        (["main~1"], "payment_failed: weight 0.70 → 0.40"),
        (["main"], "payment_failed: weight 0.50 → 0.40"),
        (["main", "shop"], "payment_failed: weight 0.50 → 0.40"),
        (["shop", "main"], "payment_failed: weight 0.40 → 0.50"),
        (["main~1.."], "payment_failed: weight 0.70 → 0.50"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_revisions_of_git(repository, args, words):
    done = botopt("diff", *args, "-w", "shop", "--events", "shop/events.jsonl", cwd=repository)
    assert done.returncode == 0, done.stderr
    assert [line.split("  ")[2] for line in done.stdout.splitlines() if line.startswith("  rules/r.yaml:")] == [words]


def test_inside_the_workspace_nothing_needs_to_be_named(repository):
    done = botopt("diff", "main..calmer", "--events", "events.jsonl", cwd=repository / "shop")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"main ({git(repository, 'rev-parse', '--short', 'main')}) → calmer (")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nobody"], '"nobody" is neither a workspace folder (with rules/ in it) nor a revision that git knows'),
        (["--", "-x"], '"-x" is neither'),
        (["empty"], 'there is no workspace in "empty": shop has no rules/ there'),
        (["main..calmer", "main"], '"main..calmer" names both ends already: leave out "main"'),
        (["README"], '"README" is neither'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_revision_that_is_none(repository, args, words):
    done = botopt("diff", "-w", "shop", "--events", "shop/events.jsonl", *args, cwd=repository)
    assert done.returncode == 2
    assert words in done.stderr


def test_outside_of_a_repository(folders):
    done = botopt("diff", "main", "-w", "old", "--events", "old/events.jsonl", cwd=folders)
    assert done.returncode == 9
    assert "no git repository: compare two folders" in done.stderr


def test_users_may_begin_with_a_state_which_stays_as_it_is(folders):
    first, *rest = MORE.splitlines(keepends=True)
    (folders / "first.jsonl").write_text(first, "utf-8")
    (folders / "rest.jsonl").write_text("".join(rest), "utf-8")
    assert botopt("replay", "-w", "old", "first.jsonl", "--state", "state.db", cwd=folders).returncode == 0
    before = (folders / "state.db").read_bytes()
    args = ["diff", "old", "new", "--events", "rest.jsonl", "--format", "json"]
    cold, warm = (json.loads(botopt(*args, *more, cwd=folders).stdout) for more in ([], ["--state", "state.db"]))
    gained = [sorted(c["event_id"] for c in found["samples"] if c["kind"] == "gained") for found in (cold, warm)]
    assert gained == [["e4", "e7"], ["e3", "e4", "e7"]]
    assert (folders / "state.db").read_bytes() == before
    many = json.loads(botopt(*args, "--state", "state.db", "--workers", "2", cwd=folders).stdout)
    assert many == warm


def test_the_workflow_calls_the_command_as_it_is():
    workflow = (ROOT / "examples" / "github" / "policy-diff.yml").read_text("utf-8")
    call = re.search(r"botopt (diff (?:.*\\\n)*.*?) \|\|", workflow)[1]
    options = re.findall(r"(?<=\s)--?[a-z][a-z-]*", call)
    assert len(options) == 6
    told = botopt("diff", "--help").stdout
    assert [option for option in options if option not in told] == []
    assert yaml.safe_load(workflow)["jobs"]["diff"]["steps"]
