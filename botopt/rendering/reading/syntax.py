"""Reading a template's source, with the exact place of every word.

Jinja only remembers lines. Here every token carries its character offset (plus one) where Jinja keeps the line
number, so each node of the tree, each error and each line of the compiled code leads back to the exact word.
"""

from __future__ import annotations

import re
import warnings
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec
from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from botopt.rendering.environment import sandbox
from botopt.rendering.reading.complaints import complaint
from botopt.rendering.reading.faults import Fault, Token

MAX_SOURCE = 20_000
"""The longest source of a text, tags and comments included."""

MAX_DEPTH = 60
"""How deeply tags and expressions may be nested: every walk through a tree is sure to come back."""

_BITS = 1_024
"""No float holds more, and what has a few times as many cannot even be written out."""

_BETWEEN = (nodes.BinExpr, nodes.Compare, nodes.Concat, nodes.CondExpr, nodes.Operand, nodes.Keyword, nodes.Pair)
"""Nodes that begin and end with what they are made of; Jinja notes a sign between, or behind, them."""

_SILENT = frozenset({"whitespace", "comment", "comment_begin", "comment_end"})


class Parsed(msgspec.Struct, frozen=True, eq=False):
    """A source that Jinja can read: its tree and its words. What is worked out about one can be kept by it.

    `inside` are all nodes below the tree, in reading order: many look for something, and one walk is enough.
    """

    source: str
    tree: nodes.Template
    tokens: tuple[Token, ...]
    inside: tuple[nodes.Node, ...]

    def token_at(self, offset: int) -> Token | None:
        """The token that begins at or after an offset."""
        index = bisect_left(self.tokens, offset, key=lambda token: token.start)
        return self.tokens[index] if index < len(self.tokens) else None

    def end_of(self, offset: int) -> int:
        """Where the word that begins at an offset ends."""
        token = self.token_at(offset)
        return token.end if token and token.start == offset else offset + 1

    def extent(self, node: nodes.Node) -> tuple[int, int]:
        """The first and last character (exclusive) of what a node stands for, round brackets left out."""
        start = end = -1
        if node.lineno and not isinstance(node, _BETWEEN):
            start, end = node.lineno - 1, self._end(node)
        for child in children(node):
            first, last = self.extent(child)
            start = first if start < 0 else min(start, first)
            end = max(end, last)
        return start, end

    def _end(self, node: nodes.Node) -> int:
        """The end of a word, and of what belongs to it: `.part`, `[0]`, `(…)`, `is not defined`."""
        at = bisect_left(self.tokens, node.lineno - 1, key=lambda token: token.start)
        if isinstance(node, nodes.Test):
            return next((t.end for t in self.tokens[at + 1 :] if t.text != "not"), len(self.source))
        if isinstance(node, nodes.Filter) and self.tokens[at + 1 : at + 2] and self.tokens[at + 1].text == "(":
            at += 1
        depth = 0
        for token in self.tokens[at:]:
            depth += (token.text in {"(", "[", "{"}) - (token.text in {")", "]", "}"})
            if depth == 0 and token.text != ".":
                return token.end
        return len(self.source)

    def said(self, node: nodes.Node) -> str:
        """What the author typed for a node."""
        start, end = self.extent(node)
        return self.source[start:end]


@lru_cache(maxsize=256)
def parse(source: str) -> Parsed | Fault:
    """Read a source, or say what stops it from being read."""
    if len(source) > MAX_SOURCE:
        return Fault(
            "B301",
            0,
            len(source),
            f"this text is longer than {MAX_SOURCE:,} characters",
            "nobody reads that much in a chat: make it shorter",
        )
    words: list[tuple[int, str, str]] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's opinion of '\d' in a quoted text
            words.extend(_scan(source))
            parser = Parser(sandbox(), "")
            parser.stream = TokenStream(sandbox().lexer.wrap(words), None, None)
            tree = parser.parse()
    except TemplateSyntaxError as error:
        return complaint(source, _tokens(words), error.lineno - 1, error.message or "")
    except RecursionError:
        return _too_deep(source, 0)
    except (ValueError, RuntimeError) as error:  # a number of thousands of digits, for one
        return Fault("B301", 0, len(source), f"this text cannot be read: {error}")
    inside = _inside(tree)
    deep = [node.lineno or 1 for node, depth in inside if depth == MAX_DEPTH]
    if deep:
        return _too_deep(source, max(deep) - 1)
    # Python itself refuses such a number in decimals, and raises for one in hexadecimals when it is written out.
    if any(
        isinstance(one.value, int) and one.value.bit_length() > _BITS
        for one, _ in inside
        if isinstance(one, nodes.Const)
    ):
        return Fault("B301", 0, len(source), "this text cannot be read: a number in it is too large")
    tokens = tuple(token for token in _tokens(words) if token.kind not in _SILENT)
    return Parsed(source, tree, tokens, tuple(node for node, _ in inside))


def _too_deep(source: str, offset: int) -> Fault:
    hint = "use fewer brackets and tags, or {% set %} in between"
    return Fault("B301", offset, len(source), "this is nested too deeply", hint)


def _inside(tree: nodes.Template) -> list[tuple[nodes.Node, int]]:
    """All nodes below a tree in reading order, each with how deep it lies."""
    found: list[tuple[nodes.Node, int]] = []
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        found.append((node, depth))
        waiting += [(child, depth + 1) for child in reversed(children(node))]
    return found[1:]


def children(node: nodes.Node) -> list[nodes.Node]:
    """What a node is made of, as `iter_child_nodes` says, but faster."""
    found: list[nodes.Node] = []
    for name in node.fields:
        part = getattr(node, name, None)
        if isinstance(part, nodes.Node):
            found.append(part)
        elif isinstance(part, list):
            found += [one for one in part if isinstance(one, nodes.Node)]
    return found


def _scan(source: str) -> Iterator[tuple[int, str, str]]:
    """Jinja's tokens, each with its offset plus one instead of its line."""
    text, at = re.sub("\r\n|\r", "\n", source), 0  # as Jinja reads it; the places of the lost characters:
    lost = [found.start() - index for index, found in enumerate(re.finditer("\r\n", source))]
    try:
        for _, kind, value in sandbox().lexer.tokeniter(source, None):
            start = text.index(value, at)
            at = start + len(value)
            yield start + bisect_left(lost, start) + 1, kind, value
    except TemplateSyntaxError as error:
        raise TemplateSyntaxError(error.message or "", at + bisect_left(lost, at) + 1) from error


def _tokens(words: Iterable[tuple[int, str, str]]) -> tuple[Token, ...]:
    return tuple(Token(kind, place - 1, place - 1 + len(text), text) for place, kind, text in words)
