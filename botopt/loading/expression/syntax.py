"""Jinja's own grammar, with the exact place of every word.

Jinja remembers lines only. Here every token carries its character offset (plus one) where Jinja keeps the line, so
each node of the tree leads back to its word.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import msgspec
from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from botopt.loading.expression.wording import comma, misplaced
from botopt.loading.expression.words import Complaint, Word, about, grammar, words_of

MAX_LENGTH = 2_000
MAX_DEPTH = 40
MAX_TERMS = 256
"""Names, numbers and texts in one condition: enough for a list of all countries."""

_PREFIXED = (nodes.Neg, nodes.Not, nodes.Pos, nodes.List)
"""Nodes that begin with a sign of their own, before what they are made of."""


class Tree(msgspec.Struct, frozen=True):
    """A condition that Jinja can read."""

    text: str
    root: nodes.Expr
    words: tuple[Word, ...]

    def span(self, node: nodes.Node) -> tuple[int, int]:
        """The first character of what a node stands for, and the place behind its last: no bracket is torn apart."""
        start, end = self._start(node), self._end(node)
        depth = least = 0
        for word in self.words:
            if start <= word.start < end:
                depth += (word.text == "(") - (word.text == ")")
                least = min(least, depth)
        before = [word.start for word in self.words if word.start < start]
        after = [word.end for word in self.words if word.start >= end]
        opened, closed = -least, depth - least  # brackets that begin before it, or end behind it
        return before[-opened] if opened else start, after[closed - 1] if closed else end

    def _start(self, node: nodes.Node) -> int:
        inner = [self._start(child) for child in node.iter_child_nodes()]
        own = [(node.lineno or 1) - 1] if not inner or isinstance(node, _PREFIXED) else []
        return min((*own, *inner))

    def _end(self, node: nodes.Node) -> int:
        if isinstance(node, nodes.Call | nodes.Getitem | nodes.List):
            return self._closing(node)
        ends = [self._end(child) for child in node.iter_child_nodes()]
        if isinstance(node, nodes.Getattr | nodes.Test | nodes.Filter):
            name = node.attr if isinstance(node, nodes.Getattr) else node.name
            after = self._start(node) if node.node is None else ends[0]  # asked again, each part would double the work
            ends.append(next((w.end for w in self.words if w.start >= after and w.text == name), after))
        return max(ends, default=self._word_end((node.lineno or 1) - 1))

    def said(self, node: nodes.Node) -> str:
        """What the author typed for it."""
        start, end = self.span(node)
        return self.text[start:end]

    def _word_end(self, start: int) -> int:
        return next((word.end for word in self.words if word.start == start), start + 1)

    def _closing(self, node: nodes.Call | nodes.Getitem | nodes.List) -> int:
        begin = self._start(node) if isinstance(node, nodes.List) else self._end(node.node)
        depth = 0
        for word in self.words:
            if word.start >= begin:
                depth += (word.text in "([") - (word.text in ")]")
                if depth == 0:
                    return word.end
        return len(self.text)


@lru_cache(maxsize=256)
def parse(text: str) -> Tree:
    """The tree of a condition.

    Raises:
        Complaint: it cannot be read.
    """
    if len(text) > MAX_LENGTH:
        raise Complaint(
            0, len(text), f"this condition is longer than {MAX_LENGTH:,} characters", "split it into a list"
        )
    words = words_of(text)
    _check_neighbours(words)
    tokens = [
        (1, "variable_begin", "{{"),
        *((w.start + 1, w.kind, w.text) for w in words),
        (len(text) + 1, "variable_end", "}}"),
    ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's opinion of '\d' in a quoted text
            parser = Parser(grammar(), "")
            parser.stream = TokenStream(grammar().lexer.wrap(tokens, None, None), None, None)
            body = parser.parse().body
    except TemplateSyntaxError as fault:
        raise misplaced(text, words, fault.lineno - 1) from None
    except (RecursionError, ValueError):
        raise Complaint(
            0, len(text), "this condition is nested too deeply", "split it into a list of conditions"
        ) from None
    output = body[0] if len(body) == 1 else None
    if not isinstance(output, nodes.Output) or len(output.nodes) != 1 or not isinstance(output.nodes[0], nodes.Expr):
        raise Complaint(0, len(text), "this is not one condition", "write one comparison, such as amount > 5")
    tree = Tree(text, output.nodes[0], tuple(word for word in words if word.kind != "whitespace"))
    if isinstance(tree.root, nodes.Tuple):
        raise comma(_outer_comma(tree.words))
    level: list[nodes.Node] = [tree.root]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            break
    else:
        raise Complaint(0, len(text), "this condition is nested too deeply", "split it into a list of conditions")
    terms = sum(1 for _ in tree.root.find_all((nodes.Name, nodes.Const)))
    if terms > MAX_TERMS:
        message = f"this condition has {terms} names, numbers and texts, and at most {MAX_TERMS} are allowed"
        raise Complaint(0, len(text), message, "split it into a list of conditions")
    return tree


def _check_neighbours(words: Sequence[Word]) -> None:
    """Jinja glues two texts in a row into one, so a forgotten comma would make a condition that never holds."""
    for before, word in pairwise(word for word in words if word.kind != "whitespace"):
        if before.kind == word.kind == "string":
            hint = 'type "," between two entries of a list, "and" or "or" between two conditions'
            raise about(word, f"nothing joins {before.text} and {word.text}", hint)


def _outer_comma(words: Sequence[Word]) -> Word:
    """The first comma outside of every bracket, or else the first one.

    Raises:
        Complaint: there is none.
    """
    depth, commas = 0, []
    for word in words:
        depth += (word.text in "([") - (word.text in ")]")
        if word.text == ",":
            commas.append((depth, word.start, word))
    if not commas:  # () is a tuple, too
        raise about(words[0], "these brackets are empty", "type a condition, such as amount > 5")
    return min(commas)[2]
