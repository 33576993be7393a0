"""What stands in brackets: the arguments of filters, and those of `count`, `seen` and `sent`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jinja2 import nodes

from botopt.model.names import did_you_mean
from botopt.rendering.filters import FILTERS, Filter
from botopt.rendering.reading.faults import Fault
from botopt.rendering.reading.syntax import Parsed
from botopt.rendering.reading.uses import FUNCTIONS, duration_us, window_call

_WINDOWS = {"count": "count('payment_failed', '24h')", "seen": "seen('payment_failed', '24h')", "sent": "sent('24h')"}
_METHODS = {
    "format": "join texts with ~: {{ a ~ ' ' ~ b }}",
    "strftime": "use a filter: {{ eta | date }}",
    "capitalize": "use a filter: {{ name | title }}",
    "get": "type: object.part",
    "items": "name the parts: object.part",
}


def bound(node: nodes.Filter, filter_: Filter) -> Mapping[str, nodes.Expr]:
    """The arguments of a filter by the names of its parameters."""
    by_position = zip((parameter.name for parameter in filter_.parameters), node.args, strict=False)
    return {**dict(by_position), **{str(keyword.key): keyword.value for keyword in node.kwargs}}


def argument_faults(parsed: Parsed, node: nodes.Filter) -> Iterator[Fault]:
    """What is wrong with the brackets of a known filter."""
    filter_ = FILTERS[node.name]
    start = node.lineno - 1
    place = (start, start + len(node.name))
    hint = f"for example: {filter_.example}"
    positions = 2 if node.name == "plural" else len(filter_.parameters)
    names = [parameter.name for parameter in filter_.parameters]
    if node.dyn_args or node.dyn_kwargs:
        yield Fault("B302", *place, f'"*" is not allowed in the brackets of "{node.name}"', hint)
        return
    if len(node.args) > positions:
        first = parsed.extent(node.args[positions])
        wanted = f"at most {positions}" if positions else "no"
        yield Fault("B308", *first, f'the filter "{node.name}" takes {wanted} {_values(positions)} in brackets', hint)
        return
    given = set(names[: len(node.args)])
    for keyword in node.kwargs:
        name, value = str(keyword.key), parsed.extent(keyword.value)
        if name not in names:
            suggestion = did_you_mean(name, names) or hint
            yield Fault("B308", *value, f'the filter "{node.name}" knows no "{name}="', suggestion)
            return
        if name in given:
            yield Fault("B308", *value, f'"{name}" is given twice to the filter "{node.name}"', hint)
            return
        given.add(name)
    for parameter in filter_.parameters:
        if parameter.required and parameter.name not in given:
            yield Fault("B308", *place, f'the filter "{node.name}" lacks {_lacking(node.name, parameter.name)}', hint)
    for name, argument in bound(node, filter_).items():
        yield from _constants(parsed, node.name, name, argument)


def _values(count: int) -> str:
    return "value" if count == 1 else "values"


def _lacking(filter_name: str, parameter: str) -> str:
    match filter_name:
        case "money":
            return "its currency"
        case "plural":
            return f'the form "{parameter}", for all other numbers'
        case "truncate":
            return "the number of characters to keep"
        case _:
            return "the value to print instead"


def _constants(parsed: Parsed, filter_name: str, name: str, argument: nodes.Expr) -> Iterator[Fault]:
    if filter_name != "truncate" or name != "length":
        return
    value = argument.value if isinstance(argument, nodes.Const) else None
    if type(value) is not int or value < 1:
        yield Fault(
            "B308", *parsed.extent(argument), '"truncate" wants a whole number from 1 on', "for example: truncate(20)"
        )


_BY_ARM = "make two variants: variants: {early: {when: experiment('name') == 'early', text: …}, as_now: {text: …}}"


def call_faults(parsed: Parsed, node: nodes.Call) -> Iterator[Fault]:
    """What is wrong with something that is called: only `count`, `seen` and `sent` are, with texts written out."""
    target = node.node
    if isinstance(target, nodes.Name) and target.name in FUNCTIONS:
        if window_call(node) is None:
            yield _window_fault(parsed, node, target.name)
        return
    if isinstance(target, nodes.Name) and target.name == "experiment":
        yield Fault("B302", *parsed.extent(node), "a message cannot ask for an experiment", _BY_ARM)
        return
    if isinstance(target, nodes.Name):
        hint = did_you_mean(target.name, FUNCTIONS)
        if target.name in FILTERS:
            hint = f'"{target.name}" is a filter: {FILTERS[target.name].example}'
        message = f'unknown function "{target.name}"'
        yield Fault("B302", *parsed.extent(target), message, hint or "the functions are count, seen and sent")
        return
    method = target.attr if isinstance(target, nodes.Getattr) else ""
    hint = _METHODS.get(method, f"filters do such things: {', '.join(FILTERS)}")
    if method in FILTERS:
        hint = f"use a filter: {FILTERS[method].example}"
    yield Fault("B302", *parsed.extent(node), "a value cannot be asked to do something", hint)


def _window_fault(parsed: Parsed, node: nodes.Call, name: str) -> Fault:
    example = f"type: {_WINDOWS[name]}"
    wanted = 1 if name == "sent" else 2
    what = "how far back to look" if name == "sent" else "an event type and how far back to look"
    if len(node.args) != wanted or node.kwargs or node.dyn_args or node.dyn_kwargs:
        return Fault("B308", *parsed.extent(node), f'"{name}" wants {what}', example)
    for argument in node.args:
        if not isinstance(argument, nodes.Const) or not isinstance(argument.value, str):
            return Fault("B308", *parsed.extent(argument), f'"{name}" wants quoted texts in its brackets', example)
    window = node.args[-1]
    said = window.value if isinstance(window, nodes.Const) and duration_us(str(window.value)) is None else ""
    return Fault("B308", *parsed.extent(window), f'"{said}" is no duration', "type for example '30m', '24h' or '7d'")
