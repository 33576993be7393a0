"""How coverage looks: a table of kinds, then every place that no test reaches."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from botopt.cli.console import err, out, visible
from botopt.verify.coverage import CoverageReport
from botopt.verify.coverage.report import Target

_ADVICE = {
    "event type": "add a test that sends this event and expects it",
    "rule": "add a test with values for which it is so",
    "suppression": "add a test with a conversation in which it does",
    "category": "add a test whose user has not agreed, or said stop",
    "variant": "add a test that expects this variant",
    "locale": "add a test with a user of this locale",
}


def percent_text(report: CoverageReport) -> str:
    """The share with one decimal, rounded down, so that 100.0% means all."""
    tenths = int(report.percent * 10)
    return f"{tenths // 10}.{tenths % 10}%"


def print_coverage(console: Console, report: CoverageReport) -> None:
    """The share of each kind, then what no test reaches, with what to do."""
    table = Table(box=SIMPLE_HEAD, title="Coverage", title_justify="left")
    table.add_column("of each")
    for name in ("reached", "of", "missing"):
        table.add_column(name, justify="right")
    for kind, (reached, total) in report.kinds().items():
        table.add_row(kind, f"{reached:,}", f"{total:,}", f"{total - reached:,}" if reached < total else "·")
    table.add_section()
    total = len(report.targets)
    missing = total - report.reached
    table.add_row("all", f"{report.reached:,}", f"{total:,}", f"{missing:,}" if missing else "·", style="bold")
    console.print(table)
    console.print(f"{percent_text(report)} of what this policy can do is tested", markup=False)
    if report.missed:
        console.print("\nWhat no test reaches:", markup=False)
        for target in report.missed:
            console.print(visible(f"  {missed_line(target)}"), markup=False)


def missed_line(target: Target) -> str:
    """`rules/payments.yaml:38 rule payment_failed/large-amount: matched (what to do)`."""
    place = f"{target.position.file}:{target.position.line}"
    return f"{place} {missed_words(target)}"


def missed_words(target: Target) -> str:
    """`rule payment_failed/large-amount: matched (what to do)`."""
    return f"{target.kind} {target.name}: {target.what} ({_ADVICE[target.kind]})"


def coverage_json(report: CoverageReport) -> dict[str, object]:
    """The same for machines: `percent` from 0 to 100, and every target with how often it was reached."""
    return {
        "percent": round(report.percent, 6),
        "reached": report.reached,
        "total": len(report.targets),
        "targets": [
            {
                "kind": one.target.kind,
                "name": one.target.name,
                "what": one.target.what,
                "file": one.target.position.file,
                "line": one.target.position.line,
                "reached": one.reached,
            }
            for one in report.targets
        ],
    }


def show_coverage(report: CoverageReport, *, on_stdout: bool) -> None:
    """Print the coverage; on standard error where standard output belongs to a machine."""
    print_coverage(out() if on_stdout else err(), report)
