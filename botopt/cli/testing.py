"""Results of rule tests on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from botopt.cli.console import marked, out
from botopt.cli.explanations import explanation_lines, record_lines
from botopt.model.counting import number_of
from botopt.verify.ruletest.model import Failure, Result


def print_results(results: Sequence[Result]) -> None:
    """Every failure with its reasons, then how many there were."""
    console = out()
    for result in results:
        for failure in result.failures:
            for line in _failure(result, failure):
                console.print(line)
            console.print()
    failed = sum(bool(result.failures) for result in results)
    console.print(counted(results), markup=False, style="red" if failed else "green")


def counted(results: Sequence[Result]) -> str:
    """`20 tests, 41 expectations: all as expected`."""
    failed = sum(bool(result.failures) for result in results)
    looked_at = sum(result.expectations for result in results)
    whole = f"{number_of(len(results), 'test')}, {number_of(looked_at, 'expectation')}"
    return f"{whole}: {f'{failed:,} failed' if failed else 'all as expected'}"


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
