"""`botopt test`: rule tests."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from botopt.cli.exits import Exit
from botopt.cli.options import HERE, NetworkName, NetworkOption, Workspace


class TestFormat(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


def test(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILES]...", help="Only these; every *.test.yaml without.")
    ] = None,
    workspace: Workspace = HERE,
    run: Annotated[
        str | None, typer.Option(help="Only tests whose name holds this, or fits it where it has a *.")
    ] = None,
    network: NetworkOption = NetworkName.AUTO,
    format: Annotated[
        TestFormat, typer.Option(help="text for people, json for programs, junit for CI servers.")
    ] = TestFormat.TEXT,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Say what of the policy the tests reach, and what they do not.")
    ] = False,
    at_least: Annotated[
        float | None,
        typer.Option(
            "--min", min=0, max=100, metavar="PERCENT", help="End with 5 if they reach less; includes --coverage."
        ),
    ] = None,
) -> None:
    """Run the rule tests of a workspace: conversations on a virtual clock, with what must come of each step.

    A test that fails shows what was expected, what came instead, and why it was decided so. Ends with 4 if one fails.
    """
    from botopt.cli.coverage_view import show_coverage, with_coverage
    from botopt.cli.testing import junit_xml, print_results, results_json
    from botopt.engine.build import build
    from botopt.model.diagnostic import has_errors
    from botopt.model.errors import PolicyError, UsageError
    from botopt.verify.coverage import Coverage
    from botopt.verify.ruletest.choosing import named_like
    from botopt.verify.ruletest.reading import read_tests
    from botopt.verify.ruletest.running import run_tests
    from botopt.verify.validate import load

    policy = load(workspace)
    read = read_tests(policy, workspace, files or ())
    if has_errors(read.diagnostics):
        raise PolicyError(read.diagnostics)
    if not read.tests:
        raise UsageError("there are no rule tests; write one, such as rules/first.test.yaml (see docs/howto/test.md)")
    observer = Coverage(policy) if coverage or at_least is not None else None
    results = tuple(run_tests(build(policy, network), named_like(read.tests, run), observer))
    report = None if observer is None else observer.report()
    match format:
        case TestFormat.JSON:
            typer.echo(with_coverage(results_json(results), report))
        case TestFormat.JUNIT:
            typer.echo(junit_xml(results))
        case TestFormat.TEXT:
            print_results(results)
    if report is not None and format is not TestFormat.JSON:
        show_coverage(report, on_stdout=format is TestFormat.TEXT)
    if any(result.failures for result in results):
        raise typer.Exit(Exit.TESTS)
    if report is not None and at_least is not None and report.percent < at_least:
        raise typer.Exit(Exit.COVERAGE)
