"""One option of a channel: a node -> a value of the option's type. A `${NAME}` stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from botopt.loading.parse import scalars
from botopt.loading.parse.findings import Findings
from botopt.loading.parse.plain import plain
from botopt.loading.parse.wording import shown
from botopt.loading.reader import Map, Node, Scalar, Sequence
from botopt.model.channels import Option, OptionType
from botopt.model.options import broken_reference, has_reference, is_reference, url_fault
from botopt.model.policy import Value
from botopt.model.values import LARGEST

_DOLLAR = re.compile(r"\$[A-Z_][A-Z0-9_]*|\$\([A-Za-z_][A-Za-z0-9_]*\)", re.ASCII)


def read_option(findings: Findings, node: Node, option: Option, channel: str) -> Value:
    """The value, or None and a finding. What a secret option holds is never repeated."""
    if not _references_hold(findings, node, option, channel):
        return None
    if isinstance(node, Scalar) and not node.flawed and isinstance(node.value, str) and has_reference(node.value):
        # The environment's value is looked at when the channel is made.
        return [node.value] if option.type is OptionType.TEXTS else node.value
    return _READ[option.type](findings, node, option)


def _bounds(option: Option) -> tuple[float, float]:
    return (
        -LARGEST if option.minimum is None else option.minimum,
        LARGEST if option.maximum is None else option.maximum,
    )


def _url(findings: Findings, node: Node, key: str) -> str | None:
    text = scalars.text(findings, node, key)
    fault = "" if text is None else url_fault(text)
    if not fault:
        return text
    if "password" in fault:
        findings.hide(node.position)
        findings.report("B124", node.position, f"{key} {fault}", "give them as options of their own, if there are such")
        return None
    hint = f"type {key}: https://{text}" if text and not url_fault(f"https://{text}") and "." in text else ""
    findings.report("B104", node.position, f"{key} {fault}, not {shown(node)}", hint)
    return None


def _name_map(findings: Findings, node: Node, key: str) -> Value:
    inner = scalars.entries(findings, node, key, f"type {key}: {{NAME: …}}")
    if inner is None:
        return None
    found: dict[str, object] = {}
    for name, value in inner.entries:
        text = scalars.text(findings, value, f"{name.text} of {key}")
        if text is not None:
            found[name.text] = text
    return found


def _references_hold(findings: Findings, node: Node, option: Option, channel: str) -> bool:
    """Whether every `${NAME}` can be read, and no secret stands here itself."""
    fine = True
    for scalar in _scalars(node):
        if scalar.flawed or scalar.value is None:
            continue
        text = str(scalar.value) if isinstance(scalar.value, str) else scalar.text
        if option.secret and not is_reference(text):
            fine = False
            findings.hide(scalar.position)
            _report(findings, scalar, text, option.name, channel)
        elif not option.secret and broken_reference(text):
            fine = False
            message = f"{option.name} holds a ${{ that begins no ${{NAME}}"
            hint = "a name is made of letters, digits and _, and does not begin with a digit"
            findings.report("B125", scalar.position, message, hint)
    return fine


def _report(findings: Findings, scalar: Scalar, text: str, key: str, channel: str) -> None:
    name = suggested(channel, key)
    if _DOLLAR.fullmatch(text):  # what stands there may be a secret that looks like a name: it is not repeated
        hint = f"put braces around the name: {key}: ${{NAME}}"
        findings.report("B125", scalar.position, f"{key} must be a ${{NAME}}, with its braces", hint)
    elif broken_reference(text) and text.startswith("${") and text.endswith("}"):
        hint = f"a name is made of letters, digits and _: type {key}: ${{{name}}}"
        findings.report("B125", scalar.position, f"{key} must be a ${{NAME}}, and its name is none", hint)
    else:
        message = f"the value of {key} is a secret, and must not stand in a file"
        hint = f"type {key}: ${{{name}}}, and give its value in the environment; whoever saw it here knows it"
        findings.report("B124", scalar.position, message, hint)


def _scalars(node: Node) -> list[Scalar]:
    match node:
        case Scalar():
            return [node]
        case Sequence(items=parts):
            return [scalar for part in parts for scalar in _scalars(part)]
        case Map(entries=entries):
            return [scalar for _, value in entries for scalar in _scalars(value)]


def suggested(channel: str, option: str) -> str:
    """A name in the environment for an option of a channel."""
    return re.sub(r"[^A-Z0-9_]", "_", f"{channel}_{option}".upper())


def _text(findings: Findings, node: Node, option: Option) -> Value:
    if option.one_of:
        return scalars.choice(findings, node, option.name, option.one_of)
    return scalars.text(findings, node, option.name)


def _integer(findings: Findings, node: Node, option: Option) -> Value:
    low, high = _bounds(option)
    return scalars.integer(findings, node, option.name, int(low), int(high))


def _texts(findings: Findings, node: Node, option: Option) -> Value:
    names = scalars.names(findings, node, option.name, single=True)
    return None if names is None else [str(name.value) for name in names]


def _plain(findings: Findings, node: Node, _: Option) -> Value:
    value = plain(findings, node)
    return value if isinstance(value, (str, int, float, bool, list, dict)) else None


_READ: Mapping[OptionType, Callable[[Findings, Node, Option], Value]] = {
    OptionType.TEXT: _text,
    OptionType.INTEGER: _integer,
    OptionType.NUMBER: lambda findings, node, option: scalars.number(findings, node, option.name, *_bounds(option)),
    OptionType.BOOLEAN: lambda findings, node, option: scalars.boolean(findings, node, option.name),
    OptionType.DURATION: lambda findings, node, option: scalars.duration(findings, node, option.name),
    OptionType.URL: lambda findings, node, option: _url(findings, node, option.name),
    OptionType.TEXTS: _texts,
    OptionType.NAME_MAP: lambda findings, node, option: _name_map(findings, node, option.name),
    OptionType.PLAIN: _plain,
}
