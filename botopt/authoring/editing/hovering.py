"""What something means, where somebody points at it. Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from botopt.authoring.channel_schemas import details, of_one
from botopt.authoring.editing.declared import child, entries
from botopt.authoring.editing.describing import (
    category_words,
    channel_words,
    event_details,
    experiment_words,
    field_words,
    rule_words,
    short,
    suppression_words,
    template_words,
)
from botopt.authoring.editing.expressions import filter_words
from botopt.authoring.editing.occurrences import Kind, Occurrence, at
from botopt.authoring.editing.schema_paths import at_path, description
from botopt.authoring.editing.spots import ITEM
from botopt.authoring.editing.workbench import Workbench
from botopt.loading.reader import Map, Node, Scalar, Sequence
from botopt.model.codes import CODES
from botopt.model.data_files import data_dir
from botopt.model.diagnostic import Diagnostic
from botopt.model.names import BUILT_IN_ATTRIBUTES
from botopt.model.policy import Policy
from botopt.rendering.filters import FILTERS

_BUILT_IN = {
    "id": "the user's id",
    "timezone": "the user's time zone; `settings.timezone` for one without",
    "locale": "the user's language; `settings.locale` for one without",
    "rate": "the share of messages of this type that the user clicks: number, 0 to 1",
    "clicks": "how many messages of all types the user clicked: integer",
    "ignored_in_a_row": "how many messages were ignored since the last click: integer",
    "hour": "the hour on the user's clock: integer, 0 to 23",
    "weekday": "the day on the user's calendar: text, one of `mon` to `sun`",
    "weekend": "whether it is Saturday or Sunday for the user: boolean",
}


def hover(bench: Workbench, file: str, line: int, column: int) -> str:
    """What stands at a place, both counted from 1: a name, else a key; nothing where there is nothing to say."""
    found = at(bench.view, bench.declared, file, line, column)
    if found is not None and (words := about(bench, found)):
        return words
    document = bench.document(file)
    if document is None or document.root is None:
        return ""
    if type_ := _channel_type_at(document.root, line, column):
        words = details(type_)
        return f"channel type **{type_}**\n\n{words}" if words else ""
    path = key_path(document.root, line, column)
    if path is None:
        return ""
    schema = bench.schemas[bench.view.kinds[file]]
    if path[0] == "channels" and len(path) == 3:
        schema = of_one(schema, path[1], _text(child(child(child(document.root, "channels"), path[1]), "type")))
    words = description(at_path(schema, path))
    return f"**{path[-1]}**\n\n{words}" if words else ""


def _channel_type_at(root: Node, line: int, column: int) -> str:
    """The type of a channel whose name stands at a place."""
    for _, channel in entries(child(root, "channels")):
        node = child(channel, "type")
        if isinstance(node, Scalar) and node.position.line == line:
            place = node.position
            return node.text if place.column <= column <= place.end_column else ""
    return ""


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def key_path(node: Node, line: int, column: int) -> tuple[str, ...] | None:
    """The path to the key at a place."""
    match node:
        case Sequence(items=parts):
            for part in parts:
                if (found := key_path(part, line, column)) is not None:
                    return (ITEM, *found)
        case Map(entries=entries):
            for key, value in entries:
                place = key.position
                if place.line == line and place.column <= column <= place.end_column:
                    return (key.text,)
                if (found := key_path(value, line, column)) is not None:
                    return (key.text, *found)
        case Scalar():
            pass
    return None


def about(bench: Workbench, found: Occurrence) -> str:
    """What a name stands for; nothing where no file says it."""
    policy, name = bench.view.policy, found.name
    words = ""
    match found.kind:
        case Kind.EVENT:
            words = event_details(policy, bench.events[name]) if name in bench.events else ""
        case Kind.TEMPLATE:
            words = template_words(bench.templates[name], policy.settings.locale) if name in bench.templates else ""
            reached = bench.declared.reaching(name)
            words += f"\n\nSent by {', '.join(f'`{one}`' for one in reached)}." if words and reached else ""
        case Kind.CHANNEL:
            words = channel_words(policy.channels[name]) if name in policy.channels else ""
        case Kind.ATTRIBUTE:
            words = field_words(policy.attributes[name]) if name in policy.attributes else ""
        case Kind.FIELD:
            words = _field(bench, found)
        case Kind.SUPPRESSION:
            words = next((suppression_words(one) for one in policy.suppressions if one.id == name), "")
        case Kind.RULE:
            words = _rule(bench, found)
        case Kind.FILTER:
            words = f"{filter_words(FILTERS[name])}" if name in FILTERS else ""
        case Kind.BUILT_IN:
            words = _BUILT_IN.get(name, field_words(BUILT_IN_ATTRIBUTES[name]) if name in BUILT_IN_ATTRIBUTES else "")
        case Kind.CATEGORY | Kind.EXPERIMENT:
            words = _of_users(policy, found)
        case Kind.VARIANT:
            words = _variant(bench, found)
    return f"{found.kind} **{name}**\n\n{words}" if words else ""


def _of_users(policy: Policy, found: Occurrence) -> str:
    """What a category asks of users, or how an experiment splits them."""
    if found.kind is Kind.CATEGORY:
        return category_words(policy.categories[found.name]) if found.name in policy.categories else ""
    return experiment_words(policy.experiments[found.name]) if found.name in policy.experiments else ""


def _field(bench: Workbench, found: Occurrence) -> str:
    """Its type and bounds; where event types declare it differently, each of them."""
    specs = bench.having(found.name, found.owners)
    said: dict[str, list[str]] = {}
    for event, spec in specs.items():
        said.setdefault(field_words(spec), []).append(event)
    if len(said) <= 1:
        whose = f"\n\nA field of {', '.join(f'`{one}`' for one in specs)}." if specs else ""
        return next(iter(said), "") + whose
    return "\n".join(f"- {words}: {', '.join(f'`{one}`' for one in events)}" for words, events in said.items())


def _variant(bench: Workbench, found: Occurrence) -> str:
    """When it is chosen, and its text in every language."""
    variants = [one for name in found.owners if name in bench.templates for one in bench.templates[name].variants]
    one = next((one for one in variants if one.name == found.name), None)
    if one is None:
        return ""
    when = f"When `{one.when.text}`.\n\n" if one.when is not None else ""
    return when + "\n".join(f"- `{tag}`: {short(text.source)}" for tag, text in one.text.items())


def _rule(bench: Workbench, found: Occurrence) -> str:
    rules = [rule for name in found.owners if name in bench.events for rule in bench.events[name].rules]
    words = next((rule_words(rule) for rule in rules if rule.id == found.name), "")
    return f"{words[0].upper()}{words[1:]}." if words else ""


def explain(findings: Iterable[Diagnostic]) -> str:
    """Findings with the pages of their codes."""
    return "\n\n---\n\n".join(_page(one.code) for one in {found.code: found for found in findings}.values())


def _page(code: str) -> str:
    """The page of a code, its heading smaller than a title."""
    try:
        text = (data_dir("codes") / f"{code}.md").read_text("utf-8")
    except OSError:
        return f"**{code}**: {CODES[code].title}" if code in CODES else code
    return re.sub(r"^# (.*)$", r"### \1", text.strip(), count=1, flags=re.MULTILINE)


def definition(bench: Workbench, file: str, line: int, column: int) -> list[Scalar]:
    """Where the name at a place is declared: one place, or one for each event type that has such a field."""
    found = at(bench.view, bench.declared, file, line, column)
    return [] if found is None else declared_at(bench, found)


def declared_at(bench: Workbench, found: Occurrence) -> list[Scalar]:
    """The keys or ids that declare a name."""
    declared, name = bench.declared, found.name
    match found.kind:
        case Kind.FIELD:
            return [declared.events[one].fields[name] for one in found.owners]
        case Kind.RULE:
            return [declared.rules[(one, name)] for one in found.owners if (one, name) in declared.rules]
        case Kind.VARIANT:
            return [declared.variants[(one, name)] for one in found.owners]
        case Kind.EVENT:
            event = declared.events.get(name)
            return [] if event is None else [event.key]
        case Kind.FILTER | Kind.BUILT_IN:
            return []
        case _:
            among = {
                Kind.TEMPLATE: declared.templates,
                Kind.CHANNEL: declared.channels,
                Kind.CATEGORY: declared.categories,
                Kind.ATTRIBUTE: declared.attributes,
                Kind.SUPPRESSION: declared.suppressions,
                Kind.EXPERIMENT: declared.experiments,
            }[found.kind]
            return [among[name]] if name in among else []
