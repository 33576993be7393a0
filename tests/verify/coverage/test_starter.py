"""The tests that come with the starter policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from botopt.cli.test import test as command
from botopt.engine.build import build
from botopt.engine.engine import Engine
from botopt.verify.coverage import Coverage, CoverageReport
from botopt.verify.ruletest.model import RuleTest
from botopt.verify.ruletest.reading import read_tests
from botopt.verify.ruletest.running import run_tests
from botopt.verify.validate import load

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return build(load(ROOT), "reference")


@pytest.fixture(scope="module")
def tests(engine: Engine) -> tuple[RuleTest, ...]:
    read = read_tests(engine.policy, ROOT)
    assert not read.diagnostics
    return read.tests


def covered(engine: Engine, tests: Sequence[RuleTest]) -> CoverageReport:
    """What these tests reach; all of them pass."""
    coverage = Coverage(engine.policy)
    failed = [result.test.name for result in run_tests(engine, tests, coverage) if result.failures]
    assert not failed
    return coverage.report()


def test_all_of_the_starter_policy_is_tested(engine: Engine, tests: tuple[RuleTest, ...]):
    report = covered(engine, tests)
    assert report.missed == ()
    assert len(report.targets) > 300


def test_most_tests_reach_something_that_no_other_reaches(engine: Engine, tests: tuple[RuleTest, ...]):
    reached = [{one.target.key for one in covered(engine, [test]).targets if one.reached} for test in tests]
    times = Counter(key for keys in reached for key in keys)
    needed = sum(any(times[key] == 1 for key in keys) for keys in reached)
    assert needed > len(tests) / 2


def run(*words: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, ["--workspace", str(ROOT), "--network", "reference", *words])
    return result.exit_code, result.stdout


def test_too_little_coverage_ends_with_5():
    assert run("--coverage")[0] == 0
    assert run("--min", "100")[0] == 0
    assert run("--run", "an order that fails twice*", "--min", "50")[0] == 5


def test_json_has_the_coverage_only_when_asked():
    plain = msgspec.json.decode(run("--format", "json", "--coverage")[1])
    assert plain["coverage"]["total"] == len(plain["coverage"]["targets"])
    assert "coverage" not in msgspec.json.decode(run("--format", "json")[1])
