"""A proposal as a rules file, with what was seen beside it as comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from botopt.authoring.formatting_scalars import remark, scalar
from botopt.authoring.inferring import Proposal
from botopt.authoring.inferring_stats import MOST_FIELDS, STEPS_US, FieldsStats, FieldStats, TypeStats
from botopt.loading.parse.scalars import FIELD
from botopt.model.condition import NUMERIC, ValueType, duration_text
from botopt.model.counting import number_of
from botopt.model.instants import instant_text
from botopt.model.names import WORDS
from botopt.model.values import shown

_FEWEST_EACH = 3
_FEWEST_REPEATS = 5
_MOST_REPEATS = 0.8
_LONGEST_COOLDOWN_US = 7 * 86_400_000_000
_LENGTHS = (20, 40, 80, 200, 500, 1_000, 2_000, 5_000, 10_000)
_WIDEST = 48


def rules_text(proposal: Proposal, inputs: Sequence[str]) -> str:
    """The file that proposes to declare all this; `inputs` are the names of what it was seen in."""
    blocks = ["\n".join(_head(proposal, inputs))]
    if proposal.categories:
        entries = [f"  {scalar(name)}: {{consent: opt_out}}" for name in proposal.categories]
        blocks.append("\n".join(["categories:          # opt_out: everybody gets them until they say no", *entries]))
    if attributes := list(_fields(proposal.attributes, None, "  ")):
        blocks.append("\n".join([_section("user", attributes), *attributes]))
    if proposal.channels:
        entries = [f"  {scalar(name)}: {{type: console}}" for name in proposal.channels]
        blocks.append("\n".join(["channels:", *entries]))
    if proposal.events:
        types = ["\n".join(_event(name, *seen)) for name, seen in proposal.events.items()]
        blocks.append("events:\n" + "\n\n".join(types))
    return "\n\n".join(blocks) + "\n"


def _head(proposal: Proposal, inputs: Sequence[str]) -> Iterator[str]:
    yield f"# Proposed by botopt infer from {remark(', '.join(inputs))}: {number_of(proposal.lines, 'line')},"
    yield f"# {_span(proposal)}."
    yield "# Nothing is sent yet: these events are only remembered. Give one a weight and a message to send something,"
    yield "# and delete what you do not need; fields that nothing declares are ignored."
    if proposal.unfit:
        yield f"# {proposal.unfit:,} lines are no events; the first: {remark(proposal.faults[0])}"
    for said in proposal.remarks:
        yield f"# {remark(said)}"


def _span(proposal: Proposal) -> str:
    if proposal.first_us < 0:
        return "none of them an event"
    return f"from {_day(proposal.first_us)} to {_day(proposal.last_us)}"


def _day(us: int) -> str:
    return instant_text(us)[:10]


def _event(name: str, came_as: tuple[str, ...], stats: TypeStats) -> Iterator[str]:
    about = "" if stats.users.exact else "about "
    users = f"{about}{stats.users.count:,} {'user' if stats.users.count == 1 else 'users'}"
    a_day = stats.events / max(1, stats.user_days.count)
    events = f"{stats.events:,} {'event' if stats.events == 1 else 'events'}"
    yield f"  # {events} of {users}; {a_day:.1f} on a day on which a user has any"
    if repeats := _repeats(stats):
        yield f"  # {repeats}"
    other = [type_ for type_ in came_as if type_ != name]
    yield f"  {scalar(name)}:"
    if other:
        yield f"    accepts: [{', '.join(map(scalar, other))}]"
    fields = list(_fields(stats, stats.events, "      "))
    yield f"    {_section('fields', fields)}"
    yield from fields


def _section(key: str, lines: Sequence[str]) -> str:
    """The key above these lines, which may all be comments."""
    return f"{key}:" if any(not line.lstrip().startswith("#") for line in lines) else f"{key}: {{}}"


def _repeats(stats: TypeStats) -> str:
    total = sum(stats.repeats)
    if total < _FEWEST_REPEATS:
        return ""
    seen = 0
    for step_us, number in zip(STEPS_US, stats.repeats, strict=False):
        seen += number
        if step_us <= _LONGEST_COOLDOWN_US and seen >= _MOST_REPEATS * total:
            step = duration_text(step_us)
            return f"{seen:,} of {total:,} repeats come within {step} of the one before: think of cooldown: {step}"
    return ""


def _fields(stats: FieldsStats, events: int | None, indent: str) -> Iterator[str]:
    """A line for each field; `events` is how many could have it, or None for attributes, which are all optional."""
    usable = {name: field for name, field in stats.fields.items() if _is_field(name)}
    width = max((len(name) for name, field in usable.items() if field.type is not None), default=0) + 1
    rows: list[tuple[str, str]] = []
    for name, field in usable.items():
        if field.type is not None:
            optional = events is None or field.values < events
            rows.append((f"{indent}{name + ':':<{width}} {_spec(name, field, optional=optional)}", _note(name, field)))
    column = min(max((len(row) for row, _ in rows), default=0), len(indent) + width + _WIDEST)
    for row, note in rows:
        yield f"{row:<{column}}  # {note}" if note else row
    yield from (f"{indent}# {said}" for said in _left_out(stats, usable))


def _is_field(name: str) -> bool:
    return FIELD.fullmatch(name) is not None and name not in WORDS


def _left_out(stats: FieldsStats, usable: Mapping[str, FieldStats]) -> Iterator[str]:
    for name, field in stats.fields.items():
        if name not in usable:
            yield f"left out: {remark(shown(name))} ({field.values:,} values) is no name for a field"
        elif field.type is None:
            kinds = ", ".join(f"{kind} {number:,}" for kind, number in sorted(field.kinds.items()))
            yield f"left out: {name} has values of different types ({kinds})"
    if stats.left_out:
        yield f"left out: fields after the first {MOST_FIELDS}"


def _spec(name: str, field: FieldStats, *, optional: bool) -> str:
    assert field.type is not None
    parts = [f"type: {field.type.value}"]
    if options := _options(name, field):
        parts.append(f"one_of: [{', '.join(map(scalar, options))}]")
    elif field.type is ValueType.TEXT:
        longest = next((length for length in _LENGTHS if length >= 2 * field.longest), None)
        parts += [f"max_length: {longest}"] if longest else []
    if optional:
        parts.append("optional: true")
    return f"{{{', '.join(parts)}}}"


def _options(name: str, field: FieldStats) -> list[str]:
    """The values of a text that has few, each of them often."""
    options = field.options
    if field.type is not ValueType.TEXT or not options or name.lower().endswith("id"):
        return []
    if "" in options or field.values < _FEWEST_EACH * len(options) or field.values < 2 * _FEWEST_EACH:
        return []
    return [option for option, _ in options.most_common()]


def _note(name: str, field: FieldStats) -> str:
    if options := _options(name, field):
        assert field.options is not None
        return ", ".join(f"{remark(option)} {field.options[option]:,}" for option in options)
    if field.type in NUMERIC and field.low is not None and field.high is not None:
        return f"{shown(field.low)} to {shown(field.high)}" if field.low != field.high else f"always {shown(field.low)}"
    if field.type is ValueType.TEXT:
        return f"at most {number_of(field.longest, 'character')}"
    return ""
