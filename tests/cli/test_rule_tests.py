"""`botopt test`: what authors read, what programs read, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from junitparser import JUnitXml

from tests.cli.running import botopt, workspace

TESTS = """\
tests:
  - name: a large payment is worth a message
    steps:
      - send: payment_failed
        with: {amount: 500}
        expect: {outcome: sent, score: 0.85}
  - name: the second one stays silent & says <why>
    steps:
      - send: payment_failed
        with: {amount: 42}
      - after: 2h
        send: payment_failed
        with: {amount: 42}
        expect: {outcome: sent}
"""
FAILURE = """\
failed the second one stays silent & says <why>
  rules/r.test.yaml:12:9  send: payment_failed
    outcome
      expected  sent
      found     suppressed
  Why it was decided so
    payment_failed for u1 at 2026-03-02 11:00:00: suppressed (cooldown) by once, score 0.7, needed more than 0.65
      until 2026-03-02T15:00:00Z
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    here = workspace(tmp_path)
    (here / "rules" / "r.test.yaml").write_text(TESTS, "utf-8")
    return here


def test_a_failure_says_what_differs_and_why(folder):
    done = botopt("test", cwd=folder)
    assert done.returncode == 4
    assert done.stdout.startswith(FAILURE)
    assert "not-sent" not in done.stdout
    assert done.stdout.endswith("\n2 tests, 2 expectations: 1 failed\n")


def test_only_some_of_them(folder):
    done = botopt("test", "--run", "large", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "1 test, 1 expectation: all as expected\n")
    assert botopt("test", "rules/r.test.yaml", "--run", "*second*", cwd=folder).returncode == 4


def test_junit_is_what_ci_servers_read(folder):
    done = botopt("test", "--format", "junit", cwd=folder)
    assert done.returncode == 4
    [suite] = JUnitXml.fromstring(done.stdout.encode())
    assert (suite.name, suite.tests, suite.failures) == ("rules/r.test.yaml", 2, 1)
    passed, failed = suite
    assert (passed.name, passed.result) == ("a large payment is worth a message", [])
    assert failed.name == "the second one stays silent & says <why>"
    assert failed.result[0].message == "outcome: expected sent, found suppressed"
    assert botopt("test", "--format", "junit", cwd=folder).stdout == done.stdout


def test_json_is_for_programs(folder):
    shown = json.loads(botopt("test", "--format", "json", cwd=folder).stdout)
    assert shown["failed"] == 1
    assert [test["passed"] for test in shown["tests"]] == [True, False]
    assert shown["tests"][1]["failures"] == [
        {
            "line": 12,
            "step": "send: payment_failed",
            "differences": [{"key": "outcome", "expected": "sent", "found": "suppressed", "line": 14}],
        }
    ]


def test_both_networks_pass_the_same_tests(folder):
    shown = {botopt("test", "--network", name, cwd=folder).stdout for name in ("auto", "reference")}
    assert len(shown) == 1


@pytest.mark.parametrize(
    ("change", "options", "code", "said"),
    [
        (("outcome: sent", "outcome: snt"), (), 3, "outcome must be sent, skipped, below_threshold"),
        (("tests:", "tests: ["), (), 3, "rules/r.test.yaml:3:10 B023 error"),
        (("tests:", "tests:"), ("--run", "lagre"), 2, 'no test is called like "lagre"'),
        (("tests:", "tests:"), ("nothing.test.yaml",), 3, "nothing.test.yaml:1:1 B001 error"),
    ],
)
def test_mistakes_are_answered_in_words(folder, change, options, code, said):
    file = folder / "rules" / "r.test.yaml"
    file.write_text(file.read_text("utf-8").replace(*change), "utf-8")
    done = botopt("test", *options, cwd=folder)
    assert done.returncode == code
    assert said in " ".join((done.stdout + done.stderr).split())


def test_without_tests_it_says_how_to_begin(tmp_path):
    done = botopt("test", cwd=workspace(tmp_path))
    assert done.returncode == 2
    assert "rules/first.test.yaml" in done.stderr
