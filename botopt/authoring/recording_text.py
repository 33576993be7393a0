"""A recording as a file of rule tests: tidy, with what is decided today as expectations, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from botopt.authoring.formatting_scalars import remark, scalar
from botopt.engine.numbers import number
from botopt.loading.reading.traps import CONTROL
from botopt.model.condition import duration_text
from botopt.model.decision import Decision, Outcome, Reason
from botopt.model.instants import instant_text
from botopt.model.policy import Policy
from botopt.verify.ruletest.history import Moment
from botopt.verify.ruletest.recording import Recording

_WIDEST = 110
_MOST_WORDS = 60
_MOST_LEFT_OUT = 10

Pairs = Sequence[tuple[str, str]]


def test_text(recording: Recording, policy: Policy, inputs: Sequence[str]) -> str:
    """The file; `inputs` are the names of what it was recorded from."""
    test = recording.test
    lines = [*_head(recording, policy, inputs), "", "tests:", f"  - name: {scalar(test.name)}"]
    lines.append(f"    at: {instant_text(test.at_us)}")
    user = [("id", scalar(test.user)), *_values(recording.attributes)]
    lines += [*_mapping("user", user, "    "), "    steps:"]
    in_range = True
    for place, (moment, decision) in enumerate(zip(recording.moments, recording.decisions, strict=True)):
        if moment.in_range != in_range:
            in_range = moment.in_range
            said = "from here on it is about this" if in_range else "before: only so that what follows can be decided"
            lines.append(f"      # ---- {said}")
        lines += _step(moment, test.steps[place].after_us, decision if moment.in_range else None, policy)
        if place in recording.otherwise:
            lines.append(f"        # the replay decided otherwise here: {_in_words(moment.decision)}")
    if recording.held:
        held = "1 message is" if recording.held == 1 else f"{recording.held:,} messages are"
        lines.append(f"      # {held} still held when the recording ends")
    return "\n".join(lines) + "\n"


def _head(recording: Recording, policy: Policy, inputs: Sequence[str]) -> Iterator[str]:
    first, last = (instant_text(recording.moments[place].at_us) for place in (0, -1))
    names = ", ".join("standard input" if name == "-" else name for name in inputs)
    yield f"# Recorded by botopt test --record from {remark(names)}, {first} to {last}."
    yield f"# Expected is what the policy of revision {policy.revision} decides. Read it: is it what you want?"
    if recording.dropped:
        events = "1 earlier event is" if recording.dropped == 1 else f"{recording.dropped:,} earlier events are"
        yield f"# {events} left out: without them the same is decided."
    if recording.rewritten:
        lines = ", ".join(str(line.number) for line in recording.rewritten[:_MOST_LEFT_OUT])
        more = " and more" if len(recording.rewritten) > _MOST_LEFT_OUT else ""
        yield f"# Characters that no file may hold are written as � (line {lines}{more})."
    if recording.left_out:
        lines = "1 line is" if len(recording.left_out) == 1 else f"{len(recording.left_out):,} lines are"
        yield f"# {lines} left out, which changed nothing:"
    for line, why in recording.left_out[:_MOST_LEFT_OUT]:
        yield f"#   line {line.number}: {remark(why)}"
    if len(recording.left_out) > _MOST_LEFT_OUT:
        yield f"#   and {len(recording.left_out) - _MOST_LEFT_OUT:,} more"


def _step(moment: Moment, after_us: int, decision: Decision | None, policy: Policy) -> Iterator[str]:
    step, pad = moment.step, "        "
    stamp = f"# {instant_text(moment.at_us).replace('T', ' ').removesuffix('Z')}"
    if moment.line.number:
        stamp += f", line {moment.line.number}"
    yield f"      - {_what(moment, after_us)}  {stamp}"
    if step.kind == "send":
        yield f"{pad}id: {scalar(step.id)}"
    if step.kind != "advance" and after_us:
        yield f"{pad}after: {duration_text(after_us)}"
    if step.late_us:
        yield f"{pad}late: {duration_text(step.late_us)}"
    if step.kind in ("send", "fail") and step.data:
        yield from _mapping("with", _values(step.data), pad)
    if decision is not None:
        yield from _mapping("expect", list(_expected(decision, policy)), pad)
        if decision.reason is Reason.BELOW_THRESHOLD and decision.score is not None and decision.threshold is not None:
            yield f"{pad}# score {number(decision.score)}, needed more than {number(decision.threshold)}"


def _what(moment: Moment, after_us: int) -> str:
    step = moment.step
    match step.kind:
        case "send":
            return f"send: {scalar(step.event_type)}"
        case "advance":
            return f"advance: {duration_text(after_us)}"
        case "delete":
            return "delete: true"
        case "active":
            channel = step.data.get("channel")
            return f"active: {'true' if channel is None else _value(channel)}"
        case "update" | "subscribe" | "unsubscribe":
            return f"{step.kind}: {_flow(_values(step.data))}"
        case _:
            return f"{step.kind}: {scalar(step.about)}"


def _expected(decision: Decision, policy: Policy) -> Iterator[tuple[str, str]]:
    yield "outcome", decision.outcome.value
    if decision.reason is not None and decision.reason.value != decision.outcome.value:
        yield "reason", decision.reason.value
    if decision.by is not None:
        yield "by", scalar(decision.by)
    if decision.outcome is Outcome.HELD and decision.until_us is not None:
        yield "until", instant_text(decision.until_us)
    message = decision.message
    if message is None:
        return
    yield "template", scalar(message.template)
    template = policy.templates[message.template]
    if len(template.variants) > 1:
        yield "variant", scalar(message.variant)
    if any(len(variant.text) > 1 for variant in template.variants):
        yield "locale", scalar(message.locale)
    if len(policy.channels) > 1:
        yield "channel", scalar(message.channel)
    if words := _beginning(message.text):
        yield "text_contains", scalar(words)


def _beginning(text: str) -> str:
    """The first words of a text: enough to know it by."""
    words = " ".join(max(CONTROL.split(text), key=len).split())
    return words if len(words) <= _MOST_WORDS else words[:_MOST_WORDS].rpartition(" ")[0] or words[:_MOST_WORDS]


def _values(data: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(name, _value(value)) for name, value in data.items()]


def _value(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return scalar(value)
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return _flow([(scalar(str(name)), _value(inner)) for name, inner in value.items()])
        case _:
            return json.dumps(value)


def _flow(pairs: Iterable[tuple[str, str]]) -> str:
    return f"{{{', '.join(f'{name}: {value}' for name, value in pairs)}}}"


def _mapping(key: str, pairs: Pairs, pad: str) -> Iterator[str]:
    """On one line where it fits, else one line for each entry."""
    line = f"{pad}{key}: {_flow(pairs)}"
    if len(line) <= _WIDEST:
        yield line
        return
    yield f"{pad}{key}:"
    yield from (f"{pad}  {name}: {value}" for name, value in pairs)


def _in_words(decision: Decision | None) -> str:
    if decision is None:
        return "nothing"
    return " ".join(filter(None, (decision.outcome.value, decision.reason and decision.reason.value, decision.by)))
