"""Results of rule tests in every format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from botopt.cli.coverage_view import coverage_json, missed_words
from botopt.cli.findings import to_plain
from botopt.cli.formats import findings
from botopt.cli.formats.documents import document
from botopt.cli.formats.entry import Entry, Kind, Level
from botopt.cli.formats.github import workflow_commands
from botopt.cli.formats.junit import Case, Fault, Suite, junit
from botopt.cli.formats.places import Places
from botopt.cli.formats.sarif import sarif
from botopt.cli.options import ReportFormat
from botopt.model.diagnostic import Diagnostic, has_errors
from botopt.verify.coverage import CoverageReport
from botopt.verify.ruletest.model import Difference, Failure, Result

_FAILED = Kind("rule-test", "A rule test fails", Level.ERROR, "A step of a rule test did not end as expected.")
_MISSED = Kind("coverage", "No rule test reaches this", Level.NOTE, "No rule test brings this about.")


class Tested(msgspec.Struct, frozen=True):
    """All that `botopt test` found. `findings` are about the policy (`of_policy`) or about the files of tests."""

    results: tuple[Result, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    coverage: CoverageReport | None = None
    of_policy: bool = False


def written(format: ReportFormat, tested: Tested, policy: Places, tests: Places) -> str:
    """The whole output. Names of the policy's files and of test files may be relative to different folders.

    Raises:
        ValueError: the format is text.
    """
    places = policy if tested.of_policy else tests
    match format:
        case ReportFormat.JSON:
            return document(plain(tested))
        case ReportFormat.GITHUB:
            return "\n".join(workflow_commands(_entries(tested, policy, tests, places)))
        case ReportFormat.SARIF:
            kinds = [_FAILED, _MISSED, *(findings.kinds() if tested.findings else ())]
            found = _entries(tested, policy, tests, places)
            return sarif(kinds, found, successful=not has_errors(tested.findings))
        case ReportFormat.JUNIT:
            broken = [findings.suite(tested.findings, (), places)] if has_errors(tested.findings) else []
            return junit([*broken, *_suites(tested.results, tests)])
        case _:
            raise ValueError(format)


def plain(tested: Tested) -> dict[str, object]:
    """What `--format json` prints (schemas/test-results.schema.json)."""
    found: dict[str, object] = {
        "tests": [_test(result) for result in tested.results],
        "failed": sum(bool(result.failures) for result in tested.results),
        "findings": [to_plain(one) for one in tested.findings],
    }
    return found if tested.coverage is None else found | {"coverage": coverage_json(tested.coverage)}


def _test(result: Result) -> dict[str, object]:
    return {
        "name": result.test.name,
        "file": result.test.position.file,
        "line": result.test.position.line,
        "passed": not result.failures,
        "expectations": result.expectations,
        "failures": [_failure(failure) for failure in result.failures],
    }


def _failure(failure: Failure) -> dict[str, object]:
    return {
        "line": failure.step.position.line,
        "step": failure.step.words,
        "differences": [
            {"key": one.key, "expected": one.expected, "found": one.found, "line": one.position.line}
            for one in failure.differences
        ],
    }


def _entries(tested: Tested, policy: Places, tests: Places, places: Places) -> list[Entry]:
    found = findings.entries(tested.findings, places)
    for result in tested.results:
        for failure in result.failures:
            step = failure.step
            message = f"{result.test.name}: {step.words}: {_said(failure.differences)}"
            identity = f"{result.test.name}\0{step.words}"
            found.append(Entry(_FAILED, Level.ERROR, tests.at(step.position), message, identity=identity))
    for target in () if tested.coverage is None else tested.coverage.missed:
        identity = "\0".join(target.key)
        message = missed_words(target)
        found.append(Entry(_MISSED, Level.NOTE, policy.at(target.position), message, identity=identity))
    return found


def _suites(results: Sequence[Result], places: Places) -> Iterable[Suite]:
    for file in dict.fromkeys(result.test.position.file for result in results):
        ours = [result for result in results if result.test.position.file == file]
        yield Suite(file, tuple(_case(result, places) for result in ours))


def _case(result: Result, places: Places) -> Case:
    place = places.at(result.test.position)
    return Case(result.test.name, place.file, place.line, tuple(map(_fault, result.failures)))


def _fault(failure: Failure) -> Fault:
    said = _said(failure.differences)
    return Fault(said, "expectation", f"{failure.step.position} {failure.step.words}: {said}")


def _said(differences: Iterable[Difference]) -> str:
    return "; ".join(f"{one.key}: expected {one.expected}, found {one.found}" for one in differences)
