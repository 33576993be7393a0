"""Results of rule tests: on a terminal, as JSON, as JUnit XML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

import msgspec

from botopt.cli.console import marked, out, visible
from botopt.cli.explanations import explanation_lines, record_lines
from botopt.verify.ruletest.model import Difference, Failure, Result


def print_results(results: Sequence[Result]) -> None:
    """Every failure with its reasons, then how many there were."""
    console = out()
    for result in results:
        for failure in result.failures:
            for line in _failure(result, failure):
                console.print(line)
            console.print()
    failed = sum(bool(result.failures) for result in results)
    console.print(_counted(results), markup=False, style="red" if failed else "green")


def _counted(results: Sequence[Result]) -> str:
    failed = sum(bool(result.failures) for result in results)
    looked_at = sum(result.expectations for result in results)
    tests = f"{len(results):,} test{'' if len(results) == 1 else 's'}"
    return f"{tests}, {looked_at:,} expectations: {f'{failed:,} failed' if failed else 'all as expected'}"


def _failure(result: Result, failure: Failure) -> Iterator[str]:
    step = failure.step
    yield f"[bold red]failed[/] [bold]{marked(result.test.name)}[/]"
    yield f"  {marked(str(step.position))}  {marked(step.words)}"
    for difference in failure.differences:
        yield f"    {marked(difference.key)}"
        yield f"      expected  [green]{marked(difference.expected)}[/]"
        yield f"      found     [red]{marked(difference.found)}[/]"
    if failure.explanation is not None:
        yield "  [bold]Why it was decided so[/]"
        for line in explanation_lines(failure.explanation):
            yield from (f"    {part}" for part in line.split("\n"))
    elif failure.decision is not None:
        yield from (f"    {line}" for line in record_lines(failure.decision))


def _sentence(difference: Difference) -> str:
    return f"{difference.key}: expected {difference.expected}, found {difference.found}"


def results_json(results: Sequence[Result]) -> str:
    """One JSON object: every test with its failures."""
    plain = {
        "tests": [
            {
                "name": result.test.name,
                "file": result.test.position.file,
                "line": result.test.position.line,
                "passed": not result.failures,
                "expectations": result.expectations,
                "failures": [
                    {
                        "line": failure.step.position.line,
                        "step": failure.step.words,
                        "differences": [
                            {"key": one.key, "expected": one.expected, "found": one.found, "line": one.position.line}
                            for one in failure.differences
                        ],
                    }
                    for failure in result.failures
                ],
            }
            for result in results
        ],
        "failed": sum(bool(result.failures) for result in results),
    }
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode()


def junit_xml(results: Sequence[Result]) -> str:
    """JUnit XML: a suite for each file. No times: the same results are the same bytes."""
    root = ET.Element("testsuites")
    files = dict.fromkeys(result.test.position.file for result in results)
    for file in files:
        ours = [result for result in results if result.test.position.file == file]
        failed = str(sum(bool(result.failures) for result in ours))
        suite = ET.SubElement(
            root, "testsuite", name=visible(file), tests=str(len(ours)), failures=failed, errors="0", skipped="0"
        )
        for result in ours:
            place = result.test.position
            case = ET.SubElement(
                suite, "testcase", name=visible(result.test.name), classname=visible(file), line=str(place.line)
            )
            for failure in result.failures:
                said = "; ".join(map(_sentence, failure.differences))
                one = ET.SubElement(case, "failure", message=visible(said), type="expectation")
                one.text = visible(f"{failure.step.position} {failure.step.words}: {said}")
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}'
