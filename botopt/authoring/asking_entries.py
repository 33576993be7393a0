"""New event types, templates and suppressions as lines of YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from botopt.authoring.formatting_scalars import scalar
from botopt.model.condition import ValueType
from botopt.model.errors import UsageError

_FIELD = re.compile(r"(?P<name>[^:?\s]+)\s*(?::\s*(?P<type>[a-z]+))?\s*(?P<optional>\?)?")
_BARE = re.compile(r"[1-9][0-9]*(?:[smhdw](?:[0-9]+[smhdw])*)?")  # a number or a duration
_TYPES = ", ".join(type_.value for type_ in ValueType)


class Entry(msgspec.Struct, frozen=True):
    """One entry of a section, its lines not yet indented. `apart`: a blank line stands above it."""

    section: str
    lines: tuple[str, ...]
    apart: bool = True

    def indented(self, column: int) -> list[str]:
        """Its lines, from this column on."""
        return [" " * column + line for line in self.lines]


class NewField(msgspec.Struct, frozen=True):
    """A field of a new event type."""

    name: str
    type: ValueType = ValueType.TEXT
    optional: bool = False


def field_of(text: str) -> NewField:
    """`order_id`, `amount:number`, or `reason:text?` for one that may be absent.

    Raises:
        UsageError: it reads like none of these.
    """
    found = _FIELD.fullmatch(text.strip())
    word = found["type"] or "text" if found else ""
    if found is None or word not in set(ValueType):
        raise UsageError(f'a field is written name:type, such as amount:number, not "{text}"; types are {_TYPES}')
    return NewField(found["name"], ValueType(word), found["optional"] is not None)


def event_entry(
    name: str,
    fields: Sequence[NewField],
    *,
    description: str = "",
    message: str = "",
    weight: float = 0.0,
    channel: str = "",
    category: str = "",
) -> Entry:
    """An event type; without a message it is only remembered."""
    lines = [f"  description: {scalar(description)}"] if description else []
    if category:
        lines.append(f"  category: {scalar(category)}")
    if fields:
        width = max(len(field.name) for field in fields) + 1
        lines.append("  fields:")
        lines += [f"    {field.name + ':':<{width}} {_spec(field)}" for field in fields]
    if message:
        lines += [f"  weight: {_two_places(weight)}", f"  message: {scalar(message)}"]
        lines += [f"  channel: {scalar(channel)}"] if channel else []
    return Entry("events", (f"{name}:", *lines) if lines else (f"{name}: {{}}",))


def _two_places(number: float) -> str:
    """`0.70` as people write weights; one with more digits keeps them."""
    return f"{number:.2f}" if round(number, 2) == number else f"{number:.12f}".rstrip("0")


def _spec(field: NewField) -> str:
    return f"{{type: {field.type.value}{', optional: true' if field.optional else ''}}}"


def template_entry(name: str, text: str, description: str = "") -> Entry:
    """A template with one text, in the language of the settings."""
    if not description:
        return Entry("templates", (f"{name}: {quoted(text)}",))
    variant = ("  variants:", "    only:", f"      text: {quoted(text)}")
    return Entry("templates", (f"{name}:", f"  description: {scalar(description)}", *variant))


def channel_entry(name: str = "chat") -> Entry:
    """A channel that prints."""
    return Entry("channels", (f"{name}: {{type: console}}",), apart=False)


def suppression_entry(name: str, parts: Mapping[str, str | Sequence[str]], when: str = "") -> Entry:
    """A suppression; `parts` are its keys in order: a word, a list, or `{…}` as it is to be written."""
    words = [f"id: {scalar(name)}", *(f"{key}: {_value(value)}" for key, value in parts.items() if value)]
    if not when:
        return Entry("suppression", (f"- {{{', '.join(words)}}}",), apart=False)
    lines = (*words, f"when: {condition(when)}")
    return Entry("suppression", (f"- {lines[0]}", *(f"  {line}" for line in lines[1:])), apart=False)


def _value(value: str | Sequence[str]) -> str:
    if isinstance(value, str):
        return value if value.startswith("{") or _BARE.fullmatch(value) else scalar(value)
    return f"[{', '.join(map(scalar, value))}]"


def condition(text: str) -> str:
    """A condition as the value of `when`."""
    return text if re.fullmatch(r"[A-Za-z(][^:#\"\\{}\n]*", text) else quoted(text)


def quoted(text: str) -> str:
    """A text in quotes, whatever it says."""
    word = scalar(text)
    return word if word.startswith('"') else f'"{text}"'
