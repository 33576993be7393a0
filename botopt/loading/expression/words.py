"""From a condition's text to its words, each with its place."""

from __future__ import annotations

import re
import warnings
from functools import cache

import msgspec
from jinja2 import Environment
from jinja2.exceptions import TemplateSyntaxError

_OPEN = "{{ "


class Word(msgspec.Struct, frozen=True):
    """One token: its kind, its text and its place in the condition."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The place behind its last character."""
        return self.start + len(self.text)


class Complaint(Exception):
    """What stops a condition from being read."""

    def __init__(self, start: int, end: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.start, self.end, self.message, self.hint = start, end, message, hint


def about(word: Word, message: str, hint: str) -> Complaint:
    """A complaint that points at one word."""
    return Complaint(word.start, word.end, message, hint)


@cache
def grammar() -> Environment:
    """Jinja, of which only the lexer and the parser are used."""
    return Environment(autoescape=False)  # noqa: S701  # nothing is rendered


_MISTAKES: tuple[tuple[str, str, str], ...] = (
    (r"\{\{|\}\}|\{%", "a condition has no braces around it", "type it without {{ and }}"),
    (r"\$\{\w*\}?", "{0} has no meaning in a condition", "type the name alone, such as amount > 5"),
    (r"[{}]", '"{0}" has no meaning in a condition', "a list stands in square brackets: ['a', 'b']"),
    (r"&&?", '"{0}" is not a word of conditions', 'type "and"'),
    (r"\|\|", '"||" is not a word of conditions', 'type "or"'),
    (r"<>", '"<>" is not a comparison', 'type "!=" for "is not"'),
    (r"=>", '"=>" is not a comparison', 'type ">="'),
    (r"=<", '"=<" is not a comparison', 'type "<="'),
    (r"===", '"===" is not a comparison', 'type "=="'),
    (r"!==", '"!==" is not a comparison', 'type "!="'),
    (r"!(?!=)", '"!" alone is not a word of conditions', 'type "not"'),
    (r"(?<![=!<>])=(?!=)", '"=" does not compare', 'type "==" for "is"'),
    (r"[“”„‟«»‘’‚‛`\u00b4]", "{0} is not a quote that conditions know", "type straight quotes: 'text'"),
    (r"≤", '"≤" is not a comparison', 'type "<="'),
    (r"≥", '"≥" is not a comparison', 'type ">="'),
    (r"≠", '"≠" is not a comparison', 'type "!="'),
    (r"[×·]", '"{0}" does not multiply', 'type "*"'),
    (r"[−–—]", '"{0}" is a dash, not a minus', 'type the minus of the keyboard: "-"'),
    (r"[÷]", '"÷" does not divide', 'type "/"'),
    (r";", "a semicolon has no meaning in a condition", 'type "and" or "or" between two conditions'),
    (r"#", "a comment cannot stand inside a condition", "put it on a line of its own, above this one"),
    (r"[$€£¥₹]", '"{0}" has no meaning in a condition', "type the number alone, such as 500"),
    (r"(?<=\d)\s*%\s*(?=$|[\])]|(?:and|or)\b)", "a percent sign has no meaning here", "type 50% as 0.5"),
    (r"(?<![\w.])\d+(?:_+\d+)+", '"{0}" is not how a number is written here', 'type it without "_"'),
    (r"(?<![\w.])0[xXoObB]\w+", '"{0}" is not how a number is written here', "type a decimal number, such as 500"),
    (r"(?<![\w.,])0\d+(?![\d.]*\w)", '"{0}" begins with a zero', "type the number without it, or put it in quotes"),
    (r"(?<![\w.)\]])\.\d+", '"{0}" needs a digit before the point', "type 0{0}"),
    (r"(?<![\w.])\d+\.(?![\w.])", '"{0}" ends with a point', "type the number without it"),
    (r"(?<![\w.])\d+(?:\.\d+)?[smhdw](?![\w.])", '"{0}" is not a number', "a duration stands in quotes: '{0}'"),
    (
        r"(?<![\w.])\d{4}-\d\d-\d\d(?:T[\d:.Z+]*)?",
        "{0} is a date, and conditions only compare fields with dates",
        "declare a field of type time, and compare it with another",
    ),
    (r"(?<![\w.])\d\d?:\d\d(?![\w.])", "{0} is a time of day", "compare the hour: time.hour >= {hour}"),
)
_ANY_MISTAKE = re.compile("|".join(f"(?:{pattern})" for pattern, _, _ in _MISTAKES))
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_CLOSING = {"(": ")", "[": "]"}


def words_of(text: str) -> list[Word]:
    """The words, with the spaces between them.

    Raises:
        Complaint: something that no condition contains.
    """
    bare = _QUOTED.sub(lambda found: "\0" * len(found.group()), text)
    found = _first_mistake(bare) if _ANY_MISTAKE.search(bare) else None
    if (quote := re.search(r"['\"]", bare)) is not None and (found is None or quote.start() < found[0]):
        raise Complaint(quote.start(), len(text), "a quote is opened and never closed", "close it with the same quote")
    if found is not None:
        _, message, hint = _MISTAKES[found[2]]
        said = found[3][0].strip()
        start = found[3].start() + (len(found[3][0]) - len(found[3][0].lstrip()))
        hour = said.partition(":")[0].lstrip("0") or "0"
        hint = hint.replace("{0}", said).replace("{hour}", hour)
        raise Complaint(start, start + len(said), message.replace("{0}", said), hint)
    if "\r" in text:
        at = text.index("\r")
        raise Complaint(at, at + 1, "a line break that conditions do not know", "delete it, and type a space")
    _brackets(bare)
    _escapes(text)
    return _split(text)


def _first_mistake(bare: str) -> tuple[int, int, int, re.Match[str]] | None:
    """Where the first mistake begins, its length and its number; of two at one place, the longer."""
    return min(
        (
            (match.start(), -len(match[0]), number, match)
            for number, (pattern, _, _) in enumerate(_MISTAKES)
            if (match := re.search(pattern, bare)) is not None
        ),
        default=None,
        key=lambda each: each[:3],
    )


def _brackets(bare: str) -> None:
    opened: list[int] = []
    for at, char in enumerate(bare):
        if char in "([":
            opened.append(at)
        elif char in ")]":
            if not opened:
                raise Complaint(at, at + 1, f'this "{char}" closes nothing', "delete it, or open a bracket before it")
            wanted = _CLOSING[bare[opened.pop()]]
            if char != wanted:
                raise Complaint(at, at + 1, f'"{char}" closes a bracket that wants "{wanted}"', f'type "{wanted}"')
    if opened:
        at, char = opened[-1], bare[opened[-1]]
        raise Complaint(at, at + 1, f'this "{char}" is never closed', f'type "{_CLOSING[char]}" where it ends')


def _escapes(text: str) -> None:
    for quoted in _QUOTED.finditer(text):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's opinion of '\d'
                value = quoted[0][1:-1].encode("ascii", "backslashreplace").decode("unicode-escape")
            value.encode()
        except UnicodeError:
            hint = "type two backslashes where you mean one"
            raise Complaint(quoted.start(), quoted.end(), "a backslash in this text means no character", hint) from None


def _split(text: str) -> list[Word]:
    words, at = [], 0
    source = f"{_OPEN}{text} }}}}"  # spaces: a minus next to the braces would mean something else
    try:
        for _, kind, value in grammar().lexer.tokeniter(source, None):
            start = source.index(value, at)
            at = start + len(value)
            if kind not in ("variable_begin", "variable_end"):
                words.append(Word(kind, value, start - len(_OPEN)))
    except TemplateSyntaxError:
        place = max(0, at - len(_OPEN))
        char = next((each for each in text[place:] if not each.isspace()), "?")
        place = text.index(char, place) if char in text[place:] else min(place, max(0, len(text) - 1))
        message, hint = f'"{char}" has no meaning in a condition', "put text in quotes: 'text'"
        raise Complaint(place, place + 1, message, hint) from None
    return words
