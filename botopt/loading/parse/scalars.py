"""One value of a YAML file -> one Python value, or a finding and None.

`key` is the name of the value in the message: `weight` gives `weight must be a number …`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from botopt.loading.parse.findings import Findings
from botopt.loading.parse.wording import boolean_hint, list_hint, listed, number_hint, shown, text_hint
from botopt.loading.reader import Map, Node, Scalar, Sequence
from botopt.model.durations import parse_duration
from botopt.model.names import WORDS, did_you_mean
from botopt.model.values import LARGEST

NAME = re.compile(r"[a-z][a-z0-9_.-]*", re.ASCII)
FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d\d)", re.ASCII)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,12})?)%", re.ASCII)


def text(findings: Findings, node: Node, key: str) -> str | None:
    """A text with something in it."""
    if findings.is_flawed(node):
        return None
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        findings.report("B104", node.position, f"{key} must be a text, not {shown(node)}", text_hint(key, node))
        return None
    if not node.value.strip():
        findings.report("B111", node.position, f"{key} is empty")
        return None
    return node.value


def number(
    findings: Findings, node: Node, key: str, low: float, high: float, *, above: bool = False, below: bool = False
) -> float | None:
    """A number from `low` to `high`; `above` and `below` leave the bound itself out."""
    if findings.is_flawed(node):
        return None
    wanted = f"a number {_range(low, high, above=above, below=below)}".rstrip()

    def fits(value: float) -> bool:
        return (low < value if above else low <= value) and (value < high if below else value <= high)

    usual = 0.2 if below else 0.7
    hint = f"a share lies between 0 and 1: {key}: {usual}, say" if (abs(low), high) == (0, 1) else ""
    if not isinstance(node, Scalar) or isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
        hint = number_hint(key, node, fits) or (hint if isinstance(node, Scalar) and "%" in node.text else "")
        findings.report("B104", node.position, f"{key} must be {wanted}, not {shown(node)}", hint)
        return None
    value = node.value
    if fits(value):
        return float(value)
    if hint and value > 1 and fits(value / 100):
        hint = f"if {value:g}% is meant, type {key}: {value / 100:g}"
    findings.report("B106", node.position, f"{key} must be {wanted}, not {shown(node)}", hint)
    return None


def _range(low: float, high: float, *, above: bool, below: bool) -> str:
    if abs(low) >= LARGEST and abs(high) >= LARGEST:
        return ""
    if high >= LARGEST:
        return f"{'above' if above else 'of at least'} {low:.15g}"
    if above and below:
        return f"between {low:.15g} and {high:.15g}"
    return f"above {low:.15g}, at most {high:.15g}" if above else f"from {low:.15g} to {high:.15g}"


def integer(findings: Findings, node: Node, key: str, low: int = -LARGEST, high: int = LARGEST) -> int | None:
    """A whole number."""
    if findings.is_flawed(node):
        return None
    wanted = f"a whole number {_range(low, high, above=False, below=False)}".rstrip()
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        findings.report("B104", node.position, f"{key} must be {wanted}, not {shown(node)}", number_hint(key, node))
        return None
    if low <= value <= high:
        return int(value)
    findings.report("B106", node.position, f"{key} must be {wanted}, not {shown(node)}")
    return None


def boolean(findings: Findings, node: Node, key: str) -> bool | None:
    """True or false."""
    if findings.is_flawed(node):
        return None
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    hint = boolean_hint(key, node)
    findings.report("B104", node.position, f"{key} must be true or false, not {shown(node)}", hint)
    return None


def switch(findings: Findings, node: Node, key: str) -> bool | None:
    """`on` or `off`; true and false will do."""
    if findings.is_flawed(node):
        return None
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool):
        return value
    if value in {"on", "off"}:
        return value == "on"
    hint = boolean_hint(key, node).replace("true", "on").replace("false", "off")
    findings.report("B105", node.position, f"{key} must be on or off, not {shown(node)}", hint)
    return None


def choice(
    findings: Findings, node: Node, key: str, options: Collection[str], meant: Mapping[str, str] = MappingProxyType({})
) -> str | None:
    """One of a few words; `meant` says which of them is meant by others."""
    if findings.is_flawed(node):
        return None
    if isinstance(node, Scalar):
        if isinstance(node.value, str) and node.value in options:
            return node.value
        other = meant.get(node.text.lower())
        hint = f"type {key}: {other}" if other else did_you_mean(node.text, options)
        findings.report("B105", node.position, f"{key} must be {listed(options)}, not {shown(node)}", hint)
        return None
    findings.report("B104", node.position, f"{key} must be {listed(options)}, not {shown(node)}")
    return None


def duration(findings: Findings, node: Node, key: str, also: str = "") -> int | None:
    """A duration in microseconds, longer than nothing."""
    if findings.is_flawed(node):
        return None
    wanted = f"a duration such as 30m, 6h or 7d{also}"
    if not isinstance(node, Scalar) or isinstance(node.value, bool) or node.value is None:
        findings.report("B104", node.position, f"{key} must be {wanted}, not {shown(node)}")
        return None
    found = parse_duration(node.value) if isinstance(node.value, str) else None
    if found:
        return found
    if re.fullmatch(r"(?:\d+[wdhms])+", node.text, re.ASCII):
        short = not re.search("[1-9]", node.text)
        message = (
            f"{key} must be longer than nothing" if short else f"{key} must be at most ten years, not {shown(node)}"
        )
        hint = "" if short else "the units go from large to small, each once: 1w2d3h4m5s"
        findings.report("B109", node.position, message, hint)
        return None
    hint = f"say of what: {node.text}s, {node.text}m, {node.text}h or {node.text}d" if node.text.isdigit() else ""
    if compact := _compact(node.text):
        hint = f"type {key}: {compact}"
    findings.report("B109", node.position, f"{key} must be {wanted}, not {shown(node)}", hint)
    return None


_WORDY = re.compile(r"(\d+) ?(s|m|h|d|w)[a-z]*\.?", re.ASCII)
_PARTS = re.compile(r"(?:\d+ ?[a-z]+\.?(?: and |, | )?)+", re.ASCII)


def _compact(words: str) -> str:
    """`90 minutes` as `90m`, where it is plain what is meant."""
    lower = words.strip().lower()
    if "month" in lower or "ms" in lower or not _PARTS.fullmatch(lower):
        return ""
    short = "".join(f"{amount}{unit}" for amount, unit in _WORDY.findall(lower))
    return short if parse_duration(short) else ""


def name(findings: Findings, node: Node, key: str) -> str | None:
    """A name, such as that of an event type or a rule."""
    found = text(findings, node, key)
    if found is None or is_name(findings, node, key):
        return found
    return None


def is_name(findings: Findings, node: Node, what: str) -> bool:
    """Whether a key or value obeys the grammar of names; if not, there is a finding."""
    word = node.text if isinstance(node, Scalar) else ""
    if NAME.fullmatch(word):
        return True
    rule = "small letters, digits, _ . and -, beginning with a letter"
    findings.report("B107", node.position, f"{what} must be made of {rule}, and {shown(node)} is not", _as_name(word))
    return False


def _as_name(word: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word.strip())
    plain = re.sub(r"[^a-z0-9_.-]+", "_", spaced.lower()).strip("_.-").lstrip("0123456789_.-")
    return f"type {plain}" if NAME.fullmatch(plain) else ""


def is_field_name(findings: Findings, node: Scalar, what: str) -> bool:
    """Whether a key may name a field or an attribute; if not, there is a finding."""
    word = node.text
    if not FIELD.fullmatch(word):
        rule = "letters, digits and _, beginning with a letter"
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", word.strip()).strip("_").lstrip("0123456789_")
        hint = f"type {plain}" if FIELD.fullmatch(plain) else ""
        findings.report("B107", node.position, f"{what} must be made of {rule}, and {shown(node)} is not", hint)
        return False
    if word in WORDS:
        message = f"{what} cannot be called {word}: that is a word of conditions"
        findings.report("B107", node.position, message, f"call it something else, such as {word}_value")
        return False
    return True


def share(findings: Findings, node: Node, key: str) -> float | None:
    """A percentage such as `5%`, as a share from 0 to 1."""
    if findings.is_flawed(node):
        return None
    value = node.value if isinstance(node, Scalar) else None
    found = share_in(value) if isinstance(value, str) else None
    if found is not None:
        return found
    if not isinstance(node, Scalar):
        findings.report("B104", node.position, f"{key} must be a percentage such as 5%, not {shown(node)}")
        return None
    hint = f"a share of all: {key}: 5%, say"
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100:
        hint = f"type {key}: {value * 100 if 0 < value < 1 else value:g}%"
    elif percent := re.fullmatch(r"(\d{1,3})(?:[.,](\d{1,12}))? ?(?:%|percent|per cent)", node.text.strip().lower()):
        written = f"{percent[1]}.{percent[2]}%" if percent[2] else f"{percent[1]}%"
        hint = f"type {key}: {written}" if share_in(written) is not None else hint
    findings.report("B109", node.position, f"{key} must be a percentage from 0% to 100%, not {shown(node)}", hint)
    return None


def share_in(text: str) -> float | None:
    """`5%` as 0.05; None for what is no percentage, or more than all."""
    found = _SHARE.fullmatch(text)
    return float(found[1]) / 100 if found and float(found[1]) <= 100 else None


def time_of_day(findings: Findings, node: Node, key: str, *, latest: int) -> int | None:
    """A time on the clock such as `22:00`, in minutes since midnight."""
    if findings.is_flawed(node):
        return None
    value = node.value if isinstance(node, Scalar) else None
    found = _TIME_OF_DAY.fullmatch(value) if isinstance(value, str) else None
    if found and int(found[2]) < 60 and (minutes := int(found[1]) * 60 + int(found[2])) <= latest:
        return minutes
    if not isinstance(node, Scalar) or isinstance(value, bool) or value is None:
        findings.report("B104", node.position, f'{key} must be a time of day such as "22:00", not {shown(node)}')
        return None
    hint = ""
    if found and found[0] == "24:00":
        hint = 'the day begins at "00:00"'
    elif found := re.fullmatch(r"(\d{1,2})(?:[.:h](\d\d))? ?(am|pm)?", node.text.strip().lower()):
        hour = int(found[1]) % 12 + (12 if found[3] == "pm" else 0) if found[3] else int(found[1])
        hint = f'type {key}: "{hour:02}:{found[2] or "00"}"' if hour < 24 else ""
    last = "24:00" if latest == 1440 else "23:59"
    message = f'{key} must be a time of day from "00:00" to "{last}", not {shown(node)}'
    findings.report("B109", node.position, message, hint)
    return None


def items(findings: Findings, node: Node, key: str, *, empty: bool = False) -> tuple[Node, ...] | None:
    """The entries of a list."""
    if findings.is_flawed(node):
        return None
    if not isinstance(node, Sequence):
        findings.report("B104", node.position, f"{key} must be a list, not {shown(node)}", list_hint(key, node))
        return None
    if not node.items and not empty:
        if not findings.is_damaged(node):
            findings.report("B111", node.position, f"{key} is an empty list", f"add an entry, or delete {key}")
        else:
            findings.fault()
        return None
    return node.items


def names(findings: Findings, node: Node, key: str, *, single: bool = False) -> tuple[Scalar, ...] | None:
    """A list of different texts; with `single` one text will do."""
    if single and isinstance(node, Scalar):
        return (node,) if text(findings, node, key) is not None else None
    nodes = items(findings, node, key)
    if nodes is None:
        return None
    found: dict[str, Scalar] = {}
    for entry in nodes:
        if text(findings, entry, f"each entry of {key}") is None or not isinstance(entry, Scalar):
            continue
        if found.setdefault(entry.text, entry) is not entry:
            findings.report("B108", entry.position, f'"{entry.text}" stands twice in {key}', "delete one of the two")
    return tuple(found.values())


def entries(findings: Findings, node: Node, key: str, hint: str = "") -> Map | None:
    """A map."""
    if findings.is_flawed(node):
        return None
    if isinstance(node, Map):
        return node
    findings.report("B104", node.position, f"{key} must be a map of keys and values, not {shown(node)}", hint)
    return None
