"""What may be typed at a place of a file: names, keys, words of conditions and of templates."""

from __future__ import annotations

import re
from collections.abc import Sequence

from botopt.authoring.channel_schemas import of_one
from botopt.authoring.editing.describing import field_words
from botopt.authoring.editing.expressions import Sort, Suggestion, in_braces, in_condition
from botopt.authoring.editing.schema_paths import Choice, keys, values
from botopt.authoring.editing.spots import Spot, spot
from botopt.authoring.editing.workbench import Workbench
from botopt.authoring.schemas import Schema
from botopt.sources.reserved import FAILURE
from botopt.verify.live import kind_of

_CONDITIONS = ("when", "unless")
_FIELDS = frozenset({"per", "same"})
_DASH = re.compile(r"\s*-(\s|$)")
_WORDS = ("text", "title", "label", "link")


def complete(bench: Workbench, file: str, lines: Sequence[str], line: int, column: int) -> list[Suggestion]:
    """What may be typed at a place, both counted from 0, of a file that now has these lines."""
    kind = kind_of(file)
    if kind is None:
        return []
    here = spot(lines, line, column)
    if here.path[:1] == ("events",) and here.path[1:2] and here.path[1] not in bench.events:
        bench = bench.without_line(file, lines, line)
    if here.value is not None and any(key in here.path for key in _CONDITIONS) and kind != "tests":
        found = _condition(bench, here, lines, line)
        return found if here.key is None else [*found, *_keys(bench.schemas[kind], here)]
    if here.value is not None and kind == "templates" and _is_wording(here.path):
        return _words(bench, here)
    if kind == "tests" and here.path[-1:] == ("with",):
        return _sent(bench, here, lines, line)
    schema = bench.schemas[kind]
    if kind == "rules" and here.path[:1] == ("channels",) and len(here.path) > 1:
        schema = of_one(schema, here.path[1], _channel_type(lines, line, here.path[1]))
    found = [] if here.value is None else _values(schema, here)
    if kind == "rules" and here.path[:1] == ("suppression",) and _FIELDS.intersection(here.path):
        found = _in_scope(bench, found, _about(bench, here, lines, line))
    return found if here.key is None else [*found, *_keys(schema, here)]


def _channel_type(lines: Sequence[str], line: int, channel: str) -> str:
    """The type of the channel around a line, told from its lines alone; empty where it says none."""
    first = line
    while first > 0 and not re.match(rf"\s*[\"']?{re.escape(channel)}[\"']?\s*:", lines[first]):
        first -= 1
    last = first + 1
    while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) > _indent(lines[first])):
        last += 1
    found = re.search(r"(?<![\w.-])type:\s*[\"']?([\w.-]+)", "\n".join(lines[first:last]))
    return found[1] if found else ""


def _is_wording(path: tuple[str, ...]) -> bool:
    return len(path) == 2 or any(part in path[4:] for part in _WORDS)


def _condition(bench: Workbench, here: Spot, lines: Sequence[str], line: int) -> list[Suggestion]:
    before = here.value or ""
    if before[:1] in ("'", '"'):  # YAML's own quote is none of the condition's
        before = before[1:].replace("''", "'") if before[0] == "'" else before[1:]
    return in_condition(bench, _about(bench, here, lines, line), before)


def _about(bench: Workbench, here: Spot, lines: Sequence[str], line: int) -> tuple[str, ...]:
    """The event types that a condition at this place is about."""
    match here.path:
        case ("events", name, *_):
            return (name,)
        case ("templates", name, *_):
            return bench.declared.reaching(name)
        case _:
            wanted = {key: _listed_near(lines, line, key) for key in ("events", "categories")}
            return tuple(
                name
                for name, event in bench.declared.events.items()
                if event.templates
                and (not wanted["events"] or name in wanted["events"])
                and (not wanted["categories"] or event.category in wanted["categories"])
            )


def _listed_near(lines: Sequence[str], line: int, key: str) -> frozenset[str]:
    """The names at a key of the suppression around a line, told from its lines alone."""
    first, indent = _item_around(lines, line)
    last = first + 1
    while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) > indent):
        last += 1
    item = "\n".join(lines[first:last])
    if flow := re.search(rf"\b{key}:\s*\[([^\]]*)", item):
        return frozenset(re.findall(r"[\w.-]+", flow[1]))
    found: list[str] = []
    for number, text in enumerate(lines[first:last], first):
        if re.match(rf"\s*(-\s+)?{key}:\s*$", text):
            for below in lines[number + 1 : last]:
                if not _DASH.match(below):
                    break
                found += re.findall(r"[\w.-]+", below.strip().removeprefix("-"))[:1]
    return frozenset(found)


def _item_around(lines: Sequence[str], line: int) -> tuple[int, int]:
    """The line on which the outermost item around a line begins, and its indentation."""
    found, indent = line, _indent(lines[line]) + bool(_DASH.match(lines[line]))
    for number in range(line, -1, -1):
        if _DASH.match(lines[number]) and _indent(lines[number]) < indent:
            found, indent = number, _indent(lines[number])
        elif lines[number][:1].isalpha():
            break
    return found, indent


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _words(bench: Workbench, here: Spot) -> list[Suggestion]:
    """Between the braces of a template."""
    text = here.value or ""
    opened = max(text.rfind("{{"), text.rfind("{%"))
    if opened < 0 or max(text.rfind("}}"), text.rfind("%}")) > opened:
        return []
    return in_braces(bench, bench.declared.reaching(here.path[1]), text[opened + 1 :])


def _sent(bench: Workbench, here: Spot, lines: Sequence[str], line: int) -> list[Suggestion]:
    """The fields of the event that a step of a test brings: its `send` or `fail` stands near."""
    if here.key is None:
        return []
    for number in range(line, max(line - 10, -1), -1):
        if found := re.search(r"\b(send|fail):\s*([\w.-]+)", lines[number]):
            specs = FAILURE if found[1] == "fail" else bench.fields((found[2],))
            return [Suggestion(n, Sort.KEY, f"{n}: ", len(here.key), field_words(s)) for n, s in specs.items()]
    return []


def _typed(text: str) -> int:
    """How many characters of a name are typed already."""
    found = re.search(r"[\w.-]*$", text)
    return len(found[0]) if found else 0


def _values(schema: Schema, here: Spot) -> list[Suggestion]:
    typed = _typed(here.value or "")
    found = values(schema, here.path)
    return [Suggestion(one.name, Sort.VALUE, one.name, typed, more=one.description) for one in found]


def _in_scope(bench: Workbench, found: list[Suggestion], events: tuple[str, ...]) -> list[Suggestion]:
    """Without the fields that no event type in the scope of the suppression has."""
    theirs, all_fields = bench.fields(events), bench.fields(tuple(bench.events))
    return [one for one in found if one.label in theirs or one.label not in all_fields]


def _keys(schema: Schema, here: Spot) -> list[Suggestion]:
    typed = len(here.key or "")
    return [_key(one, typed) for one in keys(schema, here.path)]


def _key(one: Choice, typed: int) -> Suggestion:
    text = f"{one.name}:" if one.deeper else f"{one.name}: "
    return Suggestion(one.name, Sort.KEY, text, typed, more=one.description)
