"""What may be typed next in a condition, or between the braces of a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from botopt.authoring.editing.describing import event_words, field_words
from botopt.authoring.editing.workbench import Workbench
from botopt.model.condition import NUMERIC, ValueType
from botopt.model.names import BUILT_IN_ATTRIBUTES, ENGAGEMENT_NAMES, TIME_NAMES, WEEKDAYS
from botopt.model.policy import RESERVED_TYPES, FieldSpec
from botopt.rendering.filters import FILTERS, Filter


class Sort(StrEnum):
    """What a suggestion is, for the icon beside it."""

    FIELD = "field"
    ATTRIBUTE = "attribute"
    GROUP = "group"
    FUNCTION = "function"
    VALUE = "value"
    WORD = "word"
    KEY = "key"
    FILTER = "filter"


class Suggestion(msgspec.Struct, frozen=True):
    """What may be typed: `text` takes the place of the `replaces` characters before the cursor. `more` is markdown."""

    label: str
    sort: Sort
    text: str
    replaces: int
    detail: str = ""
    more: str = ""


_ENGAGEMENT = {
    "rate": "the share of messages of this type that the user clicks, 0 to 1",
    "clicks": "how many messages of all types the user clicked",
    "ignored_in_a_row": "how many messages were ignored since the last click",
}
_TIME = {
    "hour": "the hour on the user's clock, 0 to 23",
    "weekday": "`'mon'` to `'sun'`",
    "weekend": "whether it is Saturday or Sunday",
}
_FUNCTIONS = {
    "count": ("count('…', '7d')", "how many events of a type came in the window, this one included"),
    "seen": ("seen('…', '24h')", "whether an event of a type came before, in the window"),
    "sent": ("sent('24h')", "how many messages were sent in the window"),
}
_EXPERIMENT = ("experiment('…') == '…'", "the arm of an experiment in which the user is")
_DURATIONS = ("10m", "1h", "6h", "24h", "7d", "30d")
_NAME = r"[A-Za-z]\w*(?:\.\w+)?"
_OPEN_QUOTE = re.compile(r"(?P<before>(?:[^'\"]|'[^']*'|\"[^\"]*\")*)(?P<quote>['\"])(?P<typed>[^'\"]*)$", re.DOTALL)
_COMPARED = re.compile(rf"({_NAME})\s*(?:==|!=|(?:not\s+)?in\s*\[[^\]]*)\s*$")
_TYPE_ASKED = re.compile(r"\b(?:count|seen)\s*\(\s*$")
_EXPERIMENT_ASKED = re.compile(r"\bexperiment\s*\(\s*$")
_ARM_ASKED = re.compile(r"\bexperiment\s*\(\s*['\"]([^'\"]*)['\"]\s*\)\s*(?:==|!=|(?:not\s+)?in\s*\[[^\]]*)\s*$")
_WINDOW_ASKED = re.compile(r"\b(?:(?:count|seen)\s*\(\s*(?:'[^']*'|\"[^\"]*\")\s*,|sent\s*\()\s*$")
_OPERAND_BEFORE = re.compile(rf"(?:({_NAME})|\d|['\"\])])\s+$")
_WORDS_THAT_ASK = re.compile(r"(?:^|\s)(?:and|or|not|in|if|elif|is|else)\s+$")


def in_condition(bench: Workbench, events: tuple[str, ...], before: str, *, in_rules: bool = True) -> list[Suggestion]:
    """What may follow `before`, the words of a condition up to the cursor. `events` are those that it is about.

    Only rules, suppressions and variants ask for experiments (`in_rules`): what users read does not.
    """
    fields = bench.fields(events)
    if found := _OPEN_QUOTE.match(before):
        return list(_quoted(bench, fields, found["before"], found["typed"]))
    typed = re.search(r"[\w.]*$", before)
    assert typed is not None
    word, rest = typed[0], before[: typed.start()]
    group, dot, _ = word.partition(".")
    if dot:
        return list(_parts(bench, group, len(word) - len(group) - 1))
    if found := _ARM_ASKED.search(rest):
        return [Suggestion(f"'{arm}'", Sort.VALUE, f"'{arm}'", len(word), "arm") for arm in _arms(bench, found[1])]
    if found := _COMPARED.search(rest):
        quote = "'"
        return [
            Suggestion(f"{quote}{value}{quote}", Sort.VALUE, f"{quote}{value}{quote}", len(word), more=more)
            for value, more in _values_of(bench, fields, found[1])
        ] + list(_operands(bench, events, fields, len(word), in_rules=in_rules))
    found = _OPERAND_BEFORE.search(rest)
    if found and not _WORDS_THAT_ASK.search(rest):
        return list(_operators(_spec(bench, fields, found[1] or ""), len(word)))
    return list(_operands(bench, events, fields, len(word), in_rules=in_rules))


def _quoted(bench: Workbench, fields: Mapping[str, FieldSpec], before: str, typed: str) -> Iterator[Suggestion]:
    """Between quotes: an event type, a duration, or a value of what is compared."""
    if _TYPE_ASKED.search(before):
        for name in (*bench.declared.events, *RESERVED_TYPES):
            more = event_words(bench.events[name]) if name in bench.events else ""
            yield Suggestion(name, Sort.VALUE, name, len(typed), "event type", more)
    elif _EXPERIMENT_ASKED.search(before):
        for name, experiment in bench.view.policy.experiments.items():
            yield Suggestion(name, Sort.VALUE, name, len(typed), "experiment", experiment.description)
    elif found := _ARM_ASKED.search(before):
        yield from (Suggestion(arm, Sort.VALUE, arm, len(typed), "arm") for arm in _arms(bench, found[1]))
    elif _WINDOW_ASKED.search(before):
        yield from (Suggestion(one, Sort.VALUE, one, len(typed), "duration") for one in _DURATIONS)
    elif found := _COMPARED.search(before):
        for value, more in _values_of(bench, fields, found[1]):
            yield Suggestion(value, Sort.VALUE, value, len(typed), more=more)


def _arms(bench: Workbench, experiment: str) -> tuple[str, ...]:
    """The arms of an experiment, as far as its lines can be read."""
    return bench.declared.arms.get(experiment, ())


def _spec(bench: Workbench, fields: Mapping[str, FieldSpec], name: str) -> FieldSpec | None:
    group, dot, part = name.partition(".")
    if not dot:
        return fields.get(name)
    if group == "user":
        return bench.view.policy.attributes.get(part) or BUILT_IN_ATTRIBUTES.get(part)
    if group == "engagement" and part in ENGAGEMENT_NAMES:
        return FieldSpec(part, ENGAGEMENT_NAMES[part])
    if group == "time" and part in TIME_NAMES:
        return FieldSpec(part, TIME_NAMES[part].type)
    return None


def _values_of(bench: Workbench, fields: Mapping[str, FieldSpec], name: str) -> Iterator[tuple[str, str]]:
    """The values that a text can have, each with where that is said."""
    if name == "time.weekday":
        yield from ((day, "") for day in WEEKDAYS)
        return
    spec = _spec(bench, fields, name)
    if spec is not None and spec.type is ValueType.TEXT:
        yield from ((str(value), f"`{name}`: {field_words(spec)}") for value in spec.one_of)


def _parts(bench: Workbench, group: str, typed: int) -> Iterator[Suggestion]:
    """What stands behind `user.`, `engagement.` and `time.`."""
    if group == "user":
        for name, spec in {**bench.view.policy.attributes, **BUILT_IN_ATTRIBUTES}.items():
            yield Suggestion(name, Sort.ATTRIBUTE, name, typed, field_words(spec))
    for name, words in {"engagement": _ENGAGEMENT, "time": _TIME}.get(group, {}).items():
        yield Suggestion(name, Sort.ATTRIBUTE, name, typed, more=words)


def _operands(
    bench: Workbench, events: tuple[str, ...], fields: Mapping[str, FieldSpec], typed: int, *, in_rules: bool
) -> Iterator[Suggestion]:
    for name, spec in fields.items():
        having = bench.having(name, events)
        whose = "" if len(events) == 1 else f"A field of {', '.join(f'`{one}`' for one in having)}."
        yield Suggestion(name, Sort.FIELD, name, typed, field_words(spec), whose)
    groups = {"user": "attributes of the user", "engagement": "clicks and silence", "time": "the user's clock"}
    for group, words in groups.items():
        yield Suggestion(f"{group}.", Sort.GROUP, f"{group}.", typed, words)
    for name, (example, words) in _FUNCTIONS.items():
        yield Suggestion(name, Sort.FUNCTION, f"{name}('", typed, example, words)
    if in_rules and bench.declared.experiments:
        example, words = _EXPERIMENT
        yield Suggestion("experiment", Sort.FUNCTION, "experiment('", typed, example, words)
    yield Suggestion("not", Sort.WORD, "not ", typed)


def _operators(spec: FieldSpec | None, typed: int) -> Iterator[Suggestion]:
    """What may follow a value."""
    told: list[tuple[str, str]] = []
    if spec is None or spec.type is not ValueType.BOOLEAN:
        told += [("==", "is"), ("!=", "is not")]
    if spec is None or spec.type in NUMERIC or spec.type is ValueType.TIME:
        told += [("<", "below"), ("<=", "at most"), (">", "above"), (">=", "at least")]
    if spec is None or spec.type in (ValueType.TEXT, *NUMERIC):
        told += [("in [", "is one of"), ("not in [", "is none of")]
    if spec is None or spec.can_be_absent:
        told += [("is defined", "is there"), ("is not defined", "is absent")]
    told += [("and", "and also"), ("or", "or else")]
    for operator, words in told:
        yield Suggestion(operator, Sort.WORD, operator if operator.endswith("[") else f"{operator} ", typed, words)


def in_braces(bench: Workbench, events: tuple[str, ...], before: str) -> list[Suggestion]:
    """What may follow `before`, which is what stands in a template between `{{` or `{%` and the cursor."""
    if found := re.search(r"([\w.]+|['\")\]])\s*\|\s*(\w*)$", before):
        spec = _spec(bench, bench.fields(events), found[1])
        return [
            Suggestion(one.name, Sort.FILTER, one.name, len(found[2]), one.example, filter_words(one))
            for one in FILTERS.values()
            if spec is None or spec.type in one.takes
        ]
    if before.startswith("%"):
        words = ("if", "elif", "else", "endif", "for", "endfor", "set")
        if found := re.fullmatch(r"%-?\s*(\w*)", before):
            return [Suggestion(word, Sort.WORD, word, len(found[1])) for word in words]
    inside = before[1:].lstrip("-").removeprefix("{")
    if re.search(rf"{_NAME}\s+$", inside) and not before.startswith("%"):
        return [Suggestion("|", Sort.WORD, "| ", 0, "a filter")]
    return in_condition(bench, events, inside, in_rules=False)


def filter_words(one: Filter) -> str:
    """What a filter does."""
    return " ".join((one.function.__doc__ or "").split())
