"""Explanations as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from botopt.cli.console import marked, out
from botopt.cli.decisions import clock
from botopt.engine.explain import Explanation, RuleTrace, SuppressionTrace
from botopt.engine.explained import explanation_plain
from botopt.engine.numbers import number
from botopt.engine.recorded_words import recorded, unknown
from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.instants import instant_text
from botopt.model.record import to_plain
from botopt.network.tracing import Trace, value_text
from botopt.verify.explaining import Explained

_YES, _NO = "[green]✓[/]", "[red]✗[/]"


def print_explained(explained: Explained) -> None:
    """Every explanation, then the records that never reached the pipeline."""
    console = out()
    for explanation in explained.explanations:
        for line in explanation_lines(explanation):
            console.print(line)
        console.print()
    print_records(explained.others)


def explanation_lines(explanation: Explanation) -> Iterator[str]:
    """Rich markup, line by line."""
    decision = explanation.decision
    yield from _heading(decision)
    yield f"\n[bold]Event[/] {marked(decision.event_id or '')}, declared at {marked(str(explanation.position))}"
    for name, value in explanation.values:
        yield f"  {marked(name)} = {marked(_shown(value))}"
    yield "\n[bold]Rules[/]" + ("" if explanation.rules else ": none")
    for rule in explanation.rules:
        yield from _rule(rule)
    yield "\n[bold]Score[/]"
    for line in explanation.arithmetic:
        yield f"  {marked(line)}"
    if explanation.learned:
        yield "\n[bold]Learned[/]"
        for line in explanation.learned:
            yield f"  {marked(line)}"
    yield "\n[bold]Reasons, in the order in which they are asked[/]"
    for stage in explanation.stages:
        yield from _stage(explanation, stage.reason, stage.applies, stage.waived, stage.numbers)
    if len(explanation.variants) > 1:
        listed = ", ".join(f"{name} {_YES if eligible else _NO}" for name, eligible in explanation.variants)
        yield f"\n[bold]Variants[/] {listed}"
    yield from _change(decision, explanation.change)


def _heading(decision: Decision) -> Iterator[str]:
    scored = ""
    if decision.score is not None and decision.threshold is not None:
        scored = f", score {number(decision.score)}, needed more than {number(decision.threshold)}"
    result = decision.outcome.value
    if decision.reason is not None and decision.reason.value != result:
        result += f" ({decision.reason.value})"
    by = f" by [bold]{marked(decision.by)}[/]" if decision.by else ""
    yield (
        f"[bold]{marked(decision.event_type or '?')}[/] for [bold]{marked(decision.user or '?')}[/] "
        f"at {clock(decision.time_us)}: [bold]{result}[/]{by}{scored}"
    )
    if decision.detail:
        yield f"  {marked(decision.detail)}"
    if decision.line is not None:
        yield f"  line {decision.line}"
    if decision.until_us is not None:
        yield f"  until {instant_text(decision.until_us)}"
    if decision.cause is not None:
        yield f"  caused by {decision.cause}"
    if decision.message is not None:
        yield f'  → {marked(decision.message.channel)}: "{marked(decision.message.text)}"'


def _rule(rule: RuleTrace) -> Iterator[str]:
    effects = ", ".join(rule.effects)
    yield f"  {_YES if rule.matched else _NO} [bold]{marked(rule.id)}[/] ({marked(effects)})  [dim]{rule.position}[/]"
    yield from _trace(rule.trace, 3)


def _trace(trace: Trace, depth: int) -> Iterator[str]:
    pad = "  " * depth
    mark = _YES if trace.holds else _NO
    if not trace.joint:
        met = ", ".join(f"{name} is {value_text(value)}" for name, value in trace.met)
        yield f"{pad}{mark} {marked(trace.text)}" + (f"  [dim]{marked(met)}[/]" if met else "")
        return
    yield f"{pad}{mark} {trace.joint}:"
    for part in trace.parts:
        yield from _trace(part, depth + 1)


def _stage(explanation: Explanation, reason: Reason, applies: bool, waived: bool, numbers: str) -> Iterator[str]:
    decides = explanation.decision.reason is reason
    mark = "[bold red]→[/]" if decides else ("[yellow]•[/]" if applies else "[dim]·[/]")
    note = " [dim](waived: always)[/]" if waived and applies else ""
    ours = [item for item in explanation.suppressions if item.reason is reason]
    if not applies and not ours and (not numbers or reason is Reason.RENDER_FAILED):
        return
    yield f"  {mark} {reason.value}{note}" + ("" if ours else f"  {marked(numbers)}")
    for item in ours:
        yield from _suppression(item)


def _suppression(item: SuppressionTrace) -> Iterator[str]:
    until = f", until {instant_text(item.until_us)}" if item.until_us is not None else ""
    scope = "" if item.in_scope else " [dim](not for this channel)[/]"
    mark = _NO if item.stops else _YES
    yield f"      {mark} [bold]{marked(item.id)}[/]: {marked(item.numbers)}{until}{scope}  [dim]{item.position}[/]"
    for word, trace in (("when", item.when), ("unless", item.unless)):
        if trace is not None:
            yield f"          {word}:"
            yield from _trace(trace, 6)


def _change(decision: Decision, change: Iterable[str]) -> Iterator[str]:
    sentences = list(change)
    if decision.outcome is Outcome.SENT or not sentences:
        return
    yield "\n[bold]What would have sent it[/]"
    for place, sentence in enumerate(sentences):
        yield f"  {'and ' if place else ''}{marked(sentence)}"


def _shown(value: object) -> str:
    return value_text(value) if not isinstance(value, list | dict) else msgspec.json.encode(value).decode()


def print_records(decisions: Iterable[Decision]) -> None:
    """What records say by themselves."""
    console = out()
    for decision in decisions:
        for line in record_lines(decision):
            console.print(line)
        console.print()


def record_lines(decision: Decision) -> Iterator[str]:
    """Rich markup, line by line."""
    yield from _heading(decision)
    if decision.parts:
        yield "\n[bold]Score and threshold, part by part[/]"
        for part in decision.parts:
            sign = (
                "×"
                if part.part in ("engagement", "scorer")
                else ("" if part.part == "base" else "+" if part.value >= 0 else "-")
            )
            named = f" ({marked(part.id)})" if part.id else ""
            yield f"  {part.part:<10} {sign}{number(abs(part.value))}{named}"
    yield from _recorded(decision)
    yield from _change(decision, _record_change(decision))


def _recorded(decision: Decision) -> Iterator[str]:
    told = recorded(decision)
    if told:
        yield "\n[bold]Learned[/]" if decision.snapshot is not None else "\n[bold]Drawn[/]"
    for each in told:
        yield f"  {marked(each.text)}"
        if each.choice is not None and each.choice.draw is not None:
            yield f"    [dim]of {marked(', '.join(each.choice.eligible))}; drew {number(each.choice.draw)}[/]"
    missing = unknown(told)
    if missing:
        named = decision.event_id or decision.id
        yield f"  not in the record: {marked(', '.join(missing))}"
        yield f"  [dim]botopt explain EVENTS --event {marked(named)} works it out from the events of all users[/]"


def _record_change(decision: Decision) -> Iterator[str]:
    if decision.reason is Reason.BELOW_THRESHOLD and decision.score is not None and decision.threshold is not None:
        yield f"a score more than {number(decision.threshold - decision.score)} higher"
    elif decision.until_us is not None:
        unnamed = "the budget" if decision.reason is Reason.PACED else "the better hour"
        yield f"the same event at {instant_text(decision.until_us)}, as far as {decision.by or unnamed} is concerned"
    elif decision.by is not None and decision.outcome is not Outcome.REJECTED:
        yield f"no {decision.by} in the way"


def explanation_json(explanation: Explanation) -> str:
    """An explanation as one JSON line."""
    return msgspec.json.encode(explanation_plain(explanation)).decode()


def record_json(decision: Decision) -> str:
    """A record as one JSON line."""
    return msgspec.json.encode(to_plain(decision)).decode()
