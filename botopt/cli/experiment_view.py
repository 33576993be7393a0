"""Reports on experiments for people: tables, and under them sentences that say what can be concluded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from botopt.cli.console import marked, out, visible
from botopt.cli.decisions import clock
from botopt.cli.experiment_words import Words
from botopt.model.counting import number_of
from botopt.model.policy import Settings
from botopt.verify.experiments import Metric, Report, Results
from botopt.verify.experiments.listing import Belonging, Listed
from botopt.verify.log import Problem

_MOST_PROBLEMS = 8


def print_report(report: Report, problems: Sequence[Problem]) -> None:
    """All of it: each experiment, the holdout, the control group, then what was not read."""
    console = out()
    for line in _report(report, problems):
        console.print(line)


def _report(report: Report, problems: Sequence[Problem]) -> Iterator[str]:
    until = "" if report.until_us is None else f", until {clock(report.until_us)} UTC"
    yield f"{number_of(report.decisions, 'decision')} about {number_of(report.users, 'user')}{until}."
    if report.held_out:
        yield f"{number_of(report.held_out, 'user')} of the holdout {_are(report.held_out)} in no arm below."
    if not report.experiments:
        yield "\nNo record names an experiment: no condition asked for experiment('...') when they were written."
    words = Words(report.goal)
    for results in (*report.experiments, report.holdout, report.control):
        if results is not None:
            yield ""
            yield from _results(results, words)
    if report.notes or problems:
        yield ""
    for note in report.notes:
        yield marked(f"Note: {note}")
    for one in problems[:_MOST_PROBLEMS]:
        yield marked(f"Left out, {number_of(one.count, 'time')}: {one.words}; first: {one.first}.")
    if len(problems) > _MOST_PROBLEMS:
        rest = problems[_MOST_PROBLEMS:]
        yield f"Left out, {number_of(sum(one.count for one in rest), 'time')}: for {len(rest)} other reasons."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _results(results: Results, words: Words) -> Iterator[str]:
    description = f": {marked(results.description)}" if results.description else ""
    yield f"[bold]{marked(results.name)}[/]{description}"
    if not any(arm.users or arm.control for arm in results.arms):
        yield "  Nobody was exposed to it yet."
        return
    if results.since_us is not None:
        yield f"  [dim]Users are counted from their first exposure on; the first was at {clock(results.since_us)}.[/]"
    for table in (_arms(results, words), _guardrails(results), _differences(results, words)):
        if table:
            yield ""
            yield from _aligned(table)
    yield ""
    for warning in (*words.split(results), *results.warnings):
        yield f"  [yellow]{marked(warning)}[/]"
    for sentence in words.conclusions(results):
        yield f"  {marked(sentence)}"
    yield from _needs(results, words)


def _arms(results: Results, words: Words) -> list[tuple[str, ...]]:
    metrics = [each for each in results.arms[0].values if each in words.SHOWN]
    apart = any(arm.control for arm in results.arms)
    messages = Metric.MESSAGES in metrics
    head = ["arm", "share", "users"]
    head += ["in control"] if apart else []
    head += ["exposures"] if any(arm.exposures for arm in results.arms) else []
    head += ["messages", "clicks"] if messages else []
    rows: list[tuple[str, ...]] = [tuple(head + [words.short(metric) for metric in metrics])]
    for arm in results.arms:
        row = [arm.name, "" if arm.share is None else f"{100 * arm.share:.4g}%", f"{arm.users:,}"]
        row += [f"{arm.control:,}"] if apart else []
        row += [f"{arm.exposures:,}"] if "exposures" in head else []
        row += [f"{arm.messages:,}", f"{arm.clicks:,}"] if messages else []
        rows.append(tuple(row + [words.value(metric, arm.values[metric]) for metric in metrics]))
    return rows


def _guardrails(results: Results) -> list[tuple[str, ...]]:
    if Metric.UNSUBSCRIBED not in results.arms[0].values:
        return []
    rows: list[tuple[str, ...]] = [
        ("guardrails", "users who unsubscribed", "dismissals", "failures", "conversions", "too young to count")
    ]
    for arm in results.arms:
        share = f" ({100 * arm.unsubscribed / arm.users:.2f}%)" if arm.users else ""
        counts = (arm.dismissed, arm.failed, arm.converted, arm.recent)
        rows.append((arm.name, f"{arm.unsubscribed:,}{share}", *(f"{count:,}" for count in counts)))
    return rows


def _differences(results: Results, words: Words) -> list[tuple[str, ...]]:
    many = len(results.arms) > 2
    base = results.arms[0].name
    first = f"against {base}" if many else f"{results.arms[-1].name} against {base}"
    rows: list[tuple[str, ...]] = [(first, "difference", f"{100 * results.confidence:.4g}% interval", "relative")]
    for one in results.differences:
        label = words.long(one.metric)
        interval = words.interval(one.metric, one.low, one.high) if one.enough else "too few yet"
        relative = "" if one.relative is None else f"{100 * one.relative:+.1f}%"
        rows.append(
            (
                f"{one.arm}: {label}" if many else label,
                words.value(one.metric, one.value, sign=True),
                interval,
                relative,
            )
        )
    return rows


def _needs(results: Results, words: Words) -> Iterator[str]:
    if not results.conclusions:
        return
    yield ""
    metric = results.conclusions[0].metric
    base = results.arms[0]
    alike = f"all users of {marked(base.name)} have the same number of them"
    if not base.users:
        alike = f"{marked(base.name)} has no user yet"
    elif not base.values.get(metric):
        alike = f"no user of {marked(base.name)} has any of them"
    if not results.needs:
        yield f"  Sample size: nothing can be computed yet for {marked(words.long(metric))}: {alike}."
        return
    yield (
        f"  Sample size: what each arm needs to see a difference in {marked(words.long(metric))} with 80% power at one "
        "look."
    )
    first = results.needs[0]
    known = [
        ("messages", "16 p(1-p)/d² messages", first.messages, [arm.messages for arm in results.arms]),
        ("users", "16 s²/d² users", first.users, [arm.users for arm in results.arms]),
    ]
    known = [each for each in known if each[2] is not None]
    formula = " or ".join(formula for _, formula, _, _ in known)
    yield f"  That is {formula}; to look at any time takes about twice as many."
    if first.users is None:
        yield f"  In users nothing can be computed yet: {alike}."
    rows: list[tuple[str, ...]] = [("relative difference", *(name for name, _, _, _ in known))]
    for need in results.needs:
        amounts = [f"{amount:,}" for amount in (need.messages, need.users) if amount is not None]
        rows.append((f"{100 * need.relative:.0f}%", *amounts))
    rows.append(("the smallest arm has", *(f"{min(counts):,}" for _, _, _, counts in known)))
    yield from _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table: the first column to the left, the others to the right, the first row dim."""
    widths = [max(len(visible(row[place])) for row in rows) for place in range(len(rows[0]))]
    for number, row in enumerate(rows):
        first, *others = map(visible, row)
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        line = marked("  ".join(cells).rstrip())
        yield f"  [dim]{line}[/]" if not number else f"  {line}"


def print_listed(experiments: Sequence[Listed], settings: Settings) -> None:
    """The experiments of a policy, one after another."""
    console = out()
    for each in experiments:
        one = each.experiment
        arms = ", ".join(f"{name} {100 * share:.4g}%" for name, share in one.arms)
        asked = ", ".join(each.events) if each.events else "nothing: no condition asks for it, nobody is exposed"
        console.print(f"[bold]{marked(one.name)}[/] [dim]{marked(str(one.position))}[/]")
        if one.description:
            console.print(f"  {marked(one.description)}")
        console.print(marked(f"  arms: {arms}"))
        console.print(marked(f"  has a say in: {asked}"))
    if not experiments:
        console.print("The policy has no experiment.")
    console.print(f"holdout: {_share(settings.holdout)}, never messaged")
    console.print(f"control: {_share(settings.control)}, for whom the static rule decides")


def _share(share: float) -> str:
    return f"{100 * share:.4g}% of users" if share else "nobody"


def print_belonging(users: Sequence[Belonging], settings: Settings) -> None:
    """The groups of each user."""
    console = out()
    for one in users:
        console.print(f"[bold]{marked(one.user)}[/]")
        held = "in the holdout: never messaged" if one.holdout else "not in the holdout"
        console.print(f"  {held} ({_share(settings.holdout)})")
        control = "in the control group: nothing is learned or drawn" if one.control else "not in the control group"
        console.print(f"  {control} ({_share(settings.control)})")
        for name, arm in one.arms.items():
            console.print(marked(f"  {name}: {arm}"))
