"""What `botopt simulate` prints and writes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from botopt.cli.console import out, visible
from botopt.verify.simulation.comparing import WINDOW_DAYS, Comparison, Interval, Report
from botopt.verify.simulation.curves import letters, svg
from botopt.verify.simulation.trials import HINDSIGHT, POLICY, STATIC

_NAMES = {POLICY: "this policy", STATIC: "static: learners off", HINDSIGHT: "hindsight rule"}
_WIDTH = 24


def report_json(report: Report) -> str:
    """The whole report for programs."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def write_report(folder: Path, report: Report) -> None:
    """`report.json` and `curves.svg`, over older ones."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(report_json(report) + "\n", encoding="utf-8")
    title = f"{report.world} world, {_counted(len(report.seeds), 'seed')}, {report.users} users"
    curves = {_name(row.name): row.curve for row in report.rows}
    (folder / "curves.svg").write_text(svg(curves, _first_day(report), title), encoding="utf-8")


def print_report(report: Report) -> None:
    """The report for people."""
    print_line = out().print
    for line in lines(report):
        print_line(visible(line), markup=False)


def lines(report: Report) -> list[str]:
    """The report in lines."""
    seeds = f"{_counted(len(report.seeds), 'seed')} ({report.seeds[0]} to {report.seeds[-1]})"
    size = f"{report.users} users, {_counted(report.days, 'day')}, {report.events:,} events; policy {report.revision}"
    head = [
        f"{report.world}: {report.description}",
        f"{seeds}, {size}",
        "",
        f"{'':<{_WIDTH}}{'clicks per message':>22}{'messages a day':>18}{'clicks a day':>16}{'unsubscribed':>16}",
    ]
    head += [
        f"{_name(row.name):<{_WIDTH}}{_share(row.click_rate):>22}{_number(row.per_user_day):>18}"
        f"{_number(row.clicks_per_user_day, 3):>16}{_share(row.unsubscribed):>16}"
        for row in report.rows
    ]
    first = report.rows[0]
    head.append(f"{'oracle':<{_WIDTH}}{_share(first.oracle_rate):>22}")
    head += [
        "",
        f"{'':<{_WIDTH}}messages and clicks for each user; ± is half of a 95 % interval over seeds",
        f"{'':<{_WIDTH}}clicks to expect by the hidden truth, without the luck of single clicks",
    ]
    for comparison in report.comparisons:
        head += ["", *_compared(comparison)]
    head += ["", f"Regret: {_share(report.regret)} clicks per message less than the oracle, which knows everything."]
    curves = {_name(row.name): row.curve for row in report.rows}
    head += ["", f"Clicks per message to expect, mean of {WINDOW_DAYS} days:", ""]
    return head + letters(curves, _first_day(report))


def _compared(comparison: Comparison) -> list[str]:
    told = [f"Against {_name(comparison.rival)}:"]
    told += [
        f"  {each.figure:<{_WIDTH - 2}}{_percent(each.change):>22}   more in {each.better} of "
        f"{_counted(each.seeds, 'seed')}{'; may be nothing' if each.change.has_zero else ''}"
        for each in comparison.changes
    ]
    if comparison.closed is not None:
        told.append(f"  {'of the way to the oracle':<{_WIDTH - 2}}{_percent(comparison.closed, signed=False):>20}")
    return told


def _first_day(report: Report) -> int:
    return min(WINDOW_DAYS, report.days)


def _name(name: str) -> str:
    return _NAMES.get(name, name)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _share(interval: Interval) -> str:
    half = "" if interval.half is None else f" ± {interval.half:.2%}"
    return f"{interval.mean:.2%}{half}"


def _percent(interval: Interval, *, signed: bool = True) -> str:
    mean = f"{interval.mean:+.1%}" if signed else f"{interval.mean:.0%}"
    half = "" if interval.half is None else f" ± {interval.half:.1%}"
    return f"{mean}{half}"


def _number(interval: Interval, digits: int = 2) -> str:
    half = "" if interval.half is None else f" ± {interval.half:.{digits}f}"
    return f"{interval.mean:.{digits}f}{half}"
