"""One run of the rule tests: read, run, print, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer

from botopt.cli.exits import Exit
from botopt.cli.options import NetworkName, ReportFormat

if TYPE_CHECKING:
    from botopt.cli.formats.results import Tested


class Asked(msgspec.Struct, frozen=True):
    """What `botopt test` was asked for; `at_least` is a percentage, or None."""

    files: tuple[Path, ...]
    workspace: Path
    run: str | None
    network: NetworkName
    format: ReportFormat
    coverage: bool
    at_least: float | None


def check(asked: Asked) -> Exit:
    """Run the tests and print what came of them.

    Raises:
        UsageError: there are no tests, or none of that name.
    """
    from botopt.model.diagnostic import has_errors

    tested = _tested(asked)
    _show(asked, tested)
    if has_errors(tested.findings):
        return Exit.POLICY
    if any(result.failures for result in tested.results):
        return Exit.TESTS
    report = tested.coverage
    if report is not None and asked.at_least is not None and report.percent < asked.at_least:
        from botopt.cli.console import say
        from botopt.cli.coverage_view import percent_text

        say(f"the tests reach {percent_text(report)}, and --min asks for {asked.at_least:g}%", "red")
        return Exit.COVERAGE
    return Exit.OK


def _tested(asked: Asked) -> Tested:
    from botopt.cli.formats.results import Tested
    from botopt.engine.build import build
    from botopt.model.diagnostic import has_errors
    from botopt.model.errors import PolicyError, UsageError
    from botopt.verify.coverage import Coverage
    from botopt.verify.ruletest.choosing import named_like
    from botopt.verify.ruletest.reading import read_tests
    from botopt.verify.ruletest.running import run_tests
    from botopt.verify.validate import load

    try:
        policy = load(asked.workspace)
    except PolicyError as fault:
        return Tested(findings=fault.diagnostics, of_policy=True)
    read = read_tests(policy, asked.workspace, asked.files)
    if has_errors(read.diagnostics):
        return Tested(findings=read.diagnostics)
    if not read.tests:
        raise UsageError("there are no rule tests; write one, such as rules/first.test.yaml (see docs/howto/test.md)")
    observer = Coverage(policy) if asked.coverage or asked.at_least is not None else None
    results = tuple(run_tests(build(policy, asked.network), named_like(read.tests, asked.run), observer))
    return Tested(results, read.diagnostics, None if observer is None else observer.report())


def _show(asked: Asked, tested: Tested) -> None:
    from botopt.cli.coverage_view import show_coverage
    from botopt.cli.findings import print_findings
    from botopt.cli.testing import counted, print_results
    from botopt.model.diagnostic import has_errors

    if asked.format is ReportFormat.TEXT:
        if tested.findings:
            print_findings(tested.findings)
        if not has_errors(tested.findings):
            print_results(tested.results)
    else:
        _write(asked.format, tested, asked.workspace, asked.files)
        if asked.format is ReportFormat.GITHUB and not has_errors(tested.findings):
            typer.echo(counted(tested.results))
    if tested.coverage is not None and asked.format is not ReportFormat.JSON:
        show_coverage(tested.coverage, on_stdout=asked.format is ReportFormat.TEXT)


def _write(format: ReportFormat, tested: Tested, workspace: Path, files: Sequence[Path]) -> None:
    from botopt.cli.formats.places import Places
    from botopt.cli.formats.results import written

    policy = Places(workspace)
    text = written(format, tested, policy, Places(Path.cwd()) if files else policy)
    if text:
        typer.echo(text)
