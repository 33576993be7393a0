"""Turning a checked template into something that can be run.

The tree is rewritten before Jinja compiles it: every value of the policy becomes one plain variable, comparisons,
joined texts and loops go through `operations`, and an inline `if` without `else` prints nothing. `CompiledText` is all
that the renderer knows of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from types import TracebackType
from typing import Protocol

from jinja2 import Template, nodes
from jinja2.exceptions import TemplateError
from jinja2.runtime import Context

from botopt.rendering.concatenation import REFUSALS, ConcatenatedText, pieces_of
from botopt.rendering.environment import COMPARE, JOIN, TURNS, sandbox
from botopt.rendering.reading.allowed import check
from botopt.rendering.reading.faults import Fault
from botopt.rendering.reading.syntax import Parsed, parse
from botopt.rendering.reading.uses import Key, own_names, use_of
from botopt.rendering.scene import MAX_CHARACTERS, MAX_STEPS, SCENE, Absent, Refusal, Scene

_FILE = "<botopt template>"


class TextFailure(Exception):
    """A text could not be written: why, and at which character of its source. `is_empty`: nothing is left of it."""

    def __init__(self, reason: str, offset: int, *, is_empty: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.is_empty = is_empty


class CompiledText(Protocol):
    """A text, ready to be written for many events."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """The values that `write` wants, in this order."""

    def write(self, values: Sequence[object], scene: Scene) -> str:
        """The text for these values (None is absent).

        Raises:
            TextFailure: over a bound, or a value that cannot be used so.
        """


class PlainText:
    """A text without braces."""

    __slots__ = ("keys", "text")

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise TextFailure(f"it is longer than {MAX_CHARACTERS:,} characters", 0)
        self.keys: tuple[Key, ...] = ()
        self.text = text

    def write(self, values: Sequence[object], scene: Scene) -> str:
        """The text as it stands."""
        return self.text


class JinjaText:
    """A text that Jinja compiled to Python code."""

    __slots__ = ("_absent", "_names", "_root", "_template", "keys")

    def __init__(self, parsed: Parsed) -> None:
        rewriting = _Rewriting(parsed)
        tree = nodes.Template([rewriting.rewritten(part) for part in parsed.tree.body], lineno=1)
        tree.set_environment(sandbox())
        self._template = Template.from_code(sandbox(), sandbox().compile(tree, filename=_FILE), {})
        self._root: Callable[[Context], Iterator[str]] = self._template.root_render_func
        self.keys = tuple(rewriting.variables)
        self._names = tuple(rewriting.variables.values())
        self._absent = tuple(Absent(hint=f'"{words}" is absent') for words in rewriting.words.values())

    def write(self, values: Sequence[object], scene: Scene) -> str:
        """The text for these values."""
        variables: dict[str, object] = {SCENE: scene}
        for name, value, absent in zip(self._names, values, self._absent, strict=True):
            variables[name] = absent if value is None else value
        pieces: list[str] = []
        size = 0
        try:
            for piece in self._root(self._template.new_context(variables, shared=True)):
                scene.spend(1)
                size += len(piece)
                if size > MAX_CHARACTERS:
                    raise Refusal(f"it is longer than {MAX_CHARACTERS:,} characters")
                pieces.append(piece)
            text = "".join(pieces)
            text.encode()  # half a character (from an escape in an event) could not be sent, nor stored
        except REFUSALS as error:
            raise TextFailure(_reason(error), self._offset(error.__traceback__)) from error
        return text

    def _offset(self, traceback: TracebackType | None) -> int:
        """Where in the source the compiled code was; its lines carry offsets (see `syntax`)."""
        offset = 0
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == _FILE:
                offset = self._template.get_corresponding_lineno(traceback.tb_lineno) - 1
            traceback = traceback.tb_next
        return max(offset, 0)


def _reason(error: Exception) -> str:
    if isinstance(error, TemplateError):
        return error.message or "a value is absent"
    if isinstance(error, UnicodeEncodeError):
        return "it holds half a character, which cannot be sent"
    return f"its values cannot be used so ({type(error).__name__}: {error})"


class _Rewriting:
    """One tree on its way to the compiler. `variables` and `words`: for each value, its variable and its name."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self._own = own_names(parsed.tree)
        self.variables: dict[Key, str] = {}
        self.words: dict[Key, str] = {}

    def rewritten(self, node: nodes.Node) -> nodes.Node:
        """A copy of the tree below a node; parsed trees are shared and stay as they are."""
        use = use_of(self._parsed, node, self._own)
        if use:
            variable = self.variables.setdefault(use.key, f"_v{len(self.variables)}")
            self.words.setdefault(use.key, self._parsed.source[use.start : use.end])
            return nodes.Name(variable, "load", lineno=node.lineno)
        copy = type(node)(*(self._field(getattr(node, name)) for name in node.fields), lineno=node.lineno)
        return self._guarded(copy)

    def _field(self, value: object) -> object:
        if isinstance(value, nodes.Node):
            return self.rewritten(value)
        return [self._field(item) for item in value] if isinstance(value, list) else value

    def _guarded(self, node: nodes.Node) -> nodes.Node:
        match node:
            case nodes.Compare():
                operators = nodes.Const(" ".join(operand.op for operand in node.ops), lineno=node.lineno)
                return _applied(COMPARE, node.expr, operators, *(operand.expr for operand in node.ops))
            case nodes.Concat():
                return _applied(JOIN, *node.nodes)
            case nodes.For():
                node.iter = _applied(TURNS, node.iter)
            case nodes.CondExpr(expr2=None):
                node.expr2 = nodes.Const("", lineno=node.lineno)
            case _:
                pass
        return node


def _applied(name: str, first: nodes.Node, *others: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(first, name, list(others), [], None, None, lineno=first.lineno)


def readable(source: str) -> Parsed | Fault:
    """A source that may be compiled, or the first fault that stops it."""
    parsed = parse(source)
    if isinstance(parsed, Fault):
        return parsed
    faults = check(parsed)
    return faults[0] if faults else parsed


@lru_cache(maxsize=4096)
def compiled(source: str) -> CompiledText:
    """Compile a source that is `readable`; equal sources share their code.

    Raises:
        TextFailure: it is not readable.
    """
    parsed = readable(source)
    if isinstance(parsed, Fault):
        raise TextFailure(parsed.message, parsed.start)
    pieces = pieces_of(parsed, own_names(parsed.tree))
    if pieces is None:
        return JinjaText(parsed)
    words = [piece for piece in pieces if isinstance(piece, str)]
    if len(words) == len(pieces):
        return PlainText("".join(words))
    return ConcatenatedText(pieces, partial(JinjaText, parsed)) if len(pieces) < MAX_STEPS else JinjaText(parsed)
