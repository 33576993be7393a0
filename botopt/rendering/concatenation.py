"""Texts of plain words, values and filters, put together without Jinja: most messages are such.

What is unusual is left to Jinja's code for the same source, the twin of the text: a value that is absent or cannot be
printed, a text that is too long, half a character. So every bound, every refusal and every character stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, cast

import msgspec
from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.runtime import Context

from botopt.rendering.filters import FILTERS
from botopt.rendering.operations import printed
from botopt.rendering.reading.syntax import Parsed
from botopt.rendering.reading.uses import Key, use_of
from botopt.rendering.scene import MAX_CHARACTERS, SCENE, Absent, Refusal, Scene, number_text

REFUSALS = (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError)
"""What a text can fail with; all else is a fault of botopt's."""


class Fixed(msgspec.Struct, frozen=True):
    """A value that is written out in the template."""

    value: str | float | bool


class Filtered(msgspec.Struct, frozen=True):
    """A value that a filter makes of others: what stands before it, and what stands in its brackets."""

    function: Callable[..., object]
    inputs: tuple[Input, ...]
    named: Mapping[str, Input]


Input = Fixed | Key | Filtered

Joined = Callable[[Sequence[object], Scene | None], str | None]
"""Writes a text for these values; None where Jinja must decide."""


class Twin(Protocol):
    """The same text as Jinja writes it."""

    def write(self, values: Sequence[object], scene: Scene) -> str:
        """The text for these values (None is absent), or the failure of it."""


class ConcatenatedText:
    """Words and values in turn: `botopt.rendering.compilation.CompiledText`. `is_staged`: it asks for whom it is."""

    __slots__ = ("_joined", "_pieces", "_twin", "_twin_of", "is_staged", "keys")

    def __init__(self, pieces: Sequence[str | Input], twin_of: Callable[[], Twin]) -> None:
        self._pieces = tuple(pieces)
        self.keys: tuple[Key, ...] = tuple(dict.fromkeys(key for piece in self._pieces for key in _keys(piece)))
        self.is_staged = any(isinstance(piece, (Filtered, Fixed)) for piece in self._pieces)
        self._joined = self.joined(range(len(self.keys)), staged=self.is_staged)
        self._twin_of = twin_of
        self._twin: Twin | None = None

    def write(self, values: Sequence[object], scene: Scene) -> str:
        """The text for these values."""
        steps = scene.steps
        text = self._joined(values, scene)
        if text is not None:
            return text
        scene.steps = steps
        if self._twin is None:
            self._twin = self._twin_of()
        return self._twin.write(values, scene)

    def joined(self, places: Sequence[int], *, staged: bool) -> Joined:
        """A function that writes the text for values among which `keys` have these places.

        It wants a scene if it is `staged`, and counts its steps from zero.
        """
        numbers = dict(zip(self.keys, places, strict=True))
        words = [piece if isinstance(piece, str) else "" for piece in self._pieces]
        plain = [(hole, numbers[piece]) for hole, piece in enumerate(self._pieces) if isinstance(piece, tuple)]
        made = [
            (hole, _function(piece, numbers))
            for hole, piece in enumerate(self._pieces)
            if isinstance(piece, (Filtered, Fixed))
        ]

        def joined(values: Sequence[object], scene: Scene | None) -> str | None:
            pieces = words.copy()
            try:
                stage = _stage(scene, len(words)) if staged else None
                for hole, function in made:
                    value = function(values, stage)
                    pieces[hole] = value if type(value) is str else _text(value, stage)
                for hole, place in plain:
                    value = values[place]
                    pieces[hole] = value if type(value) is str else _text(value, stage)
            except REFUSALS:
                return None
            text = "".join(pieces)
            return text if text.isascii() and len(text) <= MAX_CHARACTERS else _bounded(text)

        return joined


def _bounded(text: str) -> str | None:
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text


def _text(value: object, stage: Context | None) -> str:
    """What `printed` makes of a value, sooner for numbers and truths."""
    kind = type(value)
    if kind is float or kind is int:
        return number_text(value)  # type: ignore[arg-type]  # its type was just looked at
    if kind is bool:
        return "true" if value else "false"
    if stage is None:
        raise Refusal("this is left to Jinja")
    return printed(stage, value)


class _Stage:
    """All that filters ask of Jinja's context."""

    __slots__ = ("parent",)

    def __init__(self, scene: Scene) -> None:
        self.parent = {SCENE: scene}


def _stage(scene: Scene | None, steps: int) -> Context:
    if scene is None:
        raise Refusal("this is left to Jinja")
    scene.steps = steps
    return cast("Context", _Stage(scene))


_Function = Callable[[Sequence[object], Context | None], object]
_ABSENT = Absent(hint="this is left to Jinja")


def _function(given: Input, places: Mapping[Key, int]) -> _Function:
    if isinstance(given, Fixed):
        constant = given.value
        return lambda _values, _stage: constant
    if isinstance(given, tuple):
        place = places[given]

        def value(values: Sequence[object], _stage: Context | None) -> object:
            found = values[place]
            return _ABSENT if found is None else found

        return value
    return _filtering(given, [_function(one, places) for one in given.inputs], places)


def _filtering(given: Filtered, inputs: Sequence[_Function], places: Mapping[Key, int]) -> _Function:
    function = given.function
    if given.named:
        named = {name: _function(one, places) for name, one in given.named.items()}
        return lambda values, stage: function(
            stage,
            *[one(values, stage) for one in inputs],
            **{name: one(values, stage) for name, one in named.items()},
        )
    if len(inputs) == 1:
        (only,) = inputs
        return lambda values, stage: function(stage, only(values, stage))
    if len(inputs) == 2:
        first, second = inputs
        return lambda values, stage: function(stage, first(values, stage), second(values, stage))
    return lambda values, stage: function(stage, *[one(values, stage) for one in inputs])


def _keys(piece: str | Input) -> Iterator[Key]:
    """The values of a piece, in the order in which a walk through its tree meets them."""
    if isinstance(piece, tuple):
        yield piece
    elif isinstance(piece, Filtered):
        for one in (*piece.inputs, *piece.named.values()):
            yield from _keys(one)


def pieces_of(parsed: Parsed, own: frozenset[str]) -> list[str | Input] | None:
    """The pieces of a text that is nothing but a concatenation; `own` names are values of the template itself."""
    pieces: list[str | Input] = []
    for output in parsed.tree.body:
        if not isinstance(output, nodes.Output):
            return None
        for node in output.nodes:
            piece = node.data if isinstance(node, nodes.TemplateData) else _input(parsed, node, own)
            if piece is None:
                return None
            pieces.append(piece)
    return pieces


def _input(parsed: Parsed, node: nodes.Expr, own: frozenset[str]) -> Input | None:
    use = use_of(parsed, node, own)
    if use is not None:
        return use.key
    if isinstance(node, nodes.Const):
        return Fixed(node.value) if type(node.value) in {str, int, float, bool} else None
    if not isinstance(node, nodes.Filter) or node.name not in FILTERS or node.node is None:
        return None
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        return None
    inputs = [_input(parsed, one, own) for one in (node.node, *node.args)]
    named = [(str(keyword.key), _input(parsed, keyword.value, own)) for keyword in node.kwargs]
    found = tuple(one for one in inputs if one is not None)
    found_named = {name: one for name, one in named if one is not None}
    if len(found) < len(inputs) or len(found_named) < len(named):
        return None
    return Filtered(FILTERS[node.name].function, found, found_named)
