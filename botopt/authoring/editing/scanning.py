"""Names in conditions and in templates, by their words alone: also in a line that is half typed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from botopt.model.names import WORDS

_TEMPLATE_WORDS = frozenset("for endfor endif elif set endset loop recursive".split())
_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_NAMES = re.compile(
    rf"""\b(?:count|seen)\s*\(\s*(?:'(?P<type>[^']*)'|"(?P<type2>[^"]*)")
    |\bexperiment\s*\(\s*(?:'(?P<experiment>[^']*)'|"(?P<experiment2>[^"]*)")
    |{_QUOTED}
    |(?<![\w.])(?P<group>user|engagement|time)\s*\.\s*(?P<part>[A-Za-z]\w*)
    |\|\s*(?P<filter>[A-Za-z]\w*)
    |(?<![\w.])(?P<name>[A-Za-z]\w*)(?!\s*(?:\(|=(?!=)))""",
    re.VERBOSE,
)
_KINDS = (
    ("type", "event"),
    ("type2", "event"),
    ("experiment", "experiment"),
    ("experiment2", "experiment"),
    ("filter", "filter"),
    ("name", "field"),
)
"""The groups of a name, and what they name."""

_BRACES = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.DOTALL)
_OWN = re.compile(r"\{%-?\s*(?:for|set)\s+(\w+(?:\s*,\s*\w+)*)")


class Word(msgspec.Struct, frozen=True):
    """A name at `text[start:end]`. `kind`: `field`, `user`, `engagement`, `time`, `event`, `experiment` or `filter`."""

    kind: str
    name: str
    start: int
    end: int


def in_condition(text: str, at: int = 0) -> Iterator[Word]:
    """The names in a condition that begins at `at` of a longer text."""
    for found in _NAMES.finditer(text):
        for group, kind in _KINDS:
            name = found[group]
            if name and (kind != "field" or name not in WORDS):
                yield Word(kind, name, at + found.start(group), at + found.end(group))
        if found["part"]:
            yield Word(found["group"], found["part"], at + found.start("part"), at + found.end("part"))


def own_names(text: str) -> frozenset[str]:
    """The names that a template gives to values itself, with `set` and `for`."""
    return frozenset(name.strip() for found in _OWN.findall(text) for name in found.split(","))


def in_template(text: str) -> Iterator[Word]:
    """The names between the braces of a template, without those that it makes itself."""
    own = own_names(text) | _TEMPLATE_WORDS
    for found in _BRACES.finditer(text):
        inside = 1 if found[1] is not None else 2
        for word in in_condition(found[inside], found.start(inside)):
            if word.kind != "field" or word.name not in own:
                yield word
