"""Fills the `<!-- generated: NAME -->` marks of the documentation: schemas, codes, channels, HTTP, the commands."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from enum import EnumMeta
from pathlib import Path
from typing import Any, get_args

import typer
from typer.models import ArgumentInfo, ParameterInfo

from botopt.authoring.channel_schemas import HONESTY, NEVER_LIVE, of_option
from botopt.cli.app import app
from botopt.cli.exits import MEANINGS
from botopt.delivery.registry import BUILT_IN, CHANNEL_TYPES
from botopt.model.channels import ChannelType
from botopt.model.codes import CODES
from botopt.model.condition import duration_text
from botopt.model.policy import WhenUnsure

ROOT = Path(__file__).parent.parent
_MARK = re.compile(r"^<!-- generated: ([a-z0-9-]+) -->$", re.MULTILINE)
_USUAL = frozenset(("400", "401", "403", "405", "408", "413", "415", "429", "431", "500", "503"))
"""Statuses that mean the same at every address."""

_OTHER = "urn:botopt:schema:"
_OUTPUT = re.compile(r"^<!-- (?:output|run): .* -->\n", re.MULTILINE)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Called by mkdocs with each page's text."""
    return _MARK.sub(lambda found: generated(found.group(1)), _OUTPUT.sub("", markdown))


def generated(name: str) -> str:
    """The text for one mark."""
    makers: Mapping[str, Callable[[], str]] = {
        "channels": channels,
        "cli": cli,
        "codes": codes,
        "exits": exits,
        "http": http,
    }
    if name.startswith("channel-"):
        return channel(CHANNEL_TYPES[name.removeprefix("channel-").replace("-", "_")])
    return makers[name]() if name in makers else schema(name)


def channels() -> str:
    """A table of the channel types that come with botopt."""
    rows = []
    for name in BUILT_IN:
        one = CHANNEL_TYPES[name]
        package = f"`botopt[{one.extra}]`" if one.extra else ""
        rows.append(f"| [`{name}`]({name}.md) | {_cell(one.summary)} | `{one.honesty}` | {package} |")
    return "\n".join(("| type | what it does | tests rest on | needs |", "| --- | --- | --- | --- |", *rows))


def channel(type_: ChannelType) -> str:
    """What a channel type says about itself: what it can do, and its options."""
    return "\n\n".join((_abilities(type_), _options(type_)))


def _abilities(type_: ChannelType) -> str:
    usual = type_.settings
    repeats = "yes" if type_.repeatable else "no"
    unsure = usual.when_unsure or (WhenUnsure.RETRY if type_.repeatable else WhenUnsure.STOP)
    told = {
        "Tests rest on": HONESTY[type_.honesty] + NEVER_LIVE,
        "Needs": f"`pip install 'botopt[{type_.extra}]'`" if type_.extra else "nothing more",
        "Address": f"{type_.addressed} (`to`)" if type_.addressed else "the user's id, or what `to` names",
        "Most characters": f"{type_.max_length:,}" if type_.max_length else "no limit of ours",
        "Buttons": "yes" if type_.buttons else "no: only the text is sent",
        "Callbacks": "yes: `POST /v1/channels/NAME/callback`" if type_.callbacks else "no",
        "Only gives texts back": "it may: name a `reply` channel" if type_.needs_transport else "no",
        "Knows a message again": f"{repeats}; when an attempt may have arrived: `{unsure}`",
        "Usually": f"`timeout: {duration_text(usual.timeout_us)}`, `retry_for: {duration_text(usual.retry_for_us)}`, "
        f"`concurrency: {usual.concurrency}`",
    }
    rows = (f"| {what} | {_cell(words)} |" for what, words in told.items())
    return "\n".join(("| | |", "| --- | --- |", *rows))


def _options(type_: ChannelType) -> str:
    if not type_.options:
        return "It has no options of its own."
    rows = []
    for option in type_.options:
        value = "secret: `${NAME}`" if option.secret else ", ".join(f"`{word}`" for word in option.one_of)
        value = value or str(option.type).replace("_", " ")
        words = of_option(option)["description"]
        rows.append(f"| `{option.name}`{' *' if option.required else ''} | {value} | {_cell(words)} |")
    return "\n".join(("| option | value | meaning |", "| --- | --- | --- |", *rows, "", "An option with * is needed."))


def codes() -> str:
    """A table of all diagnostic codes."""
    rows = (f"| [{code.id}]({code.id}.md) | {code.severity} | {code.title} |" for code in CODES.values())
    return "\n".join(("| code | severity | what |", "| --- | --- | --- |", *rows))


def http() -> str:
    """Every endpoint, in the words of the OpenAPI document, and the objects that it takes and answers."""
    from botopt.server.endpoints import ENDPOINTS
    from botopt.server.openapi.document import document

    root = document(ENDPOINTS)
    parts = [_problems()]
    for tag in root["tags"]:
        parts.append(f"## {tag['name'].capitalize()}\n\n{tag['description']}")
        for path, methods in root["paths"].items():
            parts += [
                _operation(method.upper(), path, operation)
                for method, operation in methods.items()
                if tag["name"] in operation["tags"]
            ]
    parts.append("## Objects")
    for name, node in root["components"]["schemas"].items():
        if "properties" in node:
            head, *_ = _tables({**node, "title": name}, root, "", set())
            text = node.get("description", "")
            parts.append(f"### {name}\n\n{text}\n\n{head.partition(chr(10))[2].strip()}" if text else head)
    return "\n\n".join(parts)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    scope = operation.get("x-scope")
    callers = f"Needs a key with the scope `{scope}`" if scope else "Needs no key"
    if {"standardWebhooks": []} in operation["security"]:
        callers += ", or a signature of Standard Webhooks"
    lines = [
        f"### `{method} {path}`",
        f"{operation['summary']}. {operation.get('description', '')}".strip(),
        f"{callers}.",
    ]
    body = operation.get("requestBody", {}).get("content", {})
    if body and "*/*" not in body:
        lines.append("Content types: " + ", ".join(f"`{kind}`" for kind in body) + ".")
    asked = [one for one in operation.get("parameters", ()) if one["name"] != "X-Request-Id"]
    if asked:
        rows = [f"| `{one['name']}` | {one['in']} | {_cell(one['description'])} |" for one in asked]
        lines.append("\n".join(("| parameter | in | meaning |", "| --- | --- | --- |", *rows)))
    answers = {status: answer["description"] for status, answer in operation["responses"].items()}
    rows = [f"| {status} | {_cell(meaning)} |" for status, meaning in answers.items() if status not in _USUAL]
    lines.append("\n".join(("| status | meaning |", "| --- | --- |", *rows)))
    lines.append(f"Problems as everywhere: {', '.join(status for status in answers if status in _USUAL)}.")
    return "\n\n".join(lines)


def _problems() -> str:
    """Every kind of problem, once: most addresses answer with most of them."""
    from botopt.server.problems import TITLES, URN

    rows = [f"| {status} | `{URN}{kind}` | {title} |" for kind, (status, title) in TITLES.items()]
    return "\n".join(("## Problems", "", "| status | `type` | `title` |", "| --- | --- | --- |", *rows))


def exits() -> str:
    """The table of exit codes."""
    rows = (f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items())
    return "\n".join(("| code | meaning |", "| --- | --- |", *rows))


def cli() -> str:
    """Every command with its help, arguments and options."""
    return "\n\n".join(_commands(app, "botopt"))


def _commands(group: typer.Typer, path: str) -> Iterator[str]:
    level = "##" if path == "botopt" else "###"
    for command in group.registered_commands:
        assert command.callback is not None
        yield f"{level} `{path} {command.name or command.callback.__name__.replace('_', '-')}`"
        yield _plain(command.help or "")
        yield _parameters(command.callback)
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield f"## `{path} {inner.name}`"
        yield _plain(str(inner.typer_instance.info.help))
        yield from _commands(inner.typer_instance, f"{path} {inner.name}")


def _parameters(command: Callable[..., object]) -> str:
    rows = []
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        kind, *notes = get_args(parameter.annotation)
        info = next(note for note in notes if isinstance(note, ParameterInfo))
        if info.hidden:  # an old spelling that is still taken
            continue
        if isinstance(info, ArgumentInfo):
            shown = f"`{name.upper()}`"
        else:
            first = info.default if isinstance(info.default, str) else f"--{name.replace('_', '-')}"
            shown = ", ".join(f"`{word}`" for word in dict.fromkeys((first, *(info.param_decls or ()))))
        choices = _choices(kind)
        listed = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
        value = parameter.default
        usual = value not in (None, False, inspect.Parameter.empty)
        default = f" Default: `{getattr(value, 'value', value)}`." if usual else ""
        rows.append(f"| {shown} | {_plain(info.help or '')}{listed}{default} |".replace("\n", " "))
    return "\n".join(("| argument or option | meaning |", "| --- | --- |", *rows)) if rows else ""


def _choices(kind: object) -> list[str]:
    """The words that a parameter takes, alone or in a list, if it takes only some."""
    if isinstance(kind, EnumMeta):
        return [str(choice.value) for choice in kind]
    return [word for inner in get_args(kind) for word in _choices(inner)]


def _plain(text: str) -> str:
    text = re.sub(r"\[(/|/?[a-z ]+)\]", "", text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


def schema(name: str) -> str:
    """Tables of a JSON Schema: one for each object in it."""
    root = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text("utf-8"))
    return "\n\n".join(_tables(root, root, "", set()))


def _tables(node: Mapping[str, Any], root: Mapping[str, Any], path: str, done: set[str]) -> Iterator[str]:
    node = _resolved(node, root)
    for option in node.get("oneOf", node.get("anyOf", ())):
        yield from _tables(option, root, path, done)
    if node.get("type") == "array" and "items" in node:
        yield from _tables(node["items"], root, f"{path}[]", done)
    extra = node.get("additionalProperties")
    if isinstance(extra, Mapping):
        yield from _tables(extra, root, f"{path}.NAME" if path else "NAME", done)
    for pattern in node.get("patternProperties", {}).values():
        yield from _tables(pattern, root, f"{path}.NAME" if path else "NAME", done)
    properties = node.get("properties")
    if not properties:
        return
    title = node.get("title", path)
    if title in done:
        return
    done.add(title)
    rows = []
    required = set(node.get("required", ()))
    for key, value in properties.items():
        inner = _resolved(value, root)
        text = value.get("description") or inner.get("description") or inner.get("title", "")
        rows.append(f"| `{key}`{' *' if key in required else ''} | {_kind(inner, root)} | {_cell(text)} |")
    lead = f"**{title}**" + (f" (`{path}`)" if path and path != title else "")
    yield "\n".join((f"{lead}\n", "| key | value | meaning |", "| --- | --- | --- |", *rows))
    for key, value in properties.items():
        yield from _tables(value, root, f"{path}.{key}" if path else key, done)


def _resolved(node: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        if node["$ref"].startswith(_OTHER):
            name = node["$ref"].removeprefix(_OTHER)
            target: Any = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text("utf-8"))
        else:
            target = root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _kind(node: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    if "enum" in node:
        return ", ".join(f"`{json.dumps(value).strip(chr(34))}`" for value in node["enum"])
    if "const" in node:
        return f"`{json.dumps(node['const']).strip(chr(34))}`"
    options = node.get("oneOf", node.get("anyOf"))
    if options:
        return " or ".join(dict.fromkeys(_kind(_resolved(option, root), root) for option in options))
    kind = node.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
