"""Hints that say to the letter what to type: values of keys, words of conditions, quotes, tags of Jinja."""

from __future__ import annotations

import re
from collections.abc import Iterator

from botopt.loading.reading.wording import SMART_QUOTES
from botopt.model.diagnostic import Diagnostic

Place = tuple[int, int, str]
"""From where to where on the line, and what stands there instead."""

_VALUE = re.compile(
    r"(?:type|type it as a share:|type it as a list:|numbers have a point, not a comma:|leave out the quotes:"
    r"|put it in quotes:) (?P<key>[\w.-]+): (?P<value>.+)"
)
_PLACEHOLDER = re.compile(r"…|\bNAME\b|\[a, b, c\]|\bname: \{")
_WORD = re.compile(r'type "(?P<word>[^"]+)"(?: for .*| to compare)?')
_BARE = re.compile(r"type (?P<word>\d+(?:\.\d+)?|[a-z][a-z0-9_.-]*)")
_QUOTED = re.compile(r"(?:text stands in quotes|put it in quotes|type the number without quotes): (?P<word>\S.*)")
_PRINTED = re.compile(r"to print the value type (?P<word>\{\{ .* \}\})")
_TAG = re.compile(r"type: (?P<word>\{% \w+ %\})")
_MEANT = re.compile(r'did you mean "(?P<word>[^"]+)"\?')


def value_of_a_key(finding: Diagnostic, line: str, start: int, end: int) -> Iterator[Place]:
    """`type weight: 0.7`, where the place is the value of this very key."""
    found = _VALUE.fullmatch(finding.hint)
    if found is None or _PLACEHOLDER.search(finding.hint):
        return
    if re.search(rf"(?<![\w.-]){re.escape(found['key'])}[\"']?:[ \t]+$", line[:start]):
        yield start, end, found["value"]


def name(finding: Diagnostic, _line: str, start: int, end: int) -> Iterator[Place]:
    """`type payment_failed` for a name with a space or a capital in it."""
    if found := _BARE.fullmatch(finding.hint):
        yield start, end, found["word"]


def word(finding: Diagnostic, line: str, start: int, end: int) -> Iterator[Place]:
    """`type "=="`, `type 0.5`, straight quotes, and quotes around a text in a condition."""
    for pattern in (_WORD, _BARE, _QUOTED):
        if found := pattern.fullmatch(finding.hint):
            yield start, end, found["word"]
            return
    if finding.hint.startswith("type straight quotes"):
        yield from _straightened(line, start)


def _straightened(line: str, start: int) -> Iterator[Place]:
    """Both quotes at once: with only one of them straight nothing could be read."""
    if found := re.compile(f"[{SMART_QUOTES}]([^{SMART_QUOTES}'\"]*)[{SMART_QUOTES}]").match(line, start):
        yield start, found.end(), f"'{found[1]}'"


def literal(finding: Diagnostic, line: str, start: int, end: int) -> Iterator[Place]:
    """`did you mean "mon"?` about a text that stands in quotes of its own."""
    text = line[start:end]
    if (found := _MEANT.fullmatch(finding.hint)) and text[:1] in ("'", '"') and text[-1:] == text[:1]:
        yield start, end, f"{text[0]}{found['word']}{text[0]}"


def tag(finding: Diagnostic, line: str, start: int, _end: int) -> Iterator[Place]:
    """`type: {% endif %}` in place of the whole tag in which the place lies."""
    if found := _TAG.fullmatch(finding.hint):
        for whole in re.finditer(r"\{%.*?%\}", line):
            if whole.start() <= start < whole.end():
                yield whole.start(), whole.end(), found["word"]


def printed(finding: Diagnostic, _line: str, start: int, end: int) -> Iterator[Place]:
    """`{amount}` becomes `{{ amount }}`."""
    if found := _PRINTED.fullmatch(finding.hint):
        yield start, end, found["word"]
