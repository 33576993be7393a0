"""Commas inside `{ }` and `[ ]` that end a value where its author did not mean to."""

from __future__ import annotations

import re

from botopt.loading.reading.gathering import Gathering
from botopt.loading.reading.nodes import Node, Scalar
from botopt.loading.reading.wording import CONDITION_KEYS, quote_all, said, typed
from botopt.model.position import Position

Entries = list[tuple[Scalar, Node]]

_GLUED = re.compile(r"([A-Za-z_][\w.-]*):(\S.*)", re.DOTALL)
_EQUALS = re.compile(r"([A-Za-z_]\w*) *= *([^= ].*)")
_LONG = 200
_COMPARES = re.compile(r"[<>=]| in | is |^not ")


def check_map(gathering: Gathering, entries: Entries, position: Position) -> Entries:
    """Report the words without a value, marked by standing for their own value, and leave them out."""
    if all(node is not key for key, node in entries):
        return entries
    gathering.lose()
    alone = [key for key, node in entries if node is key]
    if len(alone) == len(entries) and not any(key.flawed or _GLUED.match(key.text) for key in alone):
        message = "curly brackets hold keys with values, and these words have none"
        words = ", ".join(key.source.text[key.raw[0] : key.raw[1]] for key in alone)
        hint = f"type a list in square brackets: [{words if len(words) <= _LONG else words[:_LONG] + '…'}]"
        if equals := _EQUALS.fullmatch(alone[0].text):
            hint = f"type a colon and a space: {{{equals.group(1)}: {equals.group(2)}}}"
        gathering.report("B025", position, message, hint)
        return []
    kept: Entries = []
    index = 0
    while index < len(entries):
        key, node = entries[index]
        index += 1
        if node is not key:
            kept.append((key, node))
            continue
        last = key
        while index < len(entries) and entries[index][0] is entries[index][1] and not _GLUED.match(last.text):
            last = entries[index][0]
            index += 1
        _report_alone(gathering, key, last, kept)
    return kept


def _report_alone(gathering: Gathering, first: Scalar, last: Scalar, kept: Entries) -> None:
    """Report the words from `first` to `last` and drop the value that they were cut off from."""
    source = gathering.source
    if glued := _GLUED.match(first.text):
        colon = first.span(glued.end(1), glued.end(1) + 1)
        message = f"a space is missing after the colon of {said(glued.group(1))}"
        gathering.report("B030", colon, message, f"type {glued.group(1)}: {glued.group(2)}")
        return
    words = source.text[first.raw[0] : last.raw[1]]
    if first.flawed:
        return
    hint = f"type a colon and a value after {said(words)}"
    if kept and isinstance(kept[-1][1], Scalar):
        key, value = kept.pop()
        assert isinstance(value, Scalar)
        whole = source.text[value.raw[0] : last.raw[1]] if not value.quoted else f"{value.text}, {words}"
        hint = quote_all(key.text, whole)
        if value.flawed:
            return
        if isinstance(value.value, int) and words.isdecimal():
            hint = f"type numbers with a point: {key.text}: {value.text}.{words}"
        if key.text in CONDITION_KEYS and _COMPARES.search(words) and "(" not in whole.replace(words, ""):
            joined = re.sub(r",[ \t\r\n]*", " and ", whole)
            hint = f'join conditions with "and": {typed(key.text, joined)}'
    message = f"a comma inside {{ }} ends the value, so {said(words)} stands alone, without a value"
    gathering.report("B025", source.span(first.raw[0], last.raw[1]), message, hint)


def check_list(gathering: Gathering, items: list[Node]) -> list[Node]:
    """Report entries that a comma between parentheses has cut in two, and leave them out."""
    kept: list[Node] = []
    index = 0
    while index < len(items):
        item = items[index]
        index += 1
        if _open(item) <= 0 or not isinstance(item, Scalar):
            kept.append(item)
            continue
        last, depth = item, _open(item)
        while index < len(items) and depth > 0:
            depth += _open(items[index])
            following = items[index]
            last = following if isinstance(following, Scalar) else last
            index += 1
        source = gathering.source
        whole = source.text[item.raw[0] : last.raw[1]]
        message = f"a comma inside [ ] ends the entry, so {said(whole)} falls into pieces"
        hint = quote_all("", whole)
        gathering.lose()
        gathering.report("B025", source.span(item.raw[0], last.raw[1]), message, hint)
    return kept


def _open(node: Node) -> int:
    """How many more parentheses an unquoted text opens than it closes."""
    if not isinstance(node, Scalar) or node.quoted:
        return 0
    return node.text.count("(") - node.text.count(")")
