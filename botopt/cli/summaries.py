"""The summary of a replay, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from botopt.cli.console import visible
from botopt.model.counting import number_of
from botopt.model.decision import Outcome, Reason
from botopt.model.names import did_you_mean
from botopt.model.policy import Policy
from botopt.verify.summary import Summary, largest_first

_MOST_UNDECLARED = 20
_MOST_TYPES = 60
"""Event types with a row of their own; of more, the least frequent share one."""


def print_summary(console: Console, summary: Summary, policy: Policy, undeclared: Counter[tuple[str, str]]) -> None:
    """Outcomes by event type, reasons, rejected lines, what is still held, undeclared fields."""
    console.print()
    console.print(_by_type(summary))
    counted = summary.reasons()
    reasons: dict[str, int] = {reason.value: counted[reason] for reason in Reason if counted[reason]}
    reasons.pop(Reason.REJECTED.value, None)
    if reasons:
        console.print(_counts("not sent, because", reasons))
    if summary.responses:
        console.print(_counts("responses", largest_first(summary.responses)))
    if summary.rejected:
        console.print(_counts("rejected lines", largest_first(summary.rejected)))
    lines = f"{number_of(summary.lines, 'line')}, {number_of(summary.records, 'record')}"
    console.print(f"{lines}; {number_of(summary.still_held, 'message', none='no')} still held", markup=False)
    for sentence in undeclared_sentences(undeclared, policy):
        console.print(sentence, style="yellow", markup=False)


def _by_type(summary: Summary) -> Table:
    shown = [outcome for outcome in Outcome if outcome is not Outcome.REJECTED]
    table = Table(box=SIMPLE_HEAD, title="Decisions", title_justify="left")
    table.add_column("event type")
    for outcome in shown:
        table.add_column(outcome.value, justify="right")
    table.add_column("all", justify="right")
    by_type, outcomes = summary.event_types(), summary.outcomes()
    rows = {name: [by_type[name, outcome.value] for outcome in shown] for name in sorted({name for name, _ in by_type})}
    names = sorted(rows, key=lambda name: -sum(rows[name]))
    frequent, others = names[:_MOST_TYPES], names[_MOST_TYPES:]
    for name in sorted(frequent):
        table.add_row(name, *_numbers(rows[name]))
    if others:
        table.add_row(
            f"{len(others):,} others", *_numbers(list(map(sum, zip(*(rows[name] for name in others), strict=True))))
        )
    totals = [outcomes[outcome.value] for outcome in shown]
    table.add_section()
    table.add_row("all", *(f"{n:,}" for n in totals), f"{sum(totals):,}", style="bold")
    return table


def _numbers(row: Sequence[int]) -> list[str]:
    return [*(f"{number:,}" if number else "·" for number in row), f"{sum(row):,}"]


def _counts(title: str, counts: Mapping[str, int]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_header=True)
    table.add_column(title)
    table.add_column("", justify="right")
    for name, number in counts.items():
        table.add_row(visible(name), f"{number:,}")
    return table


def undeclared_sentences(undeclared: Counter[tuple[str, str]], policy: Policy) -> list[str]:
    """`3,120 payment_failed carried "amuont" (did you mean "amount"?)`, most frequent first."""
    sentences = []
    ordered = sorted(undeclared.items(), key=lambda pair: (-pair[1], pair[0]))
    for (event_type, name), number in ordered[:_MOST_UNDECLARED]:
        declared = policy.events[event_type].fields if event_type in policy.events else policy.attributes
        hint = did_you_mean(name, declared)
        tail = f" ({hint})" if hint else ""
        sentences.append(f'{number:,} {event_type} carried "{visible(name)}", which is not declared{tail}')
    if len(ordered) > _MOST_UNDECLARED:
        sentences.append(f"and {len(ordered) - _MOST_UNDECLARED} more undeclared fields")
    return sentences


def undeclared_plain(undeclared: Counter[tuple[str, str]]) -> list[dict[str, object]]:
    """Undeclared fields as plain data, most frequent first."""
    ordered = sorted(undeclared.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"event_type": kind, "field": name, "events": number} for (kind, name), number in ordered]
