"""From a finding to what to type instead: mechanical changes of one line, taken from what the hint says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

from botopt.authoring import fixing_hints as hints
from botopt.loading.reading.wording import SMART_QUOTES, in_quotes, typed, without_comment, without_outer_quotes
from botopt.model.diagnostic import Diagnostic


class Edit(msgspec.Struct, frozen=True):
    """On one line, counted from 1, the characters from `start` to before `end`, counted from 0, become `text`."""

    line: int
    start: int
    end: int
    text: str

    def apply(self, lines: list[str]) -> list[str]:
        """The lines after it."""
        line = lines[self.line - 1]
        changed = line[: self.start] + self.text + line[self.end :]
        return [*lines[: self.line - 1], changed, *lines[self.line :]]


def edits(finding: Diagnostic, line: str) -> Iterator[Edit]:
    """What would mend this finding on the line where it stands, the likeliest first; nothing where no hint is exact."""
    position = finding.position
    if position.end_line == position.line or finding.code in _OVER_LINES:
        for code in (finding.code, ""):
            if code in _FIXES:
                yield from _FIXES[code](finding, line)
    if position.end_line == position.line:
        for hint in _HINTS.get(finding.code, ()):
            for start, end, text in hint(finding, line, position.column - 1, position.end_column - 1):
                yield Edit(position.line, start, end, text)


def _span(finding: Diagnostic, line: str) -> tuple[int, int, str]:
    start = finding.position.column - 1
    end = finding.position.end_column - 1 if finding.position.end_line == finding.position.line else len(line)
    return start, end, line[start:end]


# ---------------------------------------------------------------- names

_MEANT = re.compile(r'did you mean "([^"]+)"\?')


def _names(finding: Diagnostic, line: str) -> Iterator[Edit]:
    """`did you mean "x"?`: the word that the message quotes becomes x."""
    start, _, text = _span(finding, line)
    found = _MEANT.match(finding.hint)
    if found is None:
        return
    meant = found[1]
    scope = meant.rpartition(".")[0]  # the message says "nmae" where the line and the hint say "user.…"
    for said in re.findall(r'"([^"]+)"', finding.message):
        for word in (f"{scope}.{said}", said) if scope else (said,):
            if text.strip("\"'") == word or len(re.findall(rf"(?<!\w){re.escape(word)}(?!\w)", text)) == 1:
                at = start + text.index(word)
                yield Edit(finding.position.line, at, at + len(word), meant)
                return


def _type(finding: Diagnostic, line: str) -> Iterator[Edit]:
    """`type: string` is `type: text`."""
    start, end, text = _span(finding, line)
    if (word := re.fullmatch(r"type ([a-z]+)", finding.hint)) and text.isalnum():
        yield Edit(finding.position.line, start, end, word[1])


# ---------------------------------------------------------------- quotes


def _quotes(finding: Diagnostic, line: str) -> Iterator[Edit]:
    """The hint repeats the text in quotes; whatever on this line reads so gets them."""
    at, end, _ = _span(finding, line)
    for start in _starts(line, at):
        key = _key_before(line, start)
        for stop in _ends(line, start, end):
            raw = line[start:stop]
            for plain in (raw, without_outer_quotes(raw)):
                if plain.strip() and _says(finding.hint, typed(key, plain)):
                    yield Edit(finding.position.line, start, stop, in_quotes(plain))
                    return


def _says(hint: str, words: str) -> bool:
    return hint.endswith(f": {words}") or f": {words} - if " in hint


def _starts(line: str, at: int) -> Iterator[int]:
    """Where the value may begin that holds this place."""
    yield at
    yield from (
        found.end() for found in re.finditer(r"(?<![^\s{,-]):[ \t]+|^[ ]*-[ \t]+|[\w\"'-]:[ \t]+", line[: at + 1])
    )


def _key_before(line: str, start: int) -> str:
    found = re.search(r"([^\s:{},\[\]\"']+)[\"']?:[ \t]*$", line[:start])
    return found[1] if found else ""


def _ends(line: str, start: int, end: int) -> Iterator[int]:
    yield end
    yield start + len(without_comment(line[start:]))
    yield len(line.rstrip())
    if "}}" in line[start:]:
        yield line.index("}}", start) + 2
    if closing := re.compile(f".[^{SMART_QUOTES}]*[{SMART_QUOTES}]").match(line, start):
        yield closing.end()


def _typographic(finding: Diagnostic, line: str) -> Iterator[Edit]:
    start, end, text = _span(finding, line)
    if finding.hint.endswith(" without quotes"):
        yield Edit(finding.position.line, start, end, without_outer_quotes(text))
    else:
        yield from _quotes(finding, line)


def _trapped(finding: Diagnostic, line: str) -> Iterator[Edit]:
    """A condition whose first word stands in quotes."""
    start, end, text = _span(finding, line)
    if finding.hint == "delete the comma":
        yield Edit(finding.position.line, start, end, "")
    elif finding.hint.startswith("type a list in square brackets"):
        yield Edit(finding.position.line, start, end, f"[{text}]")
    else:
        yield from _quotes(finding, line)


def _quoted(finding: Diagnostic, line: str) -> Iterator[Edit]:
    """`put it in quotes: "4711"`."""
    start, end, text = _span(finding, line)
    if finding.hint.endswith(f'put it in quotes: "{text}"'):
        yield Edit(finding.position.line, start, end, f'"{text}"')


def _doubtful(finding: Diagnostic, line: str) -> Iterator[Edit]:
    """`010` is a text in quotes, or a number without the zero; what is wanted there decides."""
    start, end, text = _span(finding, line)
    yield Edit(finding.position.line, start, end, f'"{text}"')
    if number := re.search(r"for the number type (-?[\d.]+(?:[eE][-+]?\d+)?)$", finding.hint):
        yield Edit(finding.position.line, start, end, number[1])


# ---------------------------------------------------------------- spaces


def without_tabs(line: str) -> str:
    """A line that begins with tabs, indented with spaces."""
    rest = line.lstrip("\t")
    return "  " * (len(line) - len(rest)) + rest


def _tabs(finding: Diagnostic, line: str) -> Iterator[Edit]:
    start, end, text = _span(finding, line)
    indent = len(line) - len(line.lstrip(" \t"))
    if start < indent:
        yield Edit(finding.position.line, 0, indent, line[:indent].replace("\t", "  "))
    elif text and not text.strip("\t "):
        yield Edit(finding.position.line, start, end, " ")


def _odd_space(finding: Diagnostic, line: str) -> Iterator[Edit]:
    start, end, text = _span(finding, line)
    if text:
        yield Edit(finding.position.line, start, end, " " if "ordinary space" in finding.hint else "")


def _missing_space(finding: Diagnostic, line: str) -> Iterator[Edit]:
    _, end, text = _span(finding, line)
    if text in {":", "-"}:
        yield Edit(finding.position.line, end, end, " ")


_OVER_LINES = frozenset({"B022", "B023", "B024"})
_FIXES: Mapping[str, Callable[[Diagnostic, str], Iterator[Edit]]] = {
    "B007": _tabs,
    "B015": _doubtful,
    "B016": _doubtful,
    "B020": _trapped,
    "B022": _quotes,
    "B023": _quotes,
    "B024": _quotes,
    "B027": _typographic,
    "B028": _odd_space,
    "B030": _missing_space,
    "B104": _quoted,
    "B105": _type,
    "B112": _quoted,
    "": _names,
}
"""What mends a finding, by its code; the last one is asked about every finding."""

_HINTS: Mapping[str, tuple[Callable[[Diagnostic, str, int, int], Iterator[hints.Place]], ...]] = {
    "B104": (hints.value_of_a_key,),
    "B105": (hints.value_of_a_key,),
    "B106": (hints.value_of_a_key,),
    "B107": (hints.name,),
    "B109": (hints.value_of_a_key,),
    "B134": (hints.value_of_a_key,),
    "B201": (hints.word,),
    "B202": (hints.word,),
    "B203": (hints.word,),
    "B204": (hints.word,),
    "B205": (hints.literal,),
    "B301": (hints.tag,),
    "B315": (hints.printed,),
}
"""Hints that are typed as they stand, by the code of the finding."""
