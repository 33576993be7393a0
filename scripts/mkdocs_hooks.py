"""Fills the `<!-- generated: NAME -->` marks of the documentation from the schemas, the codes and the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer.main

from botopt.cli.app import app
from botopt.cli.exits import MEANINGS
from botopt.model.codes import CODES

ROOT = Path(__file__).parent.parent
_MARK = re.compile(r"^<!-- generated: ([a-z]+) -->$", re.MULTILINE)
_OUTPUT = re.compile(r"^<!-- output: .* -->\n", re.MULTILINE)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Called by mkdocs with each page's text."""
    return _MARK.sub(lambda found: generated(found.group(1)), _OUTPUT.sub("", markdown))


def generated(name: str) -> str:
    """The text for one mark."""
    makers: Mapping[str, Callable[[], str]] = {"cli": cli, "codes": codes, "exits": exits}
    return makers[name]() if name in makers else schema(name)


def codes() -> str:
    """A table of all diagnostic codes."""
    rows = (f"| [{code.id}]({code.id}.md) | {code.severity} | {code.title} |" for code in CODES.values())
    return "\n".join(("| code | severity | what |", "| --- | --- | --- |", *rows))


def exits() -> str:
    """The table of exit codes."""
    rows = (f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items())
    return "\n".join(("| code | meaning |", "| --- | --- |", *rows))


def cli() -> str:
    """Every command with its help, arguments and options."""
    return "\n\n".join(_commands(typer.main.get_command(app), "botopt"))


def _commands(command: Any, path: str) -> Iterator[str]:
    subcommands = getattr(command, "commands", {})
    if path != "botopt":
        yield f"{'###' if path.count(' ') > 1 else '##'} `{path}`"
        yield _plain(command.help or "")
        if not subcommands:
            yield _parameters(command)
    for name, subcommand in subcommands.items():
        yield from _commands(subcommand, f"{path} {name}")


def _parameters(command: Any) -> str:
    rows = []
    for parameter in command.params:
        hint = getattr(parameter, "help", None) or ""
        if parameter.param_type_name == "argument":
            name = f"`{(parameter.metavar or parameter.name).upper()}`"
        else:
            name = ", ".join(f"`{option}`" for option in parameter.opts)
        kind = parameter.type
        choices = f" One of {', '.join(f'`{c}`' for c in _choices(kind))}." if _choices(kind) else ""
        default = parameter.default
        shown = f" Default: `{default}`." if default not in (None, False, (), "") and not callable(default) else ""
        rows.append(f"| {name} | {_plain(hint)}{choices}{shown} |".replace("\n", " "))
    return "\n".join(("| | |", "| --- | --- |", *rows)) if rows else ""


def _choices(kind: Any) -> list[str]:
    return [str(getattr(choice, "value", choice)) for choice in getattr(kind, "choices", ())]


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
        target: Any = root
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
