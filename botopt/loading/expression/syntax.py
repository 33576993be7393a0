"""Jinja's own grammar, with the exact place of every word.

Jinja remembers lines only. Here every token carries its character offset (plus one) where Jinja keeps the line, so
each node of the tree leads back to its word.
"""

from __future__ import annotations

import re
import warnings
from functools import cache

import msgspec
from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

MAX_LENGTH = 2_000
MAX_DEPTH = 40
_OPEN = "{{ "
_PREFIXED = (nodes.Neg, nodes.Not, nodes.Pos, nodes.List, nodes.Dict)
"""Nodes that begin with a sign of their own, before what they are made of."""


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


class Tree(msgspec.Struct, frozen=True):
    """A condition that Jinja can read."""

    text: str
    root: nodes.Expr
    words: tuple[Word, ...]

    def start(self, node: nodes.Node) -> int:
        """The first character of what a node stands for."""
        inner = [self.start(child) for child in node.iter_child_nodes()]
        own = [(node.lineno or 1) - 1] if not inner or isinstance(node, _PREFIXED) else []
        return min((*own, *inner))

    def end(self, node: nodes.Node) -> int:
        """The place behind the last character of what a node stands for."""
        if isinstance(node, nodes.Call | nodes.List | nodes.Dict):
            return self._closing(node)
        ends = [self.end(child) for child in node.iter_child_nodes()]
        if isinstance(node, nodes.Getattr | nodes.Test | nodes.Filter):
            name = node.attr if isinstance(node, nodes.Getattr) else node.name
            after = max(ends, default=(node.lineno or 1) - 1)
            ends.append(next((w.end for w in self.words if w.start >= after and w.text == name), after))
        return max(ends, default=self._word_end((node.lineno or 1) - 1))

    def said(self, node: nodes.Node) -> str:
        """What the author typed for it."""
        return self.text[self.start(node) : self.end(node)]

    def _word_end(self, start: int) -> int:
        return next((word.end for word in self.words if word.start == start), start + 1)

    def _closing(self, node: nodes.Node) -> int:
        begin = self.end(node.node) if isinstance(node, nodes.Call) else self.start(node)
        depth = 0
        for word in self.words:
            if word.start >= begin:
                depth += (word.text in "([{") - (word.text in ")]}")
                if depth == 0:
                    return word.end
        return len(self.text)


@cache
def _grammar() -> Environment:
    return Environment(autoescape=False)  # noqa: S701  # nothing is rendered: only its parser is used


def parse(text: str) -> Tree:
    """The tree of a condition.

    Raises:
        Complaint: it cannot be read.
    """
    if len(text) > MAX_LENGTH:
        raise Complaint(
            0, len(text), f"this condition is longer than {MAX_LENGTH:,} characters", "split it into a list"
        )
    words = _words(text)
    tokens = [
        (1, "variable_begin", "{{"),
        *((w.start + 1, w.kind, w.text) for w in words),
        (len(text) + 1, "variable_end", "}}"),
    ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's opinion of '\d' in a quoted text
            parser = Parser(_grammar(), "")
            parser.stream = TokenStream(_grammar().lexer.wrap(tokens, None, None), None, None)
            body = parser.parse().body
    except TemplateSyntaxError as fault:
        raise _translated(text, words, fault.lineno - 1, fault.message or "") from None
    except (RecursionError, ValueError):
        raise Complaint(
            0, len(text), "this condition is nested too deeply", "split it into a list of conditions"
        ) from None
    output = body[0] if len(body) == 1 else None
    if not isinstance(output, nodes.Output) or len(output.nodes) != 1 or not isinstance(output.nodes[0], nodes.Expr):
        raise Complaint(0, len(text), "this is not one condition", "write one comparison, such as amount > 5")
    tree = Tree(text, output.nodes[0], tuple(word for word in words if word.kind != "whitespace"))
    if isinstance(tree.root, nodes.Tuple):
        comma = next(word for word in tree.words if word.text == ",")
        hint = "write numbers without it: 1000; or join two conditions with and"
        raise Complaint(comma.start, comma.end, "a comma has no meaning here", hint)
    level: list[nodes.Node] = [tree.root]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
    if level:
        raise Complaint(0, len(text), "this condition is nested too deeply", "split it into a list of conditions")
    return tree


_MISTAKES: tuple[tuple[str, str, str], ...] = (
    (r"\{\{|\}\}|\{%", "a condition has no braces around it", "type it without {{ and }}"),
    (r"&&?", '"{0}" is not a word of conditions', 'type "and"'),
    (r"\|\|", '"||" is not a word of conditions', 'type "or"'),
    (r"<>", '"<>" is not a comparison', 'type "!=" for "is not"'),
    (r"=>", '"=>" is not a comparison', 'type ">="'),
    (r"=<", '"=<" is not a comparison', 'type "<="'),
    (r"===", '"===" is not a comparison', 'type "=="'),
    (r"!(?!=)", '"!" alone is not a word of conditions', 'type "not"'),
    (r"(?<![=!<>])=(?!=)", '"=" does not compare', 'type "==" for "is"'),
    (r"[“”„‟«»‘’‚‛]", "a typographic quote", "type straight quotes: 'text'"),
    (r"[≤≥≠]", '"{0}" is not a comparison', "type <=, >= or !="),
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)


def _words(text: str) -> list[Word]:
    bare = _QUOTED.sub(lambda found: "\0" * len(found.group()), text)
    for pattern, message, hint in _MISTAKES:
        found = re.search(pattern, bare)
        if found is not None:
            raise Complaint(found.start(), found.end(), message.format(found.group()), hint)
    if (quote := re.search(r"['\"]", bare)) is not None:
        raise Complaint(quote.start(), len(text), "a quote is opened and never closed", "close it with the same quote")
    words, at = [], 0
    source = f"{_OPEN}{text} }}}}"  # spaces: a minus next to the braces would mean something else
    try:
        for _, kind, value in _grammar().lexer.tokeniter(source, None):
            start = source.index(value, at)
            at = start + len(value)
            if kind not in ("variable_begin", "variable_end"):
                words.append(Word(kind, value, start - len(_OPEN)))
    except TemplateSyntaxError as fault:
        place = max(0, at - len(_OPEN))
        raise _translated(text, words, place, fault.message or "") from None
    return words


def _translated(text: str, words: list[Word], at: int, message: str) -> Complaint:
    word = next((w for w in words if w.start >= at and w.kind != "whitespace"), None)
    before = next((w for w in reversed(words) if w.start < at and w.kind != "whitespace"), None)
    if "unexpected char" in message:
        char = next((c for c in text[at:] if not c.isspace()), "?")
        place = text.index(char, at) if char in text[at:] else at
        return Complaint(place, place + 1, f'"{char}" has no meaning in a condition', "put text in quotes: 'text'")
    if text.count("(") != text.count(")") or text.count("[") != text.count("]"):
        which = "round" if text.count("(") != text.count(")") else "square"
        return Complaint(
            0, len(text), f"a {which} bracket is opened and not closed, or the other way round", "count them"
        )
    if word is None or not text[at:].strip():
        return Complaint(max(0, len(text) - 1), len(text), "the condition stops in the middle", "finish the comparison")
    if word.kind in ("name", "string", "integer", "float") and before is not None:
        lower = word.text.lower()
        if lower in ("and", "or", "not", "in", "is") and lower != word.text:
            return Complaint(word.start, word.end, f'"{word.text}" must be written in small letters', f'type "{lower}"')
        if lower in ("equals", "equal", "contains", "between", "then", "than", "greater", "less", "like", "matches"):
            return Complaint(
                word.start,
                word.end,
                f'"{word.text}" is not a word of conditions',
                "compare with ==, !=, <, <=, >, >= or in",
            )
        return Complaint(
            word.start,
            word.end,
            f'nothing joins "{before.text}" and "{word.text}"',
            'type "and", "or" or a comparison between them',
        )
    if word.text == ",":
        return Complaint(
            word.start,
            word.end,
            "a comma has no meaning here",
            "numbers are written without: 1000; a list stands in [ ]",
        )
    return Complaint(word.start, word.end, f'"{word.text}" is not expected here', "look at what stands before it")
